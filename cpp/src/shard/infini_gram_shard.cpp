#include <anygram/shard/infini_gram_shard.hpp>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "infini_gram_files.hpp"

namespace anygram {
namespace {

// Up to so many tokens before a prompt are sorted; more are counted in a table of all ids, if ids are that short.
constexpr Rank kFewOccurrences = 4096;

template <int Width, bool Backwards>
class InfiniGramReader final : public InfiniGramShard {
 public:
  using Arrays = InfiniGramArrays<Width>;
  static constexpr Symbol kSeparator = Arrays::kSeparator;

  explicit InfiniGramReader(std::unique_ptr<const Arrays> arrays)
      : InfiniGramShard({arrays->length() - arrays->num_documents(), arrays->num_documents(), kSeparator}),
        arrays_(std::move(arrays)) {}

  int token_width() const override { return Width; }
  bool backwards() const override { return Backwards; }
  std::uint64_t num_bytes() const override { return arrays_->num_bytes(); }
  const std::string& path() const override { return arrays_->path(); }

  void find(std::span<const Ngram> ngrams, std::span<Interval> intervals) const override {
    std::vector<std::byte> query;
    for (std::size_t i = 0; i < ngrams.size(); ++i) {
      if (ngrams[i].empty()) {
        intervals[i] = {0, counts().num_tokens};
      } else {
        intervals[i] = encode(ngrams[i], query, false) ? interval_of(query) : Interval{};
      }
    }
  }

  Interval find_raw(Ngram ngram) const override {
    std::vector<std::byte> query;
    if (ngram.empty()) return {0, stream_length()};
    return encode(ngram, query, true) ? interval_of(query) : Interval{};
  }

  void longest_matches(Ngram text, std::uint64_t begin, std::span<LongestMatch> matches) const override {
    std::ranges::fill(matches, LongestMatch{});
    if constexpr (Backwards) {
      match_backwards(text, begin, matches);
    } else {
      match_forwards(text, begin, matches);
    }
  }

  void expand(Ngram text, std::span<const Context> contexts, std::span<Interval> intervals) const override {
    for (std::size_t i = 0; i < contexts.size(); ++i) {
      const Ngram part = text.subspan(contexts[i].begin, contexts[i].length);
      find({&part, 1}, intervals.subspan(i, 1));
    }
  }

  Interval narrow(Interval interval, std::uint64_t depth, Symbol symbol) const override {
    if (interval.empty()) return {interval.begin, interval.begin};
    if (symbol == kDocumentEnd && !Backwards) {  // ends stand first, where the stream ends, and last
      const Rank at_end = at_stream_end(interval.begin, depth) ? 1 : 0;
      const Rank separators = interval.end - lower_bound(interval.begin + at_end, interval.end, depth, kSeparator);
      return {interval.begin, interval.begin + at_end + separators};
    }
    if (symbol > kSeparator) return {interval.begin, interval.begin};
    const Symbol token = symbol == kDocumentEnd ? kSeparator : symbol - 1;
    if (symbol != kDocumentEnd && token == kSeparator) return {interval.begin, interval.begin};
    if constexpr (Backwards) {
      std::vector<std::byte> query((depth + 1) * Width);
      std::memcpy(query.data(), &token, Width);
      std::memcpy(query.data() + Width, arrays_->at(arrays_->position(interval.begin), depth), depth * Width);
      return interval_of(query);
    } else {
      const Rank first = lower_bound(interval.begin, interval.end, depth, token);
      return {first, upper_bound(first, interval.end, depth, token)};
    }
  }

  void continuations(Interval interval, std::uint64_t depth, std::vector<Continuation>& result) const override {
    if (interval.empty()) return;
    const std::size_t first = result.size();
    if constexpr (Backwards) {
      count_before(interval, result);
    } else {
      count_after(interval, depth, result);
    }
    std::ranges::sort(result.begin() + static_cast<std::ptrdiff_t>(first), result.end(), {}, &Continuation::symbol);
  }

