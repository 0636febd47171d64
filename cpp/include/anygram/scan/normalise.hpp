// Texts as a rule sees them: mapped character by character, and cut into units.
#pragma once

#include <cstdint>
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
struct Normalisation {
  static constexpr std::int32_t kSeparator = -1;
  static constexpr std::int32_t kNothing = -2;
  static constexpr std::int32_t kFirstExpansion = -3;  // -3 - i: the code points of expansion i

  Units units = Units::kCharacters;
  std::vector<std::int32_t> mapping{};             // a code point, or one of the above; kCodePointEnd of them
  std::vector<std::int32_t> expansions{};          // code points, kSeparator or kNothing
  std::vector<std::uint32_t> expansion_offsets{};  // where each begins, and where the last ends
  std::vector<std::uint8_t> classes{};             // of word boundaries, for kUnicodeWords and kSegments

  // Throws kInvalidArgument if the tables do not have the sizes that they should.
  void check() const;
};

// A normalised text: its units one after another, words with kWordEnd behind each.
class NormalisedText {
 public:
  // Keeps its memory from one text to the next. A long text asks `stop` now and then, if there is one.
  void assign(const Normalisation& normalisation, std::span<const CodePoint> text, StopSignal* stop = nullptr);

  std::size_t size() const { return size_; }
  // The bytes of units [begin, end), begin < end.
  std::span<const char> units(std::size_t begin, std::size_t end) const {
    return {bytes_.data() + begins_[begin], begins_[end] - between_ - begins_[begin]};
  }
  // A hash of each unit.
  std::span<const std::uint64_t> hashes() const { return {hashes_.data(), size_}; }

 private:
  void add_mapped(const Normalisation& normalisation, CodePoint c);
  void add_separated(const Normalisation& normalisation, std::span<const CodePoint> text);
  void add_characters(const Normalisation& normalisation, std::span<const CodePoint> text);
  void add_segments(const Normalisation& normalisation, std::span<const CodePoint> text, StopSignal* stop);
  void end_word();
  void end_unit(std::uint64_t hash);
  // Makes room for what becomes of so many code points.
  void reserve(std::size_t code_points);

  // Longer than what they hold: what follows is room.
  std::vector<char> bytes_;
  std::vector<std::uint64_t> begins_;
  std::vector<std::uint64_t> hashes_;
  std::vector<std::uint8_t> classes_;
  std::size_t used_ = 0;  // of bytes_
  std::size_t size_ = 0;
  std::size_t word_begin_ = 0;
  std::size_t between_ = 0;
};

// The hash of a unit, by its bytes. May read 7 bytes past them.
std::uint64_t unit_hash(const char* bytes, std::size_t size);

}  // namespace anygram
