#include "array_searcher.hpp"

#include <limits>

namespace anygram {

template <int Width>
KeyRange ArraySearcher<Width>::key_range(const std::byte* text, std::uint64_t length) const {
  std::array<Symbol, 8> symbols;
  const auto known = std::min(length, static_cast<std::uint64_t>(format_.symbols_per_key));
  for (std::uint64_t i = 0; i < known; ++i) symbols[i] = text_symbol(text, i);
  return pack_query_key(std::span(symbols).first(known), format_);
}

template <int Width>
void ArraySearcher<Width>::count_samples(std::span<const std::byte* const> texts,
                                         std::span<const std::uint64_t> lengths, std::span<std::uint64_t> less,
                                         std::span<std::uint64_t> up_to) const {
  std::array<std::uint64_t, 2 * kLanes> bounds;
  std::array<std::uint64_t, 2 * kLanes> counts;
  std::array<bool, kLanes> unbounded;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const KeyRange range = key_range(texts[i], lengths[i]);
    unbounded[i] = range.largest == std::numeric_limits<std::uint64_t>::max();
    bounds[2 * i] = range.smallest;
    bounds[2 * i + 1] = unbounded[i] ? range.largest : range.largest + 1;
  }
  order_.tree().count_less(std::span(bounds).first(2 * texts.size()), std::span(counts).first(2 * texts.size()));
  for (std::size_t i = 0; i < texts.size(); ++i) {
    less[i] = counts[2 * i];
    up_to[i] = unbounded[i] ? order_.tree().num_samples() : counts[2 * i + 1];
  }
}

template <int Width>
void ArraySearcher<Width>::find(std::span<const Ngram> ngrams, std::span<Interval> intervals) const {
  std::array<std::size_t, kLanes> lanes;  // the n-grams that need a search
  std::size_t num_lanes = 0;
  std::size_t num_symbols = 0;
  for (std::size_t i = 0; i < ngrams.size(); ++i) {
    const Ngram ngram = ngrams[i];
    if (ngram.empty()) {
      intervals[i] = {0, order_.size()};
    } else if (!std::ranges::all_of(ngram, [this](Symbol symbol) { return occurs(symbol); })) {
      intervals[i] = {0, 0};
    } else if (ngram.size() == 1) {
      intervals[i] = unigrams_.find(ngram[0]);
    } else {
      lanes[num_lanes++] = i;
      num_symbols += ngram.size();
    }
  }
  if (num_lanes == 0) return;

  std::vector<std::byte> packed(num_symbols * Width + kStreamPadding);
  std::array<const std::byte*, kLanes> texts;
  std::array<std::uint64_t, kLanes> lengths;
  std::byte* next = packed.data();
  for (std::size_t k = 0; k < num_lanes; ++k) {
    texts[k] = next;
    lengths[k] = ngrams[lanes[k]].size();
    for (const Symbol symbol : ngrams[lanes[k]]) {
      store_symbol<Width>(next, symbol);
      next += Width;
    }
  }
  std::array<std::uint64_t, kLanes> less;
  std::array<std::uint64_t, kLanes> up_to;
  count_samples({texts.data(), num_lanes}, {lengths.data(), num_lanes}, {less.data(), num_lanes},
                {up_to.data(), num_lanes});

  std::array<LowerBound, kLanes> lower;
  for (std::size_t k = 0; k < num_lanes; ++k) {
    LowerBound& search = lower[k];
    search = {.text = texts[k], .length = lengths[k], .low = rank_after(less[k])};
    // Where a whole n-gram fits a key, the first sample that is not less settles whether it is a match.
    const bool key_decides = lengths[k] <= symbols_per_key();
    search.high = rank_at(key_decides ? less[k] : up_to[k]);
    if (key_decides && up_to[k] > less[k]) search.high_shared = lengths[k];
  }
  bounds_.run_lower({lower.data(), num_lanes});

  std::array<UpperBound, kLanes> upper;
  for (std::size_t k = 0; k < num_lanes; ++k) {
    UpperBound& search = upper[k];
    const Rank first = lower[k].high;
    search = {.text = texts[k], .length = lengths[k], .low = first, .high = first};
    if (!lower[k].matched()) continue;
    search.high = rank_at(up_to[k]);
    if (lengths[k] <= symbols_per_key() && up_to[k] > less[k]) {
      search.low = std::max(first, rank_after(up_to[k]));  // the last sample that matches is known
      search.step = 0;
    } else {
      search.low = first + 1;
    }
  }
  bounds_.run_boundary(std::span(upper).first(num_lanes));
  for (std::size_t k = 0; k < num_lanes; ++k) intervals[lanes[k]] = {lower[k].high, upper[k].low};
}

