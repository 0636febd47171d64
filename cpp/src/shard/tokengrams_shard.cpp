#include <anygram/shard/tokengrams_shard.hpp>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "tokengrams_files.hpp"

namespace anygram {
namespace {

// A match of more tokens than these is mostly the only one that begins with them: then the next start's is that one
// too, one shorter, and costs no comparison of its length.
constexpr std::uint64_t kTellingTokens = 64;

template <int Width>
class TokengramsReader final : public Shard {
 public:
  using Arrays = TokengramsArrays<Width>;
  using Text = std::vector<typename Arrays::Token>;
  using Part = std::span<const typename Arrays::Token>;

  explicit TokengramsReader(std::unique_ptr<const Arrays> arrays)
      : Shard({arrays->length(), 1, Arrays::kLargestSymbol}), arrays_(std::move(arrays)) {}

  int token_width() const override { return Width; }
  std::uint64_t num_bytes() const override { return arrays_->num_bytes(); }
  const std::string& path() const override { return arrays_->path(); }

  void find(std::span<const Ngram> ngrams, std::span<Interval> intervals) const override {
    Text text;
    for (std::size_t i = 0; i < ngrams.size(); ++i) {
      if (!std::ranges::all_of(ngrams[i], is_token)) {
        intervals[i] = {};
      } else {
        encode(ngrams[i], text);
        intervals[i] = interval_of(text, all(), 0);
      }
    }
  }

  void longest_matches(Ngram text, std::uint64_t begin, std::span<LongestMatch> matches) const override {
    Text run;  // the tokens of [run_begin, run_end), behind which stands what is none
    std::uint64_t run_begin = begin;
    std::uint64_t run_end = begin;
    LongestMatch before;
    for (std::uint64_t i = 0; i < matches.size(); ++i) {
      const std::uint64_t start = begin + i;
      if (start >= run_end) {
        const auto here = text.begin() + static_cast<std::ptrdiff_t>(start);
        run_begin = start;
        run_end = start + static_cast<std::uint64_t>(std::find_if_not(here, text.end(), is_token) - here);
        encode(text.subspan(run_begin, run_end - run_begin), run);
      }
      before = start < run_end ? longest_match(Part(run).subspan(start - run_begin), before) : LongestMatch{};
      matches[i] = before;
    }
  }

  void expand(Ngram text, std::span<const Context> contexts, std::span<Interval> intervals) const override {
    Text part;
    for (std::size_t i = 0; i < contexts.size(); ++i) {
      const Context& context = contexts[i];
      encode(text.subspan(context.begin, context.length), part);
      const auto matches = [&](Rank rank) { return arrays_->shared(arrays_->position(rank), part, 0) == part.size(); };
      if (part.empty()) {
        intervals[i] = all();
      } else {
        intervals[i] = {first_of(context.rank, matches), first_not(context.rank, counts().num_tokens, matches)};
      }
    }
  }

