// What follows a prompt, as counts from which probabilities are made, with or without backoff.
#pragma once

#include <optional>

#include <anygram/query/ngrams.hpp>
#include <anygram/query/query.hpp>

namespace anygram {

// The longest suffix of a prompt that occurs in any shard, and where it stands.
struct OccurringSuffix {
  std::uint64_t length = 0;
  ShardIntervals intervals;  // of the empty suffix, every rank
};
// In rounds, in each of which some lengths are tried together.
OccurringSuffix longest_suffix(Shards shards, Ngram prompt);

struct ProbabilityCounts {
  std::uint64_t prompt_count = 0;        // how often something follows it; 0 for an unseen prompt
  std::uint64_t continuation_count = 0;  // how often the symbol does
  std::uint64_t suffix_length = 0;       // of the prompt that was counted
};

// `symbol` may be kDocumentEnd. The empty prompt is followed by every token and every document's end.
ProbabilityCounts probability(Shards shards, Ngram prompt, Symbol symbol, bool backoff);

// results[i] = probability(prompts[i], symbols[i], backoff), in parallel.
void probability_batch(Shards shards, const NgramList& prompts, std::span<const Symbol> symbols, bool backoff,
                       const Execution& execution, std::span<ProbabilityCounts> results);

struct Continuations {
  std::vector<Continuation> continuations;  // ascending by token; the document's end last
  std::uint64_t prompt_count = 0;
  std::uint64_t suffix_length = 0;
  std::uint64_t num_distinct = 0;  // also of those that top_k left out
};

// With top_k, the most frequent ones only, the smaller token first among equals. Exact. The cost goes by distinct
// continuations, not by occurrences.
Continuations continuations(Shards shards, Ngram prompt, bool backoff, std::optional<std::uint64_t> top_k);

// result[i] = continuations(prompts[i], ...), in parallel.
std::vector<Continuations> continuations_batch(Shards shards, const NgramList& prompts, bool backoff,
                                               std::optional<std::uint64_t> top_k, const Execution& execution);

// What follows the first `depth` symbols of the intervals' suffixes, over all shards, ascending by token. With depth 0,
// the intervals are not looked at: it is every token, and every document's end.
std::vector<Continuation> merged_continuations(Shards shards, std::span<const Interval> intervals, std::uint64_t depth);

// Orders by token: the end of a document is the largest.
inline bool token_less(Symbol a, Symbol b) { return a - 1 < b - 1; }

// Keeps the k most frequent, the smaller token first among equals; they come out in that order.
void keep_most_frequent(std::vector<Continuation>& continuations, std::uint64_t k);

}  // namespace anygram
