#include <anygram/query/count.hpp>

#include <algorithm>
#include <array>

#include <anygram/base/thread_pool.hpp>

namespace anygram {
namespace {

// N-grams a thread takes at a time: a fraction of a millisecond's work, so that the last ones are done together.
constexpr std::size_t kNgramsPerItem = 256;

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
    const NgramBlock block(ngrams, first, size);
    std::array<Interval, kNgramsPerItem> intervals;
    const auto totals = counts.subspan(first, size);
    std::ranges::fill(totals, 0);
    for (const auto& shard : shards) {
      shard->find(block.ngrams(), std::span(intervals).first(size));
      for (std::size_t i = 0; i < size; ++i) totals[i] += static_cast<std::int64_t>(intervals[i].size());
    }
  });
}

}  // namespace anygram
