#include <anygram/query/search.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>

#include "shard/test_corpus.hpp"

namespace anygram {
namespace {

using namespace anygram::testing;

using Matches = std::vector<Interval>;

// Brute force, by the definition of a window.
class Definition {
 public:
  Definition(const Corpus& corpus, const SearchQuery& query) : query_(query) {
    for (std::size_t document = 0; document < corpus.size(); ++document) add(document, corpus[document]);
  }

  const std::vector<Window>& windows() const { return windows_; }

 private:
  static Matches matches(const Symbols& document, const SearchQuery::Clause& clause) {
    Matches found;
    for (const auto& ngram : clause) {
      for (std::size_t begin = 0; begin + ngram.size() <= document.size(); ++begin) {
        if (std::equal(ngram.begin(), ngram.end(), document.begin() + static_cast<std::ptrdiff_t>(begin))) {
          found.push_back({begin, begin + ngram.size()});
        }
      }
    }
    return found;
  }

  static std::uint64_t distance(const Interval& a, const Interval& b) {
    if (a.end <= b.begin) return b.begin - a.end;
    return b.end <= a.begin ? a.begin - b.end : 0;
  }

  bool fits(const Matches& chosen, const Interval& match) const {
    if (query_.ordered && !chosen.empty() && match.begin < chosen.back().end) return false;
    return !query_.within ||
           std::ranges::all_of(chosen, [&](const Interval& other) { return distance(match, other) <= *query_.within; });
  }

  // Whether there is a choice of one match of each clause in the window.
  bool holds(const std::vector<Matches>& clauses, const Interval& window, Matches& chosen) const {
    if (chosen.size() == clauses.size()) return true;
    for (const Interval& match : clauses[chosen.size()]) {
      if (match.begin < window.begin || match.end > window.end || !fits(chosen, match)) continue;
      chosen.push_back(match);
      const bool found = holds(clauses, window, chosen);
      chosen.pop_back();
      if (found) return true;
    }
    return false;
  }

  void add(std::size_t number, const Symbols& document) {
    std::vector<Matches> clauses;
    for (const auto& clause : query_.clauses) clauses.push_back(matches(document, clause));
    const Matches excluded = matches(document, query_.excluded);
    if (!query_.within && !excluded.empty()) return;
    const auto valid = [&](std::uint64_t begin, std::uint64_t end) {
      Matches chosen;
      return begin < end && holds(clauses, {begin, end}, chosen);
    };
    for (std::uint64_t begin = 0; begin < document.size(); ++begin) {
      for (std::uint64_t end = begin + 1; end <= document.size(); ++end) {
        if (!valid(begin, end) || valid(begin + 1, end) || valid(begin, end - 1)) continue;
        const bool dropped = std::ranges::any_of(
            excluded, [&](const Interval& match) { return distance(match, {begin, end}) <= *query_.within; });
        if (!dropped) windows_.push_back({number, begin, end});
      }
    }
  }

  const SearchQuery& query_;
  std::vector<Window> windows_;
};

SearchQuery::Clause random_clause(Random& random, const Corpus& corpus, std::size_t most) {
  SearchQuery::Clause clause;
  for (std::uint64_t size = below(random, most + 1); clause.size() < size;) {
    Symbols ngram = random_excerpt(random, corpus, 3);
    if (ngram.empty()) ngram = {1};
    clause.push_back(ngram);
  }
  return clause;
}

SearchQuery random_query(Random& random, const Corpus& corpus) {
  SearchQuery query;
  for (std::uint64_t size = 1 + below(random, 3); query.clauses.size() < size;) {
    query.clauses.push_back(random_clause(random, corpus, 3));
  }
  if (below(random, 2) == 0) query.excluded = random_clause(random, corpus, 2);
  if (below(random, 2) == 0) query.within = below(random, 5);
  query.ordered = below(random, 3) == 0;
  return query;
}

TEST_CASE("search: windows are those of the definition, however the corpus is cut") {
  Random random(61);
  StopSignal stop;
  std::size_t found = 0;
  for (int trial = 0; trial < 60; ++trial) {
    const Corpus corpus = random_corpus(random, 1 + below(random, 8), 14, 1 + static_cast<Symbol>(below(random, 4)));
    for (const std::uint64_t num_shards : {1U, 3U}) {
      const BuiltShards built(corpus, num_shards);
      for (int i = 0; i < 20; ++i) {
        const SearchQuery query = random_query(random, corpus);
        const SearchResult result = search(built.shards(), query, {2, stop});
        REQUIRE(result.windows == Definition(corpus, query).windows());
        CHECK(result.num_examined == result.num_candidates);
        found += result.windows.size();
      }
    }
  }
  CHECK(found > 1000);
}

TEST_CASE("search: many documents are searched in items, and up to a limit") {
  Random random(62);
  StopSignal stop;
  const Corpus corpus = random_corpus(random, 6000, 8, 4);
  const BuiltShards built(corpus, 2);
  SearchQuery query{.clauses = {{{1}}, {{2}, {3, 3}}}, .within = 3};
  const std::vector<Window> expected = Definition(corpus, query).windows();
  const SearchResult whole = search(built.shards(), query, {2, stop});
  CHECK(whole.windows == expected);
  query.limit = 10;
  const SearchResult part = search(built.shards(), query, {1, stop});
  CHECK(part.num_candidates == whole.num_candidates);
  CHECK(part.num_examined < part.num_candidates);
  REQUIRE(part.windows.size() >= 10);
  REQUIRE(part.windows.size() < expected.size());
  CHECK(std::equal(part.windows.begin(), part.windows.end(), expected.begin()));
  query.limit = expected.size() + 1;
  CHECK(search(built.shards(), query, {1, stop}).num_examined == whole.num_candidates);
}

TEST_CASE("search: what cannot be asked is refused") {
  StopSignal stop;
  const BuiltShards built({{1, 2}}, 1);
  const auto ask = [&](const SearchQuery& query) {
    return refusal([&] { static_cast<void>(search(built.shards(), query, {1, stop})); });
  };
  CHECK(ask({}) == ErrorCode::kInvalidQuery);
  CHECK(ask({.clauses = {{{1}, {}}}}) == ErrorCode::kInvalidQuery);
  CHECK(ask({.clauses = {{{1}}}, .excluded = {{}}}) == ErrorCode::kInvalidQuery);
  CHECK_FALSE(ask({.clauses = {{{1}}}}));
}

}  // namespace
}  // namespace anygram
