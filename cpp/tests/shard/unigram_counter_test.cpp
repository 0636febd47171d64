#include <anygram/shard/unigram_counter.hpp>

#include <map>

#include <doctest/doctest.h>

#include <anygram/suffix/token_text.hpp>

#include "shard/test_corpus.hpp"

namespace anygram {
namespace {

using namespace anygram::testing;

std::vector<std::byte> packed(const Symbols& symbols, int width) {
  std::vector<std::byte> bytes(symbols.size() * static_cast<std::size_t>(width) + kStreamPadding);
  with_width(width, [&]<int Width>() {
    for (std::size_t i = 0; i < symbols.size(); ++i) store_symbol<Width>(bytes.data() + i * Width, symbols[i]);
  });
  return bytes;
}

std::span<const std::byte> without_padding(const std::vector<std::byte>& bytes) {
  return std::span(bytes).first(bytes.size() - kStreamPadding);
}

TEST_CASE("unigram counter: the counts of all symbols, ascending, for any threads and pieces") {
  Random random(5);
  StopSignal stop;
  for (const Symbol largest : {Symbol{1}, Symbol{255}, Symbol{65535}, Symbol{0xFFFFFF}, Symbol{0xFFFFFFFF}}) {
    const int width = width_for(largest);
    for (const unsigned threads : {1U, 2U, 3U, 9U}) {
      UnigramCounter counter(largest, threads);
      std::map<Symbol, std::uint64_t> expected;
      for (const std::uint64_t size : {0U, 1U, 2U, 5000U}) {
        Symbols symbols(size);
        for (Symbol& symbol : symbols) {
          // Both ends of the range, and what lies about the end of the table.
          const Symbol middle = std::min<Symbol>(largest, (1U << 22) - 2 + static_cast<Symbol>(below(random, 5)));
          const std::array<Symbol, 4> some{static_cast<Symbol>(below(random, std::min<std::uint64_t>(largest, 9) + 1)),
                                           largest, middle, 0};
          symbol = some[below(random, some.size())];
          if (symbol != kDocumentEnd) ++expected[symbol];
        }
        const std::vector<std::byte> bytes = packed(symbols, width);
        counter.add(without_padding(bytes), width, stop);
      }
      std::vector<std::pair<Symbol, std::uint64_t>> counts;
      counter.for_each([&](Symbol symbol, std::uint64_t count) { counts.emplace_back(symbol, count); });
      CHECK(counts == std::vector<std::pair<Symbol, std::uint64_t>>(expected.begin(), expected.end()));
    }
  }
}

TEST_CASE("unigram counter: a symbol beyond the vocabulary is refused") {
  StopSignal stop;
  for (const Symbol vocab_size :
       {Symbol{1}, Symbol{300}, Symbol{65534}, Symbol{70000}, Symbol{1} << 22, Symbol{1} << 24}) {
    const int width = width_for(vocab_size + 1);
    for (const unsigned threads : {1U, 2U}) {
      UnigramCounter counter(vocab_size, threads);
      const std::vector<std::byte> good = packed({vocab_size, 0, 1}, width);
      counter.add(without_padding(good), width, stop);
      const std::vector<std::byte> bad = packed({1, 0, vocab_size + 1}, width);
      CHECK(refusal([&] { counter.add(without_padding(bad), width, stop); }) == ErrorCode::kInvalidArgument);
    }
  }
}

}  // namespace
}  // namespace anygram