  void symbols_after(std::span<const Rank> ranks, std::span<const std::uint64_t> depths,
                     std::span<Symbol> symbols) const override {
    for (std::size_t i = 0; i < ranks.size(); ++i) {
      const std::uint64_t position = arrays_->position(ranks[i]);
      symbols[i] = Backwards ? arrays_->symbol(position - 1) : symbol_or_end(position + depths[i]);
    }
  }

  void unigrams(std::vector<Continuation>& result) const override {
    const std::size_t first = result.size();
    count_after({0, counts().num_tokens}, 0, result);
    std::ranges::sort(result.begin() + static_cast<std::ptrdiff_t>(first), result.end(), {}, &Continuation::symbol);
  }

  // Backwards, what stands before a suffix says nothing of what stands before its neighbours. Forwards, the end of the
  // stream sorts first and the other documents' ends last.
  bool has_ordered_continuations(const Interval& interval, std::uint64_t depth) const override {
    if constexpr (Backwards) return depth > 0 && interval.size() <= 1;
    return interval.size() <= 1 || !at_stream_end(interval.begin, depth);
  }

  void positions(Rank first, std::uint64_t length, std::span<Position> positions) const override {
    raw_positions(first, positions);
    if constexpr (Backwards) {
      length = std::max<std::uint64_t>(1, length);  // each token is an occurrence of the empty n-gram
      for (Position& position : positions) position = static_cast<Position>(arrays_->mirrored(position, length));
    }
  }

  void symbols(std::uint64_t position, std::span<Symbol> symbols) const override {
    if constexpr (Backwards) {
      read_mirrored(position, symbols);
    } else {
      raw_symbols(position, symbols);
    }
  }

  void raw_positions(Rank first, std::span<Position> positions) const override {
    for (std::size_t i = 0; i < positions.size(); ++i) {
      positions[i] = static_cast<Position>(arrays_->position(first + i));
    }
  }

  void raw_symbols(std::uint64_t position, std::span<Symbol> symbols) const override {
    // The last document has no separator behind it: its end reads as one.
    for (std::size_t i = 0; i < symbols.size(); ++i) symbols[i] = symbol_or_end(position + i);
  }

  void documents_at(std::span<const Position> positions, std::span<std::uint32_t> documents) const override {
    for (std::size_t i = 0; i < positions.size(); ++i) documents[i] = arrays_->document_at(positions[i]);
  }

  Interval document_span(std::uint64_t document) const override { return arrays_->document_span(document); }
  std::span<const std::byte> section_bytes(const std::string&) const override { return {}; }
  std::vector<ShardFile> files() const override { return {}; }
  std::vector<SectionPages> pages_touched() const override { return {}; }

 private:
  // --- comparing

  // The bytes of an n-gram as the stream has them. False if it cannot occur.
  static bool encode(Ngram ngram, std::vector<std::byte>& query, bool separators) {
    query.resize(ngram.size() * Width);
    for (std::size_t i = 0; i < ngram.size(); ++i) {
      const Symbol symbol = ngram[Backwards ? ngram.size() - 1 - i : i];
      if (symbol == kDocumentEnd ? !separators : symbol > kSeparator) return false;
      const Symbol token = symbol == kDocumentEnd ? kSeparator : symbol - 1;
      std::memcpy(query.data() + i * Width, &token, Width);
    }
    return true;
  }

