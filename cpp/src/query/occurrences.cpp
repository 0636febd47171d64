#include <anygram/query/occurrences.hpp>

#include <algorithm>
#include <array>
#include <atomic>

#include <anygram/base/thread_pool.hpp>

#include "occurrence_blocks.hpp"

namespace anygram {
namespace {

// An n-gram of a batch that occurs more often has all threads for itself.
constexpr Rank kManyOccurrences = Rank{1} << 17;

constexpr std::size_t kNgramsPerItem = 32;

// Spans of documents that a thread reads at a time.
constexpr std::size_t kSpansPerItem = 16;

// So few numbers are sorted by comparing them.
constexpr std::size_t kFewNumbers = 256;

// Sorts numbers of which the largest is below `limit`: digit by digit, the lowest first.
void sort_numbers(std::vector<std::uint32_t>& numbers, std::uint64_t limit) {
  if (numbers.size() <= kFewNumbers) {
    std::ranges::sort(numbers);
    return;
  }
  constexpr int kDigitBits = 11;
  constexpr std::size_t kDigits = std::size_t{1} << kDigitBits;
  std::vector<std::uint32_t> sorted(numbers.size());
  for (int shift = 0; (limit - 1) >> shift != 0; shift += kDigitBits) {
    std::array<std::size_t, kDigits + 1> begins{};
    const auto digit = [shift](std::uint32_t number) { return number >> shift & (kDigits - 1); };
    for (const std::uint32_t number : numbers) ++begins[digit(number) + 1];
    for (std::size_t i = 1; i <= kDigits; ++i) begins[i] += begins[i - 1];
    for (const std::uint32_t number : numbers) sorted[begins[digit(number)]++] = number;
    numbers.swap(sorted);
  }
}

// The document of each occurrence, ascending.
std::vector<std::uint32_t> sorted_documents(const Shard& shard, const Interval& interval, const ShardFilter& filter,
                                            const Execution& execution) {
  std::vector<std::uint32_t> held(interval.size());
  for_each_part(interval, execution, [&](const Interval& part) {
    for_each_block_of_documents(shard, part, [&](Rank first, std::span<const std::uint32_t> documents) {
      std::ranges::copy(documents, held.begin() + static_cast<std::ptrdiff_t>(first - interval.begin));
    });
  });
  if (!filter.is_all()) std::erase_if(held, [&](std::uint32_t document) { return !filter.contains(document); });
  sort_numbers(held, shard.counts().num_documents);
  return held;
}

// With many occurrences a number for each document costs less than sorting.
bool are_many(const Interval& interval, const Shard& shard) {
  return interval.size() >= shard.counts().num_documents / 16;
}

// Whether every token is an occurrence, as of the empty n-gram.
bool is_everything(const Interval& interval, const Shard& shard) {
  return interval.size() == shard.counts().num_tokens;
}

std::uint64_t count_occurrences(const Shard& shard, const Interval& interval, const ShardFilter& filter,
                                const Execution& execution) {
  std::atomic<std::uint64_t> count{0};
  for_each_part(interval, execution, [&](const Interval& part) {
    std::uint64_t own = 0;
    for_each_block_of_documents(shard, part, [&](Rank, std::span<const std::uint32_t> documents) {
      for (const std::uint32_t document : documents) own += filter.contains(document) ? 1 : 0;
    });
    count.fetch_add(own, std::memory_order_relaxed);
  });
  return count;
}

std::uint64_t count_documents(const Shard& shard, const Interval& interval, const ShardFilter& filter,
                              const Execution& execution) {
  if (interval.empty() || (interval.size() == 1 && filter.is_all())) return interval.size();
  if (!are_many(interval, shard)) {
    std::vector<std::uint32_t> held = sorted_documents(shard, interval, filter, execution);
    return static_cast<std::uint64_t>(std::ranges::unique(held).begin() - held.begin());
  }
  std::vector<std::atomic<std::uint64_t>> held(shard.counts().num_documents / 64 + 1);  // a bit for each document
  std::atomic<std::uint64_t> count{0};
  for_each_part(interval, execution, [&](const Interval& part) {
    std::uint64_t own = 0;
    for_each_block_of_documents(shard, part, [&](Rank, std::span<const std::uint32_t> documents) {
      for (const std::uint32_t document : documents) {
        std::atomic<std::uint64_t>& word = held[document / 64];
        const std::uint64_t bit = std::uint64_t{1} << (document % 64);
        if ((word.load(std::memory_order_relaxed) & bit) != 0 || !filter.contains(document)) continue;
        own += (word.fetch_or(bit, std::memory_order_relaxed) & bit) == 0 ? 1 : 0;
      }
    });
    count.fetch_add(own, std::memory_order_relaxed);
  });
  return count;
}

// Calls receive(document, count) for each document that holds an occurrence, ascending.
template <class Receive>
void list_documents(const Shard& shard, const Interval& interval, const ShardFilter& filter, const Execution& execution,
                    const Receive& receive) {
  if (!are_many(interval, shard)) {
    const std::vector<std::uint32_t> held = sorted_documents(shard, interval, filter, execution);
    for (std::size_t i = 0; i < held.size();) {
      const std::size_t first = i;
      while (i < held.size() && held[i] == held[first]) ++i;
      receive(held[first], i - first);
    }
    return;
  }
  std::vector<std::atomic<std::uint32_t>> counts(shard.counts().num_documents);
  const bool is_shared = execution.threads > 1;
  for_each_part(interval, execution, [&](const Interval& part) {
    for_each_block_of_documents(shard, part, [&](Rank, std::span<const std::uint32_t> documents) {
      for (const std::uint32_t document : documents) {
        if (!filter.contains(document)) continue;
        std::atomic<std::uint32_t>& count = counts[document];
        if (is_shared) {
          count.fetch_add(1, std::memory_order_relaxed);
        } else {
          count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        }
      }
    });
  });
  for (std::size_t document = 0; document < counts.size(); ++document) {
    const std::uint32_t count = counts[document].load(std::memory_order_relaxed);
    if (count != 0) receive(document, count);
  }
}

// A well-mixed function of three numbers, fixed for ever: samples depend on it. (The finalizer of SplitMix64, Steele,
// Lea and Flood, OOPSLA 2014.)
std::uint64_t hash(std::uint64_t seed, std::uint64_t document, std::uint64_t offset) {
  const auto mix = [](std::uint64_t value) {
    value += 0x9E3779B97F4A7C15;
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
    return value ^ (value >> 31);
  };
  return mix(mix(mix(seed) ^ document) ^ offset);
}

// counts[i] becomes count(intervals of ngrams[i], execution).
template <class Count>
void count_each(Shards shards, const NgramList& ngrams, const Execution& execution, std::span<std::int64_t> counts,
                const Count& count) {
  const std::vector<Interval> intervals = find_batch(shards, ngrams, execution);
  const auto intervals_of = [&](std::size_t i) {
    return std::span(intervals).subspan(i * shards.size(), shards.size());
  };
  const auto has_many = [&](std::size_t i) { return total_size(intervals_of(i)) > kManyOccurrences; };
  const auto count_one = [&](std::size_t i, const Execution& own) {
    counts[i] = static_cast<std::int64_t>(count(intervals_of(i), own));
  };
  run_parallel(counts.size(), execution.threads, execution.stop, [&](std::size_t i) {
    if (!has_many(i)) count_one(i, Execution{1, execution.stop});
  });
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (has_many(i)) count_one(i, execution);
  }
}

}  // namespace

