#include <anygram/query/near_matches.hpp>

#include <doctest/doctest.h>

#include <set>

#include "shard/test_corpus.hpp"

namespace anygram {
namespace {

using namespace anygram::testing;

// A corpus of one to four letters, with empty documents.
Corpus random_corpus(std::uint64_t seed, Symbol letters) {
  std::uint64_t state = seed * 2654435761U + 1;
  const auto draw = [&](std::uint64_t below) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return (state >> 33) % below;
  };
  Corpus corpus(1 + draw(4));
  for (Symbols& document : corpus) {
    const std::uint64_t length = draw(3) * draw(10);
    for (std::uint64_t i = 0; i < length; ++i) document.push_back(static_cast<Symbol>(1 + draw(letters)));
  }
  return corpus;
}

std::vector<NearMatch> definition(const Corpus& corpus, const Symbols& ngram, std::uint64_t most) {
  std::vector<NearMatch> found;
  for (std::size_t document = 0; document < corpus.size(); ++document) {
    for (std::size_t offset = 0; offset + ngram.size() <= corpus[document].size(); ++offset) {
      std::uint64_t differ = 0;
      for (std::size_t i = 0; i < ngram.size(); ++i) differ += corpus[document][offset + i] != ngram[i] ? 1 : 0;
      if (differ <= most) found.push_back({document, offset, differ});
    }
  }
  return found;
}

// Every begin, every place, every end.
NearSpans definition(const Corpus& corpus, const Symbols& text, const NearSpanRule& rule) {
  NearSpans result;
  result.matched.assign(text.size(), 0);
  for (std::size_t begin = 0; begin < text.size(); ++begin) {
    for (const Symbols& document : corpus) {
      for (std::size_t place = 0; place < document.size(); ++place) {
        std::vector<std::size_t> equal;
        for (std::size_t size = 1; begin + size <= text.size() && place + size <= document.size(); ++size) {
          const std::size_t i = size - 1;
          const bool same = text[begin + i] == document[place + i];
          if (same) equal.push_back(begin + i);
          if (!same && i < rule.exact_prefix) break;
          if (size - equal.size() > rule.max_substitutions) break;
          if (!same || size < rule.min_length) continue;
          for (const std::size_t token : equal) result.matched[token] = 1;
          result.longest = std::max<std::uint64_t>(result.longest, equal.size());
        }
      }
    }
  }
  return result;
}

TEST_CASE("near matches are those of their definition") {
  StopSignal stop;
  const Execution execution{2, stop};
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Corpus corpus = random_corpus(seed, 1 + static_cast<Symbol>(seed % 3));
    const BuiltShards built(corpus, 1 + seed % 3);
    const DocumentNumbers numbers(built.shards());
    for (const Symbols& ngram : random_corpus(seed + 1000, 3)) {
      for (std::uint64_t most = 0; most < std::min<std::size_t>(ngram.size(), 4); ++most) {
        CHECK(near_matches(built.shards(), numbers, ngram, most, execution) == definition(corpus, ngram, most));
      }
    }
  }
}

TEST_CASE("near spans match what some span of the definition matches") {
  StopSignal stop;
  const Execution execution{2, stop};
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Corpus corpus = random_corpus(seed, 1 + static_cast<Symbol>(seed % 3));
    const BuiltShards built(corpus, 1 + seed % 3);
    const DocumentNumbers numbers(built.shards());
    const NearSpanRule rule{.min_length = 1 + seed % 5, .exact_prefix = 1 + seed % 4, .max_substitutions = seed % 3};
    for (const Symbols& text : random_corpus(seed + 1000, 3)) {
      const std::vector<std::int64_t> offsets{0, static_cast<std::int64_t>(text.size())};
      const NgramList texts{{text.data(), text.size(), TokenType::kSymbol}, offsets};
      const NearSpans found = near_spans_batch(built.shards(), numbers, texts, rule, execution).at(0);
      const NearSpans expected = definition(corpus, text, rule);
      CHECK(found.matched == expected.matched);
      CHECK(found.longest == expected.longest);
    }
  }
}

TEST_CASE("an n-gram has more tokens than substitutions") {
  StopSignal stop;
  const BuiltShards built({{1, 2, 3}});
  const DocumentNumbers numbers(built.shards());
  const Symbols ngram{1, 2};
  CHECK(refusal([&] { near_matches(built.shards(), numbers, ngram, 2, {1, stop}); }) == ErrorCode::kInvalidQuery);
}

}  // namespace
}  // namespace anygram
