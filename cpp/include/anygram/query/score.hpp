// The probability of each token of a text given all before it.
#pragma once

#include <optional>

#include <anygram/query/ngrams.hpp>
#include <anygram/query/query.hpp>

namespace anygram {

struct ScoreOptions {
  std::optional<std::uint64_t> order;  // at most order - 1 symbols of a prompt are used; nothing: all of them
  std::uint64_t top_k = 0;             // how many of the most frequent continuations to give as well
  bool end = false;                    // one more row, for the end of the document
};

// Row i stands for the text's symbol i; the last one for its end, if asked for.
struct TextScores {
  std::vector<std::int64_t> prompt_counts;
  std::vector<std::int64_t> continuation_counts;
  std::vector<std::int64_t> suffix_lengths;
  std::vector<std::uint8_t> sparse;  // 1 where the prompt's suffix has exactly one distinct continuation
  std::vector<Continuation> top;     // rows of top_k, the most frequent first; unused places have count 0
};

// One pass over the text: row i equals probability(text[.. i), text[i], backoff).
TextScores score(Shards shards, Ngram text, const ScoreOptions& options, const Execution& execution);

// result[i] = score(texts[i]), in parallel; short texts together, in lockstep.
std::vector<TextScores> score_batch(Shards shards, const NgramList& texts, const ScoreOptions& options,
                                    const Execution& execution);

}  // namespace anygram
