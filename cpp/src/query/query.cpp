#include <anygram/query/query.hpp>

#include <algorithm>

namespace anygram {

ShardCounts total_counts(Shards shards) {
  ShardCounts total;
  for (const auto& shard : shards) {
    total.num_tokens += shard->counts().num_tokens;
    total.num_documents += shard->counts().num_documents;
    total.vocab_size = std::max(total.vocab_size, shard->counts().vocab_size);
  }
  return total;
}

std::uint64_t total_size(std::span<const Interval> intervals) {
  std::uint64_t size = 0;
  for (const Interval& interval : intervals) size += interval.size();
  return size;
}

ShardIntervals find(Shards shards, Ngram ngram) {
  ShardIntervals intervals(shards.size());
  for (std::size_t s = 0; s < shards.size(); ++s) shards[s]->find({&ngram, 1}, {&intervals[s], 1});
  return intervals;
}

}  // namespace anygram
