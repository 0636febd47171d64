#include <anygram/shard/byte_scan.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "suffix/test_texts.hpp"

namespace anygram {
namespace {

using namespace anygram::testing;

template <class Scan>
void check_scan(const std::vector<std::uint8_t>& padded, std::size_t begin, std::size_t end, std::uint8_t limit) {
  const std::uint8_t* bytes = padded.data() + kScanBytes;
  std::vector<std::size_t> expected;
  for (std::size_t i = begin; i < end; ++i) {
    if (bytes[i] <= limit) expected.push_back(i);
  }
  REQUIRE(first_at_most<Scan>(bytes, begin, end, limit) ==
          (expected.empty() ? std::max(begin, end) : expected.front()));
  REQUIRE(last_at_most<Scan>(bytes, begin, end, limit) == (expected.empty() ? kNoByte : expected.back()));
  std::vector<std::size_t> found;
  for_each_at_most<Scan>(bytes, begin, end, limit, [&](std::size_t i) { found.push_back(i); });
  REQUIRE(found == expected);
}

TEST_CASE("byte scan: with vectors and without, at any place") {
  Random random(70);
  for (int trial = 0; trial < 400; ++trial) {
    const std::size_t size = below(random, 100);
    const std::size_t density = 1 + below(random, 40);
    std::vector<std::uint8_t> padded(size + 2 * kScanBytes);
    for (std::uint8_t& byte : padded) byte = static_cast<std::uint8_t>(below(random, density) == 0 ? random() : 255);
    for (int i = 0; i < 20; ++i) {
      const std::size_t begin = below(random, size + 1);
      const std::size_t end = begin + below(random, size - begin + 1);
      const auto limit = static_cast<std::uint8_t>(i < 3 ? i * 127 : below(random, 256));
      check_scan<PortableScan>(padded, begin, end, limit);
      check_scan<VectorScan>(padded, begin, end, limit);
    }
  }
}

}  // namespace
}  // namespace anygram
