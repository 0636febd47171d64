// The first few symbols of a suffix as one integer, so that most comparisons are a single instruction.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>

#include <anygram/base/types.hpp>
#include <anygram/suffix/token_text.hpp>

namespace anygram {

// How symbols are packed: `symbols_per_key` fields of `bits` bits, the first symbol in the most significant field, the
// last in the least significant one. Symbols after a document end are packed as 0. So keys compare as the suffixes do:
// if they differ, they decide; if they are equal and has_end(key), the suffixes are equal up to a document's end.
struct KeyFormat {
  int bits = 16;
  int symbols_per_key = 4;

  // For symbols up to `largest_symbol` (of an index: its vocab_size). Fields are as wide as their number allows, so
  // that most vocabularies share the layouts that load_key has a fast path for: 8, 16, 21 and 32 bits.
  static constexpr KeyFormat for_largest(Symbol largest_symbol) {
    const int needed = std::max(8, static_cast<int>(std::bit_width(largest_symbol)));
    const int symbols = 64 / needed;
    return {64 / symbols, symbols};
  }

  constexpr int key_bits() const { return bits * symbols_per_key; }
  constexpr std::uint64_t field_mask() const { return (std::uint64_t{1} << bits) - 1; }
  // Whether a document ends within the key. Everything after an end is 0, so the last field tells.
  constexpr bool has_end(std::uint64_t key) const { return (key & field_mask()) == 0; }
  constexpr std::uint64_t largest_key() const { return ~std::uint64_t{0} >> (64 - key_bits()); }

  friend constexpr bool operator==(const KeyFormat&, const KeyFormat&) = default;
};

namespace key_detail {

// `Bits`-wide lanes of `word` that come after its first zero lane (the lowest is first) are set to 0. An end is rare
// enough in a text for the branch to be free.
template <int Bits>
inline std::uint64_t zero_after_end(std::uint64_t word) {
  constexpr std::uint64_t kOnes = ~std::uint64_t{0} / ((std::uint64_t{1} << Bits) - 1);
  // The lowest flag is exact; those above it may be borrowed from it.
  const std::uint64_t flags = (word - kOnes) & ~word & (kOnes << (Bits - 1));
  if (flags != 0) [[unlikely]]
    word &= (std::uint64_t{1} << (std::countr_zero(flags) - (Bits - 1))) - 1;
  return word;
}

}  // namespace key_detail

// The key of the suffix at `position`, which may be any position of the text or, for an empty suffix, one of its end.
// Reads at most 32 bytes from there, which the text's padding allows.
template <int Width>
inline std::uint64_t load_key(const std::byte* text, std::uint64_t position, KeyFormat format) {
  const std::byte* address = text + position * Width;
  if constexpr (Width == 1) {
    if (format.bits == 8) [[likely]]
      return __builtin_bswap64(key_detail::zero_after_end<8>(load<std::uint64_t>(address)));
  }
  if constexpr (Width == 2) {
    if (format.bits == 16) [[likely]] {
      const std::uint64_t swapped = __builtin_bswap64(key_detail::zero_after_end<16>(load<std::uint64_t>(address)));
      return ((swapped & 0x00FF00FF00FF00FF) << 8) | ((swapped >> 8) & 0x00FF00FF00FF00FF);
    }
  }
  std::uint64_t key = 0;
  for (int symbol_index = 0; symbol_index < format.symbols_per_key; ++symbol_index) {
    const Symbol symbol = load_symbol<Width>(address + symbol_index * Width);
    if (symbol == kDocumentEnd) [[unlikely]] {
      for (; symbol_index < format.symbols_per_key; ++symbol_index) key <<= format.bits;
      return key;
    }
    key = (key << format.bits) | symbol;
  }
  return key;
}

// The smallest and the largest key of a suffix that starts with `ngram` (or with its first symbols_per_key symbols, if
// it is longer). The symbols are neither 0 nor too large for a field.
struct KeyRange {
  std::uint64_t smallest;
  std::uint64_t largest;
};

inline KeyRange pack_query_key(std::span<const Symbol> ngram, KeyFormat format) {
  const auto known = std::min<std::size_t>(ngram.size(), static_cast<std::size_t>(format.symbols_per_key));
  std::uint64_t key = 0;
  for (std::size_t i = 0; i < known; ++i) key = (key << format.bits) | ngram[i];
  const int open_bits = format.key_bits() - static_cast<int>(known) * format.bits;
  if (open_bits == 64) return {0, format.largest_key()};
  key <<= open_bits;
  return {key, key | ((std::uint64_t{1} << open_bits) - 1)};
}

}  // namespace anygram
