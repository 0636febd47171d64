// Half-open runs of ranks.
#pragma once

#include <anygram/base/types.hpp>

namespace anygram {

// The ranks [begin, end) of the suffixes that start with some n-gram. An empty interval stands where the n-gram would
// be.
struct Interval {
  Rank begin = 0;
  Rank end = 0;

  constexpr Rank size() const { return end - begin; }
  constexpr bool empty() const { return begin == end; }
  friend constexpr bool operator==(const Interval&, const Interval&) = default;
};

}  // namespace anygram
