// How n-grams are found in one shard: many at a time in lockstep, so that their cache misses overlap.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include <anygram/base/interval.hpp>
#include <anygram/shard/key_tree.hpp>
#include <anygram/shard/shard.hpp>
#include <anygram/shard/unigrams.hpp>
#include <anygram/suffix/key.hpp>
#include <anygram/suffix/search.hpp>

#include "views.hpp"

namespace anygram {

// Questions answered together: enough to keep the memory system busy, few enough to stay in the first-level cache.
inline constexpr std::size_t kLanes = 32;

template <int Width>
class Searcher {
 public:
  Searcher(const StreamView<Width>& stream, const OrderView& order, const KeyTree& tree, const Unigrams& unigrams,
           std::uint64_t vocab_size)
      : stream_(stream),
        order_(order),
        tree_(tree),
        unigrams_(unigrams),
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
                              Interval interval, std::uint64_t known) const;

  bool occurs(Symbol symbol) const { return symbol != kDocumentEnd && symbol <= vocab_size_; }

 private:
  // A binary search for the first suffix that is not less than a text. low - 1 is less and shares low_shared symbols
  // with it, high is not less and shares high_shared; what was not compared yet counts as 0.
  struct LowerBound {
    const std::byte* text = nullptr;
    std::uint64_t length = 0;
    Rank low = 0;
    Rank high = 0;
    std::uint64_t low_shared = 0;
    std::uint64_t high_shared = 0;
    bool low_compared = false;
    bool high_compared = false;

    bool done() const { return low == high; }
    Rank middle() const { return (low + high) / 2; }
    bool matched() const { return high_shared == length; }
  };

  // A search for the first rank from `low` on whose suffix does not start with a text: with growing steps, then (step
  // 0) by halving. All ranks below `low` do, `high` does not.
  struct UpperBound {
    const std::byte* text = nullptr;
    std::uint64_t length = 0;
    Rank low = 0;
    Rank high = 0;
    Rank step = 1;

    bool done() const { return low == high; }
    Rank middle() const { return step != 0 && low + step <= high ? low + step - 1 : (low + high) / 2; }
    void advance(Rank rank, bool matches) {
      if (matches) {
        low = rank + 1;
        step *= 2;
      } else {
        high = rank;
        step = 0;
      }
    }
  };

  // The same downwards: the first rank whose suffix starts with the text. `high` does, all below `low` do not.
  struct DownwardBound {
    const std::byte* text = nullptr;
    std::uint64_t length = 0;
    Rank low = 0;
    Rank high = 0;
    Rank step = 1;

    bool done() const { return low == high; }
    Rank middle() const { return step != 0 && low + step <= high ? high - step : (low + high) / 2; }
    void advance(Rank rank, bool matches) {
      if (matches) {
        high = rank;
        step *= 2;
      } else {
        low = rank + 1;
        step = 0;
      }
    }
  };

  // Runs searches until all are done: read the ranks' positions, then the suffixes there, then let each search decide.
  template <class Search, class Decide>
  void run(std::span<Search> searches, const Decide& decide) const {
    std::array<Position, kLanes> positions;
    std::array<std::size_t, kLanes> active;
    std::size_t num_active = 0;
    for (std::size_t i = 0; i < searches.size(); ++i) {
      if (!searches[i].done()) active[num_active++] = i;
    }
    while (num_active > 0) {
      for (std::size_t k = 0; k < num_active; ++k) order_.prefetch(searches[active[k]].middle());
      for (std::size_t k = 0; k < num_active; ++k) {
        positions[k] = order_.position(searches[active[k]].middle());
        stream_.prefetch(positions[k]);
      }
      std::size_t still_active = 0;
      for (std::size_t k = 0; k < num_active; ++k) {
        Search& search = searches[active[k]];
        decide(search, search.middle(), positions[k]);
        if (!search.done()) active[still_active++] = active[k];
      }
      num_active = still_active;
    }
  }

  void run_lower(std::span<LowerBound> searches) const {
    run(searches, [this](LowerBound& search, Rank rank, Position position) {
      const std::uint64_t known = std::min(search.low_shared, search.high_shared);
      const std::uint64_t shared = common_prefix<Width>(stream_, position, search.text, known, search.length);
      if (shared < search.length && stream_.symbol(position + shared) < text_symbol(search.text, shared)) {
        search.low = rank + 1;
        search.low_shared = shared;
        search.low_compared = true;
      } else {
        search.high = rank;
        search.high_shared = shared;
        search.high_compared = true;
      }
    });
  }

  template <class Search>
  void run_boundary(std::span<Search> searches) const {
    run(searches, [this](Search& search, Rank rank, Position position) {
      search.advance(rank, common_prefix<Width>(stream_, position, search.text, 0, search.length) == search.length);
    });
  }

  static Symbol text_symbol(const std::byte* text, std::uint64_t number) {
    return load_symbol<Width>(text + number * Width);
  }

  std::uint64_t symbols_per_key() const { return static_cast<std::uint64_t>(format_.symbols_per_key); }

  // The keys that a suffix which starts with the text may have.
  KeyRange key_range(const std::byte* text, std::uint64_t length) const;

  // How many samples are less than the text's first symbols (in `less`), and how many are less than or start with them.
  void count_samples(std::span<const std::byte* const> texts, std::span<const std::uint64_t> lengths,
                     std::span<std::uint64_t> less, std::span<std::uint64_t> up_to) const;

  Rank rank_after(std::uint64_t samples) const { return samples == 0 ? 0 : (samples - 1) * tree_.period() + 1; }
  Rank rank_at(std::uint64_t samples) const { return std::min(order_.size(), samples * tree_.period()); }

  const StreamView<Width>& stream_;
  const OrderView& order_;
  const KeyTree& tree_;
  const Unigrams& unigrams_;
  std::uint64_t vocab_size_;
  KeyFormat format_;
};

extern template class Searcher<1>;
extern template class Searcher<2>;
extern template class Searcher<3>;
extern template class Searcher<4>;

}  // namespace anygram
