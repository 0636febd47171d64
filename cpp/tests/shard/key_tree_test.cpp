#include <anygram/shard/key_tree.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include <anygram/storage/section_writer.hpp>

#include "shard/test_corpus.hpp"

namespace anygram {
namespace {

using namespace anygram::testing;

constexpr std::uint64_t kLargest = std::numeric_limits<std::uint64_t>::max();

Section write_keys(const TemporaryFolder& folder, const std::vector<std::uint64_t>& keys, std::uint64_t period) {
  SectionWriter writer(folder.file("keys"), SectionKind::kKeySamples, sizeof(std::uint64_t), period);
  writer.append(std::as_bytes(std::span(keys)));
  writer.finish(false);
  return Section(folder.file("keys"));
}

TEST_CASE("key tree: counts as a binary search does") {
  const TemporaryFolder folder;
  Random random(1);
  for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 255U, 256U, 257U, 4096U, 4097U}) {
    // Few different keys, many, and runs of the largest one, which also fills up the nodes.
    for (const std::uint64_t bound : {std::uint64_t{3}, std::uint64_t{1} << 20, kLargest}) {
      std::vector<std::uint64_t> keys(size);
      for (std::uint64_t& key : keys) key = below(random, 8) == 0 ? kLargest : below(random, bound);
      std::ranges::sort(keys);
      const KeyTree tree(write_keys(folder, build_key_tree(keys), 16), size * 16);
      REQUIRE(tree.num_samples() == size);
      std::vector<std::uint64_t> bounds{0, 1, kLargest - 1, kLargest};
      for (int i = 0; i < 300; ++i) {
        bounds.push_back(below(random, bound));
        if (size > 0) bounds.push_back(keys[below(random, size)]);
      }
      std::vector<std::uint64_t> counts(bounds.size());
      tree.count_less(bounds, counts);
      for (std::size_t i = 0; i < bounds.size(); ++i) {
        REQUIRE(counts[i] == static_cast<std::uint64_t>(std::ranges::lower_bound(keys, bounds[i]) - keys.begin()));
      }
    }
  }
}

TEST_CASE("key tree: its size must follow from the number of suffixes and the period") {
  const TemporaryFolder folder;
  const std::vector<std::uint64_t> keys = build_key_tree(std::vector<std::uint64_t>(17, 5));
  CHECK(keys.size() == 3 * kKeysPerNode);
  CHECK(KeyTree(write_keys(folder, keys, 64), 16 * 64 + 1).num_samples() == 17);
  CHECK(KeyTree(write_keys(folder, keys, 64), 17 * 64).num_samples() == 17);
  const auto code = [&](std::uint64_t period, std::uint64_t num_suffixes) {
    return refusal([&] { KeyTree(write_keys(folder, keys, period), num_suffixes); });
  };
  CHECK(code(64, 16 * 64) == ErrorCode::kIndexFormat);
  CHECK(code(64, 32 * 64 + 1) == ErrorCode::kIndexFormat);
  CHECK(code(64, kLargest) == ErrorCode::kIndexFormat);
}

}  // namespace
}  // namespace anygram
