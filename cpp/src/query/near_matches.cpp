#include <anygram/query/near_matches.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <tuple>

#include <anygram/base/error.hpp>
#include <anygram/base/thread_pool.hpp>
#include <anygram/query/matches.hpp>
#include <anygram/query/texts.hpp>

namespace anygram {
namespace {

constexpr std::size_t kPositionsAtOnce = 1024;
constexpr std::size_t kSymbolsAtOnce = 32;
constexpr std::uint64_t kStepsPerLook = std::uint64_t{1} << 14;  // some symbols read: a millisecond

// Calls body(position) for the occurrences of an n-gram of that length, which are an interval, until it returns false.
template <class Body>
void for_positions(const Shard& shard, const Interval& interval, std::uint64_t length, StopSignal& stop,
                   const Body& body) {
  std::array<Position, kPositionsAtOnce> positions;
  for (Rank rank = interval.begin; rank < interval.end;) {
    stop.check();
    const auto number = static_cast<std::size_t>(std::min<Rank>(kPositionsAtOnce, interval.end - rank));
    shard.positions(rank, length, std::span(positions).first(number));
    for (std::size_t i = 0; i < number; ++i) {
      if (!body(positions[i])) return;
    }
    rank += number;
  }
}

struct Place {
  std::uint64_t document = 0;
  std::uint64_t offset = 0;
};

Place place_of(const Shard& shard, std::uint64_t first_document, std::uint64_t position) {
  const std::array<Position, 1> positions{static_cast<Position>(position)};
  std::array<std::uint32_t, 1> documents{};
  shard.documents_at(positions, documents);
  return {first_document + documents[0], position - shard.document_span(documents[0]).begin};
}

// How many symbols differ; more than `most` if a document ends inside.
std::uint64_t differences(std::span<const Symbol> here, Ngram ngram, std::uint64_t most) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < ngram.size(); ++i) {
    if (here[i] == ngram[i]) continue;
    if (here[i] == kDocumentEnd || ++number > most) return most + 1;
  }
  return number;
}

// The longest span from text[begin] on that stands at a position, where its first `known` symbols are known to.
struct Extension {
  std::uint64_t end = 0;
  std::vector<std::uint64_t> substituted;  // those inside
};

void extend(const Shard& shard, Ngram text, std::uint64_t begin, std::uint64_t position, std::uint64_t known,
            const NearSpanRule& rule, Extension& result) {
  std::array<Symbol, kSymbolsAtOnce> here;
  result.end = begin + known;
  result.substituted.clear();
  std::size_t inside = 0;
  const std::uint64_t limit = std::min<std::uint64_t>(text.size(), begin + (shard.stream_length() - position));
  for (std::uint64_t at = begin + known; at < limit;) {
    const auto number = static_cast<std::size_t>(std::min<std::uint64_t>(kSymbolsAtOnce, limit - at));
    shard.symbols(position + (at - begin), std::span(here).first(number));
    for (std::size_t i = 0; i < number; ++i, ++at) {
      if (here[i] == text[at] && here[i] != kDocumentEnd) {
        result.end = at + 1;
        inside = result.substituted.size();
        continue;
      }
      const bool may_differ = here[i] != kDocumentEnd && text[at] != kDocumentEnd && at - begin >= rule.exact_prefix &&
                              result.substituted.size() < rule.max_substitutions;
      if (!may_differ) {
        result.substituted.resize(inside);
        return;
      }
      result.substituted.push_back(at);
    }
  }
  result.substituted.resize(inside);
}

// Of one text.
class SpanFinder {
 public:
  SpanFinder(Shards shards, const DocumentNumbers& numbers, Ngram text, const NearSpanRule& rule,
             const Execution& execution)
      : shards_(shards), numbers_(numbers), text_(text), rule_(rule), execution_(execution) {
    result_.matched.assign(text.size(), 0);
  }

  NearSpans find() {
    const std::uint64_t seed = std::min(rule_.min_length, rule_.exact_prefix);
    if (text_.size() < seed) return std::move(result_);
    const TextMatches matches(shards_, text_, execution_);
    std::vector<TextMatches::Part> seeds;
    std::vector<TextMatches::Part> longer;  // with the symbol before
    for (std::uint64_t i = 0; i + seed <= text_.size(); ++i) {
      if (matches.length(i) < seed) continue;
      seeds.push_back({i, seed});
      if (i > 0 && matches.length(i - 1) > seed) longer.push_back({i - 1, seed + 1});
    }
    const auto intervals = matches.find(seeds, execution_);
    const std::vector<std::uint64_t> longer_counts = matches.count(longer, execution_);
    std::size_t next_longer = 0;
    std::uint64_t before = text_.size();  // the seed before this one, if it may begin a span
    for (std::size_t k = 0; k < seeds.size(); ++k) {
      took(1);
      const std::uint64_t begin = seeds[k].begin;
      const bool has_longer = next_longer < longer.size() && longer[next_longer].begin + 1 == begin;
      const std::uint64_t continued = has_longer ? longer_counts[next_longer++] : 0;
      std::uint64_t count = 0;
      for (const auto& shard : intervals) count += shard[k].size();
      if (count < rule_.min_count) continue;
      const bool left = begin > 0 && before == begin - 1;
      before = begin;
      if (left && continued == count) continue;
      for (std::size_t s = 0; s < shards_.size(); ++s) look(s, intervals[s][k], begin, seed, left);
    }
    finish();
    return std::move(result_);
  }

