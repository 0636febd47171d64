// An n-gram's occurrences as a list: any run of them by number, also of those in some documents only.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <anygram/query/document_filter.hpp>
#include <anygram/query/occurrences.hpp>
#include <anygram/query/query.hpp>

namespace anygram {

// Ordered by (shard, rank), as without a filter. Keeps no occurrence: only how many there are in each block of ranks,
// so it takes 8 bytes for each thousand that were looked at.
class SelectedOccurrences {
 public:
  // Of an n-gram of `length` tokens. O(shards) without a filter, else O(occurrences), on all threads. The shards and
  // the filter must outlive it.
  SelectedOccurrences(Shards shards, const DocumentNumbers& numbers, ShardIntervals intervals, std::uint64_t length,
                      const DocumentFilter* filter, const Execution& execution);

  std::uint64_t size() const { return begins_.back(); }
  // Those numbered [begin, end). Cost: O(end - begin), and with a filter two blocks at most.
  std::vector<Occurrence> list(std::uint64_t begin, std::uint64_t end, StopSignal& stop) const;

 private:
  void count_blocks(std::size_t shard, const Execution& execution);
  Interval ranks_of(std::size_t shard, std::size_t block) const;
  void append(std::size_t shard, const Interval& ranks, StopSignal& stop, std::vector<Occurrence>& result) const;

  Shards shards_;
  const DocumentNumbers& numbers_;
  ShardIntervals intervals_;
  std::uint64_t length_;
  const DocumentFilter* filter_;
  // Without a filter the occurrences of a shard are one block.
  std::vector<std::size_t> first_blocks_;  // of each shard, and how many there are in all
  std::vector<std::uint64_t> begins_;      // of each block: the number of its first occurrence, and their total
};

}  // namespace anygram
