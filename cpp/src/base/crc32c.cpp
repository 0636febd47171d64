#include <anygram/base/crc32c.hpp>

#include <array>

#include <anygram/base/little_endian.hpp>

#if defined(__x86_64__)
#include <nmmintrin.h>
#define ANYGRAM_CRC_TARGET __attribute__((target("sse4.2")))
#elif defined(__aarch64__)
#include <arm_acle.h>
#ifdef __linux__
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif
#ifdef __clang__
#define ANYGRAM_CRC_TARGET __attribute__((target("crc")))
#else
#define ANYGRAM_CRC_TARGET __attribute__((target("+crc")))
#endif
#endif

namespace anygram {
namespace {

// The polynomial 0x1EDC6F41 with its bits reversed, as the bytes' bits come lowest first.
constexpr std::uint32_t kPolynomial = 0x82F63B78;

using Table = std::array<std::uint32_t, 256>;

// tables[k][b]: what byte b does to the checksum of the k bytes that follow it.
constexpr std::array<Table, 8> make_slicing_tables() {
  std::array<Table, 8> tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit) remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = remainder;
  }
  for (std::size_t k = 1; k < 8; ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 0xFF];
    }
  }
  return tables;
}

constexpr std::array<Table, 8> kSlicing = make_slicing_tables();

#ifdef ANYGRAM_CRC_TARGET

// The instruction takes 3 cycles and one can start in each, so three lanes side by side run at the full rate. Three
// lanes of this size and two words are a page of 4096 bytes.
constexpr std::size_t kLaneBytes = 1360;

// The checksum after as many zero bytes as a lane has is linear in the one before: one table for each of its four
// bytes.
constexpr std::array<Table, 4> make_lane_tables() {
  std::array<std::uint32_t, 32> after_lane{};
  for (std::size_t bit = 0; bit < 32; ++bit) {
    std::uint32_t remainder = std::uint32_t{1} << bit;
    for (std::size_t i = 0; i < kLaneBytes; ++i) remainder = (remainder >> 8) ^ kSlicing[0][remainder & 0xFF];
    after_lane[bit] = remainder;
  }
  std::array<Table, 4> tables{};
  for (std::size_t k = 0; k < 4; ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      for (std::size_t bit = 0; bit < 8; ++bit) {
        if ((byte >> bit & 1) != 0) tables[k][byte] ^= after_lane[8 * k + bit];
      }
    }
  }
  return tables;
}

constexpr std::array<Table, 4> kAfterLane = make_lane_tables();

inline std::uint32_t after_lane(std::uint32_t remainder) {
  return kAfterLane[0][remainder & 0xFF] ^ kAfterLane[1][remainder >> 8 & 0xFF] ^
         kAfterLane[2][remainder >> 16 & 0xFF] ^ kAfterLane[3][remainder >> 24];
}

#if defined(__x86_64__)
bool has_instruction() { return __builtin_cpu_supports("sse4.2") != 0; }

ANYGRAM_CRC_TARGET inline std::uint32_t add_word(std::uint32_t remainder, std::uint64_t word) {
  return static_cast<std::uint32_t>(_mm_crc32_u64(remainder, word));
}
ANYGRAM_CRC_TARGET inline std::uint32_t add_byte(std::uint32_t remainder, std::uint8_t byte) {
  return _mm_crc32_u8(remainder, byte);
}
#else
bool has_instruction() {
#ifdef __linux__
  return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0;
#else
  return true;  // all 64-bit Apple processors
#endif
}

ANYGRAM_CRC_TARGET inline std::uint32_t add_word(std::uint32_t remainder, std::uint64_t word) {
  return __crc32cd(remainder, word);
}
ANYGRAM_CRC_TARGET inline std::uint32_t add_byte(std::uint32_t remainder, std::uint8_t byte) {
  return __crc32cb(remainder, byte);
}
#endif

ANYGRAM_CRC_TARGET std::uint32_t crc32c_hardware(std::span<const std::byte> bytes, std::uint32_t seed) {
  const std::byte* next = bytes.data();
  std::size_t left = bytes.size();
  std::uint32_t remainder = ~seed;
  for (; left >= 3 * kLaneBytes; next += 3 * kLaneBytes, left -= 3 * kLaneBytes) {
    std::uint32_t second = 0;
    std::uint32_t third = 0;
    for (std::size_t i = 0; i < kLaneBytes; i += 8) {
      remainder = add_word(remainder, load<std::uint64_t>(next + i));
      second = add_word(second, load<std::uint64_t>(next + kLaneBytes + i));
      third = add_word(third, load<std::uint64_t>(next + 2 * kLaneBytes + i));
    }
    remainder = after_lane(after_lane(remainder) ^ second) ^ third;
  }
  for (; left >= 8; next += 8, left -= 8) remainder = add_word(remainder, load<std::uint64_t>(next));
  for (; left > 0; ++next, --left) remainder = add_byte(remainder, load<std::uint8_t>(next));
  return ~remainder;
}

#endif

}  // namespace

std::uint32_t crc32c_portable(std::span<const std::byte> bytes, std::uint32_t seed) {
  const std::byte* next = bytes.data();
  std::size_t left = bytes.size();
  std::uint32_t remainder = ~seed;
  for (; left >= 8; next += 8, left -= 8) {
    const std::uint64_t word = load<std::uint64_t>(next) ^ remainder;
    remainder = 0;
    for (std::size_t k = 0; k < 8; ++k) remainder ^= kSlicing[7 - k][word >> (8 * k) & 0xFF];
  }
  for (; left > 0; ++next, --left) {
    remainder = (remainder >> 8) ^ kSlicing[0][(remainder ^ load<std::uint8_t>(next)) & 0xFF];
  }
  return ~remainder;
}

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t seed) {
#ifdef ANYGRAM_CRC_TARGET
  static const bool use_instruction = has_instruction();
  if (use_instruction) return crc32c_hardware(bytes, seed);
#endif
  return crc32c_portable(bytes, seed);
}

}  // namespace anygram
