#include <anygram/query/matches.hpp>

#include <algorithm>

#include <anygram/base/thread_pool.hpp>
#include <anygram/query/texts.hpp>

namespace anygram {
namespace {

// Positions of a text that a thread takes at a time. A piece begins anew with its longest match, so it should be long.
constexpr std::size_t kPositionsPerItem = 4096;

// Parts up to this long are found in lockstep; a longer one by narrowing the interval of the part before it, if it is
// that part and one symbol more.
constexpr std::uint64_t kLockstepLength = 64;

// A part longer than this that is the part before it without its first symbol is first looked for by so many of its
// symbols: mostly they have no other occurrences, and the rest need not be compared again.
constexpr std::uint64_t kLongLength = 256;

}  // namespace

TextMatches::TextMatches(Shards shards, Ngram text, const Execution& execution)
    : shards_(shards), text_(text), matches_(shards.size()), longest_(text.size(), 0) {
  for (auto& matches : matches_) matches.resize(text.size());
  const std::size_t items = (text.size() + kPositionsPerItem - 1) / kPositionsPerItem;
  run_parallel(items, execution.threads, execution.stop, [&](std::size_t item) {
    const std::size_t begin = item * kPositionsPerItem;
    const std::size_t size = std::min(kPositionsPerItem, text.size() - begin);
    for (std::size_t s = 0; s < shards.size(); ++s) {
      const auto matches = std::span(matches_[s]).subspan(begin, size);
      shards[s]->longest_matches(text, begin, matches);
      for (std::size_t i = 0; i < size; ++i) longest_[begin + i] = std::max(longest_[begin + i], matches[i].length);
    }
  });
}

std::vector<std::vector<Interval>> TextMatches::find(std::span<const Part> parts, const Execution& execution) const {
  std::vector<std::vector<Interval>> intervals(shards_.size(), std::vector<Interval>(parts.size()));
  const std::size_t items = (parts.size() + kPositionsPerItem - 1) / kPositionsPerItem;
  run_parallel(items, execution.threads, execution.stop, [&](std::size_t item) {
    const std::size_t first = item * kPositionsPerItem;
    const std::size_t size = std::min(kPositionsPerItem, parts.size() - first);
    for (std::size_t s = 0; s < shards_.size(); ++s) {
      find_in_shard(s, parts.subspan(first, size), std::span(intervals[s]).subspan(first, size));
    }
  });
  return intervals;
}

std::vector<std::uint64_t> TextMatches::count(std::span<const Part> parts, const Execution& execution) const {
  std::vector<std::uint64_t> counts(parts.size(), 0);
  for (const auto& intervals : find(parts, execution)) {
    for (std::size_t i = 0; i < parts.size(); ++i) counts[i] += intervals[i].size();
  }
  return counts;
}

void TextMatches::find_in_shard(std::size_t shard, std::span<const Part> parts, std::span<Interval> intervals) const {
  // Short parts are found from the top; they have many occurrences. Others from where a match is known to stand.
  constexpr std::uint64_t kShort = 3;
  std::vector<Ngram> ngrams;
  std::vector<std::size_t> ngram_parts;
  std::vector<Context> contexts;
  std::vector<std::size_t> context_parts;
  std::vector<std::size_t> narrowed_parts;
  std::vector<Context> shortened;  // the first kLongLength symbols of what follows from the part before it
  std::vector<std::size_t> shortened_parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Part& part = parts[i];
    const LongestMatch& match = matches_[shard][part.begin];
    if (match.length < part.length) {
      intervals[i] = {0, 0};
    } else if (part.length <= kShort) {
      ngrams.push_back(text_.subspan(part.begin, part.length));
      ngram_parts.push_back(i);
    } else if (part.length > kLockstepLength && i > 0 && parts[i - 1].begin == part.begin &&
               parts[i - 1].length + 1 == part.length) {
      narrowed_parts.push_back(i);
    } else if (part.length > kLongLength && !shards_[shard]->backwards() && i > 0 &&
               parts[i - 1].begin + 1 == part.begin && parts[i - 1].length == part.length + 1) {
      shortened.push_back({part.begin, kLongLength, match.rank});
      shortened_parts.push_back(i);
    } else {
      contexts.push_back({part.begin, part.length, match.rank});
      context_parts.push_back(i);
    }
  }
  std::vector<Interval> found(std::max({ngrams.size(), contexts.size(), shortened.size()}));
  shards_[shard]->find(ngrams, std::span(found).first(ngrams.size()));
  for (std::size_t k = 0; k < ngrams.size(); ++k) intervals[ngram_parts[k]] = found[k];
  shards_[shard]->expand(text_, contexts, std::span(found).first(contexts.size()));
  for (std::size_t k = 0; k < contexts.size(); ++k) intervals[context_parts[k]] = found[k];
  shards_[shard]->expand(text_, shortened, std::span(found).first(shortened.size()));
  // In the order of the parts, because each builds on the one before it.
  std::size_t narrowed = 0;
  for (std::size_t k = 0; k < shortened.size(); ++k) {
    const std::size_t i = shortened_parts[k];
    for (; narrowed < narrowed_parts.size() && narrowed_parts[narrowed] < i; ++narrowed) {
      narrow_part(shard, parts, narrowed_parts[narrowed], intervals);
    }
    // Where the part before it occurs, this one does, and nowhere but where its first symbols do. The part before it
    // may not occur in this shard, or be found only here: then all of this one is compared.
    intervals[i] = found[k];
    if (found[k].size() == intervals[i - 1].size()) continue;
    const Context whole{parts[i].begin, parts[i].length, shortened[k].rank};
    shards_[shard]->expand(text_, {&whole, 1}, {&intervals[i], 1});
  }
  for (; narrowed < narrowed_parts.size(); ++narrowed) {
    narrow_part(shard, parts, narrowed_parts[narrowed], intervals);
  }
}

