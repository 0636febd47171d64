// Checks a suffix array against its text in linear time, sharing no code with the sorters.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include <anygram/base/stop_signal.hpp>
#include <anygram/base/types.hpp>
#include <anygram/suffix/token_text.hpp>

namespace anygram {

enum class OrderFault {
  kWrongSize,   // there are not as many ranks as tokens; `rank` is how many there are, `position` how many tokens
  kOutOfRange,  // the position is beyond the text
  kNoSuffix,    // the position is a document end's
  kRepeated,    // the position stands at another rank too
  kWrongOrder,  // the suffix is not smaller than the next rank's
};

struct OrderProblem {
  Rank rank;
  std::uint64_t position;
  OrderFault fault;

  friend bool operator==(const OrderProblem&, const OrderProblem&) = default;
};

struct VerifyOptions {
  unsigned threads = 1;
  StopSignal* stop = nullptr;
  Progress progress = {};         // in symbols
  std::size_t max_problems = 10;  // more are not reported
};

// Fills `positions` with the suffix array from rank `first` on. Called from several threads at once.
using PositionReader = std::function<void(Rank first, std::span<Position> positions)>;

// The problems of lowest rank, ascending; none if the `num_ranks` positions are those of all suffixes of `text`, each
// once, in order. Order is checked only if the rest is right. Uses 4 bytes a symbol.
std::vector<OrderProblem> check_order(const TokenText& text, std::uint64_t num_ranks, const PositionReader& read,
                                      const VerifyOptions& options);

std::vector<OrderProblem> check_order(const TokenText& text, std::span<const Position> positions,
                                      const VerifyOptions& options);

}  // namespace anygram
