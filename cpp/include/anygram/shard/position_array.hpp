// Writes the order of the suffixes as the plain suffix array, with a tree over the keys of every few suffixes.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <anygram/storage/section_writer.hpp>
#include <anygram/suffix/key.hpp>
#include <anygram/suffix/sort.hpp>

namespace anygram {

// Ranks between two sampled keys: how dense the tree over the suffix array is.
inline constexpr std::uint64_t kArraySamplePeriod = 64;

class ArrayWriter {
 public:
  // Into that folder; with a syncer, the files go to the disk. The text stays valid while the writer is used.
  ArrayWriter(const std::string& folder, const TokenText& text, KeyFormat format, FileSyncer* syncer);

  static std::uint64_t memory_bytes(std::uint64_t num_ranks) { return num_ranks / kArraySamplePeriod * 9; }

  // Runs in rank order, of any size. Reads the sampled suffixes' keys from the text.
  void append(const SortedRun& run);
  // The same, where the keys of the samples among them are known.
  void append(std::span<const Position> positions, std::span<const std::uint64_t> sample_keys);

  // Completes the sections suffix_array and key_samples.
  std::array<SectionInfo, 2> finish();

 private:
  std::string folder_;
  TokenText text_;
  KeyFormat format_;
  FileSyncer* syncer_;
  SectionWriter order_;
  std::vector<std::uint64_t> sample_keys_;
};

}  // namespace anygram
