// Against the definition it is tested from Python; here, that shards, threads and tables change nothing.
#include <anygram/query/kneser_ney.hpp>

#include <cmath>

#include <doctest/doctest.h>

#include "shard/test_corpus.hpp"

namespace anygram {
namespace {

using namespace anygram::testing;

void check_equal(const std::vector<double>& found, const std::vector<double>& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) REQUIRE(found[i] == doctest::Approx(expected[i]).epsilon(1e-12));
}

TEST_CASE("Kneser-Ney: the same for any shards and threads, and the distribution is that of the text's symbols") {
  Random random(62);
  for (int trial = 0; trial < 12; ++trial) {
    // Half of them so regular that many n-grams are frequent enough for the tables.
    Corpus corpus = random_corpus(random, 12, 30, 3);
    const std::size_t copies = trial % 2 == 0 ? 1 : 40;
    const Corpus once = corpus;
    for (std::size_t i = 1; i < copies; ++i) corpus.insert(corpus.end(), once.begin(), once.end());
    const std::uint64_t order = 1 + below(random, 5);
    const Symbols text = joined(random_excerpt(random, corpus, 12), random_symbols(random, 4, 3));
    const BuiltShards one(corpus, 1);
    const BuiltShards three(corpus, 3);
    StopSignal stop;
    const KneserNey expected(one.shards(), order, {1, stop}, {});
    const KneserNey model(three.shards(), order, {3, stop}, {});
    for (const bool at_start : {true, false}) {
      const std::vector<double> probs = model.probs(text, at_start, true, {3, stop});
      check_equal(probs, expected.probs(text, at_start, true, {1, stop}));
      for (std::size_t row = 0; row <= text.size(); ++row) {
        const std::vector<double> next = model.distribution(Ngram(text).first(row), at_start);
        const Symbol symbol = row < text.size() ? text[row] : kDocumentEnd;
        if (symbol < next.size()) REQUIRE(next[symbol] == doctest::Approx(probs[row]).epsilon(1e-12));
      }
    }
  }
}

}  // namespace
}  // namespace anygram
