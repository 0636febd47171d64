#include <anygram/suffix/record_sort.hpp>

#include <cstring>

#include <anygram/suffix/record_quicksort.hpp>
#include <anygram/suffix/record_sort_avx512.hpp>

namespace anygram {
namespace {

// Branch-free: which way a key goes is a coin toss that no processor predicts.
struct PortableKernel {
  static constexpr std::size_t kSmall = 16;

  // Counts for each record how many come before it, and puts it there.
  static void sort_small(Records records, std::size_t size) {
    if (size < 2) return;
    if (size == 2) {
      if (records.keys[1] < records.keys[0]) {
        std::swap(records.keys[0], records.keys[1]);
        std::swap(records.positions[0], records.positions[1]);
      }
      return;
    }
    std::uint64_t keys[kSmall];
    Position positions[kSmall];
    std::uint32_t places[kSmall];
    for (std::size_t i = 0; i < size; ++i) {
      const std::uint64_t key = records.keys[i];
      std::uint32_t place = static_cast<std::uint32_t>(i);
      for (std::size_t j = 0; j < i; ++j) {
        const std::uint32_t greater = keys[j] > key;
        places[j] += greater;
        place -= greater;
      }
      keys[i] = key;
      positions[i] = records.positions[i];
      places[i] = place;
    }
    for (std::size_t i = 0; i < size; ++i) {
      records.keys[places[i]] = keys[i];
      records.positions[places[i]] = positions[i];
    }
  }

  static std::size_t partition_less(Records records, std::size_t size, std::uint64_t pivot) {
    return partition(records, size, [pivot](std::uint64_t key) { return key < pivot; });
  }
  static std::size_t partition_less_equal(Records records, std::size_t size, std::uint64_t pivot) {
    return partition(records, size, [pivot](std::uint64_t key) { return key <= pivot; });
  }

 private:
  // Two blocks are taken out first; from then on there are two gaps, of 16 records together, between what is written
  // and what is unread. A block is read from the side with the smaller gap, so each gap can then take any 8 records;
  // each record is written to both, and the one that it does not belong to forgets it.
  template <class ToLeft>
  static std::size_t partition(Records records, std::size_t size, const ToLeft& to_left) {
    constexpr std::size_t kBlock = 8;
    struct Block {
      std::uint64_t keys[kBlock];
      Position positions[kBlock];

      void read(Records from, std::size_t begin, std::size_t count) {
        std::memcpy(keys, from.keys + begin, count * sizeof *keys);
        std::memcpy(positions, from.positions + begin, count * sizeof *positions);
      }
    };
    std::size_t left_write = 0, right_write = size;
    const auto write = [&](const Block& block, std::size_t count) {
      for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t key = block.keys[i];
        const Position position = block.positions[i];
        records.keys[left_write] = key;
        records.positions[left_write] = position;
        records.keys[right_write - 1] = key;
        records.positions[right_write - 1] = position;
        const bool left = to_left(key);
        left_write += left;
        right_write -= !left;
      }
    };

    Block first, last, block;
    first.read(records, 0, kBlock);
    last.read(records, size - kBlock, kBlock);
    std::size_t left_read = kBlock, right_read = size - kBlock;
    while (right_read - left_read >= kBlock) {
      const bool from_left = left_read - left_write <= right_write - right_read;
      block.read(records, from_left ? left_read : right_read - kBlock, kBlock);
      left_read += from_left ? kBlock : 0;
      right_read -= from_left ? 0 : kBlock;
      write(block, kBlock);
    }
    const std::size_t rest = right_read - left_read;
    block.read(records, left_read, rest);
    write(block, rest);
    write(first, kBlock);
    write(last, kBlock);
    return left_write;
  }
};

}  // namespace

std::uint64_t sort_records_portable(Records records, std::size_t size, WorkMeter& meter) {
  return record_detail::quicksort<PortableKernel>(records, size, meter);
}

RecordSort best_record_sort() { return can_sort_records_avx512() ? sort_records_avx512 : sort_records_portable; }

}  // namespace anygram
