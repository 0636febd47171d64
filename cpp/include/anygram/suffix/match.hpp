// Comparing 16 or 64 bytes of text at once, where two suffixes are likely to go on alike.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <anygram/base/little_endian.hpp>
#include <anygram/suffix/sort.hpp>
#include <anygram/suffix/token_text.hpp>

namespace anygram {

namespace match_detail {

// Bit i of the result is set if byte i of the first `Bytes` ones is the same in both (is 0).
#ifdef __SSE2__
inline __m128i load_lane(const std::byte* address, int lane) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(address) + lane);
}
inline std::uint64_t equal_bytes(__m128i a, __m128i b) {
  return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(a, b)));
}
template <int Bytes>
inline std::uint64_t equal_bytes(const std::byte* a, const std::byte* b) {
  std::uint64_t equal = 0;
  for (int lane = 0; lane < Bytes / 16; ++lane)
    equal |= equal_bytes(load_lane(a, lane), load_lane(b, lane)) << (16 * lane);
  return equal;
}
template <int Bytes>
inline std::uint64_t zero_bytes(const std::byte* a) {
  std::uint64_t zero = 0;
  for (int lane = 0; lane < Bytes / 16; ++lane)
    zero |= equal_bytes(load_lane(a, lane), _mm_setzero_si128()) << (16 * lane);
  return zero;
}
#else
inline std::uint64_t zero_bytes_of_word(std::uint64_t word) {
  constexpr std::uint64_t kLow = 0x7F7F7F7F7F7F7F7F;
  const std::uint64_t flags = ~(((word & kLow) + kLow) | word | kLow);  // exact: no borrow between bytes
  return ((flags >> 7) * 0x0102040810204080) >> 56;
}
template <int Bytes>
inline std::uint64_t equal_bytes(const std::byte* a, const std::byte* b) {
  std::uint64_t equal = 0;
  for (int begin = 0; begin < Bytes; begin += 8)
    equal |= zero_bytes_of_word(load<std::uint64_t>(a + begin) ^ load<std::uint64_t>(b + begin)) << begin;
  return equal;
}
template <int Bytes>
inline std::uint64_t zero_bytes(const std::byte* a) {
  std::uint64_t zero = 0;
  for (int begin = 0; begin < Bytes; begin += 8) zero |= zero_bytes_of_word(load<std::uint64_t>(a + begin)) << begin;
  return zero;
}
#endif

// The first byte of each whole symbol.
template <int Width, int Bytes>
constexpr std::uint64_t first_bytes() {
  std::uint64_t bits = 0;
  for (int symbol = 0; symbol < Bytes / Width; ++symbol) bits |= std::uint64_t{1} << (symbol * Width);
  return bits;
}

}  // namespace match_detail

// What some suffixes share of their next symbols.
struct Match {
  std::uint32_t symbols;  // before the first difference or document end; all, if there is none
  bool ended;             // they share a document end after those
};

// The differences found so far in the next `Bytes` bytes, one bit a byte; add() any number of suffixes to the first.
template <int Width, int Bytes>
class Matcher {
 public:
  static constexpr std::uint32_t kSymbols = Bytes / Width;

  explicit Matcher(const std::byte* first) : first_(first) {}

  void add(const std::byte* other) { different_ |= ~match_detail::equal_bytes<Bytes>(first_, other); }
  bool differ_at_once() const { return (different_ & ((std::uint64_t{1} << Width) - 1)) != 0; }

  Match result() const {
    std::uint64_t ends = match_detail::zero_bytes<Bytes>(first_);
    if constexpr (Width == 2) ends &= ends >> 1;
    if constexpr (Width == 3) ends &= (ends >> 1) & (ends >> 2);
    if constexpr (Width == 4) ends &= (ends >> 1) & (ends >> 2) & (ends >> 3);
    ends &= match_detail::first_bytes<Width, Bytes>();
    const auto different = std::min(kSymbols, static_cast<std::uint32_t>(std::countr_zero(different_)) / Width);
    const auto end = static_cast<std::uint32_t>(std::countr_zero(ends)) / Width;
    if (end < different) return {end, true};
    return {different, false};
  }

 private:
  const std::byte* first_;
  std::uint64_t different_ = 0;
};

template <int Width, int Bytes>
inline Match match(const std::byte* a, const std::byte* b) {
  Matcher<Width, Bytes> matcher(a);
  matcher.add(b);
  return matcher.result();
}

// Symbols that two suffixes share, at most kMaxShared, if they share at least `known` without an end.
template <int Width>
inline std::uint8_t shared_symbols(const std::byte* text, std::uint64_t a, std::uint64_t b, std::uint32_t known = 0) {
  constexpr int kBytes = 64;
  while (known < kMaxShared) {
    const Match next = match<Width, kBytes>(text + (a + known) * Width, text + (b + known) * Width);
    known += next.symbols + next.ended;
    if (next.ended || next.symbols < kBytes / Width) break;
  }
  return static_cast<std::uint8_t>(known < kMaxShared ? known : kMaxShared);
}

}  // namespace anygram
