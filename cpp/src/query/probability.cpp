#include <anygram/query/probability.hpp>

#include <algorithm>
#include <array>

#include <anygram/base/thread_pool.hpp>
#include <anygram/query/count.hpp>

namespace anygram {
namespace {

// Lengths of a prompt's suffixes that are tried together: a round of them takes hardly longer than one.
constexpr std::size_t kLengthsAtOnce = 12;

// Prompts that a thread takes at a time.
constexpr std::size_t kPromptsPerItem = 64;

// Lengths to try where the suffix of `occurring` symbols occurs, and the one of `missing` does not (or is none): all
// that are left, or growing ones as long as nothing but the prompt's beginning ends them, else evenly spaced ones.
std::size_t choose_lengths(std::uint64_t occurring, std::uint64_t missing,
                           std::array<std::uint64_t, kLengthsAtOnce>& lengths) {
  std::size_t size = 0;
  const std::uint64_t open = missing - occurring - 1;
  if (open <= kLengthsAtOnce) {
    for (std::uint64_t length = occurring + 1; length < missing; ++length) lengths[size++] = length;
  } else if (missing > 2 * occurring + 2 * kLengthsAtOnce) {
    for (std::uint64_t length = occurring + 1; length < missing && size < kLengthsAtOnce;
         length = std::max(length + 1, length * 3 / 2)) {
      lengths[size++] = length;
    }
  } else {
    for (std::uint64_t i = 1; i <= kLengthsAtOnce; ++i) {
      lengths[size++] = occurring + i * open / kLengthsAtOnce;
    }
  }
  return size;
}

// Of prompts that are looked up as a whole.
void count_prompts(Shards shards, std::span<const Ngram> prompts, std::span<const Symbol> symbols,
                   std::span<ProbabilityCounts> results) {
  // Each prompt, and each with its continuation if that is a token: all in one search.
  std::size_t num_symbols = 0;
  for (const Ngram prompt : prompts) num_symbols += prompt.size() + 1;
  std::vector<Symbol> joined;
  joined.reserve(num_symbols);
  std::vector<Ngram> ngrams;
  ngrams.reserve(2 * prompts.size());
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    const Symbol* begin = joined.data() + joined.size();
    joined.insert(joined.end(), prompts[i].begin(), prompts[i].end());
    joined.push_back(symbols[i]);
    ngrams.emplace_back(begin, prompts[i].size());
    if (symbols[i] != kDocumentEnd) ngrams.emplace_back(begin, prompts[i].size() + 1);
    results[i] = {.suffix_length = prompts[i].size()};
  }
  const ShardCounts total = total_counts(shards);
  std::vector<Interval> intervals(ngrams.size());
  for (const auto& shard : shards) {
    shard->find(ngrams, intervals);
    for (std::size_t i = 0, next = 0; i < prompts.size(); ++i) {
      const Interval prompt = intervals[next++];
      results[i].prompt_count += prompt.size();
      if (symbols[i] != kDocumentEnd) {
        results[i].continuation_count += intervals[next++].size();
      } else if (!prompts[i].empty() && !prompt.empty()) {
        results[i].continuation_count += shard->narrow(prompt, prompts[i].size(), kDocumentEnd).size();
      }
    }
  }
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    if (!prompts[i].empty()) continue;
    results[i].prompt_count = total.num_tokens + total.num_documents;
    if (symbols[i] == kDocumentEnd) results[i].continuation_count = total.num_documents;
  }
}

}  // namespace

OccurringSuffix longest_suffix(Shards shards, Ngram prompt) {
  OccurringSuffix result{0, find(shards, {})};
  std::uint64_t missing = prompt.size() + 1;
  std::array<std::uint64_t, kLengthsAtOnce> lengths;
  std::array<Ngram, kLengthsAtOnce> suffixes;
  std::vector<Interval> found(shards.size() * kLengthsAtOnce);
  // Whether a suffix occurs is monotone in its length.
  while (result.length + 1 < missing) {
    const std::size_t size = choose_lengths(result.length, missing, lengths);
    for (std::size_t i = 0; i < size; ++i) suffixes[i] = prompt.last(lengths[i]);
    for (std::size_t s = 0; s < shards.size(); ++s) {
      shards[s]->find(std::span(suffixes).first(size), std::span(found).subspan(s * kLengthsAtOnce, size));
    }
    for (std::size_t i = 0; i < size; ++i) {
      bool occurs = false;
      for (std::size_t s = 0; s < shards.size(); ++s) occurs = occurs || !found[s * kLengthsAtOnce + i].empty();
      if (!occurs) {
        missing = lengths[i];
        break;
      }
      result.length = lengths[i];
      for (std::size_t s = 0; s < shards.size(); ++s) result.intervals[s] = found[s * kLengthsAtOnce + i];
    }
  }
  return result;
}

