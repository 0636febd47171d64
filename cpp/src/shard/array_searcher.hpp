// How n-grams are found by the plain suffix array and a tree over it: many at a time in lockstep, so that their cache
// misses overlap.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include <anygram/base/interval.hpp>
#include <anygram/shard/shard.hpp>
#include <anygram/shard/unigrams.hpp>
#include <anygram/suffix/key.hpp>
#include <anygram/suffix/search.hpp>

#include "array_order.hpp"
#include "bound_search.hpp"
#include "symbol_changes.hpp"

namespace anygram {

template <int Width>
class ArraySearcher {
 public:
  using Order = ArrayOrder;

  ArraySearcher(const StreamView<Width>& stream, const ArrayOrder& order, const Unigrams& unigrams,
                std::uint64_t vocab_size)
      : stream_(stream),
        order_(order),
        unigrams_(unigrams),
        bounds_(stream, order),
        vocab_size_(vocab_size),
        format_(KeyFormat::for_largest(static_cast<Symbol>(vocab_size))) {}

  // At most kLanes n-grams.
  void find(std::span<const Ngram> ngrams, std::span<Interval> intervals) const;

  // At most kLanes starts. The first `lengths[i]` symbols at starts[i] are matched, none of which is above vocab_size.
  void longest_matches(const PackedText<Width>& text, std::span<const std::uint64_t> starts,
                       std::span<const std::uint64_t> lengths, std::span<LongestMatch> matches) const;

  // At most kLanes contexts of the text, none empty.
  void expand(const PackedText<Width>& text, std::span<const Context> contexts, std::span<Interval> intervals) const;

  // The longest match among the suffixes of `interval`, which share `known` symbols with the text.
  LongestMatch longest_within(const PackedText<Width>& text, std::uint64_t start, std::uint64_t length,
                              Interval interval, std::uint64_t known) const {
    return bounds_.longest_within(text.at(start), length, interval, known);
  }

  // The part of `interval`, whose suffixes share their first `depth` symbols, that has `symbol` next.
  Interval narrow(Interval interval, std::uint64_t depth, Symbol symbol) const;

  // What follows those symbols.
  void continuations(Interval interval, std::uint64_t depth, std::vector<Continuation>& result) const {
    list_changes(stream_, order_, interval, depth, result);
  }

  bool occurs(Symbol symbol) const { return symbol != kDocumentEnd && symbol <= vocab_size_; }

 private:
  using Bounds = BoundSearch<Width, ArrayOrder>;
  using LowerBound = typename Bounds::LowerBound;
  using UpperBound = typename Bounds::UpperBound;
  using DownwardBound = typename Bounds::DownwardBound;

  static Symbol text_symbol(const std::byte* text, std::uint64_t number) {
    return load_symbol<Width>(text + number * Width);
  }

  std::uint64_t symbols_per_key() const { return static_cast<std::uint64_t>(format_.symbols_per_key); }

  // The keys that a suffix which starts with the text may have.
  KeyRange key_range(const std::byte* text, std::uint64_t length) const;

  // How many samples are less than the text's first symbols (in `less`), and how many are less than or start with them.
  void count_samples(std::span<const std::byte* const> texts, std::span<const std::uint64_t> lengths,
                     std::span<std::uint64_t> less, std::span<std::uint64_t> up_to) const;

  Rank rank_after(std::uint64_t samples) const { return samples == 0 ? 0 : (samples - 1) * order_.tree().period() + 1; }
  Rank rank_at(std::uint64_t samples) const { return std::min(order_.size(), samples * order_.tree().period()); }

  const StreamView<Width>& stream_;
  const ArrayOrder& order_;
  const Unigrams& unigrams_;
  Bounds bounds_;
  std::uint64_t vocab_size_;
  KeyFormat format_;
};

extern template class ArraySearcher<1>;
extern template class ArraySearcher<2>;
extern template class ArraySearcher<3>;
extern template class ArraySearcher<4>;

}  // namespace anygram
