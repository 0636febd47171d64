// Where words end: the default word boundaries of Unicode (UAX #29, section 4.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <anygram/scan/code_points.hpp>

namespace anygram {

// The property Word_Break of a code point. Its values are given by the caller, since they change with Unicode.
enum class WordBreak : std::uint8_t {
  kOther,
  kNewline,  // also CR and LF
  kExtend,   // also Format
  kJoiner,   // ZWJ
  kLetter,   // ALetter
  kHebrew,
  kNumeric,
  kKatakana,
  kExtendNumLet,
  kMidLetter,
  kMidNumLet,
  kMidNum,
  kSingleQuote,
  kDoubleQuote,
  kRegional,
  kSpace,  // WSegSpace
};

// A code point's class is a byte: its WordBreak, and three bits more.
inline constexpr std::uint8_t kWordBreakBits = 0x1F;
inline constexpr std::uint8_t kPictographBit = 0x20;    // Extended_Pictographic
inline constexpr std::uint8_t kAlphanumericBit = 0x40;  // what makes a segment a word
inline constexpr std::uint8_t kWhiteSpaceBit = 0x80;

// The end of the segment that begins at `begin`, which is less than the size.
std::size_t segment_end(std::span<const std::uint8_t> classes, std::size_t begin);

}  // namespace anygram