Occurrence locate(Shards shards, const DocumentNumbers& numbers, std::uint64_t shard, Rank rank, std::uint64_t length) {
  Position position = 0;
  std::uint32_t document = 0;
  shards[shard]->positions(rank, length, {&position, 1});
  shards[shard]->documents_at({&position, 1}, {&document, 1});
  const std::uint64_t begin = shards[shard]->document_span(document).begin;
  return {numbers.first(shard) + document, position - begin, shard, rank, position};
}

std::uint64_t count_occurrences(Shards shards, std::span<const Interval> intervals, const DocumentFilter* filter,
                                const Execution& execution) {
  check_filter(shards, filter);
  if (filter == nullptr) return total_size(intervals);
  std::uint64_t count = 0;
  for (std::size_t s = 0; s < shards.size(); ++s) {
    count += is_everything(intervals[s], *shards[s])
                 ? count_tokens(*shards[s], {filter, s}, execution)
                 : count_occurrences(*shards[s], intervals[s], {filter, s}, execution);
  }
  return count;
}

void count_occurrences_batch(Shards shards, const NgramList& ngrams, const DocumentFilter* filter,
                             const Execution& execution, std::span<std::int64_t> counts) {
  count_each(shards, ngrams, execution, counts, [&](std::span<const Interval> intervals, const Execution& own) {
    return count_occurrences(shards, intervals, filter, own);
  });
}

std::uint64_t count_documents(Shards shards, std::span<const Interval> intervals, const DocumentFilter* filter,
                              const Execution& execution) {
  check_filter(shards, filter);
  std::uint64_t count = 0;
  for (std::size_t s = 0; s < shards.size(); ++s) {
    count += count_documents(*shards[s], intervals[s], {filter, s}, execution);
  }
  return count;
}

void count_documents_batch(Shards shards, const NgramList& ngrams, const DocumentFilter* filter,
                           const Execution& execution, std::span<std::int64_t> counts) {
  count_each(shards, ngrams, execution, counts, [&](std::span<const Interval> intervals, const Execution& own) {
    return count_documents(shards, intervals, filter, own);
  });
}

std::vector<Interval> find_batch(Shards shards, const NgramList& ngrams, const Execution& execution) {
  std::vector<Interval> intervals(ngrams.size() * shards.size());
  const std::size_t items = (ngrams.size() + kNgramsPerItem - 1) / kNgramsPerItem;
  run_parallel(items, execution.threads, execution.stop, [&](std::size_t item) {
    const std::size_t first = item * kNgramsPerItem;
    const std::size_t size = std::min(kNgramsPerItem, ngrams.size() - first);
    const NgramBlock block(ngrams, first, size);
    std::array<Interval, kNgramsPerItem> found;
    for (std::size_t s = 0; s < shards.size(); ++s) {
      shards[s]->find(block.ngrams(), std::span(found).first(size));
      for (std::size_t i = 0; i < size; ++i) intervals[(first + i) * shards.size() + s] = found[i];
    }
  });
  return intervals;
}

