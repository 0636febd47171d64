// The pages of a position_pages section: the order of the suffixes, clustered so that one page answers what else takes
// several. The format is specified in docs/index-format.md.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include <anygram/storage/section_writer.hpp>
#include <anygram/storage/shard_manifest.hpp>
#include <anygram/suffix/key.hpp>
#include <anygram/suffix/sort.hpp>

namespace anygram {

// In each page, every so many ranks there is a sample, whose keys are in the page.
inline constexpr std::uint64_t kRanksPerSample = 16;
inline constexpr std::uint64_t kSamplesPerPage = kRanksPerPage / kRanksPerSample;

// Where the parts of a page begin, after the positions. Keys are filled up to whole groups with the largest key.
inline constexpr std::size_t kFirstKeySlots = 48;
inline constexpr std::size_t kSecondKeySlots = 44;
inline constexpr std::size_t kFirstKeysOffset = kRanksPerPage * sizeof(Position);
inline constexpr std::size_t kSecondKeysOffset = kFirstKeysOffset + kFirstKeySlots * sizeof(std::uint64_t);
inline constexpr std::size_t kSharedOffset = kSecondKeysOffset + kSecondKeySlots * sizeof(std::uint64_t);
static_assert(kSharedOffset + kRanksPerPage == kSectionPageBytes);

constexpr std::uint64_t num_position_pages(std::uint64_t num_ranks) {
  return num_ranks / kRanksPerPage + (num_ranks % kRanksPerPage != 0 ? 1 : 0);
}

// The first symbols of a suffix as two keys: they compare as the suffixes do, the first key deciding.
struct KeyPair {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  friend constexpr auto operator<=>(const KeyPair&, const KeyPair&) = default;
};

template <int Width>
inline KeyPair load_key_pair(const std::byte* text, std::uint64_t position, KeyFormat format) {
  const std::uint64_t first = load_key<Width>(text, position, format);
  if (format.has_end(first)) return {first, 0};
  return {first, load_key<Width>(text, position + static_cast<std::uint64_t>(format.symbols_per_key), format)};
}

using PageBytes = std::array<std::byte, kSectionPageBytes>;

// A page without any rank.
constexpr PageBytes make_empty_page() {
  PageBytes page{};
  for (std::size_t i = kFirstKeysOffset; i < kSharedOffset; ++i) page[i] = std::byte{0xFF};
  return page;
}

// Puts consecutive ranks into a page, the first of them `filled` ranks from its begin.
template <int Width>
inline void fill_page(PageBytes& page, std::size_t filled, const std::byte* text, KeyFormat format,
                      std::span<const Position> positions, std::span<const std::uint8_t> shared) {
  std::memcpy(page.data() + filled * sizeof(Position), positions.data(), positions.size_bytes());
  std::memcpy(page.data() + kSharedOffset + filled, shared.data(), positions.size());
  const std::size_t first_sample = (kRanksPerSample - filled % kRanksPerSample) % kRanksPerSample;
  for (std::size_t i = first_sample; i < positions.size(); i += kRanksPerSample) {
    const KeyPair keys = load_key_pair<Width>(text, positions[i], format);
    const std::size_t slot = (filled + i) / kRanksPerSample * sizeof(std::uint64_t);
    store(page.data() + kFirstKeysOffset + slot, keys.first);
    store(page.data() + kSecondKeysOffset + slot, keys.second);
  }
}

// Writes position_pages and what leads to them, from the order as a sorter gives it. Holds 17 bytes in memory for each
// page of 672 ranks.
class PageWriter {
 public:
  // Into that folder; with a syncer, the files go to the disk. The text stays valid while the writer is used.
  PageWriter(const std::string& folder, const TokenText& text, KeyFormat format, FileSyncer* syncer);

  static std::uint64_t memory_bytes(std::uint64_t num_ranks) { return num_position_pages(num_ranks) * 20; }

  // Runs in rank order, of any size, with their shared lengths.
  void append(const SortedRun& run);

  // Completes the four sections: position_pages, key_samples, page_second_keys, page_shared.
  std::array<SectionInfo, 4> finish();

 private:
  void write_page();

  std::string folder_;
  TokenText text_;
  KeyFormat format_;
  FileSyncer* syncer_;
  SectionWriter pages_;
  PageBytes page_;
  std::size_t filled_ = 0;           // ranks in the page
  std::uint8_t least_shared_ = 255;  // since the page's first rank
  std::vector<std::uint64_t> first_keys_;
  std::vector<std::uint64_t> second_keys_;
  std::vector<std::uint8_t> shared_;
};

}  // namespace anygram
