#include <anygram/scan/ordered_scan.hpp>

#include <doctest/doctest.h>

#include "shard/test_corpus.hpp"

namespace anygram {
namespace {

using namespace anygram::testing;

struct Suffix {
  Symbols symbols;  // the first `depth`, filled up with ends
  Symbol preceding;
  friend auto operator<=>(const Suffix&, const Suffix&) = default;
};

std::vector<Suffix> sorted_suffixes(const Corpus& corpus, std::size_t depth) {
  std::vector<Suffix> suffixes;
  for (const Symbols& document : corpus) {
    for (std::size_t i = 0; i < document.size(); ++i) {
      Symbols symbols(document.begin() + static_cast<std::ptrdiff_t>(i), document.end());
      symbols.resize(depth, kDocumentEnd);
      suffixes.push_back({symbols, i > 0 ? document[i - 1] : kDocumentEnd});
    }
  }
  std::ranges::sort(suffixes);
  return suffixes;
}

std::uint64_t shared_symbols(const Symbols& a, const Symbols& b) {
  std::uint64_t shared = 0;
  while (shared < a.size() && a[shared] == b[shared]) {
    if (a[shared++] == kDocumentEnd) break;
  }
  return shared;
}

TEST_CASE("ordered scan: all suffixes of all shards in order, with what precedes them and what neighbours share") {
  Random random(60);
  for (int trial = 0; trial < 30; ++trial) {
    const Corpus corpus = random_corpus(random, 12, 30, static_cast<Symbol>(1 + below(random, 4)));
    const std::size_t depth = 1 + below(random, 5);
    for (const std::uint64_t num_shards : {1U, 3U}) {
      const BuiltShards built(corpus, num_shards);
      std::vector<Suffix> found;
      std::vector<std::uint64_t> next(built.shards().size(), 0);
      for (const auto& run : cut_by_first_symbol(built.shards(), 1 + below(random, 5))) {
        OrderedScan scan(built.shards(), run, depth);
        Symbols before;
        while (const ScannedSuffix* suffix = scan.next()) {
          const Symbols symbols(suffix->symbols.begin(), suffix->symbols.end());
          REQUIRE(suffix->shared == (before.empty() ? 0 : shared_symbols(before, symbols)));
          REQUIRE(suffix->rank == next[suffix->shard]++);
          found.push_back({symbols, suffix->preceding});
          before = symbols;
        }
      }
      // Among equal symbols, shards go one after another: what precedes them comes in no order.
      std::ranges::sort(found);
      REQUIRE(found == sorted_suffixes(corpus, depth));
    }
  }
}

TEST_CASE("ordered scan: no run divides the suffixes that begin alike") {
  Random random(61);
  const Corpus corpus = random_corpus(random, 20, 40, 5);
  const BuiltShards built(corpus, 3);
  for (const std::size_t parts : {1U, 2U, 100U}) {
    const auto runs = cut_by_first_symbol(built.shards(), parts);
    REQUIRE(runs.size() <= std::max<std::size_t>(parts, 1));
    Symbol last = kDocumentEnd;
    for (const auto& run : runs) {
      OrderedScan scan(built.shards(), run, 1);
      const ScannedSuffix* suffix = scan.next();
      REQUIRE(suffix != nullptr);
      REQUIRE(suffix->symbols[0] > last);
      for (; suffix != nullptr; suffix = scan.next()) last = suffix->symbols[0];
    }
  }
}

}  // namespace
}  // namespace anygram
