// The order of a shard's suffixes as its profile lean has it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include <anygram/shard/key_tree.hpp>
#include <anygram/storage/section.hpp>
#include <anygram/storage/shard_manifest.hpp>

namespace anygram {

[[noreturn]] inline void refuse_position(const Section& section, std::uint64_t byte_offset, std::uint64_t stream_length,
                                         Position position) {
  throw FormatError(ErrorCode::kIndexFormat,
                    {section.path(), kSectionPageBytes + byte_offset,
                     "a position below " + std::to_string(stream_length), std::to_string(position)});
}

// The suffix array, four bytes a position, and a tree over it.
class ArrayOrder {
 public:
  // `open(kind)` opens a section of the shard.
  template <class Open>
  ArrayOrder(const ShardManifest& manifest, const Open& open)
      : positions_(open(SectionKind::kSuffixArray)),
        tree_(open(SectionKind::kKeySamples), manifest.num_tokens),
        size_(manifest.num_tokens),
        stream_length_(manifest.stream_length()) {}

  Rank size() const { return size_; }
  const KeyTree& tree() const { return tree_; }
  std::array<const Section*, 2> sections() const { return {&positions_, &tree_.section()}; }

  Position position(Rank rank) const {
    const auto position = positions_.element<Position>(rank);
    if (position >= stream_length_) [[unlikely]]
      refuse_position(positions_, rank * sizeof(Position), stream_length_, position);
    return position;
  }

  void prefetch(Rank rank) const { positions_.prefetch(rank * sizeof(Position)); }

 private:
  Section positions_;
  KeyTree tree_;
  Rank size_;
  std::uint64_t stream_length_;
};

}  // namespace anygram
