// Texts as a rule sees them: mapped character by character, and cut into units.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include <anygram/scan/code_points.hpp>
#include <anygram/scan/word_bounds.hpp>

namespace anygram {

enum class Units {
  kCharacters,    // each code point
  kWords,         // what stands between separators
  kUnicodeWords,  // the segments of word boundaries that have a letter or a digit
  kSegments,      // the segments of word boundaries but for those of white space alone
};

// Stands between words where they are joined; no byte of UTF-8.
inline constexpr char kWordEnd = '\xFF';

// What becomes of each code point, given by the caller for all of Unicode.
class Normalisation {
 public:
  static constexpr std::int32_t kSeparator = -1;
  static constexpr std::int32_t kNothing = -2;
  static constexpr std::int32_t kFirstExpansion = -3;  // -3 - i: the code points of expansion i

  // `mapping`: a code point, or one of the above, of each of kCodePointEnd. `expansions`: code points, kSeparator or
  // kNothing; `expansion_offsets`: where each begins, and where the last ends. `classes`: of word boundaries, for
  // kUnicodeWords and kSegments. Throws kInvalidArgument for tables that do not have the sizes that they should.
  Normalisation(Units units, std::vector<std::int32_t> mapping, std::vector<std::int32_t> expansions,
                std::vector<std::uint32_t> expansion_offsets, std::vector<std::uint8_t> classes);

  Units units() const { return units_; }

 private:
  friend class NormalisedText;

  // What a byte becomes, if it is not a byte of its own or one of these.
  static constexpr std::uint8_t kSlow = 0x80;  // not ASCII, or becomes what is not one ASCII character
  static constexpr std::uint8_t kTaken = 0xFE;

  void check() const;

  Units units_;
  std::vector<std::int32_t> mapping_;
  std::vector<std::int32_t> expansions_;
  std::vector<std::uint32_t> expansion_offsets_;
  std::vector<std::uint8_t> classes_;
  std::array<std::uint8_t, 0x100> bytes_{};  // by byte: ASCII, kWordEnd for a separator, kSlow or kTaken
  bool keeps_ascii_ = true;                  // whether ASCII stays as it is
};

// A normalised text. Characters are its UTF-8; words stand between kWordEnd, of which one is before the first and one
// behind each.
class NormalisedText {
 public:
  // Of UTF-8. Keeps its memory from one text to the next. A long text asks `stop` now and then, if there is one.
  void assign(const Normalisation& normalisation, std::span<const char> text, StopSignal* stop = nullptr);

  // kRoom bytes more may be read.
  std::span<const char> bytes() const { return {bytes_.data(), used_}; }
  // Of words: where each begins, and where one more would.
  std::span<const std::uint64_t> starts() const { return {starts_.data(), num_starts_}; }
  // Whether each character is a byte.
  bool is_ascii() const { return is_ascii_; }

  static constexpr std::size_t kRoom = 32;

 private:
  void add_words(const Normalisation& normalisation, std::span<const char> text, StopSignal* stop);
  void add_characters(const Normalisation& normalisation, std::span<const char> text, StopSignal* stop);
  void add_segments(const Normalisation& normalisation, std::span<const char> text, StopSignal* stop);
  void add_word(const Normalisation& normalisation, std::span<const CodePoint> word);
  // Adds what the first code point of a text becomes; returns how many bytes it has.
  std::size_t add_first(const Normalisation& normalisation, std::span<const char> text);
  void add_mapped(const Normalisation& normalisation, CodePoint c);
  void add(Units units, std::int32_t value);
  void end_word();
  // Makes room for what becomes of so many code points.
  void reserve(std::size_t code_points);

  // Longer than what they hold: what follows is room.
  std::vector<char> bytes_;
  std::vector<std::uint64_t> starts_;
  std::vector<CodePoint> text_;
  std::vector<std::uint8_t> classes_;
  std::size_t used_ = 0;  // of bytes_
  std::size_t num_starts_ = 0;
  bool after_end_ = false;  // whether kWordEnd is the last byte
  bool is_ascii_ = true;
};

// The hash of some bytes. May read 7 bytes past them.
inline std::uint64_t bytes_hash(const char* bytes, std::size_t size) {
  // Products that do not wait for each other; sums of 8 are mixed.
  static constexpr std::array<std::uint64_t, 8> kMultipliers{
      0x9E3779B97F4A7C15U, 0xC2B2AE3D27D4EB4FU, 0x165667B19E3779F9U, 0xD6E8FEB86659FD93U,
      0xA0761D6478BD642FU, 0xE7037ED1A0B428DBU, 0x8EBC6AF09C88C6E3U, 0x589965CC75374CC3U};
  std::uint64_t hash = size * kMultipliers[7];
  std::size_t left = size;
  std::size_t place = 0;
  for (; left > 8; left -= 8, bytes += 8) {
    std::uint64_t eight;
    std::memcpy(&eight, bytes, 8);
    hash += (eight ^ (eight >> 32)) * kMultipliers[place];
    place = (place + 1) % kMultipliers.size();
    if (place == 0) hash = (hash ^ (hash >> 29)) * kMultipliers[0];
  }
  std::uint64_t last;
  std::memcpy(&last, bytes, 8);
  if (left < 8) last &= (std::uint64_t{1} << (8 * left)) - 1;
  hash = (hash ^ (hash >> 32) ^ last) * kMultipliers[0];
  hash = (hash ^ (hash >> 32)) * kMultipliers[1];
  return hash ^ (hash >> 29);
}

}  // namespace anygram
