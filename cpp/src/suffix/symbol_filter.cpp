// Only the function marked for it is compiled for AVX-512.
#include <anygram/suffix/symbol_filter.hpp>

#include <anygram/suffix/record_sort_avx512.hpp>

#ifdef __x86_64__
#include <immintrin.h>

#include <bit>
#endif

namespace anygram {
namespace {

#ifdef __x86_64__

// 32 symbols at a time.
__attribute__((target("avx512f,avx512bw,avx512vl,popcnt"))) std::size_t filter_two_byte_symbols(
    const std::byte* text, std::uint64_t begin, std::uint64_t end, Symbol smallest, Symbol largest, Position* to) {
  const __m512i base = _mm512_set1_epi16(static_cast<short>(smallest));
  const __m512i range = _mm512_set1_epi16(static_cast<short>(largest - smallest));
  __m512i positions = _mm512_add_epi32(_mm512_set1_epi32(static_cast<int>(begin)),
                                       _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
  const __m512i sixteen = _mm512_set1_epi32(16);
  std::size_t size = 0;
  std::uint64_t position = begin;
  for (; position + 32 <= end; position += 32) {
    const __m512i symbols = _mm512_loadu_si512(text + position * 2);
    const __mmask32 chosen = _mm512_cmple_epu16_mask(_mm512_sub_epi16(symbols, base), range);
    // Compressed in registers and then stored: compressing into memory is microcoded on some processors.
    const auto low = static_cast<__mmask16>(chosen), high = static_cast<__mmask16>(chosen >> 16);
    _mm512_storeu_si512(to + size, _mm512_maskz_compress_epi32(low, positions));
    size += static_cast<std::size_t>(std::popcount(low));
    positions = _mm512_add_epi32(positions, sixteen);
    _mm512_storeu_si512(to + size, _mm512_maskz_compress_epi32(high, positions));
    size += static_cast<std::size_t>(std::popcount(high));
    positions = _mm512_add_epi32(positions, sixteen);
  }
  return size + filter_symbols_portable<2>(text, position, end, smallest, largest, to + size);
}

#endif

}  // namespace

template <int Width>
SymbolFilter best_symbol_filter() {
#ifdef __x86_64__
  if constexpr (Width == 2) {
    if (can_sort_records_avx512() && __builtin_cpu_supports("avx512bw")) return filter_two_byte_symbols;
  }
#endif
  return filter_symbols_portable<Width>;
}

template SymbolFilter best_symbol_filter<1>();
template SymbolFilter best_symbol_filter<2>();
template SymbolFilter best_symbol_filter<3>();
template SymbolFilter best_symbol_filter<4>();

}  // namespace anygram
