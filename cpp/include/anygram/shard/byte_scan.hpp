// Where small bytes stand among many: how a page's shared lengths are read.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

namespace anygram {

// All functions here read kScanBytes at a time: so many bytes must be readable before `begin` and behind `end`.
inline constexpr std::size_t kScanBytes = 16;
inline constexpr std::size_t kNoByte = ~std::size_t{0};

// Which of the kScanBytes bytes are at most `limit`: kBits bits for each, all of them set or none.
struct PortableScan {
  static constexpr int kBits = 1;
  static std::uint64_t at_most(const std::uint8_t* bytes, std::uint8_t limit) {
    std::uint64_t mask = 0;
    for (std::size_t i = 0; i < kScanBytes; ++i) mask |= std::uint64_t{bytes[i] <= limit} << i;
    return mask;
  }
};

#if defined(__SSE2__)
struct VectorScan {
  static constexpr int kBits = 1;
  static std::uint64_t at_most(const std::uint8_t* bytes, std::uint8_t limit) {
    const __m128i values = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
    const __m128i smaller = _mm_min_epu8(values, _mm_set1_epi8(static_cast<char>(limit)));
    return static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(smaller, values)));
  }
};
#elif defined(__ARM_NEON)
struct VectorScan {
  static constexpr int kBits = 4;
  static std::uint64_t at_most(const std::uint8_t* bytes, std::uint8_t limit) {
    const uint8x16_t found = vcleq_u8(vld1q_u8(bytes), vdupq_n_u8(limit));
    return vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(found), 4)), 0);
  }
};
#else
using VectorScan = PortableScan;
#endif

// The first number in [begin, end) whose byte is at most `limit`; `end` if there is none.
template <class Scan = VectorScan>
inline std::size_t first_at_most(const std::uint8_t* bytes, std::size_t begin, std::size_t end, std::uint8_t limit) {
  for (; begin < end; begin += kScanBytes) {
    const std::uint64_t mask = Scan::at_most(bytes + begin, limit);
    if (mask == 0) continue;
    const std::size_t found = begin + static_cast<std::size_t>(std::countr_zero(mask) / Scan::kBits);
    return found < end ? found : end;
  }
  return end;
}

// The last one; kNoByte if there is none.
template <class Scan = VectorScan>
inline std::size_t last_at_most(const std::uint8_t* bytes, std::size_t begin, std::size_t end, std::uint8_t limit) {
  while (begin < end) {
    const std::uint64_t mask = Scan::at_most(bytes + static_cast<std::ptrdiff_t>(end) - kScanBytes, limit);
    if (mask != 0) {
      const int last = (63 - std::countl_zero(mask)) / Scan::kBits;
      const std::size_t back = kScanBytes - static_cast<std::size_t>(last);
      return back <= end - begin ? end - back : kNoByte;
    }
    end = end - begin > kScanBytes ? end - kScanBytes : begin;
  }
  return kNoByte;
}

// Calls visit(number) for each in [begin, end) whose byte is at most `limit`, ascending.
template <class Scan = VectorScan, class Visit>
inline void for_each_at_most(const std::uint8_t* bytes, std::size_t begin, std::size_t end, std::uint8_t limit,
                             const Visit& visit) {
  for (; begin < end; begin += kScanBytes) {
    std::uint64_t mask = Scan::at_most(bytes + begin, limit);
    while (mask != 0) {
      const int place = std::countr_zero(mask) / Scan::kBits;
      if (static_cast<std::size_t>(place) >= end - begin) return;
      visit(begin + static_cast<std::size_t>(place));
      mask &= ~(((std::uint64_t{1} << Scan::kBits) - 1) << (place * Scan::kBits));
    }
  }
}

}  // namespace anygram
