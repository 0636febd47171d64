// The token stream as the searches read it.
#pragma once

#include <cstdint>
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

  void prefetch(std::uint64_t position) const { section_.prefetch(position * Width); }

 private:
  Section section_;
  std::uint64_t length_;
};

}  // namespace anygram
