// A static search tree over the keys of every few suffixes: where in the suffix array to look, in a few cache misses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <anygram/storage/section.hpp>

namespace anygram {

// The payload of a key_samples section: a B+ tree without pointers. Level 0 holds the keys of the suffixes of rank 0,
// period, 2 * period, ...; each level above holds the last key of each node below. A node is 16 keys, filled up with
// the largest key there is; levels follow each other, the leaves first. (An S-tree, after Khuong and Morin, and
// Slotin.)
inline constexpr std::size_t kKeysPerNode = 16;

// The whole payload, from the samples' keys in rank order.
std::vector<std::uint64_t> build_key_tree(std::vector<std::uint64_t> sample_keys);

class KeyTree {
 public:
  // Throws kIndexFormat if the section does not hold a tree over the samples of `num_suffixes` suffixes.
  KeyTree(Section section, std::uint64_t num_suffixes);

  // Ranks between two samples.
  std::uint64_t period() const { return period_; }
  std::uint64_t num_samples() const { return num_samples_; }

  // The key of a sample, whose number is below num_samples().
  std::uint64_t key(std::uint64_t sample) const { return section_.element<std::uint64_t>(sample); }

  // counts[i] becomes the number of samples whose key is less than bounds[i]. All descend together, so that their cache
  // misses overlap.
  void count_less(std::span<const std::uint64_t> bounds, std::span<std::uint64_t> counts) const;

  const Section& section() const { return section_; }

 private:
  Section section_;
  std::uint64_t period_;
  std::uint64_t num_samples_;
  std::vector<std::uint64_t> level_begins_;  // in keys; the root's level last
  std::vector<std::uint64_t> level_nodes_;
};

}  // namespace anygram
