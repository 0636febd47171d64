#include <anygram/suffix/key.hpp>

#include <doctest/doctest.h>

#include "suffix/test_texts.hpp"

namespace anygram {
namespace {

using namespace anygram::testing;

TEST_CASE("a key holds as many symbols as fit 64 bits") {
  CHECK(KeyFormat::for_largest(1) == KeyFormat{8, 8});
  CHECK(KeyFormat::for_largest(255) == KeyFormat{8, 8});
  CHECK(KeyFormat::for_largest(256) == KeyFormat{9, 7});
  CHECK(KeyFormat::for_largest(32000) == KeyFormat{16, 4});
  CHECK(KeyFormat::for_largest(65535) == KeyFormat{16, 4});
  CHECK(KeyFormat::for_largest(65536) == KeyFormat{21, 3});
  CHECK(KeyFormat::for_largest((1 << 21) - 1) == KeyFormat{21, 3});
  CHECK(KeyFormat::for_largest(1 << 21) == KeyFormat{32, 2});
  CHECK(KeyFormat::for_largest(0xFFFFFFFF) == KeyFormat{32, 2});
}

std::uint64_t packed(const std::vector<Symbol>& symbols, std::size_t position, KeyFormat format) {
  std::uint64_t key = 0;
  bool ended = false;
  for (int i = 0; i < format.symbols_per_key; ++i, ++position) {
    const Symbol symbol = ended || position >= symbols.size() ? 0 : symbols[position];
    ended = ended || symbol == kDocumentEnd;
    key = (key << format.bits) | symbol;
  }
  return key;
}

TEST_CASE("load_key packs symbols up to the document's end") {
  Random random(1);
  for (const int bits : {1, 2, 7, 8, 9, 11, 15, 16, 17, 21, 22, 24, 31, 32}) {
    const Symbol largest = static_cast<Symbol>((std::uint64_t{1} << bits) - 1);
    std::vector<Symbol> symbols;
    for (int i = 0; i < 3000; ++i) {
      const std::uint64_t choice = below(random, 8);
      const std::uint64_t symbol = choice == 0   ? 0
                                   : choice == 1 ? largest
                                   : choice == 2 ? 1
                                                 : below(random, std::uint64_t{largest} + 1);
      symbols.push_back(static_cast<Symbol>(symbol));
    }
    symbols.push_back(kDocumentEnd);
    const KeyFormat format = KeyFormat::for_largest(largest);
    const int smallest_width = (bits + 7) / 8;
    for (int width = smallest_width; width <= 4; ++width) {
      const Text text(symbols, width);
      for (std::size_t position = 0; position < symbols.size(); ++position) {
        const std::uint64_t key =
            with_width(width, [&]<int Width>() { return load_key<Width>(text.text().bytes.data(), position, format); });
        REQUIRE(key == packed(symbols, position, format));
        REQUIRE(key <= format.largest_key());
      }
    }
  }
}

TEST_CASE("has_end tells keys that hold a document end") {
  const KeyFormat format = KeyFormat::for_largest(60000);
  CHECK(format.has_end(0));
  CHECK(format.has_end(0x0001'0002'0003'0000));
  CHECK(format.has_end(0x0001'0000'0000'0000));
  CHECK_FALSE(format.has_end(0x0001'0002'0003'0004));
}

TEST_CASE("the query key's range holds the keys that start with the n-gram") {
  const KeyFormat format = KeyFormat::for_largest(60000);
  const auto range = [&](std::vector<Symbol> ngram) { return pack_query_key(ngram, format); };
  CHECK(range({}).smallest == 0);
  CHECK(range({}).largest == 0xFFFF'FFFF'FFFF'FFFF);
  CHECK(range({7}).smallest == 0x0007'0000'0000'0000);
  CHECK(range({7}).largest == 0x0007'FFFF'FFFF'FFFF);
  CHECK(range({1, 2, 3, 4}).smallest == 0x0001'0002'0003'0004);
  CHECK(range({1, 2, 3, 4}).largest == 0x0001'0002'0003'0004);
  CHECK(range({1, 2, 3, 4, 5}).largest == 0x0001'0002'0003'0004);
  const KeyFormat narrow = KeyFormat::for_largest(100000);
  CHECK(pack_query_key({}, narrow).largest == narrow.largest_key());
}

}  // namespace
}  // namespace anygram
