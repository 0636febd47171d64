#include <anygram/query/count.hpp>

#include <doctest/doctest.h>

#include "shard/test_corpus.hpp"

namespace anygram {
namespace {

using namespace anygram::testing;

TEST_CASE("count: over any number of shards, singly and in batches") {
  Random random(20);
  for (int trial = 0; trial < 20; ++trial) {
    const Corpus corpus = random_corpus(random, 20, 40, 3);
    const Oracle oracle(corpus);
    std::vector<Symbols> ngrams{{}, {1}, {20}, {21}, {0xFFFFFFFF}};
    for (int i = 0; i < 40; ++i) {
      ngrams.push_back(random_excerpt(random, corpus, 10));
      ngrams.push_back(random_symbols(random, below(random, 5), 4));
    }
    const NgramArrays arrays(ngrams);
    for (const std::uint64_t num_shards : {1U, 2U, 5U}) {
      const BuiltShards built(corpus, num_shards);
      std::vector<std::int64_t> counts(ngrams.size(), 77);
      StopSignal stop;
      count_batch(built.shards(), arrays.list(), {2, stop}, counts);
      for (std::size_t i = 0; i < ngrams.size(); ++i) {
        const std::uint64_t expected = oracle.count(ngrams[i]);
        CHECK(static_cast<std::uint64_t>(counts[i]) == expected);
        CHECK(count(built.shards(), ngrams[i]) == expected);
        CHECK(total_size(find(built.shards(), ngrams[i])) == expected);
      }
      CHECK(total_counts(built.shards()).num_tokens == oracle.num_tokens());
      CHECK(total_counts(built.shards()).num_documents == oracle.num_documents());
      CHECK(total_counts(built.shards()).vocab_size == 20);
    }
  }
}

TEST_CASE("count: a batch of many pieces, and one that is stopped") {
  Random random(21);
  const Corpus corpus = random_corpus(random, 20, 40, 3);
  const BuiltShards built(corpus, 2);
  std::vector<Symbols> ngrams;
  for (int i = 0; i < 5000; ++i) ngrams.push_back(random_symbols(random, below(random, 6), 3));
  const NgramArrays arrays(ngrams);
  std::vector<std::int64_t> counts(ngrams.size());
  for (const unsigned threads : {1U, 3U}) {
    StopSignal stop;
    count_batch(built.shards(), arrays.list(), {threads, stop}, counts);
    for (std::size_t i = 0; i < ngrams.size(); ++i) {
      REQUIRE(static_cast<std::uint64_t>(counts[i]) == count(built.shards(), ngrams[i]));
    }
    StopSignal stopped;
    stopped.stop();
    if (threads > 1) continue;  // whether threads see it in time is up to them
    CHECK_NOTHROW(count_batch(built.shards(), NgramArrays({}).list(), {threads, stopped}, {}));
  }
}

TEST_CASE("count: of no shards at all") {
  const Symbols ngram{1};
  CHECK(count({}, ngram) == 0);
  CHECK(count({}, {}) == 0);
}

}  // namespace
}  // namespace anygram
