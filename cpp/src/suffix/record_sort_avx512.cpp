// Sorting of records 8 at a time. Only the functions marked for it are compiled for AVX-512, so that nothing in this
// file, and no inline function it shares with others, runs on a processor that lacks it.
#include <anygram/suffix/record_sort_avx512.hpp>

#ifdef __x86_64__

#include <immintrin.h>

#include <bit>
#include <cstring>

#include <anygram/suffix/record_quicksort.hpp>

#define ANYGRAM_AVX512 __attribute__((target("avx512f,avx512vl,avx512dq,popcnt")))

namespace anygram {
namespace {

constexpr std::size_t kLanes = 8;

// Up to 8 records in registers.
struct Block {
  __m512i keys;
  __m256i positions;
};

ANYGRAM_AVX512 inline Block read_block(Records records, std::size_t begin) {
  return {_mm512_loadu_si512(records.keys + begin),
          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(records.positions + begin))};
}

ANYGRAM_AVX512 inline __mmask8 first_lanes(std::size_t count) { return static_cast<__mmask8>((1U << count) - 1); }

// Writes the block's `valid` records to the side of the gap that they belong to.
template <bool OrEqual>
ANYGRAM_AVX512 inline void write_block(Records records, const Block& block, __mmask8 valid, __m512i pivot,
                                       std::size_t& left_write, std::size_t& right_write) {
  const __mmask8 smaller =
      OrEqual ? _mm512_cmple_epu64_mask(block.keys, pivot) : _mm512_cmplt_epu64_mask(block.keys, pivot);
  const auto left = static_cast<__mmask8>(smaller & valid), right = static_cast<__mmask8>(~smaller & valid);
  const auto num_left = static_cast<std::size_t>(std::popcount(left));
  const auto num_right = static_cast<std::size_t>(std::popcount(right));
  // Compressed in registers and then stored: compressing into memory is microcoded on some processors.
  _mm512_mask_storeu_epi64(records.keys + left_write, first_lanes(num_left),
                           _mm512_maskz_compress_epi64(left, block.keys));
  _mm256_mask_storeu_epi32(records.positions + left_write, first_lanes(num_left),
                           _mm256_maskz_compress_epi32(left, block.positions));
  left_write += num_left;
  right_write -= num_right;
  _mm512_mask_storeu_epi64(records.keys + right_write, first_lanes(num_right),
                           _mm512_maskz_compress_epi64(right, block.keys));
  _mm256_mask_storeu_epi32(records.positions + right_write, first_lanes(num_right),
                           _mm256_maskz_compress_epi32(right, block.positions));
}

// As the portable one: two blocks are taken out, which leaves two gaps; the next block comes from the side with the
// smaller gap, so that either side can take all of it.
template <bool OrEqual>
ANYGRAM_AVX512 std::size_t partition(Records records, std::size_t size, std::uint64_t pivot_key) {
  const __m512i pivot = _mm512_set1_epi64(static_cast<long long>(pivot_key));
  const Block first = read_block(records, 0), last = read_block(records, size - kLanes);
  std::size_t left_read = kLanes, right_read = size - kLanes, left_write = 0, right_write = size;
  while (right_read - left_read >= kLanes) {
    const bool from_left = left_read - left_write <= right_write - right_read;
    const Block block = read_block(records, from_left ? left_read : right_read - kLanes);
    left_read += from_left ? kLanes : 0;
    right_read -= from_left ? 0 : kLanes;
    write_block<OrEqual>(records, block, 0xFF, pivot, left_write, right_write);
  }
  const __mmask8 rest = first_lanes(right_read - left_read);
  const Block block{_mm512_maskz_loadu_epi64(rest, records.keys + left_read),
                    _mm256_maskz_loadu_epi32(rest, records.positions + left_read)};
  write_block<OrEqual>(records, block, rest, pivot, left_write, right_write);
  write_block<OrEqual>(records, first, 0xFF, pivot, left_write, right_write);
  write_block<OrEqual>(records, last, 0xFF, pivot, left_write, right_write);
  return left_write;
}

// Counts for each record how many come before it, and puts it there.
template <std::size_t Blocks>
ANYGRAM_AVX512 void sort_by_counting(Records records, std::size_t size) {
  alignas(64) std::uint64_t keys[Blocks * kLanes];
  Position positions[Blocks * kLanes];
  __m512i blocks[Blocks];
  for (std::size_t block = 0; block < Blocks; ++block) {
    const std::size_t begin = block * kLanes;
    const __mmask8 valid = size - begin >= kLanes ? 0xFF : first_lanes(size - begin);
    blocks[block] = _mm512_mask_loadu_epi64(_mm512_set1_epi64(-1), valid, records.keys + begin);
  }
  for (std::size_t i = 0; i < size; ++i) {
    const __m512i key = _mm512_set1_epi64(static_cast<long long>(records.keys[i]));
    std::uint32_t less = 0, equal = 0;
    for (std::size_t block = 0; block < Blocks; ++block) {
      less |= std::uint32_t{_mm512_cmplt_epu64_mask(blocks[block], key)} << (block * kLanes);
      equal |= std::uint32_t{_mm512_cmpeq_epi64_mask(blocks[block], key)} << (block * kLanes);
    }
    const std::uint32_t before = less | (equal & ((std::uint32_t{1} << i) - 1));
    const int place = std::popcount(before);
    keys[place] = records.keys[i];
    positions[place] = records.positions[i];
  }
  std::memcpy(records.keys, keys, size * sizeof *keys);
  std::memcpy(records.positions, positions, size * sizeof *positions);
}

struct Avx512Kernel {
  static constexpr std::size_t kSmall = 4 * kLanes;

  static void sort_small(Records records, std::size_t size) {
    if (size < 2) return;
    if (size <= kLanes) return sort_by_counting<1>(records, size);
    if (size <= 2 * kLanes) return sort_by_counting<2>(records, size);
    if (size <= 3 * kLanes) return sort_by_counting<3>(records, size);
    sort_by_counting<4>(records, size);
  }
  static std::size_t partition_less(Records records, std::size_t size, std::uint64_t pivot) {
    return partition<false>(records, size, pivot);
  }
  static std::size_t partition_less_equal(Records records, std::size_t size, std::uint64_t pivot) {
    return partition<true>(records, size, pivot);
  }
};

}  // namespace

bool can_sort_records_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("popcnt");
}

std::uint64_t sort_records_avx512(Records records, std::size_t size, WorkMeter& meter) {
  return record_detail::quicksort<Avx512Kernel>(records, size, meter);
}

}  // namespace anygram

#else

namespace anygram {

bool can_sort_records_avx512() { return false; }

std::uint64_t sort_records_avx512(Records records, std::size_t size, WorkMeter& meter) {
  return sort_records_portable(records, size, meter);
}

}  // namespace anygram

#endif