  Interval narrow(Interval interval, std::uint64_t depth, Symbol symbol) const override {
    Rank low = interval.begin;
    Rank high = interval.end;
    while (low < high) {
      const Rank middle = low + (high - low) / 2;
      if (symbol_after(middle, depth) < symbol) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return {low, first_not(low, interval.end, [&](Rank rank) { return symbol_after(rank, depth) <= symbol; })};
  }

  void continuations(Interval interval, std::uint64_t depth, std::vector<Continuation>& result) const override {
    for (Rank rank = interval.begin; rank < interval.end;) {
      const Symbol symbol = symbol_after(rank, depth);
      const Rank next =
          first_not(rank + 1, interval.end, [&](Rank other) { return symbol_after(other, depth) <= symbol; });
      result.push_back({symbol, next - rank});
      rank = next;
    }
  }

  void symbols_after(std::span<const Rank> ranks, std::span<const std::uint64_t> depths,
                     std::span<Symbol> symbols) const override {
    for (std::size_t i = 0; i < ranks.size(); ++i) symbols[i] = symbol_after(ranks[i], depths[i]);
  }

  void unigrams(std::vector<Continuation>& result) const override { continuations(all(), 0, result); }

  void positions(Rank first, std::uint64_t /*length*/, std::span<Position> positions) const override {
    for (std::size_t i = 0; i < positions.size(); ++i) {
      positions[i] = static_cast<Position>(arrays_->position(first + i));
    }
  }

  void symbols(std::uint64_t position, std::span<Symbol> symbols) const override {
    for (std::size_t i = 0; i < symbols.size(); ++i) symbols[i] = arrays_->symbol(position + i);
  }

  void documents_at(std::span<const Position>, std::span<std::uint32_t> documents) const override {
    std::ranges::fill(documents, 0);
  }

  Interval document_span(std::uint64_t) const override { return all(); }
  std::span<const std::byte> section_bytes(const std::string&) const override { return {}; }
  std::vector<ShardFile> files() const override { return {}; }
  std::vector<SectionPages> pages_touched() const override { return {}; }

 private:
  // Where a text stands among the suffixes: before `rank`, which shares `high_shared` tokens with it, and behind the
  // rank before that, which shares `low_shared`.
  struct Place {
    Rank rank = 0;
    std::uint64_t low_shared = 0;
    std::uint64_t high_shared = 0;
  };

  static bool is_token(Symbol symbol) { return symbol != kDocumentEnd && symbol <= Arrays::kLargestSymbol; }

  static void encode(Ngram ngram, Text& text) {
    text.resize(ngram.size());
    std::ranges::transform(ngram, text.begin(),
                           [](Symbol symbol) { return static_cast<typename Arrays::Token>(symbol - 1); });
  }

  Interval all() const { return {0, counts().num_tokens}; }
  Symbol symbol_after(Rank rank, std::uint64_t depth) const { return arrays_->symbol(arrays_->position(rank) + depth); }

  // The first rank in [low, high) that is not what `holds` says of all before it, from `low` on outwards: O(log of how
  // far it is).
  template <class Holds>
  static Rank first_not(Rank low, Rank high, const Holds& holds) {
    for (Rank step = 1; low < high; step *= 2) {
      const Rank rank = low + std::min(step, high - low) - 1;
      if (!holds(rank)) {
        high = rank;
        break;
      }
      low = rank + 1;
    }
    while (low < high) {
      const Rank middle = low + (high - low) / 2;
      if (holds(middle)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  // The same downwards: the first of the ranks that end at `rank`, of which all are what `holds` says.
  template <class Holds>
  static Rank first_of(Rank rank, const Holds& holds) {
    return rank - first_not(0, rank, [&](Rank below) { return holds(rank - 1 - below); });
  }

  // All suffixes of `interval` share `known` tokens with the text, those around it no more.
  Place place_of(Part text, Interval interval, std::uint64_t known) const {
    Place place{.rank = interval.end, .low_shared = known, .high_shared = known};
    Rank low = interval.begin;
    while (low < place.rank) {
      const Rank middle = low + (place.rank - low) / 2;
      const std::uint64_t position = arrays_->position(middle);
      // What both neighbours share with the text all between them share; a damaged table may lie, and be shorter.
      const std::uint64_t shared = arrays_->shared(
          position, text, std::min({place.low_shared, place.high_shared, counts().num_tokens - position}));
      if (arrays_->is_before(position, text, shared)) {
        low = middle + 1;
        place.low_shared = shared;
      } else {
        place.rank = middle;
        place.high_shared = shared;
      }
    }
    return place;
  }

  Interval interval_of(Part text, Interval interval, std::uint64_t known) const {
    if (text.empty()) return interval;
    const Rank begin = place_of(text, interval, known).rank;
    return {begin, first_not(begin, interval.end, [&](Rank rank) {
              const std::uint64_t position = arrays_->position(rank);
              return arrays_->shared(position, text, std::min(known, counts().num_tokens - position)) == text.size();
            })};
  }

  // `before` is the longest match of the text that has one more token in front.
  LongestMatch longest_match(Part text, const LongestMatch& before) const {
    Interval interval = all();
    std::uint64_t known = 0;
    if (before.length > kTellingTokens) {
      known = kTellingTokens;
      interval = interval_of(text.first(known), interval, 0);
      if (interval.size() == 1) return {before.length - 1, interval.begin};
    }
    const Place place = place_of(text, interval, known);
    LongestMatch best;
    if (place.rank < interval.end) best = {place.high_shared, place.rank};
    if (place.rank > interval.begin && place.low_shared > best.length) best = {place.low_shared, place.rank - 1};
    return best.length == 0 ? LongestMatch{} : best;
  }

  std::unique_ptr<const Arrays> arrays_;
};

template <int Width>
std::shared_ptr<const Shard> open_width(const TokengramsFiles& files, LoadMode load) {
  return std::make_shared<TokengramsReader<Width>>(std::make_unique<const TokengramsArrays<Width>>(files, load));
}

}  // namespace

std::shared_ptr<const Shard> open_tokengrams_shard(const TokengramsFiles& files, LoadMode load) {
  if (files.token_width == 2) return open_width<2>(files, load);
  if (files.token_width == 4) return open_width<4>(files, load);
  throw Error(ErrorCode::kInvalidArgument, "tokens of tokengrams have 2 or 4 bytes");
}

}  // namespace anygram
