#include <anygram/query/document_filter.hpp>

#include <algorithm>
#include <atomic>
#include <string>

#include <anygram/base/error.hpp>
#include <anygram/base/thread_pool.hpp>

namespace anygram {
namespace {

// Documents that a thread takes at a time: a fraction of a millisecond's work.
constexpr std::uint64_t kDocumentsPerItem = 1 << 14;

// Calls work(begin, end) for parts of a shard's documents, on any thread.
template <class Work>
void for_each_part(const Shard& shard, const Execution& execution, const Work& work) {
  const std::uint64_t size = shard.counts().num_documents;
  const auto items = static_cast<std::size_t>((size + kDocumentsPerItem - 1) / kDocumentsPerItem);
  run_parallel(items, execution.threads, execution.stop, [&](std::size_t item) {
    execution.stop.check();
    const std::uint64_t begin = item * kDocumentsPerItem;
    work(begin, std::min(size, begin + kDocumentsPerItem));
  });
}

}  // namespace

DocumentFilter::DocumentFilter(DocumentNumbers numbers, std::span<const std::uint8_t> chosen)
    : numbers_(std::move(numbers)), words_(chosen.size() / 64 + 1) {
  if (chosen.size() != numbers_.size()) {
    throw Error(ErrorCode::kInvalidQuery, "a filter says of each of " + std::to_string(numbers_.size()) +
                                              " documents whether it counts, found " + std::to_string(chosen.size()));
  }
  for (std::size_t document = 0; document < chosen.size(); ++document) {
    const std::uint64_t bit = chosen[document] != 0 ? 1 : 0;
    words_[document / 64] |= bit << (document % 64);
    num_chosen_ += bit;
  }
}

void check_filter(Shards shards, const DocumentFilter* filter) {
  if (filter == nullptr) return;
  std::uint64_t first = 0;
  bool is_same = filter->numbers().num_shards() == shards.size();
  for (std::size_t s = 0; is_same && s < shards.size(); ++s) {
    is_same = filter->numbers().first(s) == first;
    first += shards[s]->counts().num_documents;
  }
  if (!is_same || filter->numbers().size() != first) {
    throw Error(ErrorCode::kInvalidQuery, "the filter was made for another index");
  }
}

std::uint64_t count_tokens(const Shard& shard, const ShardFilter& filter, const Execution& execution) {
  std::atomic<std::uint64_t> total{0};
  for_each_part(shard, execution, [&](std::uint64_t begin, std::uint64_t end) {
    std::uint64_t sum = 0;
    for (std::uint64_t document = begin; document < end; ++document) {
      if (filter.contains(document)) sum += shard.document_span(document).size();
    }
    total.fetch_add(sum, std::memory_order_relaxed);
  });
  return total;
}

void document_lengths(Shards shards, const DocumentNumbers& numbers, const Execution& execution,
                      std::span<std::int64_t> lengths) {
  for (std::size_t s = 0; s < shards.size(); ++s) {
    for_each_part(*shards[s], execution, [&](std::uint64_t begin, std::uint64_t end) {
      for (std::uint64_t document = begin; document < end; ++document) {
        lengths[numbers.first(s) + document] = static_cast<std::int64_t>(shards[s]->document_span(document).size());
      }
    });
  }
}

}  // namespace anygram
