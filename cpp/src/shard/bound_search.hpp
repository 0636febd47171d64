// Binary searches among suffixes by comparing with the token stream, many at a time in lockstep, so that their cache
// misses overlap.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <anygram/base/interval.hpp>
#include <anygram/shard/shard.hpp>
#include <anygram/suffix/search.hpp>

#include "stream_view.hpp"

namespace anygram {

// Questions answered together: enough to keep the memory system busy, few enough to stay in the first-level cache.
inline constexpr std::size_t kLanes = 32;

template <int Width, class Order>
class BoundSearch {
 public:
  BoundSearch(const StreamView<Width>& stream, const Order& order) : stream_(stream), order_(order) {}

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

  void run_lower(std::span<LowerBound> searches) const {
    run(searches, [this](LowerBound& search, Rank rank, Position position) {
      const std::uint64_t known = std::min(search.low_shared, search.high_shared);
      const std::uint64_t shared = common_prefix<Width>(stream_, position, search.text, known, search.length);
      if (shared < search.length &&
          stream_.symbol(position + shared) < load_symbol<Width>(search.text + shared * Width)) {
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

  // The longest match among the suffixes of `interval`, which share `known` symbols with the text.
  LongestMatch longest_within(const std::byte* text, std::uint64_t length, Interval interval,
                              std::uint64_t known) const {
    // Outside of the interval no suffix shares as many.
    LowerBound search{.text = text,
                      .length = length,
                      .low = interval.begin,
                      .high = interval.end,
                      .low_shared = known,
                      .high_shared = known};
    run_lower({&search, 1});
    LongestMatch best{known, interval.begin};
    if (search.high_compared && search.high_shared > best.length) best = {search.high_shared, search.high};
    if (search.low_compared && search.low_shared > best.length) best = {search.low_shared, search.low - 1};
    return best;
  }

  // The ranks of `interval` that start with a text, of which all of them share `known` symbols.
  Interval find_within(const std::byte* text, std::uint64_t length, Interval interval, std::uint64_t known) const {
    LowerBound lower{.text = text,
                     .length = length,
                     .low = interval.begin,
                     .high = interval.end,
                     .low_shared = known,
                     .high_shared = known};
    run_lower({&lower, 1});
    if (!lower.matched()) return {lower.high, lower.high};
    UpperBound upper{.text = text, .length = length, .low = lower.high + 1, .high = interval.end};
    run_boundary(std::span(&upper, 1));
    return {lower.high, upper.low};
  }

  // The same, where `rank` is known to be one of them.
  Interval expand_within(const std::byte* text, std::uint64_t length, Rank rank, Interval interval) const {
    DownwardBound down{.text = text, .length = length, .low = interval.begin, .high = rank};
    UpperBound up{.text = text, .length = length, .low = rank + 1, .high = interval.end};
    run_boundary(std::span(&down, 1));
    run_boundary(std::span(&up, 1));
    return {down.high, up.low};
  }

 private:
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

  const StreamView<Width>& stream_;
  const Order& order_;
};

}  // namespace anygram
