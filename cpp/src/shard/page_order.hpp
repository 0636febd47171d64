// The order of a shard's suffixes as its profile fast has it: pages, and what leads to them.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <utility>

#include <anygram/shard/byte_scan.hpp>
#include <anygram/shard/key_tree.hpp>
#include <anygram/shard/position_pages.hpp>

#include "array_order.hpp"

namespace anygram {

// A checked page of position_pages. Numbers of ranks and samples count from the page's first.
class PageView {
 public:
  explicit PageView(const std::byte* page) : page_(page) {}

  // The keys of a sample, below kSamplesPerPage.
  KeyPair keys(std::uint64_t sample) const { return {first_key(sample), second_key(sample)}; }
  std::uint64_t first_key(std::uint64_t sample) const {
    return load<std::uint64_t>(page_ + kFirstKeysOffset + sample * sizeof(std::uint64_t));
  }
  std::uint64_t second_key(std::uint64_t sample) const {
    return load<std::uint64_t>(page_ + kSecondKeysOffset + sample * sizeof(std::uint64_t));
  }
  const std::uint8_t* shared() const { return reinterpret_cast<const std::uint8_t*>(page_ + kSharedOffset); }

  // How many first keys are less than `bound`, which is none of the filling's.
  std::uint64_t count_less(std::uint64_t bound) const {
    std::uint64_t count = 0;
    for (std::uint64_t left = kFirstKeySlots; left > 1;) {
      const std::uint64_t half = left / 2;
      count += first_key(count + half - 1) < bound ? half : 0;
      left -= half;
    }
    return count + (first_key(count) < bound ? 1 : 0);
  }

 private:
  const std::byte* page_;
};

class PageOrder {
 public:
  // `open(kind)` opens a section of the shard.
  template <class Open>
  PageOrder(const ShardManifest& manifest, const Open& open)
      : pages_(open(SectionKind::kPositionPages)),
        tree_(open(SectionKind::kKeySamples), manifest.num_tokens),
        second_keys_(open(SectionKind::kPageSecondKeys)),
        shared_(open(SectionKind::kPageShared)),
        size_(manifest.num_tokens),
        num_pages_(num_position_pages(manifest.num_tokens)),
        stream_length_(manifest.stream_length()) {
    if (tree_.period() == kRanksPerPage) return;
    throw FormatError(ErrorCode::kIndexFormat,
                      {tree_.section().path(), 0, "keys with period " + std::to_string(kRanksPerPage),
                       std::to_string(tree_.period())});
  }

  Rank size() const { return size_; }
  std::uint64_t num_pages() const { return num_pages_; }
  std::uint64_t num_samples() const { return (size_ + kRanksPerSample - 1) / kRanksPerSample; }
  // Ranks that a page holds.
  std::uint64_t num_ranks(std::uint64_t page) const { return std::min(kRanksPerPage, size_ - page * kRanksPerPage); }

  // The tree over the first keys of the pages' first suffixes.
  const KeyTree& tree() const { return tree_; }
  KeyPair page_keys(std::uint64_t page) const { return {tree_.key(page), second_key(page)}; }
  std::uint64_t second_key(std::uint64_t page) const { return second_keys_.element<std::uint64_t>(page); }

  // The bytes of page_shared, all of them checked.
  const std::uint8_t* page_shared() const {
    if (!shared_checked_.load(std::memory_order_relaxed)) [[unlikely]] {
      shared_.check_all();
      shared_checked_.store(true, std::memory_order_relaxed);
    }
    return reinterpret_cast<const std::uint8_t*>(shared_.payload().data());
  }

  std::array<const Section*, 4> sections() const { return {&pages_, &tree_.section(), &second_keys_, &shared_}; }

  PageView page(std::uint64_t page) const { return PageView(pages_.at(page * kSectionPageBytes, kSectionPageBytes)); }

  Position position(Rank rank) const {
    const std::uint64_t element = place(rank) / sizeof(Position);
    const auto position = pages_.element<Position>(element);
    if (position >= stream_length_) [[unlikely]]
      refuse_position(pages_, element * sizeof(Position), stream_length_, position);
    return position;
  }

  void prefetch(Rank rank) const { pages_.prefetch(place(rank)); }
  void prefetch_shared(Rank rank) const {
    pages_.prefetch(rank / kRanksPerPage * kSectionPageBytes + kSharedOffset + rank % kRanksPerPage);
  }
  void prefetch_second_key(std::uint64_t page, std::uint64_t sample) const {
    pages_.prefetch(page * kSectionPageBytes + kSecondKeysOffset + sample * sizeof(std::uint64_t));
  }
  void prefetch_first_keys(std::uint64_t page) const {
    const std::uint64_t first = page * kSectionPageBytes + kFirstKeysOffset;
    for (std::uint64_t line = 0; line < kFirstKeySlots * sizeof(std::uint64_t); line += 64) {
      pages_.prefetch(first + line);
    }
  }

 private:
  static std::uint64_t place(Rank rank) {
    return rank / kRanksPerPage * kSectionPageBytes + rank % kRanksPerPage * sizeof(Position);
  }

  Section pages_;
  KeyTree tree_;
  Section second_keys_;
  Section shared_;
  Rank size_;
  std::uint64_t num_pages_;
  std::uint64_t stream_length_;
  mutable std::atomic<bool> shared_checked_{false};
};

}  // namespace anygram
