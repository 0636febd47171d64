// Finding the suffixes that a pass over the text is about.
#pragma once

#include <cstddef>
#include <cstdint>

#include <anygram/base/types.hpp>
#include <anygram/suffix/token_text.hpp>

namespace anygram {

// Writes to `to`, ascending, the positions in [begin, end) whose symbols are in [smallest, largest]; returns how many.
// `to` has room for end - begin + kFilterSpare.
using SymbolFilter = std::size_t (*)(const std::byte* text, std::uint64_t begin, std::uint64_t end, Symbol smallest,
                                     Symbol largest, Position* to);

inline constexpr std::size_t kFilterSpare = 32;

template <int Width>
std::size_t filter_symbols_portable(const std::byte* text, std::uint64_t begin, std::uint64_t end, Symbol smallest,
                                    Symbol largest, Position* to) {
  const Symbol range = largest - smallest;
  std::size_t size = 0;
  for (std::uint64_t position = begin; position < end; ++position) {
    to[size] = static_cast<Position>(position);
    size += symbol_at<Width>(text, position) - smallest <= range;
  }
  return size;
}

// The fastest one that this processor can run.
template <int Width>
SymbolFilter best_symbol_filter();

}  // namespace anygram
