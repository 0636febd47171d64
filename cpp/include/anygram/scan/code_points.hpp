// Text as code points: what a document's tokens spell.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <anygram/base/stop_signal.hpp>
#include <anygram/base/types.hpp>

namespace anygram {

using CodePoint = std::uint32_t;

inline constexpr CodePoint kReplacement = 0xFFFD;
inline constexpr CodePoint kCodePointEnd = 0x110000;

// Appends the code points of UTF-8. Of what is no UTF-8, each longest beginning of a character becomes U+FFFD, and each
// other byte one: what Unicode recommends, and Python does. A long text asks `stop` now and then, if there is one.
void append_code_points(std::span<const char> bytes, std::vector<CodePoint>& result, StopSignal* stop = nullptr);

// The first code point of a text that is not empty, read in the same way; returns how many bytes it has.
std::size_t first_code_point(std::span<const char> bytes, CodePoint& result);

// Writes the UTF-8 form of a code point, 4 bytes at most; returns where it ends.
inline char* write_utf8(CodePoint c, char* to) {
  if (c < 0x80) {
    *to++ = static_cast<char>(c);
  } else if (c < 0x800) {
    *to++ = static_cast<char>(0xC0 | (c >> 6));
    *to++ = static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    *to++ = static_cast<char>(0xE0 | (c >> 12));
    *to++ = static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    *to++ = static_cast<char>(0x80 | (c & 0x3F));
  } else {
    *to++ = static_cast<char>(0xF0 | (c >> 18));
    *to++ = static_cast<char>(0x80 | ((c >> 12) & 0x3F));
    *to++ = static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    *to++ = static_cast<char>(0x80 | (c & 0x3F));
  }
  return to;
}

// What each token of a vocabulary spells, and what stands between tokens.
class TokenTexts {
 public:
  // Token i spells bytes [offsets[i], offsets[i + 1]). Throws kInvalidArgument for offsets that descend or leave them.
  TokenTexts(std::string bytes, std::vector<std::uint64_t> offsets, std::string between);

  // Appends the bytes of a document's symbols. A token outside the vocabulary spells U+FFFD.
  void append(std::span<const Symbol> symbols, std::vector<char>& result) const;
  // Appends what stands between tokens, for documents that are read piece by piece.
  void append_between(std::vector<char>& result) const {
    result.insert(result.end(), between_.begin(), between_.end());
  }

 private:
  std::string bytes_;
  std::vector<std::uint64_t> offsets_;
  std::string between_;
};

}  // namespace anygram
