#include <anygram/query/top_continuations.hpp>

#include <doctest/doctest.h>

#include <anygram/query/probability.hpp>

#include "shard/test_corpus.hpp"

namespace anygram {
namespace {

using namespace anygram::testing;

void check_top(const BuiltShards& built, const Symbols& prompt) {
  const ShardIntervals intervals = find(built.shards(), prompt);
  const std::vector<Continuation> all = merged_continuations(built.shards(), intervals, prompt.size());
  for (std::uint64_t k = 0; k <= std::min<std::uint64_t>(all.size() + 1, 12); ++k) {
    std::vector<Continuation> expected = all;
    keep_most_frequent(expected, k);
    REQUIRE(most_frequent_continuations(built.shards(), intervals, prompt.size(), k) == expected);
  }
}

TEST_CASE("top continuations: the most frequent of all that are listed, ties by token") {
  Random random(70);
  for (int trial = 0; trial < 40; ++trial) {
    const Corpus corpus = random_corpus(random, 20, 60, static_cast<Symbol>(1 + below(random, 20)));
    for (const std::uint64_t num_shards : {1U, 3U}) {
      const BuiltShards built(corpus, num_shards);
      check_top(built, {});
      check_top(built, {21});
      for (int i = 0; i < 10; ++i) check_top(built, random_excerpt(random, corpus, 3));
    }
  }
}

TEST_CASE("top continuations: few that stand out among many") {
  Random random(71);
  Corpus corpus;
  for (Symbol symbol = 2; symbol < 250; ++symbol) {
    const std::size_t times = symbol % 97 == 0 ? 300 : 1 + below(random, 3);
    for (std::size_t i = 0; i < times; ++i) corpus.push_back({1, symbol});
  }
  for (int i = 0; i < 50; ++i) corpus.push_back({1});
  const BuiltShards built(corpus, 1, {.vocab_size = 250, .sync = false});
  check_top(built, {1});
  check_top(built, {});
  check_top(built, {97});
}

TEST_CASE("top continuations: of a corpus without a token only the end") {
  const BuiltShards built(Corpus(3), 2);
  CHECK(most_frequent_continuations(built.shards(), {}, 0, 5) == std::vector<Continuation>{{kDocumentEnd, 3}});
  CHECK(most_frequent_continuations({}, {}, 0, 5).empty());
}

}  // namespace
}  // namespace anygram
