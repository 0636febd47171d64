// Where words end: the default word boundaries of Unicode (UAX #29, section 4.1).
#pragma once

#include <array>
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

// For segment_end alone.
namespace word_bounds {

// What a class means where only the commonest are near.
enum Plain : std::uint8_t {
  kJoined = 1,       // letters, digits and "_" go on in one another
  kEnds = 2,         // ends what is before it, be it joined or one of these
  kEndsJoined = 4,   // ends what is before it, if that is joined
  kStartsAlone = 8,  // joined with nothing that is joined or ends
};

constexpr std::array<std::uint8_t, 0x100> plain_classes() {
  using enum WordBreak;
  std::array<std::uint8_t, 0x100> plain{};
  const auto set = [&](WordBreak value, int flags) {
    for (const std::uint8_t bit : {std::uint8_t{0}, kAlphanumericBit, kWhiteSpaceBit}) {
      plain[static_cast<std::uint8_t>(static_cast<std::uint8_t>(value) | bit)] = static_cast<std::uint8_t>(flags);
    }
  };
  for (const WordBreak value : {kLetter, kNumeric, kExtendNumLet}) set(value, Plain::kJoined);
  for (const WordBreak value : {kOther, kNewline}) set(value, kEnds | kEndsJoined | kStartsAlone);
  for (const WordBreak value : {kMidLetter, kMidNumLet, kMidNum, kSingleQuote, kDoubleQuote}) set(value, kStartsAlone);
  set(kSpace, kEndsJoined | kStartsAlone);
  return plain;
}

inline constexpr std::array<std::uint8_t, 0x100> kPlain = plain_classes();

// The text's end ends what is before it.
inline std::uint8_t plain_at(std::span<const std::uint8_t> classes, std::size_t place) {
  return place < classes.size() ? kPlain[classes[place]] : static_cast<std::uint8_t>(kEnds | kEndsJoined);
}

std::size_t any_segment_end(std::span<const std::uint8_t> classes, std::size_t begin);

}  // namespace word_bounds

// The end of the segment that begins at `begin`, which is less than the size.
inline std::size_t segment_end(std::span<const std::uint8_t> classes, std::size_t begin) {
  using namespace word_bounds;
  // Most segments are a run of letters, or one character between such.
  std::size_t end = begin;
  while ((plain_at(classes, end) & Plain::kJoined) != 0) ++end;
  if (end > begin && (plain_at(classes, end) & kEndsJoined) != 0) return end;
  if ((plain_at(classes, begin) & kStartsAlone) != 0 &&
      (plain_at(classes, begin + 1) & (Plain::kJoined | kEnds)) != 0) {
    return begin + 1;
  }
  return any_segment_end(classes, begin);
}

}  // namespace anygram
