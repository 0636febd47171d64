// Typed views of a shard's sections that the searches read through.
#pragma once

#include <cstdint>
#include <string>
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

  void prefetch(std::uint64_t position) const { __builtin_prefetch(section_.payload().data() + position * Width); }

 private:
  Section section_;
  std::uint64_t length_;
};

// The suffix array, four bytes a position.
class OrderView {
 public:
  OrderView(Section section, std::uint64_t stream_length)
      : section_(std::move(section)), size_(section_.info().num_elements), stream_length_(stream_length) {}

  Rank size() const { return size_; }
  const Section& section() const { return section_; }

  Position position(Rank rank) const {
    const auto position = section_.element<Position>(rank);
    if (position >= stream_length_) [[unlikely]]
      refuse(rank, position);
    return position;
  }

  void prefetch(Rank rank) const { __builtin_prefetch(section_.payload().data() + rank * sizeof(Position)); }

 private:
  [[noreturn]] void refuse(Rank rank, Position position) const {
    throw FormatError(ErrorCode::kIndexFormat,
                      {section_.path(), kSectionPageBytes + rank * sizeof(Position),
                       "a position below " + std::to_string(stream_length_), std::to_string(position)});
  }

  Section section_;
  Rank size_;
  std::uint64_t stream_length_;
};

}  // namespace anygram
