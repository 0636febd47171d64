#include <anygram/shard/shared_lengths.hpp>

#include <doctest/doctest.h>

#include <vector>

#include <anygram/suffix/sort.hpp>

#include "suffix/test_texts.hpp"

namespace anygram {
namespace {

using namespace anygram::testing;

TEST_CASE("shared lengths: as counted symbol by symbol, at each width") {
  Random random(71);
  for (int trial = 0; trial < 200; ++trial) {
    const int width = 1 + trial % 4;
    const std::size_t size = 2 + below(random, 700);
    std::vector<Symbol> stream(size);
    const std::size_t rare = 1 + below(random, 400);
    for (Symbol& symbol : stream) {
      symbol = below(random, rare) == 0 ? static_cast<Symbol>(below(random, 3)) : 1;
      // Symbols with a byte that is 0 are no ends.
      if (symbol == 2 && width > 1) symbol = Symbol{1} << (8 * (width - 1));
    }
    stream.back() = kDocumentEnd;
    std::vector<std::byte> bytes(size * static_cast<std::size_t>(width) + kStreamPadding);
    with_width(width, [&]<int Width>() {
      for (std::size_t i = 0; i < size; ++i) store_symbol<Width>(bytes.data() + i * Width, stream[i]);
    });
    const TokenText text{std::span(bytes).first(size * static_cast<std::size_t>(width)), width, size};
    std::vector<Position> positions(50);
    for (std::size_t i = 0; i < positions.size(); ++i) {
      do {
        positions[i] = static_cast<Position>(below(random, size));
      } while (i > 0 && positions[i] == positions[i - 1]);
    }
    std::vector<std::uint8_t> shared(positions.size() - 1);
    shared_lengths(text, positions, shared);
    for (std::size_t i = 0; i < shared.size(); ++i) {
      std::uint64_t a = positions[i], b = positions[i + 1];
      int expected = 0;
      while (expected < kMaxShared && stream[a] == stream[b]) {
        ++expected;
        if (stream[a] == kDocumentEnd) break;
        ++a, ++b;
      }
      REQUIRE(int{shared[i]} == expected);
    }
  }
}

}  // namespace
}  // namespace anygram
