// The quicksort behind every RecordSort; what is done to many records at once comes from its Kernel.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <anygram/suffix/record_sort.hpp>

namespace anygram::record_detail {

inline Records operator+(Records records, std::size_t count) {
  return {records.keys + count, records.positions + count};
}

// The last resort for an input on which quicksort degenerates.
inline void heap_sort(Records records, std::size_t size) {
  const auto swap_records = [&](std::size_t a, std::size_t b) {
    std::swap(records.keys[a], records.keys[b]);
    std::swap(records.positions[a], records.positions[b]);
  };
  const auto sift_down = [&](std::size_t parent, std::size_t end) {
    for (std::size_t child; (child = 2 * parent + 1) < end; parent = child) {
      if (child + 1 < end && records.keys[child] < records.keys[child + 1]) ++child;
      if (records.keys[child] <= records.keys[parent]) return;
      swap_records(parent, child);
    }
  };
  for (std::size_t parent = size / 2; parent-- > 0;) sift_down(parent, size);
  for (std::size_t end = size; end-- > 1;) {
    swap_records(0, end);
    sift_down(0, end);
  }
}

inline std::uint64_t median(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  return std::max(std::min(a, b), std::min(std::max(a, b), c));
}

// The median of 3 keys, or of 3 medians of 3 where a good pivot is worth more.
inline std::uint64_t choose_pivot(const std::uint64_t* keys, std::size_t size) {
  const std::size_t step = size / 8;
  if (size <= 512) return median(keys[step], keys[3 * step + step / 2], keys[6 * step + step / 2]);
  return median(median(keys[0], keys[step], keys[2 * step]), median(keys[3 * step], keys[4 * step], keys[5 * step]),
                median(keys[6 * step], keys[7 * step], keys[size - 1]));
}

// Kernel has kSmall (at least 16), sort_small(records, size) for sizes up to it, and for larger ones partition_less and
// partition_less_equal(records, size, pivot), which move the records with such keys to the front and return their
// number.
template <class Kernel>
std::uint64_t quicksort(Records records, std::size_t size, int depth_left, WorkMeter& meter) {
  constexpr std::size_t kLongWork = std::size_t{1} << 16;
  std::uint64_t moved = 0;
  while (size > Kernel::kSmall) {
    moved += size;
    if (size >= kLongWork) meter.add(0);
    if (depth_left-- == 0) {
      heap_sort(records, size);
      return moved + size * static_cast<std::size_t>(std::bit_width(size));
    }
    const std::uint64_t pivot = choose_pivot(records.keys, size);
    const std::size_t less = Kernel::partition_less(records, size, pivot);
    if (less == 0) {
      // The pivot is the smallest key: its copies are in place, however many they are.
      const std::size_t equal = Kernel::partition_less_equal(records, size, pivot);
      moved += size;
      records = records + equal;
      size -= equal;
    } else if (less < size - less) {
      moved += quicksort<Kernel>(records, less, depth_left, meter);
      records = records + less;
      size -= less;
    } else {
      moved += quicksort<Kernel>(records + less, size - less, depth_left, meter);
      size = less;
    }
  }
  Kernel::sort_small(records, size);
  return moved + size;
}

// A quicksort that needs more levels than this is degenerate: each pair of levels should more than halve the size.
template <class Kernel>
std::uint64_t quicksort(Records records, std::size_t size, WorkMeter& meter) {
  return quicksort<Kernel>(records, size, 2 * static_cast<int>(std::bit_width(size)) + 4, meter);
}

}  // namespace anygram::record_detail
