#include <anygram/query/score.hpp>

#include <doctest/doctest.h>

#include <anygram/query/probability.hpp>

#include "shard/test_corpus.hpp"

namespace anygram {
namespace {

using namespace anygram::testing;

// Each row against the prompt's continuations by brute force.
void check_score(const BuiltShards& built, const Oracle& oracle, const Symbols& text, const ScoreOptions& options) {
  StopSignal stop;
  const TextScores scores = score(built.shards(), text, options, {2, stop});
  const std::size_t rows = text.size() + (options.end ? 1 : 0);
  REQUIRE(scores.prompt_counts.size() == rows);
  REQUIRE(scores.continuation_counts.size() == rows);
  REQUIRE(scores.suffix_lengths.size() == rows);
  REQUIRE(scores.sparse.size() == rows);
  REQUIRE(scores.top.size() == rows * options.top_k);
  for (std::size_t row = 0; row < rows; ++row) {
    Ngram prompt = Ngram(text).first(row);
    if (options.order) prompt = prompt.last(std::min<std::size_t>(row, *options.order - 1));
    prompt = prompt.last(oracle.longest_suffix(prompt));
    std::vector<Continuation> expected = oracle.continuations(prompt);
    const Symbol symbol = row < text.size() ? text[row] : kDocumentEnd;
    const auto found = std::ranges::find(expected, symbol, &Continuation::symbol);
    REQUIRE(static_cast<std::uint64_t>(scores.suffix_lengths[row]) == prompt.size());
    REQUIRE(static_cast<std::uint64_t>(scores.prompt_counts[row]) == total_count(expected));
    REQUIRE(static_cast<std::uint64_t>(scores.continuation_counts[row]) ==
            (found == expected.end() ? 0 : found->count));
    REQUIRE((scores.sparse[row] == 1) == (expected.size() == 1));
    sort_by_frequency(expected);
    expected.resize(options.top_k);  // unused places have count 0
    for (std::size_t k = 0; k < options.top_k; ++k) REQUIRE(scores.top[row * options.top_k + k] == expected[k]);
  }
}

TEST_CASE("score: each row, whatever the options, over random corpora") {
  Random random(30);
  for (int trial = 0; trial < 20; ++trial) {
    const Corpus corpus = random_corpus(random, 12, 30, 3);
    const Oracle oracle(corpus);
    for (const std::uint64_t num_shards : {1U, 3U}) {
      const BuiltShards built(corpus, num_shards);
      for (const std::optional<std::uint64_t> order : {std::optional<std::uint64_t>{}, {1}, {2}, {3}, {10}, {1000}}) {
        const ScoreOptions options{.order = order, .top_k = below(random, 5), .end = below(random, 2) == 0};
        check_score(built, oracle, {}, options);
        check_score(built, oracle, corpus[0], options);
        Symbols text = joined(random_symbols(random, 8, 4), random_excerpt(random, corpus, 20));
        text = joined(text, joined({21, 0xFFFFFFFF, 20}, random_excerpt(random, corpus, 20)));
        check_score(built, oracle, text, options);
      }
    }
  }
}

TEST_CASE("score: prompts that are as long as a document") {
  Random random(31);
  const Corpus corpus = repetitive_corpus(random, 150, 3);
  const Oracle oracle(corpus);
  for (const std::uint64_t num_shards : {1U, 3U}) {
    const BuiltShards built(corpus, num_shards);
    check_score(built, oracle, corpus[0], {.order = {}, .top_k = 2, .end = true});
    check_score(built, oracle, joined(corpus[0], {1, 2}), {.order = 100, .top_k = 0, .end = true});
    check_score(built, oracle, joined({2}, corpus[4]), {.order = {}, .top_k = 0, .end = true});
  }
}

TEST_CASE("score: periodic texts") {
  for (const std::size_t period : {1U, 2U, 3U}) {
    Symbols document = periodic(150, period);
    document.pop_back();
    const Corpus corpus{document, {document.begin() + 10, document.end()}, {1}};
    const BuiltShards built(corpus, 2);
    check_score(built, Oracle(corpus), joined(document, document), {.order = {}, .top_k = 1, .end = true});
  }
}

TEST_CASE("score: a batch of texts is each of them") {
  Random random(32);
  const Corpus corpus = random_corpus(random, 20, 300, 3);
  for (const std::uint64_t num_shards : {1U, 3U}) {
    const BuiltShards built(corpus, num_shards);
    std::vector<Symbols> texts{{}, {21}, corpus[0]};
    for (int i = 0; i < 200; ++i) {
      texts.push_back(joined(random_excerpt(random, corpus, 60), random_symbols(random, below(random, 10), 4)));
    }
    texts.emplace_back();
    const NgramArrays arrays(texts);
    for (const ScoreOptions options : {ScoreOptions{}, ScoreOptions{.order = 3, .top_k = 2, .end = true},
                                       ScoreOptions{.order = {}, .top_k = 3, .end = false}}) {
      StopSignal stop;
      const std::vector<TextScores> found = score_batch(built.shards(), arrays.list(), options, {2, stop});
      REQUIRE(found.size() == texts.size());
      for (std::size_t i = 0; i < texts.size(); ++i) {
        const TextScores expected = score(built.shards(), texts[i], options, {1, stop});
        CHECK(found[i].prompt_counts == expected.prompt_counts);
        CHECK(found[i].continuation_counts == expected.continuation_counts);
        CHECK(found[i].suffix_lengths == expected.suffix_lengths);
        CHECK(found[i].sparse == expected.sparse);
        CHECK(found[i].top == expected.top);
      }
    }
  }
}

TEST_CASE("score: without any token only the end is certain") {
  const Corpus corpus(3);
  check_score(BuiltShards(corpus, 2), Oracle(corpus), {1, 2}, {.order = {}, .top_k = 2, .end = true});
}

}  // namespace
}  // namespace anygram
