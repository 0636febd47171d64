#include <anygram/query/probability.hpp>

#include <algorithm>
#include <array>

#include <anygram/base/thread_pool.hpp>
#include <anygram/query/count.hpp>

namespace anygram {
namespace {

// The last suffixes of a prompt are tried together first; longer ones one by one.
constexpr std::uint64_t kSuffixesAtOnce = 32;

bool occurs(Shards shards, Ngram ngram) {
  return std::ranges::any_of(shards, [&](const auto& shard) {
    Interval interval;
    shard->find({&ngram, 1}, {&interval, 1});
    return !interval.empty();
  });
}

// The longest suffix of at most kSuffixesAtOnce symbols that occurs.
std::uint64_t longest_short_suffix(Shards shards, Ngram prompt) {
  const std::uint64_t size = std::min<std::uint64_t>(kSuffixesAtOnce, prompt.size());
  const std::uint64_t begin = prompt.size() - size;
  std::uint64_t longest = 0;
  std::array<LongestMatch, kSuffixesAtOnce> matches;
  for (const auto& shard : shards) {
    shard->longest_matches(prompt, begin, std::span(matches).first(size));
    for (std::uint64_t i = 0; i < size - longest; ++i) {
      if (matches[i].length == size - i) longest = size - i;
    }
  }
  return longest;
}

}  // namespace

std::uint64_t longest_suffix(Shards shards, Ngram prompt) {
  if (prompt.empty()) return 0;
  std::uint64_t occurring = longest_short_suffix(shards, prompt);
  if (occurring < kSuffixesAtOnce || occurring == prompt.size()) return occurring;
  // Whether a suffix occurs is monotone in its length: double it until it does not, then halve.
  std::uint64_t missing = prompt.size() + 1;
  while (occurring * 2 < missing) {
    const std::uint64_t length = occurring * 2;
    if (!occurs(shards, prompt.last(length))) {
      missing = length;
      break;
    }
    occurring = length;
  }
  while (occurring + 1 < missing) {
    const std::uint64_t length = (occurring + missing) / 2;
    (occurs(shards, prompt.last(length)) ? occurring : missing) = length;
  }
  return occurring;
}

ProbabilityCounts probability(Shards shards, Ngram prompt, Symbol symbol, bool backoff) {
  if (backoff) prompt = prompt.last(longest_suffix(shards, prompt));
  ProbabilityCounts result{.suffix_length = prompt.size()};
  if (prompt.empty()) {
    const ShardCounts total = total_counts(shards);
    result.prompt_count = total.num_tokens + total.num_documents;
    result.continuation_count = symbol == kDocumentEnd ? total.num_documents : count(shards, Ngram(&symbol, 1));
    return result;
  }
  const ShardIntervals intervals = find(shards, prompt);
  result.prompt_count = total_size(intervals);
  if (result.prompt_count == 0) return result;
  if (symbol != kDocumentEnd) {
    std::vector<Symbol> ngram(prompt.begin(), prompt.end());
    ngram.push_back(symbol);
    result.continuation_count = count(shards, ngram);
    return result;
  }
  for (std::size_t s = 0; s < shards.size(); ++s) {
    result.continuation_count += shards[s]->narrow(intervals[s], prompt.size(), kDocumentEnd).size();
  }
  return result;
}

void probability_batch(Shards shards, const NgramList& prompts, std::span<const Symbol> symbols, bool backoff,
                       const Execution& execution, std::span<ProbabilityCounts> results) {
  constexpr std::size_t kPromptsPerItem = 64;
  const std::size_t items = (prompts.size() + kPromptsPerItem - 1) / kPromptsPerItem;
  run_parallel(items, execution.threads, execution.stop, [&](std::size_t item) {
    const std::size_t end = std::min(prompts.size(), (item + 1) * kPromptsPerItem);
    for (std::size_t i = item * kPromptsPerItem; i < end; ++i) {
      results[i] = probability(shards, prompts[i], symbols[i], backoff);
    }
  });
}

std::vector<Continuation> merged_continuations(Shards shards, std::span<const Interval> intervals,
                                               std::uint64_t depth) {
  std::vector<Continuation> merged;
  for (std::size_t s = 0; s < shards.size(); ++s) {
    if (depth == 0) {
      shards[s]->unigrams(merged);
      merged.push_back({kDocumentEnd, shards[s]->counts().num_documents});
    } else {
      shards[s]->continuations(intervals[s], depth, merged);
    }
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
  if (backoff) prompt = prompt.last(longest_suffix(shards, prompt));
  Continuations result;
  result.suffix_length = prompt.size();
  const ShardIntervals intervals = find(shards, prompt);
  result.continuations = merged_continuations(shards, intervals, prompt.size());
  for (const Continuation& continuation : result.continuations) result.prompt_count += continuation.count;
  result.num_distinct = result.continuations.size();
  if (top_k && *top_k < result.num_distinct) {
    keep_most_frequent(result.continuations, *top_k);
    std::ranges::sort(result.continuations, token_less, &Continuation::symbol);
  }
  return result;
}

}  // namespace anygram