template <int Width>
void ArraySearcher<Width>::longest_matches(const PackedText<Width>& text, std::span<const std::uint64_t> starts,
                                           std::span<const std::uint64_t> lengths,
                                           std::span<LongestMatch> matches) const {
  const std::size_t num_lanes = starts.size();
  std::array<const std::byte*, kLanes> texts;
  std::array<std::uint64_t, kLanes> less;
  std::array<std::uint64_t, kLanes> up_to;
  for (std::size_t k = 0; k < num_lanes; ++k) texts[k] = text.at(starts[k]);
  count_samples({texts.data(), num_lanes}, lengths, {less.data(), num_lanes}, {up_to.data(), num_lanes});

  std::array<LowerBound, kLanes> lower;
  for (std::size_t k = 0; k < num_lanes; ++k) {
    lower[k] = {.text = texts[k], .length = lengths[k], .low = rank_after(less[k]), .high = rank_at(up_to[k])};
  }
  bounds_.run_lower({lower.data(), num_lanes});

  // The longest match is a neighbour of where the text would stand. A neighbour that the search did not compare is a
  // sample, or the array's end.
  const auto improve = [&](std::size_t k, Rank rank, std::uint64_t shared) {
    if (shared > matches[k].length) matches[k] = {shared, rank};
  };
  std::array<Rank, 2 * kLanes> ranks;
  std::array<std::size_t, 2 * kLanes> owners;
  std::size_t num_ranks = 0;
  for (std::size_t k = 0; k < num_lanes; ++k) {
    matches[k] = {};
    const LowerBound& search = lower[k];
    if (search.high_compared) {
      improve(k, search.high, search.high_shared);
    } else if (search.high < order_.size()) {
      ranks[num_ranks] = search.high;
      owners[num_ranks++] = k;
    }
    if (search.low_compared) {
      improve(k, search.low - 1, search.low_shared);
    } else if (search.low > 0) {
      ranks[num_ranks] = search.low - 1;
      owners[num_ranks++] = k;
    }
  }
  for (std::size_t i = 0; i < num_ranks; ++i) order_.prefetch(ranks[i]);
  std::array<Position, 2 * kLanes> positions;
  for (std::size_t i = 0; i < num_ranks; ++i) {
    positions[i] = order_.position(ranks[i]);
    stream_.prefetch(positions[i]);
  }
  for (std::size_t i = 0; i < num_ranks; ++i) {
    const std::size_t k = owners[i];
    improve(k, ranks[i], common_prefix<Width>(stream_, positions[i], texts[k], 0, lengths[k]));
  }
}

template <int Width>
void ArraySearcher<Width>::expand(const PackedText<Width>& text, std::span<const Context> contexts,
                                  std::span<Interval> intervals) const {
  std::array<DownwardBound, kLanes> down;
  std::array<UpperBound, kLanes> up;
  for (std::size_t i = 0; i < contexts.size(); ++i) {
    const Context& context = contexts[i];
    const std::byte* begin = text.at(context.begin);
    down[i] = {.text = begin, .length = context.length, .low = 0, .high = context.rank};
    up[i] = {.text = begin, .length = context.length, .low = context.rank + 1, .high = order_.size()};
  }
  bounds_.run_boundary(std::span(down).first(contexts.size()));
  bounds_.run_boundary(std::span(up).first(contexts.size()));
  for (std::size_t i = 0; i < contexts.size(); ++i) intervals[i] = {down[i].high, up[i].low};
}

template <int Width>
Interval ArraySearcher<Width>::narrow(Interval interval, std::uint64_t depth, Symbol symbol) const {
  const auto first_rank = [&](Rank low, auto is_before) {
    Rank high = interval.end;
    while (low < high) {
      const Rank middle = (low + high) / 2;
      if (is_before(stream_.symbol(order_.position(middle) + depth))) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  };
  const Rank begin = first_rank(interval.begin, [symbol](Symbol found) { return found < symbol; });
  return {begin, first_rank(begin, [symbol](Symbol found) { return found <= symbol; })};
}

template class ArraySearcher<1>;
template class ArraySearcher<2>;
template class ArraySearcher<3>;
template class ArraySearcher<4>;

}  // namespace anygram
