// Integers of 1 to 8 bytes at any address.
#pragma once

#include <cstdint>
#include <cstring>

#include <anygram/base/types.hpp>

namespace anygram {

template <class Integer>
inline Integer load(const std::byte* address) {
  Integer value;
  std::memcpy(&value, address, sizeof value);
  return value;
}

template <class Integer>
inline void store(std::byte* address, Integer value) {
  std::memcpy(address, &value, sizeof value);
}

// The symbol of `Width` bytes at `address`. For a width of 3, one byte past it is read too.
template <int Width>
inline Symbol load_symbol(const std::byte* address) {
  static_assert(Width >= 1 && Width <= 4);
  if constexpr (Width == 1) return static_cast<Symbol>(*address);
  if constexpr (Width == 2) return load<std::uint16_t>(address);
  if constexpr (Width == 3) return load<std::uint32_t>(address) & 0xFFFFFF;
  if constexpr (Width == 4) return load<std::uint32_t>(address);
}

// Stores exactly `Width` bytes.
template <int Width>
inline void store_symbol(std::byte* address, Symbol symbol) {
  std::memcpy(address, &symbol, Width);
}

// The smallest width, in bytes, that holds every symbol of a vocabulary.
constexpr int width_for(std::uint64_t vocab_size) {
  int width = 1;
  while (width < 4 && (vocab_size >> (8 * width)) != 0) ++width;
  return width;
}

}  // namespace anygram
