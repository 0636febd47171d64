// A search among suffixes in order that lets what neighbours share answer for most of them.
#pragma once

#include <algorithm>
#include <cstdint>

#include <anygram/base/types.hpp>
#include <anygram/shard/byte_scan.hpp>

namespace anygram {

// For the first of a run of suffixes that is not less than a text. It lies in [low, high]. The suffix before `low` is
// less than the text and shares low_shared symbols with it; that at `high` is not less and shares high_shared; 0 where
// there is none. Texts have at most kMaxShared symbols, so that shared lengths of suffixes that differ from them are
// exact. As each comparison with a suffix of the text tells how much they share, and `shared` how much neighbours do
// (a blind search, in the sense of Patricia trees), what is left to compare are the suffixes that continue what is
// shared already in ways not seen yet.
struct PageWalk {
  const std::uint8_t* shared = nullptr;  // of each suffix with the one before it; kScanBytes readable around
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  std::uint64_t limit = 0;  // suffixes of the run: `high` may be it, and stand for one of the next run
  std::uint64_t low_shared = 0;
  std::uint64_t high_shared = 0;

  bool done() const { return low >= high; }
  std::uint64_t middle() const { return (low + high) / 2; }
  // Symbols that all suffixes in [low, high) share with the text.
  std::uint64_t known() const { return high == limit ? low_shared : std::max(low_shared, high_shared); }

  // What a comparison of middle() told; it is not a match.
  void advance(bool less, std::uint64_t symbols) {
    if (less) {
      low = middle() + 1;
      low_shared = symbols;
    } else {
      high = middle();
      high_shared = symbols;
    }
    settle();
  }

  // Moves both ends as far as can be told without a comparison.
  void settle() {
    if (low < high && high < limit && high_shared >= low_shared) settle_high();
    if (low < high && low_shared >= high_shared) settle_low();
  }

 private:
  static std::uint8_t byte(std::uint64_t symbols) { return static_cast<std::uint8_t>(symbols); }

  // Suffixes that share more with the last lesser one than the text does are less for the same reason. The next other
  // one either shares as much as the text, or is greater.
  void settle_low() {
    low = first_at_most(shared, low, high, byte(low_shared));
    if (low == high) return;
    std::uint64_t next = low;
    if (shared[low] == low_shared) {
      if (low_shared == 0) return;
      next = first_at_most(shared, low + 1, high, byte(low_shared - 1));
      if (next == high) return;
    }
    high = next;
    high_shared = shared[next];
  }

  // The same from the other end.
  void settle_high() {
    const std::size_t same = last_at_most(shared, low, high + 1, byte(high_shared));
    if (same == kNoByte) {  // `low` is the first of all suffixes
      high = low;
      return;
    }
    high = same;
    if (shared[same] < high_shared) {
      low = same;
      low_shared = shared[same];
      return;
    }
    if (high_shared == 0) return;
    const std::size_t before = last_at_most(shared, low, high, byte(high_shared - 1));
    if (before == kNoByte || before == low) return;
    low = before;
    low_shared = shared[before];
  }
};

}  // namespace anygram
