#include <anygram/query/probability.hpp>

#include <doctest/doctest.h>

#include "shard/test_corpus.hpp"

namespace anygram {
namespace {

using namespace anygram::testing;

std::uint64_t count_of(const std::vector<Continuation>& continuations, Symbol symbol) {
  for (const Continuation& continuation : continuations) {
    if (continuation.symbol == symbol) return continuation.count;
  }
  return 0;
}

void check_prompt(const BuiltShards& built, const Oracle& oracle, const Symbols& prompt) {
  const std::uint64_t suffix = longest_suffix(built.shards(), prompt).length;
  REQUIRE(suffix == oracle.longest_suffix(prompt));
  for (const bool backoff : {false, true}) {
    const Ngram used = backoff ? Ngram(prompt).last(suffix) : Ngram(prompt);
    const std::vector<Continuation> expected = oracle.continuations(used);
    const Continuations found = continuations(built.shards(), prompt, backoff, {});
    CHECK(found.continuations == expected);
    CHECK(found.prompt_count == total_count(expected));
    CHECK(found.suffix_length == used.size());
    CHECK(found.num_distinct == expected.size());
    for (const Symbol symbol : {0U, 1U, 2U, 3U, 20U, 21U, 0xFFFFFFFFU}) {
      const ProbabilityCounts counts = probability(built.shards(), prompt, symbol, backoff);
      CHECK(counts.prompt_count == total_count(expected));
      CHECK(counts.continuation_count == count_of(expected, symbol));
      CHECK(counts.suffix_length == used.size());
    }
    for (const std::uint64_t top_k : {0U, 1U, 2U, 3U, 100U}) {
      std::vector<Continuation> top = expected;
      sort_by_frequency(top);
      top.resize(std::min<std::size_t>(top_k, top.size()));
      std::ranges::sort(top, token_less, &Continuation::symbol);
      const Continuations limited = continuations(built.shards(), prompt, backoff, top_k);
      CHECK(limited.continuations == top);
      CHECK(limited.prompt_count == found.prompt_count);
      CHECK(limited.num_distinct == expected.size());
    }
  }
}

TEST_CASE("probability: every prompt over random corpora") {
  Random random(22);
  for (int trial = 0; trial < 20; ++trial) {
    const Corpus corpus = random_corpus(random, 12, 30, 3);
    const Oracle oracle(corpus);
    for (const std::uint64_t num_shards : {1U, 3U}) {
      const BuiltShards built(corpus, num_shards);
      check_prompt(built, oracle, {});
      check_prompt(built, oracle, {20});
      check_prompt(built, oracle, {21, 1});
      for (int i = 0; i < 12; ++i) {
        check_prompt(built, oracle, random_excerpt(random, corpus, 6));
        check_prompt(built, oracle, joined(random_symbols(random, 2, 4), random_excerpt(random, corpus, 6)));
        const Symbols& document = corpus[below(random, corpus.size())];  // its end follows, if it is no part of another
        check_prompt(built, oracle, document);
      }
    }
  }
}

TEST_CASE("longest suffix: of prompts that occur for dozens of symbols") {
  Random random(23);
  for (const std::uint64_t num_shards : {1U, 3U}) {
    Corpus corpus(5);
    for (Symbols& document : corpus) document = random_symbols(random, 300, 4);
    const Oracle oracle(corpus);
    const BuiltShards built(corpus, num_shards);
    for (const std::size_t length :
         {1U, 2U, 30U, 31U, 32U, 33U, 34U, 63U, 64U, 65U, 66U, 96U, 127U, 128U, 129U, 200U, 255U, 256U, 257U}) {
      const Symbols& document = corpus[below(random, corpus.size())];
      const auto end = document.end() - static_cast<std::ptrdiff_t>(below(random, 20));
      const Symbols suffix(end - static_cast<std::ptrdiff_t>(length), end);
      REQUIRE(longest_suffix(built.shards(), suffix).length == length);
      for (const Symbol before : {1U, 5U, 21U, 0xFFFFFFFFU}) {
        for (const std::size_t more : {0U, 1U, 40U, 500U}) {
          const Symbols prompt = joined(random_symbols(random, more, 4), joined({before}, suffix));
          REQUIRE(longest_suffix(built.shards(), prompt).length == oracle.longest_suffix(prompt));
        }
      }
    }
    CHECK(longest_suffix(built.shards(), joined(corpus[0], {21})).length == 0);
  }
}

TEST_CASE("probability: a batch is each of its prompts") {
  Random random(24);
  const Corpus corpus = random_corpus(random, 20, 40, 3);
  const BuiltShards built(corpus, 2);
  std::vector<Symbols> prompts;
  Symbols symbols;
  for (int i = 0; i < 300; ++i) {
    prompts.push_back(random_symbols(random, below(random, 6), 4));
    symbols.push_back(static_cast<Symbol>(below(random, 5)));
  }
  const NgramArrays arrays(prompts);
  std::vector<ProbabilityCounts> results(prompts.size());
  for (const bool backoff : {false, true}) {
    StopSignal stop;
    probability_batch(built.shards(), arrays.list(), symbols, backoff, {3, stop}, results);
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      const ProbabilityCounts one = probability(built.shards(), prompts[i], symbols[i], backoff);
      CHECK(results[i].prompt_count == one.prompt_count);
      CHECK(results[i].continuation_count == one.continuation_count);
      CHECK(results[i].suffix_length == one.suffix_length);
    }
  }
}

TEST_CASE("probability: without any token only the end follows") {
  const BuiltShards built(Corpus(3), 2);
  const Symbols prompt{1, 2};
  CHECK(longest_suffix(built.shards(), prompt).length == 0);
  const ProbabilityCounts end = probability(built.shards(), prompt, kDocumentEnd, true);
  CHECK(end.prompt_count == 3);
  CHECK(end.continuation_count == 3);
  CHECK(probability(built.shards(), prompt, kDocumentEnd, false).prompt_count == 0);
  CHECK(continuations(built.shards(), prompt, true, {}).continuations == std::vector<Continuation>{{kDocumentEnd, 3}});
  CHECK(continuations(built.shards(), prompt, false, {}).continuations.empty());
}

}  // namespace
}  // namespace anygram
