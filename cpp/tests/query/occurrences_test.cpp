#include <anygram/query/occurrences.hpp>

#include <doctest/doctest.h>

#include <set>

#include "shard/test_corpus.hpp"

namespace anygram {
namespace {

using namespace anygram::testing;

using Place = std::pair<std::uint64_t, std::uint64_t>;  // document and offset

std::set<Place> places_by_oracle(const Oracle& oracle, Ngram ngram) {
  std::set<Place> places;
  oracle.for_each_occurrence(ngram,
                             [&](std::size_t document, std::size_t offset) { places.insert({document, offset}); });
  return places;
}

TEST_CASE("occurrences: each rank stands at a place of its own") {
  Random random(50);
  for (int trial = 0; trial < 20; ++trial) {
    const Corpus corpus = random_corpus(random, 30, 30, 3);
    const Oracle oracle(corpus);
    for (const std::uint64_t num_shards : {1U, 3U}) {
      const BuiltShards built(corpus, num_shards);
      const DocumentNumbers numbers(built.shards());
      REQUIRE(numbers.size() == corpus.size());
      for (int i = 0; i < 10; ++i) {
        const Symbols ngram = random_excerpt(random, corpus, 4);
        const ShardIntervals intervals = find(built.shards(), ngram);
        std::set<Place> places;
        for (std::size_t s = 0; s < intervals.size(); ++s) {
          for (Rank rank = intervals[s].begin; rank < intervals[s].end; ++rank) {
            const Occurrence found = locate(built.shards(), numbers, s, rank, ngram.size());
            CHECK(found.shard == s);
            CHECK(found.rank == rank);
            CHECK(numbers.shard_of(found.document) == s);
            const Interval span = built[s].document_span(found.document - numbers.first(s));
            CHECK(span.begin + found.offset == found.position);
            CHECK(places.insert({found.document, found.offset}).second);
          }
        }
        CHECK(places == places_by_oracle(oracle, ngram));
      }
    }
  }
}

TEST_CASE("occurrences: documents are listed and counted, few and many") {
  Random random(51);
  StopSignal stop;
  Corpus corpus = random_corpus(random, 300, 10, 3);
  corpus.resize(3000);       // the rest is empty
  corpus[2000] = {7, 7, 7};  // held by less than a document in 64
  for (std::size_t i = 0; i < 3000; i += 100) corpus[i].push_back(8);
  corpus.push_back(Symbols(10'000, 9));  // more than are looked up at once
  const Oracle oracle(corpus);
  for (const std::uint64_t num_shards : {1U, 3U}) {
    const BuiltShards built(corpus, num_shards);
    const DocumentNumbers numbers(built.shards());
    for (const Symbols& ngram : {Symbols{}, {1}, {2, 1}, {7}, {7, 7}, {8}, {9}, {9, 9, 9}, {10}, {21}}) {
      const ShardIntervals intervals = find(built.shards(), ngram);
      const auto expected = oracle.document_counts(ngram);
      const unsigned threads = 1 + static_cast<unsigned>(below(random, 3));
      CHECK(count_documents(built.shards(), intervals, nullptr, {threads, stop}) == expected.size());
      const auto listed = list_documents(built.shards(), numbers, intervals, nullptr, {threads, stop});
      REQUIRE(listed.size() == expected.size());
      std::size_t i = 0;
      for (const auto& [document, count] : expected) {
        CHECK(listed[i].document == document);
        CHECK(listed[i].count == count);
        ++i;
      }
    }
  }
}

TEST_CASE("sample: the same however the corpus is sharded, and a larger one begins with a smaller one") {
  Random random(52);
  StopSignal stop;
  const Corpus corpus = random_corpus(random, 100, 60, 2);
  const Oracle oracle(corpus);
  const Symbols ngram{1, 2};
  const std::set<Place> places = places_by_oracle(oracle, ngram);
  REQUIRE(places.size() > 20);
  for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
    std::vector<Place> whole;
    for (const std::uint64_t num_shards : {1U, 3U}) {
      const BuiltShards built(corpus, num_shards);
      const DocumentNumbers numbers(built.shards());
      const ShardIntervals intervals = find(built.shards(), ngram);
      for (const std::uint64_t size :
           {std::uint64_t{1'000'000}, std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{20}}) {
        std::vector<Place> drawn;
        for (const Occurrence& one :
             sample(built.shards(), numbers, intervals, ngram.size(), size, seed, nullptr, {1, stop})) {
          drawn.emplace_back(one.document, one.offset);
          const Occurrence located = locate(built.shards(), numbers, one.shard, one.rank, ngram.size());
          CHECK(located.document == one.document);
          CHECK(located.offset == one.offset);
          CHECK(located.position == one.position);
        }
        if (whole.empty()) whole = drawn;
        REQUIRE(drawn.size() == std::min<std::uint64_t>(size, places.size()));
        CHECK(std::equal(drawn.begin(), drawn.end(), whole.begin()));
      }
    }
    CHECK(std::set<Place>(whole.begin(), whole.end()) == places);
    CHECK_FALSE(std::ranges::is_sorted(whole));
  }
}

TEST_CASE("document symbols: parts of documents, cut where they end") {
  Random random(53);
  const Corpus corpus = random_corpus(random, 40, 30, 5);
  for (const std::uint64_t num_shards : {1U, 3U}) {
    const BuiltShards built(corpus, num_shards);
    const DocumentNumbers numbers(built.shards());
    for (std::size_t document = 0; document < corpus.size(); ++document) {
      const auto size = corpus[document].size();
      CHECK(document_symbols(built.shards(), numbers, document, 0, ~std::uint64_t{0}) == corpus[document]);
      CHECK(document_symbols(built.shards(), numbers, document, size, size + 5).empty());
      CHECK(document_symbols(built.shards(), numbers, document, size + 3, size + 5).empty());
      CHECK(document_symbols(built.shards(), numbers, document, 5, 3).empty());
      if (size < 3) continue;
      CHECK(document_symbols(built.shards(), numbers, document, 1, 3) ==
            Symbols{corpus[document][1], corpus[document][2]});
    }
    CHECK(refusal([&] { document_symbols(built.shards(), numbers, corpus.size(), 0, 1); }) ==
          ErrorCode::kDocumentNotFound);
    CHECK(refusal([&] { numbers.shard_of(corpus.size()); }) == ErrorCode::kDocumentNotFound);
  }
}

TEST_CASE("occurrences: a long list can be stopped") {
  const BuiltShards built(Corpus{Symbols(200'000, 1)});
  const ShardIntervals intervals = find(built.shards(), Symbols{1});
  const DocumentNumbers numbers(built.shards());
  StopSignal stop;
  stop.stop();
  for (const unsigned threads : {1U, 2U}) {
    const Execution execution{threads, stop};
    CHECK(refusal([&] { list_documents(built.shards(), numbers, intervals, nullptr, execution); }) ==
          ErrorCode::kStopped);
    CHECK(refusal([&] { count_documents(built.shards(), intervals, nullptr, execution); }) == ErrorCode::kStopped);
    CHECK(refusal([&] { sample(built.shards(), numbers, intervals, 1, 5, 0, nullptr, execution); }) ==
          ErrorCode::kStopped);
  }
}

TEST_CASE("occurrences: documents of so many that they are sorted by digits, and of so many that threads share them") {
  Random random(55);
  StopSignal stop;
  Corpus corpus(60'000);
  for (std::size_t i = 0; i < corpus.size(); ++i) {
    if (i % 29 == 0) corpus[i].push_back(1);  // a sixteenth at most, in two digits
    if (i % 1000 == 7) corpus[i].push_back(2);
    corpus[i].insert(corpus[i].end(), below(random, 3), 3);
  }
  const Oracle oracle(corpus);
  for (const std::uint64_t num_shards : {1U, 2U}) {
    const BuiltShards built(corpus, num_shards);
    const DocumentNumbers numbers(built.shards());
    for (const Symbols& ngram : {Symbols{1}, {2}, {3}, {3, 3}, {}}) {
      const ShardIntervals intervals = find(built.shards(), ngram);
      const auto expected = oracle.document_counts(ngram);
      for (const unsigned threads : {1U, 3U}) {
        CHECK(count_documents(built.shards(), intervals, nullptr, {threads, stop}) == expected.size());
        const auto listed = list_documents(built.shards(), numbers, intervals, nullptr, {threads, stop});
        REQUIRE(listed.size() == expected.size());
        std::size_t wrong = 0;
        std::size_t i = 0;
        for (const auto& [document, count] : expected) {
          wrong += listed[i].document == document && listed[i].count == count ? 0 : 1;
          ++i;
        }
        CHECK(wrong == 0);
      }
    }
  }
}

TEST_CASE("occurrences: batches are each of their n-grams") {
  Random random(56);
  StopSignal stop;
  Corpus corpus = random_corpus(random, 50, 40, 3);
  corpus.push_back(Symbols(140'000, 9));  // so many that all threads count it
  std::vector<Symbols> ngrams{{}, {9}, {9, 9, 9}, {21}};
  for (int i = 0; i < 100; ++i) ngrams.push_back(random_excerpt(random, corpus, 4));
  const NgramArrays arrays(ngrams);
  for (const std::uint64_t num_shards : {1U, 3U}) {
    const BuiltShards built(corpus, num_shards);
    std::vector<std::int64_t> counts(ngrams.size(), 77);
    count_documents_batch(built.shards(), arrays.list(), nullptr, {2, stop}, counts);
    const std::vector<Interval> intervals = find_batch(built.shards(), arrays.list(), {2, stop});
    REQUIRE(intervals.size() == ngrams.size() * num_shards);
    for (std::size_t i = 0; i < ngrams.size(); ++i) {
      const ShardIntervals expected = find(built.shards(), ngrams[i]);
      CHECK(static_cast<std::uint64_t>(counts[i]) == count_documents(built.shards(), expected, nullptr, {1, stop}));
      CHECK(std::ranges::equal(std::span(intervals).subspan(i * num_shards, num_shards), expected));
    }
  }
  std::vector<std::int64_t> of_no_shards(ngrams.size(), 77);
  count_documents_batch({}, arrays.list(), nullptr, {2, stop}, of_no_shards);
  CHECK(std::ranges::count(of_no_shards, 0) == std::ssize(of_no_shards));
}

}  // namespace
}  // namespace anygram
