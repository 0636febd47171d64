// How much of a text occurs: the longest match from each of its positions on.
#pragma once

#include <optional>

#include <anygram/query/ngrams.hpp>
#include <anygram/query/query.hpp>

namespace anygram {

// The longest matches of a whole text in every shard.
class TextMatches {
 public:
  // O(length of the text * log n), in lockstep; a long text is spread over the threads. No match crosses a kDocumentEnd
  // in the text.
  TextMatches(Shards shards, Ngram text, const Execution& execution);

  Ngram text() const { return text_; }
  Shards shards() const { return shards_; }
  // Of the longest n-gram at `begin` that occurs in any shard.
  std::uint64_t length(std::uint64_t begin) const { return longest_[begin]; }

  // Where text[begin, begin + length) stands, for each of the parts: result[s][i] is shard s's interval of parts[i]. No
  // part is empty. The cost is least when a part is one longer than the one before it.
  struct Part {
    std::uint64_t begin = 0;
    std::uint64_t length = 0;
  };
  std::vector<std::vector<Interval>> find(std::span<const Part> parts, const Execution& execution) const;
  // How often each occurs, over all shards.
  std::vector<std::uint64_t> count(std::span<const Part> parts, const Execution& execution) const;

 private:
  void find_in_shard(std::size_t shard, std::span<const Part> parts, std::span<Interval> intervals) const;
  void narrow_part(std::size_t shard, std::span<const Part> parts, std::size_t number,
                   std::span<Interval> intervals) const;

  Shards shards_;
  Ngram text_;
  std::vector<std::vector<LongestMatch>> matches_;  // by shard, then by position
  std::vector<std::uint64_t> longest_;              // over all shards
};

struct MatchLengths {
  std::vector<std::int64_t> lengths;
  std::vector<std::int64_t> counts;
};

// At each position of the text the longest n-gram that occurs at least min_count times, and its count over all shards;
// 0 and 0 where not even one symbol does.
MatchLengths longest_matches(Shards shards, Ngram text, std::uint64_t min_count, const Execution& execution);

std::vector<MatchLengths> longest_matches_batch(Shards shards, const NgramList& texts, std::uint64_t min_count,
                                                const Execution& execution);

struct SpanBounds {
  std::uint64_t min_length = 1;
  std::optional<std::uint64_t> max_count;
};

// The longest matches (min_count 1) that no longer match contains, and that are within the bounds; ascending. Only
// these are counted.
struct Span {
  std::int64_t begin;
  std::int64_t end;
  std::int64_t count;
  friend constexpr bool operator==(const Span&, const Span&) = default;
};
std::vector<Span> maximal_spans(Shards shards, Ngram text, const SpanBounds& bounds, const Execution& execution);
std::vector<std::vector<Span>> maximal_spans_batch(Shards shards, const NgramList& texts, const SpanBounds& bounds,
                                                   const Execution& execution);

}  // namespace anygram