void TextMatches::narrow_part(std::size_t shard, std::span<const Part> parts, std::size_t number,
                              std::span<Interval> intervals) const {
  const std::uint64_t depth = parts[number].length - 1;
  const Interval& before = intervals[number - 1];
  const bool is_same = before.size() == 1 && !shards_[shard]->backwards();
  intervals[number] = is_same ? before : shards_[shard]->narrow(before, depth, text_[parts[number].begin + depth]);
}

MatchLengths longest_matches(Shards shards, Ngram text, std::uint64_t min_count, const Execution& execution) {
  const TextMatches matches(shards, text, execution);
  std::vector<TextMatches::Part> parts;
  std::vector<std::size_t> positions;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (matches.length(i) == 0) continue;
    parts.push_back({i, matches.length(i)});
    positions.push_back(i);
  }
  MatchLengths result{std::vector<std::int64_t>(text.size(), 0), std::vector<std::int64_t>(text.size(), 0)};
  std::vector<std::uint64_t> counts = matches.count(parts, execution);
  // Counts fall as n-grams grow: halve between a length that occurs often enough and one that does not.
  std::vector<std::uint64_t> enough(parts.size(), 0);
  std::vector<std::uint64_t> enough_counts(parts.size(), 0);
  std::vector<std::uint64_t> too_long(parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) too_long[i] = parts[i].length + 1;
  for (bool open = true; open;) {
    open = false;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (enough[i] + 1 == too_long[i]) continue;
      if (counts[i] >= min_count) {
        enough[i] = parts[i].length;
        enough_counts[i] = counts[i];
      } else {
        too_long[i] = parts[i].length;
      }
      if (enough[i] + 1 == too_long[i]) continue;
      parts[i].length = (enough[i] + too_long[i]) / 2;
      open = true;
    }
    if (open) counts = matches.count(parts, execution);
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    result.lengths[positions[i]] = static_cast<std::int64_t>(enough[i]);
    result.counts[positions[i]] = static_cast<std::int64_t>(enough_counts[i]);
  }
  return result;
}

std::vector<MatchLengths> longest_matches_batch(Shards shards, const NgramList& texts, std::uint64_t min_count,
                                                const Execution& execution) {
  std::vector<MatchLengths> results(texts.size());
  for_joined_texts(texts, execution, [&](std::size_t first, const JoinedTexts& joined, const Execution& own) {
    const MatchLengths found = longest_matches(shards, joined.symbols(), min_count, own);
    for (std::size_t i = 0; i < joined.size(); ++i) {
      const auto begin = static_cast<std::ptrdiff_t>(joined.begin(i));
      const auto end = begin + static_cast<std::ptrdiff_t>(joined.length(i));
      results[first + i].lengths.assign(found.lengths.begin() + begin, found.lengths.begin() + end);
      results[first + i].counts.assign(found.counts.begin() + begin, found.counts.begin() + end);
    }
  });
  return results;
}

std::vector<Span> maximal_spans(Shards shards, Ngram text, const SpanBounds& bounds, const Execution& execution) {
  const TextMatches matches(shards, text, execution);
  std::vector<TextMatches::Part> parts;
  std::uint64_t furthest = 0;
  for (std::uint64_t begin = 0; begin < text.size(); ++begin) {
    const std::uint64_t length = matches.length(begin);
    if (length == 0 || begin + length <= furthest) continue;
    furthest = begin + length;
    if (length >= bounds.min_length) parts.push_back({begin, length});
  }
  const std::vector<std::uint64_t> counts = matches.count(parts, execution);
  std::vector<Span> spans;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (bounds.max_count && counts[i] > *bounds.max_count) continue;
    const auto begin = static_cast<std::int64_t>(parts[i].begin);
    spans.push_back({begin, begin + static_cast<std::int64_t>(parts[i].length), static_cast<std::int64_t>(counts[i])});
  }
  return spans;
}

std::vector<std::vector<Span>> maximal_spans_batch(Shards shards, const NgramList& texts, const SpanBounds& bounds,
                                                   const Execution& execution) {
  std::vector<std::vector<Span>> results(texts.size());
  for_joined_texts(texts, execution, [&](std::size_t first, const JoinedTexts& joined, const Execution& own) {
    std::size_t i = 0;
    for (const Span& span : maximal_spans(shards, joined.symbols(), bounds, own)) {
      while (static_cast<std::size_t>(span.begin) >= joined.begin(i + 1)) ++i;
      const auto begin = static_cast<std::int64_t>(joined.begin(i));
      results[first + i].push_back({span.begin - begin, span.end - begin, span.count});
    }
  });
  return results;
}

}  // namespace anygram
