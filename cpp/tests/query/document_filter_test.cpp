#include <anygram/query/document_filter.hpp>

#include <doctest/doctest.h>

#include "shard/test_corpus.hpp"

namespace anygram {
namespace {

using namespace anygram::testing;

// A corpus of which some documents are chosen, and the same with the others empty.
struct Chosen {
  Corpus corpus;
  std::vector<std::uint8_t> mask;
  Corpus rest;
};

Chosen random_choice(Random& random) {
  Chosen chosen{random_corpus(random, 60, 30, 3), {}, {}};
  for (const Symbols& document : chosen.corpus) {
    chosen.mask.push_back(below(random, 3) == 0 ? 1 : 0);
    chosen.rest.push_back(chosen.mask.back() != 0 ? document : Symbols{});
  }
  return chosen;
}

TEST_CASE("document filter: holds what was chosen, and refuses other numbers of documents") {
  Random random(90);
  const Chosen chosen = random_choice(random);
  const BuiltShards built(chosen.corpus, 3);
  const DocumentNumbers numbers(built.shards());
  const DocumentFilter filter(numbers, chosen.mask);
  std::uint64_t num_chosen = 0;
  for (std::size_t document = 0; document < chosen.mask.size(); ++document) {
    num_chosen += chosen.mask[document];
    CHECK(filter.contains(document) == (chosen.mask[document] != 0));
    const std::size_t shard = numbers.shard_of(document);
    CHECK(ShardFilter(&filter, shard).contains(document - numbers.first(shard)) == filter.contains(document));
    CHECK(ShardFilter(nullptr, shard).contains(document - numbers.first(shard)));
  }
  CHECK(filter.num_chosen() == num_chosen);
  const auto refused = [&](std::size_t size) {
    return refusal([&] { DocumentFilter(numbers, std::vector<std::uint8_t>(size)); });
  };
  CHECK(refused(chosen.mask.size() + 1) == ErrorCode::kInvalidQuery);
  CHECK(refused(chosen.mask.size() - 1) == ErrorCode::kInvalidQuery);
  check_filter(built.shards(), &filter);
  check_filter(built.shards(), nullptr);
  const BuiltShards other(chosen.corpus, 2);
  CHECK(refusal([&] { check_filter(other.shards(), &filter); }) == ErrorCode::kInvalidQuery);
  CHECK(refusal([&] { check_filter({}, &filter); }) == ErrorCode::kInvalidQuery);
}

TEST_CASE("document filter: every question is about the chosen documents") {
  Random random(91);
  StopSignal stop;
  for (int trial = 0; trial < 30; ++trial) {
    const Chosen chosen = random_choice(random);
    const Oracle oracle(chosen.rest);
    const BuiltShards built(chosen.corpus, 1 + below(random, 3));
    const DocumentNumbers numbers(built.shards());
    const DocumentFilter filter(numbers, chosen.mask);
    const Execution execution{1 + static_cast<unsigned>(below(random, 3)), stop};
    std::vector<std::int64_t> lengths(chosen.corpus.size());
    document_lengths(built.shards(), numbers, execution, lengths);
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      CHECK(lengths[i] == static_cast<std::int64_t>(chosen.corpus[i].size()));
    }
    for (int i = 0; i < 8; ++i) {
      const Symbols ngram = i == 0 ? Symbols{} : random_excerpt(random, chosen.corpus, 3);
      const ShardIntervals intervals = find(built.shards(), ngram);
      const auto expected = oracle.document_counts(ngram);
      std::uint64_t count = 0;
      for (const auto& [document, its_count] : expected) count += its_count;
      CHECK(count_occurrences(built.shards(), intervals, &filter, execution) == count);
      CHECK(count_documents(built.shards(), intervals, &filter, execution) == expected.size());
      std::size_t listed = 0;
      for (const DocumentCount& one : list_documents(built.shards(), numbers, intervals, &filter, execution)) {
        CHECK(expected.at(one.document) == one.count);
        ++listed;
      }
      CHECK(listed == expected.size());
      const SelectedOccurrences selected(built.shards(), numbers, intervals, 1, &filter, execution);
      REQUIRE(selected.size() == count);
      std::vector<Occurrence> all;
      for (std::size_t s = 0; s < intervals.size(); ++s) {
        for (Rank rank = intervals[s].begin; rank < intervals[s].end; ++rank) {
          const Occurrence one = locate(built.shards(), numbers, s, rank, ngram.size());
          if (filter.contains(one.document)) all.push_back(one);
        }
      }
      REQUIRE(all.size() == count);
      const std::uint64_t begin = below(random, count + 1);
      const std::uint64_t end = begin + below(random, count + 3);
      const std::vector<Occurrence> some = selected.list(begin, end, stop);
      REQUIRE(some.size() == std::min(end, count) - begin);
      for (std::size_t k = 0; k < some.size(); ++k) {
        CHECK(some[k].rank == all[begin + k].rank);
        CHECK(some[k].document == all[begin + k].document);
        CHECK(some[k].offset == all[begin + k].offset);
      }
    }
  }
}

TEST_CASE("document filter: occurrences of many blocks, cut anywhere") {
  Random random(92);
  StopSignal stop;
  Corpus corpus;
  for (std::size_t i = 0; i < 500; ++i) corpus.push_back(Symbols(below(random, 40), 1 + static_cast<Symbol>(i % 2)));
  std::vector<std::uint8_t> mask(corpus.size());
  for (std::uint8_t& one : mask) one = below(random, 2) == 0 ? 1 : 0;
  const BuiltShards built(corpus, 2);
  const DocumentNumbers numbers(built.shards());
  const DocumentFilter filter(numbers, mask);
  for (const DocumentFilter* chosen : {&filter, static_cast<const DocumentFilter*>(nullptr)}) {
    const SelectedOccurrences selected(built.shards(), numbers, find(built.shards(), Symbols{1}), 1, chosen, {2, stop});
    const std::vector<Occurrence> all = selected.list(0, selected.size(), stop);
    REQUIRE(all.size() == selected.size());
    CHECK(all.size() > 2048);
    for (std::uint64_t begin = 0; begin < all.size(); begin += 97) {
      const std::vector<Occurrence> some = selected.list(begin, begin + 1100, stop);
      REQUIRE(some.size() == std::min<std::uint64_t>(1100, all.size() - begin));
      CHECK(some.front().rank == all[begin].rank);
      CHECK(some.back().rank == all[begin + some.size() - 1].rank);
    }
    CHECK(selected.list(all.size(), all.size() + 5, stop).empty());
  }
}

TEST_CASE("document spans: many at once, cut where documents end") {
  Random random(93);
  StopSignal stop;
  const Corpus corpus = random_corpus(random, 60, 30, 5);
  const BuiltShards built(corpus, 3);
  const DocumentNumbers numbers(built.shards());
  std::vector<DocumentSpan> spans;
  for (int i = 0; i < 200; ++i) spans.push_back({below(random, corpus.size()), below(random, 40), below(random, 40)});
  spans.push_back({0, 0, ~std::uint64_t{0}});
  spans.push_back({0, ~std::uint64_t{0}, ~std::uint64_t{0}});
  const SpanSymbols found = span_symbols(built.shards(), numbers, spans, {2, stop});
  REQUIRE(found.begins.size() == spans.size() + 1);
  for (std::size_t i = 0; i < spans.size(); ++i) {
    const Symbols& document = corpus[spans[i].document];
    const auto end = static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(spans[i].end, document.size()));
    const auto begin =
        std::min(end, static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(spans[i].begin, document.size())));
    const Symbols expected(document.begin() + begin, document.begin() + end);
    const auto first = static_cast<std::ptrdiff_t>(found.begins[i]);
    CHECK(Symbols(found.symbols.begin() + first,
                  found.symbols.begin() + static_cast<std::ptrdiff_t>(found.begins[i + 1])) == expected);
  }
  spans.push_back({corpus.size(), 0, 1});
  CHECK(refusal([&] { span_symbols(built.shards(), numbers, spans, {2, stop}); }) == ErrorCode::kDocumentNotFound);
  CHECK(span_symbols(built.shards(), numbers, {}, {2, stop}).symbols.empty());
}

TEST_CASE("document filter: a stop ends the questions") {
  Random random(94);
  StopSignal stop;
  const Chosen chosen = random_choice(random);
  const BuiltShards built(chosen.corpus, 2);
  const DocumentNumbers numbers(built.shards());
  const DocumentFilter filter(numbers, chosen.mask);
  const ShardIntervals intervals = find(built.shards(), Symbols{1});
  stop.stop();
  const Execution execution{2, stop};
  CHECK(refusal([&] { count_occurrences(built.shards(), intervals, &filter, execution); }) == ErrorCode::kStopped);
  CHECK(refusal([&] { SelectedOccurrences(built.shards(), numbers, intervals, 1, &filter, execution); }) ==
        ErrorCode::kStopped);
}

}  // namespace
}  // namespace anygram