std::vector<DocumentCount> list_documents(Shards shards, const DocumentNumbers& numbers,
                                          std::span<const Interval> intervals, const DocumentFilter* filter,
                                          const Execution& execution) {
  check_filter(shards, filter);
  std::vector<DocumentCount> result;
  for (std::size_t s = 0; s < shards.size(); ++s) {
    list_documents(*shards[s], intervals[s], {filter, s}, execution, [&](std::uint64_t document, std::uint64_t count) {
      result.push_back({numbers.first(s) + document, count});
    });
  }
  return result;
}

std::vector<Occurrence> sample(Shards shards, const DocumentNumbers& numbers, std::span<const Interval> intervals,
                               std::uint64_t length, std::uint64_t size, std::uint64_t seed,
                               const DocumentFilter* filter, const Execution& execution) {
  check_filter(shards, filter);
  struct Drawn {
    std::uint64_t hash;
    Occurrence occurrence;
  };
  const auto smaller = [](const Drawn& a, const Drawn& b) {
    if (a.hash != b.hash) return a.hash < b.hash;
    if (a.occurrence.document != b.occurrence.document) return a.occurrence.document < b.occurrence.document;
    return a.occurrence.offset < b.occurrence.offset;
  };
  std::vector<Drawn> drawn;  // a heap, the largest hash first
  if (size == 0) return {};
  for (std::size_t s = 0; s < shards.size(); ++s) {
    const Shard& shard = *shards[s];
    const ShardFilter chosen(filter, s);
    for_each_part(intervals[s], Execution{1, execution.stop}, [&](const Interval& part) {
      for_each_block(shard, part, length,
                     [&](Rank first, std::span<const Position> positions, std::span<const std::uint32_t> documents) {
                       for (std::size_t i = 0; i < positions.size(); ++i) {
                         if (!chosen.contains(documents[i])) continue;
                         const std::uint64_t offset = positions[i] - shard.document_span(documents[i]).begin;
                         const std::uint64_t document = numbers.first(s) + documents[i];
                         const Drawn candidate{hash(seed, document, offset),
                                               {document, offset, s, first + i, positions[i]}};
                         if (drawn.size() == size) {
                           if (!smaller(candidate, drawn.front())) continue;
                           std::ranges::pop_heap(drawn, smaller);
                           drawn.pop_back();
                         }
                         drawn.push_back(candidate);
                         std::ranges::push_heap(drawn, smaller);
                       }
                     });
    });
  }
  std::ranges::sort_heap(drawn, smaller);
  std::vector<Occurrence> result;
  result.reserve(drawn.size());
  for (const Drawn& one : drawn) result.push_back(one.occurrence);
  return result;
}

std::vector<Symbol> document_symbols(Shards shards, const DocumentNumbers& numbers, std::uint64_t document,
                                     std::uint64_t begin, std::uint64_t end) {
  const std::size_t shard = numbers.shard_of(document);
  const Interval span = shards[shard]->document_span(document - numbers.first(shard));
  end = std::min(end, span.size());
  std::vector<Symbol> symbols(begin < end ? end - begin : 0);
  shards[shard]->symbols(span.begin + begin, symbols);
  return symbols;
}

SpanSymbols span_symbols(Shards shards, const DocumentNumbers& numbers, std::span<const DocumentSpan> spans,
                         const Execution& execution) {
  struct Piece {
    std::size_t shard;
    std::uint64_t position;
  };
  std::vector<Piece> pieces(spans.size());
  SpanSymbols result{{}, std::vector<std::uint64_t>(spans.size() + 1)};
  const auto for_each_span = [&](const auto& work) {
    const std::size_t items = (spans.size() + kSpansPerItem - 1) / kSpansPerItem;
    run_parallel(items, execution.threads, execution.stop, [&](std::size_t item) {
      const std::size_t end = std::min(spans.size(), (item + 1) * kSpansPerItem);
      for (std::size_t i = item * kSpansPerItem; i < end; ++i) work(i);
    });
  };
  for_each_span([&](std::size_t i) {
    const std::size_t shard = numbers.shard_of(spans[i].document);
    const Interval document = shards[shard]->document_span(spans[i].document - numbers.first(shard));
    const std::uint64_t begin = std::min(spans[i].begin, document.size());
    pieces[i] = {shard, document.begin + begin};
    result.begins[i + 1] = std::max(begin, std::min(spans[i].end, document.size())) - begin;
  });
  for (std::size_t i = 0; i < spans.size(); ++i) result.begins[i + 1] += result.begins[i];
  result.symbols.resize(result.begins.back());
  for_each_span([&](std::size_t i) {
    const std::uint64_t size = result.begins[i + 1] - result.begins[i];
    shards[pieces[i].shard]->symbols(pieces[i].position, std::span(result.symbols).subspan(result.begins[i], size));
  });
  return result;
}

}  // namespace anygram
