#include <anygram/query/matches.hpp>

#include <doctest/doctest.h>

#include "shard/test_corpus.hpp"

namespace anygram {
namespace {

using namespace anygram::testing;

// At each position the longest n-gram that occurs often enough, found by trying.
MatchLengths by_trying(const Oracle& oracle, Ngram text, std::uint64_t min_count) {
  MatchLengths result;
  for (std::size_t begin = 0; begin < text.size(); ++begin) {
    std::uint64_t length = 0;
    std::uint64_t count = 0;
    while (begin + length < text.size()) {
      const std::uint64_t longer = oracle.count(text.subspan(begin, length + 1));
      if (longer < min_count) break;
      count = longer;
      ++length;
    }
    result.lengths.push_back(static_cast<std::int64_t>(length));
    result.counts.push_back(static_cast<std::int64_t>(count));
  }
  return result;
}

void check_matches(const BuiltShards& built, const Oracle& oracle, const Symbols& text, std::uint64_t min_count) {
  StopSignal stop;
  const MatchLengths expected = by_trying(oracle, text, min_count);
  const MatchLengths found = longest_matches(built.shards(), text, min_count, {2, stop});
  REQUIRE(found.lengths == expected.lengths);
  REQUIRE(found.counts == expected.counts);
}

TEST_CASE("longest matches: over shards, with any least count") {
  Random random(40);
  for (int trial = 0; trial < 20; ++trial) {
    const Corpus corpus = random_corpus(random, 12, 40, 3);
    const Oracle oracle(corpus);
    for (const std::uint64_t num_shards : {1U, 3U}) {
      const BuiltShards built(corpus, num_shards);
      Symbols text = joined(random_symbols(random, 10, 4), random_excerpt(random, corpus, 30));
      text = joined(text, joined({21}, random_excerpt(random, corpus, 30)));
      for (const std::uint64_t min_count : {1U, 2U, 3U, 10U, 1'000'000U}) {
        check_matches(built, oracle, text, min_count);
        check_matches(built, oracle, {}, min_count);
        check_matches(built, oracle, corpus[0], min_count);
      }
    }
  }
}

TEST_CASE("longest matches: of copies, with a least count") {
  Random random(41);
  const Corpus corpus = repetitive_corpus(random, 120, 3);
  const Oracle oracle(corpus);
  for (const std::uint64_t num_shards : {1U, 3U}) {
    const BuiltShards built(corpus, num_shards);
    for (const std::uint64_t min_count : {1U, 2U, 4U, 6U}) check_matches(built, oracle, corpus[0], min_count);
  }
}

TEST_CASE("text matches: any parts, in an order that lets each follow from the one before, or not") {
  Random random(42);
  const Corpus corpus = repetitive_corpus(random, 300, 3);
  const Oracle oracle(corpus);
  for (const std::uint64_t num_shards : {1U, 3U}) {
    const BuiltShards built(corpus, num_shards);
    StopSignal stop;
    const Symbols text = joined(corpus[5], corpus[0]);
    const TextMatches matches(built.shards(), text, {1, stop});
    std::vector<TextMatches::Part> parts;
    for (std::uint64_t length = 1; length <= 200; ++length) parts.push_back({3, length});
    for (const std::uint64_t length : {70U, 65U, 66U, 64U, 65U, 3U, 4U, 5U}) parts.push_back({400, length});
    // Longer than it matches: also what comes after it in the list must not rely on it.
    const std::uint64_t longest = matches.length(250);
    for (std::uint64_t length = longest < 3 ? 1 : longest - 2; length <= longest + 3; ++length) {
      parts.push_back({250, length});
    }
    for (int i = 0; i < 100; ++i) {
      const std::uint64_t begin = below(random, text.size() - 100);
      const std::uint64_t length = 1 + below(random, 99);
      parts.push_back({begin, length});
      if (i % 2 == 0) parts.push_back({begin, length + 1});
      if (i % 3 == 0) parts.push_back({begin + 1, length});
    }
    const auto intervals = matches.find(parts, {2, stop});
    REQUIRE(intervals.size() == num_shards);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const Ngram ngram = Ngram(text).subspan(parts[i].begin, parts[i].length);
      const ShardIntervals expected = find(built.shards(), ngram);
      std::uint64_t count = 0;
      for (std::size_t s = 0; s < num_shards; ++s) {
        const bool is_same = intervals[s][i] == expected[s] || (intervals[s][i].empty() && expected[s].empty());
        REQUIRE(is_same);
        count += intervals[s][i].size();
      }
      REQUIRE(count == oracle.count(ngram));
    }
  }
}

TEST_CASE("text matches: a text of several pieces") {
  Random random(43);
  Corpus corpus = random_corpus(random, 5, 300, 3);
  corpus.push_back(random_symbols(random, 6000, 9));
  const Oracle oracle(corpus);
  const BuiltShards built(corpus, 2);
  Symbols text = joined({1}, corpus.back());
  while (text.size() < 10'000) {
    text = joined(text, joined(corpus[below(random, corpus.size())], random_symbols(random, 20, 4)));
  }
  StopSignal stop;
  const TextMatches matches(built.shards(), text, {2, stop});
  const std::vector<std::uint64_t> expected = oracle.longest_matches(text);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < text.size(); ++i) wrong += matches.length(i) == expected[i] ? 0 : 1;
  CHECK(wrong == 0);
}

