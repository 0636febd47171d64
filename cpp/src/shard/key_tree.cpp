#include <anygram/shard/key_tree.hpp>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include <anygram/base/error.hpp>

namespace anygram {
namespace {

constexpr std::uint64_t kLargestKey = std::numeric_limits<std::uint64_t>::max();

constexpr std::uint64_t nodes_for(std::uint64_t keys) { return (keys + kKeysPerNode - 1) / kKeysPerNode; }

// Nodes of each level, the leaves first, up to a level of one node. No samples: no levels.
std::vector<std::uint64_t> level_sizes(std::uint64_t num_samples) {
  std::vector<std::uint64_t> nodes;
  for (std::uint64_t keys = num_samples; keys > 0; keys = nodes.back()) {
    nodes.push_back(nodes_for(keys));
    if (nodes.back() == 1) break;
  }
  return nodes;
}

// Keys of a node that are less than `bound`: they are sorted, so four halvings among the first 15, then the last.
std::uint64_t count_less_in_node(const std::byte* node, std::uint64_t bound) {
  const auto less = [&](std::uint64_t key) { return load<std::uint64_t>(node + key * 8) < bound; };
  std::uint64_t count = less(7) ? 8 : 0;
  count += less(count + 3) ? 4 : 0;
  count += less(count + 1) ? 2 : 0;
  count += less(count) ? 1 : 0;
  return count + (less(kKeysPerNode - 1) ? 1 : 0);
}

}  // namespace

std::vector<std::uint64_t> build_key_tree(std::vector<std::uint64_t> sample_keys) {
  std::vector<std::uint64_t> tree = std::move(sample_keys);
  std::uint64_t level_begin = 0;
  for (const std::uint64_t nodes : level_sizes(tree.size())) {
    tree.resize(level_begin + nodes * kKeysPerNode, kLargestKey);
    if (nodes == 1) break;
    for (std::uint64_t node = 0; node < nodes; ++node) {
      tree.push_back(tree[level_begin + node * kKeysPerNode + kKeysPerNode - 1]);
    }
    level_begin += nodes * kKeysPerNode;
  }
  return tree;
}

KeyTree::KeyTree(Section section, std::uint64_t num_suffixes)
    : section_(std::move(section)), period_(section_.info().parameter), num_samples_(0) {
  if (period_ != 0) num_samples_ = num_suffixes / period_ + (num_suffixes % period_ != 0 ? 1 : 0);
  std::uint64_t keys = 0;
  for (const std::uint64_t nodes : level_sizes(num_samples_)) {
    level_begins_.push_back(keys);
    level_nodes_.push_back(nodes);
    keys += nodes * kKeysPerNode;
  }
  if (period_ == 0 || section_.info().num_elements != keys) {
    throw FormatError(ErrorCode::kIndexFormat,
                      {section_.path(), 0,
                       std::to_string(keys) + " keys in the tree over " + std::to_string(num_suffixes) +
                           " suffixes with period " + std::to_string(period_),
                       std::to_string(section_.info().num_elements) + " keys"});
  }
}

void KeyTree::count_less(std::span<const std::uint64_t> bounds, std::span<std::uint64_t> counts) const {
  std::ranges::fill(counts, 0);
  for (std::size_t level = level_nodes_.size(); level-- > 0;) {
    for (std::size_t i = 0; i < bounds.size(); ++i) {
      const std::uint64_t node = std::min(counts[i], level_nodes_[level] - 1);
      const std::uint64_t first_key = node * kKeysPerNode;
      const std::byte* keys = section_.at((level_begins_[level] + first_key) * 8, kKeysPerNode * 8);
      counts[i] = first_key + count_less_in_node(keys, bounds[i]);
      if (level > 0) {
        const std::uint64_t child = std::min(counts[i], level_nodes_[level - 1] - 1);
        const std::byte* address = section_.payload().data() + (level_begins_[level - 1] + child * kKeysPerNode) * 8;
        __builtin_prefetch(address);
        __builtin_prefetch(address + 64);
      }
    }
  }
  // The last leaf is filled up with the largest key, which a bound never exceeds; the clamp is for damaged trees.
  for (std::uint64_t& count : counts) count = std::min(count, num_samples_);
}

}  // namespace anygram
