// Where an n-gram stands but for some of its tokens, and how much of a text the corpus holds but for some.
#pragma once

#include <cstdint>
#include <vector>

#include <anygram/query/occurrences.hpp>
#include <anygram/query/query.hpp>

namespace anygram {

// A place where a document has the n-gram's length of tokens, `substitutions` of which are others.
struct NearMatch {
  std::uint64_t document = 0;
  std::uint64_t offset = 0;
  std::uint64_t substitutions = 0;
  friend constexpr bool operator==(const NearMatch&, const NearMatch&) = default;
};

// All places with at most max_substitutions, by document and offset. Of max_substitutions + 1 pieces of the n-gram, one
// stands there unchanged: each piece is found, and around it the rest is compared. Throws kInvalidQuery if there are
// more pieces than tokens. Cost: O(occurrences of the pieces).
std::vector<NearMatch> near_matches(Shards shards, const DocumentNumbers& numbers, Ngram ngram,
                                    std::uint64_t max_substitutions, const Execution& execution);

struct NearSpanRule {
  std::uint64_t min_length = 1;         // of a span
  std::uint64_t exact_prefix = 1;       // the first so many tokens of a span are not substituted, nor its last
  std::uint64_t max_substitutions = 0;  // of a span's others
  std::uint64_t min_count = 1;          // how often a span's first min(min_length, exact_prefix) tokens occur
};

// The most that the corpus holds of a text from some token on.
struct NearSpan {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t substitutions = 0;
  std::uint64_t document = 0;  // where it stands
  std::uint64_t offset = 0;
};

struct NearSpans {
  std::vector<std::uint8_t> matched;  // by token: whether it is in some span, and not substituted there
  std::uint64_t longest = 0;          // the most tokens that are so in one span
  std::vector<NearSpan> spans;        // by begin; none stands inside the one before it
};

// Cost: O(occurrences of what spans may begin with), but for those that the token before them continues to the left.
std::vector<NearSpans> near_spans_batch(Shards shards, const DocumentNumbers& numbers, const NgramList& texts,
                                        const NearSpanRule& rule, const Execution& execution);

}  // namespace anygram
