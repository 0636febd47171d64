#include <anygram/suffix/record_sort.hpp>

#include <doctest/doctest.h>

#include <anygram/suffix/record_quicksort.hpp>

#include "suffix/test_texts.hpp"

namespace anygram {
namespace {

using namespace anygram::testing;

// Sorts with `sort_records` and checks keys and that positions went with them. Returns the records moved.
std::uint64_t check_sort(RecordSort sort_records, const std::vector<std::uint64_t>& keys) {
  StopSignal stop;
  const Progress progress;
  WorkMeter meter(stop, progress, 0);
  std::vector<std::uint64_t> sorted = keys;
  std::vector<Position> positions(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) positions[i] = static_cast<Position>(i);
  const std::uint64_t moved = sort_records({sorted.data(), positions.data()}, keys.size(), meter);
  std::vector<bool> seen(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    REQUIRE(positions[i] < keys.size());
    REQUIRE(keys[positions[i]] == sorted[i]);
    REQUIRE_FALSE(seen[positions[i]]);
    seen[positions[i]] = true;
    if (i > 0) REQUIRE(sorted[i - 1] <= sorted[i]);
  }
  return moved;
}

std::uint64_t heap_sort(Records records, std::size_t size, WorkMeter&) {
  record_detail::heap_sort(records, size);
  return size;
}

TEST_CASE("records are sorted, each position with its key") {
  Random random(1);
  for (const RecordSort sort_records : {sort_records_portable, best_record_sort(), RecordSort{heap_sort}}) {
    for (std::size_t size = 0; size < 200; ++size)
      for (const std::uint64_t distinct : {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{10}, ~std::uint64_t{0}}) {
        std::vector<std::uint64_t> keys(size);
        for (std::uint64_t& key : keys) key = ~below(random, distinct);
        check_sort(sort_records, keys);
      }
  }
}

TEST_CASE("no order of keys makes sorting quadratic") {
  Random random(2);
  constexpr std::size_t kSize = 100000;
  const double bound = 4.0 * kSize * std::bit_width(kSize);
  std::vector<std::vector<std::uint64_t>> inputs(7, std::vector<std::uint64_t>(kSize));
  for (std::size_t i = 0; i < kSize; ++i) {
    inputs[0][i] = i;
    inputs[1][i] = kSize - i;
    inputs[2][i] = 5;
    inputs[3][i] = std::min(i, kSize - i);
    inputs[4][i] = i % 1000;
    inputs[5][i] = below(random, 3);
    inputs[6][i] = random();
  }
  for (const RecordSort sort_records : {sort_records_portable, best_record_sort()})
    for (const auto& keys : inputs) CHECK(static_cast<double>(check_sort(sort_records, keys)) < bound);
}

}  // namespace
}  // namespace anygram
