// How a text is compared with suffixes, whatever the width of its symbols.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <anygram/base/little_endian.hpp>
#include <anygram/base/types.hpp>

namespace anygram {

// Symbols packed as the token stream packs them, so that they compare with it eight bytes at a time. Symbols that do
// not fit the width are stored cut: a caller ends a comparison before them.
template <int Width>
class PackedText {
 public:
  PackedText() = default;
  explicit PackedText(std::span<const Symbol> symbols) { assign(symbols); }

  void assign(std::span<const Symbol> symbols) {
    bytes_.assign(symbols.size() * Width + kStreamPadding, std::byte{0});
    for (std::size_t i = 0; i < symbols.size(); ++i) store_symbol<Width>(bytes_.data() + i * Width, symbols[i]);
  }

  const std::byte* at(std::uint64_t symbol) const { return bytes_.data() + symbol * Width; }

 private:
  std::vector<std::byte> bytes_;
};

// Bytes that are compared (and checked) at a time: most n-grams end within the first 64.
inline constexpr std::size_t kCompareBytes = 64;

// How many of its first `length` symbols the text at `query` shares with the suffix at `position`, the first `known` of
// which need no comparison. `Stream::at(position, count)` gives readable bytes. No document end in the text, so the
// suffix's own end stops the comparison.
template <int Width, class Stream>
std::uint64_t common_prefix(const Stream& stream, std::uint64_t position, const std::byte* query, std::uint64_t known,
                            std::uint64_t length) {
  std::uint64_t shared = known;
  while (shared < length) {
    const std::uint64_t symbols = std::min<std::uint64_t>(length - shared, kCompareBytes / Width);
    // At the stream's end there may be fewer symbols than asked for; the document end among them stops the comparison.
    const std::uint64_t left = stream.length() - (position + shared);
    const std::byte* suffix = stream.at(position + shared, std::min(symbols, left));
    const std::byte* text = query + shared * Width;
    for (std::uint64_t byte = 0; byte < symbols * Width; byte += 8) {
      const std::uint64_t difference = load<std::uint64_t>(suffix + byte) ^ load<std::uint64_t>(text + byte);
      if (difference == 0) continue;
      const std::uint64_t equal = (byte + static_cast<unsigned>(std::countr_zero(difference)) / 8) / Width;
      if (equal < symbols) return shared + equal;
      break;  // the difference lies behind the symbols that are compared here
    }
    shared += symbols;
  }
  return length;
}

}  // namespace anygram