ProbabilityCounts probability(Shards shards, Ngram prompt, Symbol symbol, bool backoff) {
  if (backoff) prompt = prompt.last(longest_suffix(shards, prompt).length);
  ProbabilityCounts result;
  count_prompts(shards, {&prompt, 1}, {&symbol, 1}, {&result, 1});
  return result;
}

void probability_batch(Shards shards, const NgramList& prompts, std::span<const Symbol> symbols, bool backoff,
                       const Execution& execution, std::span<ProbabilityCounts> results) {
  const std::size_t items = (prompts.size() + kPromptsPerItem - 1) / kPromptsPerItem;
  run_parallel(items, execution.threads, execution.stop, [&](std::size_t item) {
    const std::size_t first = item * kPromptsPerItem;
    const std::size_t size = std::min(kPromptsPerItem, prompts.size() - first);
    const NgramBlock block(prompts, first, size);
    std::vector<Ngram> counted(block.ngrams().begin(), block.ngrams().end());
    if (backoff) {
      for (Ngram& prompt : counted) prompt = prompt.last(longest_suffix(shards, prompt).length);
    }
    count_prompts(shards, counted, symbols.subspan(first, size), results.subspan(first, size));
  });
}

std::vector<Continuation> merged_continuations(Shards shards, std::span<const Interval> intervals,
                                               std::uint64_t depth) {
  std::vector<Continuation> merged;
  std::size_t from = 0;  // so many shards have some
  for (std::size_t s = 0; s < shards.size(); ++s) {
    if (depth == 0) {
      shards[s]->unigrams(merged);
      merged.push_back({kDocumentEnd, shards[s]->counts().num_documents});
      ++from;
    } else if (!intervals[s].empty()) {
      shards[s]->continuations(intervals[s], depth, merged);
      ++from;
    }
  }
  if (from <= 1) {
    // A shard's are ascending, but for the document's end.
    if (!merged.empty() && merged.front().symbol == kDocumentEnd) std::ranges::rotate(merged, merged.begin() + 1);
    return merged;
  }
  std::ranges::sort(merged, token_less, &Continuation::symbol);
  std::size_t kept = 0;
  for (const Continuation& continuation : merged) {
    if (kept > 0 && merged[kept - 1].symbol == continuation.symbol) {
      merged[kept - 1].count += continuation.count;
    } else {
      merged[kept++] = continuation;
    }
  }
  merged.resize(kept);
  return merged;
}

void keep_most_frequent(std::vector<Continuation>& continuations, std::uint64_t k) {
  const auto size = static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(k, continuations.size()));
  const auto more_frequent = [](const Continuation& a, const Continuation& b) {
    return a.count != b.count ? a.count > b.count : token_less(a.symbol, b.symbol);
  };
  std::ranges::partial_sort(continuations, continuations.begin() + size, more_frequent);
  continuations.resize(static_cast<std::size_t>(size));
}

Continuations continuations(Shards shards, Ngram prompt, bool backoff, std::optional<std::uint64_t> top_k) {
  Continuations result;
  ShardIntervals intervals;
  if (backoff) {
    OccurringSuffix suffix = longest_suffix(shards, prompt);
    result.suffix_length = suffix.length;
    intervals = std::move(suffix.intervals);
  } else {
    result.suffix_length = prompt.size();
    intervals = find(shards, prompt);
  }
  result.continuations = merged_continuations(shards, intervals, result.suffix_length);
  for (const Continuation& continuation : result.continuations) result.prompt_count += continuation.count;
  result.num_distinct = result.continuations.size();
  if (top_k && *top_k < result.num_distinct) {
    keep_most_frequent(result.continuations, *top_k);
    std::ranges::sort(result.continuations, token_less, &Continuation::symbol);
  }
  return result;
}

std::vector<Continuations> continuations_batch(Shards shards, const NgramList& prompts, bool backoff,
                                               std::optional<std::uint64_t> top_k, const Execution& execution) {
  std::vector<Continuations> results(prompts.size());
  run_parallel(results.size(), execution.threads, execution.stop, [&](std::size_t i) {
    const NgramBlock block(prompts, i, 1);
    results[i] = continuations(shards, block.ngrams()[0], backoff, top_k);
  });
  return results;
}

}  // namespace anygram
