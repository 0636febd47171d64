#include <anygram/query/selected_occurrences.hpp>

#include <algorithm>

#include <anygram/base/thread_pool.hpp>

#include "occurrence_blocks.hpp"

namespace anygram {

SelectedOccurrences::SelectedOccurrences(Shards shards, const DocumentNumbers& numbers, ShardIntervals intervals,
                                         std::uint64_t length, const DocumentFilter* filter, const Execution& execution)
    : shards_(shards),
      numbers_(numbers),
      intervals_(std::move(intervals)),
      length_(length),
      filter_(filter),
      first_blocks_{0},
      begins_{0} {
  check_filter(shards, filter);
  for (std::size_t s = 0; s < shards.size(); ++s) {
    if (filter == nullptr) {
      begins_.push_back(begins_.back() + intervals_[s].size());
    } else {
      count_blocks(s, execution);
    }
    first_blocks_.push_back(begins_.size() - 1);
  }
}

void SelectedOccurrences::count_blocks(std::size_t shard, const Execution& execution) {
  const Interval& interval = intervals_[shard];
  const ShardFilter chosen(filter_, shard);
  const std::size_t first = begins_.size();
  begins_.resize(first + static_cast<std::size_t>((interval.size() + kRanksAtOnce - 1) / kRanksAtOnce));
  for_each_part(interval, execution, [&](const Interval& part) {
    for_each_block_of_documents(*shards_[shard], part, [&](Rank rank, std::span<const std::uint32_t> documents) {
      begins_[first + static_cast<std::size_t>((rank - interval.begin) / kRanksAtOnce)] = static_cast<std::uint64_t>(
          std::ranges::count_if(documents, [&](std::uint32_t document) { return chosen.contains(document); }));
    });
  });
  for (std::size_t block = first; block < begins_.size(); ++block) begins_[block] += begins_[block - 1];
}

Interval SelectedOccurrences::ranks_of(std::size_t shard, std::size_t block) const {
  const Interval& interval = intervals_[shard];
  if (filter_ == nullptr) return interval;
  const Rank begin = interval.begin + (block - first_blocks_[shard]) * kRanksAtOnce;
  return {begin, std::min(interval.end, begin + kRanksAtOnce)};
}

void SelectedOccurrences::append(std::size_t shard, const Interval& ranks, StopSignal& stop,
                                 std::vector<Occurrence>& result) const {
  const ShardFilter chosen(filter_, shard);
  const Shard& source = *shards_[shard];
  for_each_block(source, ranks, length_,
                 [&](Rank first, std::span<const Position> positions, std::span<const std::uint32_t> documents) {
                   if ((first - ranks.begin) % kRanksPerItem == 0) stop.poll();
                   for (std::size_t i = 0; i < positions.size(); ++i) {
                     if (!chosen.contains(documents[i])) continue;
                     const std::uint64_t offset = positions[i] - source.document_span(documents[i]).begin;
                     result.push_back({numbers_.first(shard) + documents[i], offset, shard, first + i, positions[i]});
                   }
                 });
}

std::vector<Occurrence> SelectedOccurrences::list(std::uint64_t begin, std::uint64_t end, StopSignal& stop) const {
  end = std::min(end, size());
  std::vector<Occurrence> result;
  if (begin >= end) return result;
  result.reserve(end - begin);
  auto block = static_cast<std::size_t>(std::ranges::upper_bound(begins_, begin) - begins_.begin()) - 1;
  std::vector<Occurrence> of_block;
  for (; begins_[block] < end; ++block) {
    const auto shard = static_cast<std::size_t>(std::ranges::upper_bound(first_blocks_, block) - first_blocks_.begin());
    Interval ranks = ranks_of(shard - 1, block);
    const std::uint64_t first = std::max(begin, begins_[block]) - begins_[block];
    const std::uint64_t last = std::min(end, begins_[block + 1]) - begins_[block];
    if (filter_ == nullptr) {
      append(shard - 1, {ranks.begin + first, ranks.begin + last}, stop, result);
    } else {
      of_block.clear();
      append(shard - 1, ranks, stop, of_block);
      result.insert(result.end(), of_block.begin() + static_cast<std::ptrdiff_t>(first),
                    of_block.begin() + static_cast<std::ptrdiff_t>(last));
    }
  }
  return result;
}

}  // namespace anygram