TEST_CASE("text matches: a caller that stops is heard") {
  Random random(44);
  const BuiltShards built(random_corpus(random, 5, 100, 3));
  const Symbols text = random_symbols(random, 500'000, 3);
  StopSignal stop;
  stop.stop();
  CHECK(refusal([&] { longest_matches(built.shards(), text, 1, {2, stop}); }) == ErrorCode::kStopped);
}

TEST_CASE("maximal spans: those that no longer match contains, within bounds") {
  Random random(45);
  for (int trial = 0; trial < 50; ++trial) {
    const Corpus corpus = random_corpus(random, 5, 40, 3);
    const BuiltShards built(corpus, 1 + below(random, 3));
    const Symbols text = joined(random_excerpt(random, corpus, 40), random_symbols(random, 20, 4));
    StopSignal stop;
    const MatchLengths matches = longest_matches(built.shards(), text, 1, {1, stop});
    for (const SpanBounds bounds : {SpanBounds{}, SpanBounds{3, {}}, SpanBounds{1, 2}, SpanBounds{2, 0}}) {
      std::vector<Span> expected;
      const auto end = [&](std::size_t i) { return static_cast<std::int64_t>(i) + matches.lengths[i]; };
      for (std::size_t i = 0; i < text.size(); ++i) {
        if (matches.lengths[i] == 0 || (i > 0 && end(i - 1) >= end(i))) continue;
        if (static_cast<std::uint64_t>(matches.lengths[i]) < bounds.min_length) continue;
        if (bounds.max_count && static_cast<std::uint64_t>(matches.counts[i]) > *bounds.max_count) continue;
        expected.push_back({static_cast<std::int64_t>(i), end(i), matches.counts[i]});
      }
      CHECK(maximal_spans(built.shards(), text, bounds, {1, stop}) == expected);
    }
  }
}

TEST_CASE("longest matches and spans: a batch of texts is each of them") {
  Random random(46);
  const Corpus corpus = random_corpus(random, 20, 300, 3);
  for (const std::uint64_t num_shards : {1U, 3U}) {
    const BuiltShards built(corpus, num_shards);
    std::vector<Symbols> texts{{}, {21}, corpus[0]};
    for (int i = 0; i < 300; ++i) {
      texts.push_back(joined(random_excerpt(random, corpus, 60), random_symbols(random, below(random, 10), 4)));
    }
    Symbols longest = random_symbols(random, 70'000, 4);  // has all threads for itself
    texts.insert(texts.begin() + 100, longest);
    texts.emplace_back();
    const NgramArrays arrays(texts);
    StopSignal stop;
    const auto matches = longest_matches_batch(built.shards(), arrays.list(), 2, {2, stop});
    const auto spans = maximal_spans_batch(built.shards(), arrays.list(), {2, 50}, {2, stop});
    REQUIRE(matches.size() == texts.size());
    REQUIRE(spans.size() == texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const MatchLengths expected = longest_matches(built.shards(), texts[i], 2, {1, stop});
      CHECK(matches[i].lengths == expected.lengths);
      CHECK(matches[i].counts == expected.counts);
      CHECK(spans[i] == maximal_spans(built.shards(), texts[i], {2, 50}, {1, stop}));
    }
  }
}

}  // namespace
}  // namespace anygram
