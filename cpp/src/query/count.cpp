#include <anygram/query/count.hpp>

#include <algorithm>

#include <anygram/base/thread_pool.hpp>

namespace anygram {
namespace {

// N-grams a thread takes at a time: about a millisecond's work.
constexpr std::size_t kNgramsPerItem = 1024;

}  // namespace

std::uint64_t count(Shards shards, Ngram ngram) {
  std::uint64_t total = 0;
  for (const auto& shard : shards) {
    Interval interval;
    shard->find({&ngram, 1}, {&interval, 1});
    total += interval.size();
  }
  return total;
}

void count_batch(Shards shards, const NgramList& ngrams, const Execution& execution, std::span<std::int64_t> counts) {
  const std::size_t items = (ngrams.size() + kNgramsPerItem - 1) / kNgramsPerItem;
  run_parallel(items, execution.threads, execution.stop, [&](std::size_t item) {
    const std::size_t first = item * kNgramsPerItem;
    const std::size_t size = std::min(kNgramsPerItem, ngrams.size() - first);
    std::vector<Ngram> piece(size);
    for (std::size_t i = 0; i < size; ++i) piece[i] = ngrams[first + i];
    std::vector<Interval> intervals(size);
    std::ranges::fill(counts.subspan(first, size), 0);
    for (const auto& shard : shards) {
      shard->find(piece, intervals);
      for (std::size_t i = 0; i < size; ++i) counts[first + i] += static_cast<std::int64_t>(intervals[i].size());
    }
  });
}

}  // namespace anygram