  // The first rank in [low, high) whose suffix is not before what `is_before` tells of positions.
  template <class IsBefore>
  Rank first_not(Rank low, Rank high, const IsBefore& is_before) const {
    while (low < high) {
      const Rank middle = (low + high) / 2;
      if (is_before(arrays_->position(middle))) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  // The same from `low` on outwards: O(log of how far it is).
  template <class IsBefore>
  Rank first_not_near(Rank low, Rank high, const IsBefore& is_before) const {
    Rank step = 1;
    while (low + step < high && is_before(arrays_->position(low + step - 1))) {
      low += step;
      step *= 2;
    }
    return first_not(low, std::min(high, low + step), is_before);
  }

  Rank start_of(std::span<const std::byte> query) const {
    return first_not(0, stream_length(), [&](std::uint64_t position) { return arrays_->compare(position, query) < 0; });
  }

  Interval interval_of(std::span<const std::byte> query) const {
    const Rank begin = start_of(query);
    return {begin, first_not_near(begin, stream_length(),
                                  [&](std::uint64_t position) { return arrays_->compare(position, query) <= 0; })};
  }

  // --- what stands behind

  Symbol symbol_or_end(std::uint64_t position) const {
    return position < stream_length() ? arrays_->symbol(position) : kDocumentEnd;
  }

  // Document by document, each from its other end.
  void read_mirrored(std::uint64_t position, std::span<Symbol> symbols) const {
    for (std::size_t i = 0; i < symbols.size();) {
      const std::uint64_t begin = position + i;
      const Interval span =
          begin < stream_length() ? arrays_->document_span(arrays_->document_at(begin)) : Interval{begin, begin};
      if (begin < span.begin || begin >= span.end) {
        symbols[i++] = kDocumentEnd;
        continue;
      }
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(symbols.size() - i, span.end - begin));
      const std::uint64_t last = span.end - 1 - (begin - span.begin);
      for (std::size_t k = 0; k < size; ++k) symbols[i + k] = arrays_->symbol(last - k);
      i += size;
    }
  }

  bool at_stream_end(Rank rank, std::uint64_t depth) const {
    return arrays_->position(rank) + depth == stream_length();
  }

  // Whether the token `depth` behind a position sorts before another one: by their bytes, the first one first.
  bool is_before(std::uint64_t position, std::uint64_t depth, Symbol token) const {
    if (position + depth >= stream_length()) return true;
    return std::memcmp(arrays_->at(position + depth, 1), &token, Width) < 0;
  }

  Rank lower_bound(Rank low, Rank high, std::uint64_t depth, Symbol token) const {
    return first_not(low, high, [&](std::uint64_t position) { return is_before(position, depth, token); });
  }

  Rank upper_bound(Rank low, Rank high, std::uint64_t depth, Symbol token) const {
    return first_not_near(low, high, [&](std::uint64_t position) {
      return std::memcmp(arrays_->at(position + depth, 1), &token, Width) <= 0;
    });
  }

  // Not by symbol: by bytes.
  void count_after(Interval interval, std::uint64_t depth, std::vector<Continuation>& result) const {
    std::uint64_t ends = 0;
    Rank rank = interval.begin;
    if (at_stream_end(rank, depth)) {
      ++ends;
      ++rank;
    }
    while (rank < interval.end) {
      const Symbol token = arrays_->token(arrays_->position(rank) + depth);
      const Rank next = upper_bound(rank, interval.end, depth, token);
      if (token == kSeparator) {
        ends += next - rank;
      } else {
        result.push_back({token + 1, next - rank});
      }
      rank = next;
    }
    if (ends > 0) result.push_back({kDocumentEnd, ends});
  }

  // Not sorted by anything. Every n-gram of tokens stands behind some separator, so something is before it.
  void count_before(Interval interval, std::vector<Continuation>& result) const {
    if constexpr (Width <= 2) {
      if (interval.size() > kFewOccurrences) {
        std::vector<std::uint64_t> counts(std::size_t{kSeparator} + 1);
        for (Rank rank = interval.begin; rank < interval.end; ++rank) {
          ++counts[arrays_->token(arrays_->position(rank) - 1)];
        }
        for (Symbol token = 0; token <= kSeparator; ++token) {
          if (counts[token] > 0) result.push_back({token == kSeparator ? kDocumentEnd : token + 1, counts[token]});
        }
        return;
      }
    }
    std::vector<Symbol> before(interval.size());
    for (Rank i = 0; i < interval.size(); ++i) before[i] = arrays_->symbol(arrays_->position(interval.begin + i) - 1);
    std::ranges::sort(before);
    for (std::size_t i = 0; i < before.size();) {
      const auto next =
          std::ranges::upper_bound(before.begin() + static_cast<std::ptrdiff_t>(i), before.end(), before[i]);
      const auto end = static_cast<std::size_t>(next - before.begin());
      result.push_back({before[i], end - i});
      i = end;
    }
  }

  // --- how much of a text

  // The longest prefix of a query that occurs, in whole tokens, and where.
  LongestMatch longest_prefix(std::span<const std::byte> query) const {
    if (query.empty()) return {};
    const Rank rank = start_of(query);
    LongestMatch best;
    for (const Rank neighbour : {rank, rank - 1}) {  // rank 0 has none before it: it wraps to one that is none
      if (neighbour >= stream_length()) continue;
      const std::uint64_t position = arrays_->position(neighbour);
      const std::byte* suffix = arrays_->bytes() + position * Width;
      const std::size_t size = std::min<std::size_t>(query.size(), (stream_length() - position) * Width);
      std::size_t same = 0;
      while (same < size && query[same] == suffix[same]) ++same;
      if (same / Width > best.length) best = {same / Width, neighbour};
    }
    return best;
  }

  // A run of a text that only tokens stand in, as bytes of the stream.
  struct Run {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::vector<std::byte> bytes = {};
  };

  // Moves on to the run that holds `start`; it is empty if no token stands there.
  static void advance(Run& run, Ngram text, std::uint64_t start) {
    if (start < run.end) return;
    run.begin = run.end = start;
    while (run.end < text.size() && is_token(text[run.end])) ++run.end;
    encode(text.subspan(run.begin, run.end - run.begin), run.bytes, false);
  }

  void match_forwards(Ngram text, std::uint64_t begin, std::span<LongestMatch> matches) const {
    Run run{.begin = begin, .end = begin};
    for (std::uint64_t i = 0; i < matches.size(); ++i) {
      advance(run, text, begin + i);
      if (run.end > begin + i)
        matches[i] = longest_prefix(std::span(run.bytes).subspan((begin + i - run.begin) * Width));
    }
  }

  // What ends at a place is a prefix in the files. A match that starts later never ends earlier.
  void match_backwards(Ngram text, std::uint64_t begin, std::span<LongestMatch> matches) const {
    Run run{.begin = begin, .end = begin};
    std::uint64_t end = begin;  // of the match of the current start
    LongestMatch at_end;        // the longest that ends there
    LongestMatch next;          // the longest that ends one later, if it was looked up
    std::uint64_t next_end = 0;
    for (std::uint64_t i = 0; i < matches.size(); ++i) {
      const std::uint64_t start = begin + i;
      advance(run, text, start);
      if (end < start) end = start;
      while (end < run.end) {
        if (next_end != end + 1) {
          next_end = end + 1;
          next = longest_prefix(std::span(run.bytes).subspan((run.end - next_end) * Width));
        }
        if (next.length < next_end - start) break;
        end = next_end;
        at_end = next;
      }
      if (end > start) matches[i] = {end - start, at_end.rank};
    }
  }

  static bool is_token(Symbol symbol) { return symbol != kDocumentEnd && symbol <= kSeparator; }

  std::unique_ptr<const Arrays> arrays_;
};

template <int Width>
std::shared_ptr<const InfiniGramShard> open_width(const InfiniGramFiles& files, LoadMode load) {
  auto arrays = std::make_unique<const InfiniGramArrays<Width>>(files, load);
  if (files.backwards) return std::make_shared<InfiniGramReader<Width, true>>(std::move(arrays));
  return std::make_shared<InfiniGramReader<Width, false>>(std::move(arrays));
}

}  // namespace

std::shared_ptr<const InfiniGramShard> open_infini_gram_shard(const InfiniGramFiles& files, LoadMode load) {
  switch (files.token_width) {
    case 1:
      return open_width<1>(files, load);
    case 2:
      return open_width<2>(files, load);
    case 4:
      return open_width<4>(files, load);
    default:
      throw Error(ErrorCode::kInvalidArgument, "tokens of infini-gram have 1, 2 or 4 bytes");
  }
}

}  // namespace anygram