 private:
  // A long text asks now and then whether to stop.
  void took(std::uint64_t steps) {
    steps_ += steps;
    if (steps_ < kStepsPerLook) return;
    steps_ = 0;
    execution_.stop.look();
  }

  // Whether spans from here on could tell anything new.
  bool is_exhausted(std::uint64_t begin) {
    if (result_.longest < text_.size() - begin) return false;
    while (covered_from_ > 0 && result_.matched[covered_from_ - 1] != 0) --covered_from_;
    return covered_from_ <= begin;
  }

  void look(std::size_t s, const Interval& interval, std::uint64_t begin, std::uint64_t seed, bool left) {
    const Shard& shard = *shards_[s];
    for_positions(shard, interval, seed, execution_.stop, [&](Position position) {
      took(1);
      if (is_exhausted(begin)) return false;
      if (left && position > 0) {
        std::array<Symbol, 1> symbol{};
        shard.symbols(position - 1, symbol);
        if (symbol[0] == text_[begin - 1]) return true;
      }
      extend(shard, text_, begin, position, seed, rule_, extension_);
      took(extension_.end - begin);
      if (extension_.end - begin < rule_.min_length) return true;
      record(s, begin, position);
      return true;
    });
  }

  void record(std::size_t s, std::uint64_t begin, Position position) {
    std::size_t next = 0;
    const auto& substituted = extension_.substituted;
    for (std::uint64_t i = begin; i < extension_.end; ++i) {
      if (next < substituted.size() && substituted[next] == i) {
        ++next;
      } else {
        result_.matched[i] = 1;
      }
    }
    result_.longest = std::max(result_.longest, extension_.end - begin - substituted.size());
    const bool same_begin = !candidates_.empty() && candidates_.back().span.begin == begin;
    if (same_begin) {
      // The longest, and of these the one with the fewest substitutions, wherever it stands.
      Candidate& best = candidates_.back();
      if (std::tuple(best.span.end, -static_cast<std::int64_t>(best.span.substitutions)) >=
          std::tuple(extension_.end, -static_cast<std::int64_t>(substituted.size()))) {
        return;
      }
      candidates_.pop_back();
    }
    candidates_.push_back({{begin, extension_.end, substituted.size()}, s, position});
  }

  void finish() {
    std::uint64_t furthest = 0;
    for (const Candidate& candidate : candidates_) {
      if (candidate.span.end <= furthest) continue;
      furthest = candidate.span.end;
      NearSpan span = candidate.span;
      const Place place = place_of(*shards_[candidate.shard], numbers_.first(candidate.shard), candidate.position);
      span.document = place.document;
      span.offset = place.offset;
      result_.spans.push_back(span);
    }
  }

  struct Candidate {
    NearSpan span;
    std::size_t shard;
    Position position;
  };

  Shards shards_;
  const DocumentNumbers& numbers_;
  Ngram text_;
  const NearSpanRule& rule_;
  const Execution& execution_;
  NearSpans result_;
  std::vector<Candidate> candidates_;
  Extension extension_;
  std::uint64_t covered_from_ = text_.size();
  std::uint64_t steps_ = 0;
};

}  // namespace

std::vector<NearMatch> near_matches(Shards shards, const DocumentNumbers& numbers, Ngram ngram,
                                    std::uint64_t max_substitutions, const Execution& execution) {
  const std::uint64_t pieces = max_substitutions + 1;
  if (ngram.size() < pieces) {
    throw Error(ErrorCode::kInvalidQuery, "an n-gram of " + std::to_string(ngram.size()) +
                                              " tokens can have fewer than that many substitutions, not " +
                                              std::to_string(max_substitutions));
  }
  std::vector<NearMatch> result;
  std::vector<Symbol> here(ngram.size());
  std::size_t looked = 0;
  for (std::size_t s = 0; s < shards.size(); ++s) {
    const Shard& shard = *shards[s];
    std::vector<std::uint64_t> found;
    for (std::uint64_t piece = 0; piece < pieces; ++piece) {
      const std::uint64_t begin = piece * ngram.size() / pieces;
      const std::uint64_t end = (piece + 1) * ngram.size() / pieces;
      const std::array<Ngram, 1> ngrams{ngram.subspan(begin, end - begin)};
      std::array<Interval, 1> intervals;
      shard.find(ngrams, intervals);
      for_positions(shard, intervals[0], end - begin, execution.stop, [&](Position position) {
        if (++looked % kPositionsAtOnce == 0) execution.stop.poll();
        if (position < begin) return true;
        const std::uint64_t first = position - begin;
        if (first + ngram.size() > shard.stream_length()) return true;
        shard.symbols(first, here);
        if (differences(here, ngram, max_substitutions) <= max_substitutions) found.push_back(first);
        return true;
      });
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    for (const std::uint64_t first : found) {
      shard.symbols(first, here);
      const Place place = place_of(shard, numbers.first(s), first);
      result.push_back({place.document, place.offset, differences(here, ngram, max_substitutions)});
    }
  }
  return result;
}

std::vector<NearSpans> near_spans_batch(Shards shards, const DocumentNumbers& numbers, const NgramList& texts,
                                        const NearSpanRule& rule, const Execution& execution) {
  std::vector<NearSpans> results(texts.size());
  // Of each text by itself: what is found of one says what need not be looked for in the rest of it.
  run_parallel(texts.size(), execution.threads, execution.stop, [&](std::size_t number) {
    const NgramBlock block(texts, number, 1);
    const Execution own{1, execution.stop};
    results[number] = SpanFinder(shards, numbers, block.ngrams()[0], rule, own).find();
  });
  return results;
}

}  // namespace anygram
