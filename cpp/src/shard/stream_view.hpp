// The token stream as the searches read it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

#include <anygram/base/little_endian.hpp>
#include <anygram/storage/section.hpp>

namespace anygram {

// The token stream, `Width` bytes a symbol.
template <int Width>
class StreamView {
 public:
  explicit StreamView(Section section) : section_(std::move(section)), length_(section_.info().num_elements) {}

  std::uint64_t length() const { return length_; }
  const Section& section() const { return section_; }

  // `count` checked symbols from `position` on.
  const std::byte* at(std::uint64_t position, std::uint64_t count) const {
    return section_.at(position * Width, count * Width);
  }

  // Past the end of the stream, where only a damaged index leads, this is a document's end or refused.
  Symbol symbol(std::uint64_t position) const { return load_symbol<Width>(at(position, 1)); }

  // The symbols from `position`, which is in the stream, up to a document's end; behind it, kDocumentEnd again.
  void read(std::uint64_t position, std::span<Symbol> symbols) const {
    const std::uint64_t available = std::min<std::uint64_t>(symbols.size(), length_ - position);
    const std::byte* bytes = at(position, available);
    std::size_t i = 0;
    for (; i < available; ++i) {
      symbols[i] = load_symbol<Width>(bytes + i * Width);
      if (symbols[i] == kDocumentEnd) break;
    }
    std::fill(symbols.begin() + static_cast<std::ptrdiff_t>(i), symbols.end(), kDocumentEnd);
  }

  void prefetch(std::uint64_t position) const { section_.prefetch(position * Width); }

 private:
  Section section_;
  std::uint64_t length_;
};

}  // namespace anygram
