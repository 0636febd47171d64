#include <anygram/query/string_search.hpp>

#include <algorithm>
#include <map>
#include <string>

#include <doctest/doctest.h>

#include "shard/test_corpus.hpp"

namespace anygram {
namespace {

using namespace anygram::testing;

// Tokens of which texts have many tokenizations; one of them is empty, two are halves of a character.
const std::vector<std::string> kPieces = {"a", "b", "aa", "ab", "ba", "aba", "", "\xC3", "\xA9", "b\xC3\xA9"};

TokenBytes token_bytes(const std::string& separator) {
  std::vector<std::uint64_t> offsets = {0};
  std::vector<char> bytes;
  for (const std::string& piece : kPieces) {
    const std::string whole = separator + piece;
    bytes.insert(bytes.end(), whole.begin(), whole.end());
    offsets.push_back(bytes.size());
  }
  return {std::move(offsets), std::move(bytes), !separator.empty()};
}

std::string text_of(const Symbols& document, const std::string& separator) {
  std::string text;
  for (std::size_t i = 0; i < document.size(); ++i) text += (i > 0 ? separator : "") + kPieces[document[i] - 1];
  return text;
}

std::vector<std::vector<std::string>> one_way_each(const std::string& text) {
  std::vector<std::vector<std::string>> characters;
  for (const char byte : text) characters.push_back({std::string(1, byte)});
  return characters;
}

TEST_CASE("string search: every way finds what a search of each document's text does") {
  Random random(140);
  StopSignal stop;
  for (int trial = 0; trial < 40; ++trial) {
    const Corpus corpus = random_corpus(random, 30, 40, static_cast<Symbol>(kPieces.size()));
    const BuiltShards built(corpus, 1 + below(random, 3));
    const DocumentNumbers numbers(built.shards());
    const std::string separator = trial % 2 == 0 ? "" : " ";
    const TokenBytes tokens = token_bytes(separator);
    for (const std::string text : {"a", "ab", "aba", "abab", "\xC3\xA9", "b\xC3\xA9", "b a", " ", "aaaaaaaa"}) {
      const ByteAutomaton string(one_way_each(text));
      std::map<std::uint64_t, std::uint64_t> expected;
      std::uint64_t total = 0;
      for (std::size_t document = 0; document < corpus.size(); ++document) {
        const std::string all = text_of(corpus[document], separator);
        for (std::size_t at = all.find(text); at != std::string::npos; at = all.find(text, at + 1)) {
          ++expected[document];
          ++total;
        }
      }
      for (const StringWay way : {StringWay::kBest, StringWay::kIndex, StringWay::kScan}) {
        const Execution execution{2, stop};
        CHECK(count_string(built.shards(), tokens, string, way, execution) == total);
        std::uint64_t num_places = 0;
        for (const auto& places : find_string(built.shards(), tokens, string, way, execution)) {
          CHECK(std::ranges::is_sorted(places));
          num_places += places.size();
        }
        CHECK(num_places == total);
        std::map<std::uint64_t, std::uint64_t> found;
        for (const auto& [document, count] :
             list_string_documents(built.shards(), numbers, tokens, string, way, execution)) {
          CHECK(found.emplace(document, count).second);
        }
        CHECK(found == expected);
      }
    }
  }
}

TEST_CASE("string search: automata and tables of tokens that are none are refused") {
  using Ways = std::vector<std::vector<std::string>>;
  CHECK(refusal([] { ByteAutomaton(Ways{}); }) == ErrorCode::kInvalidQuery);
  CHECK(refusal([] { ByteAutomaton(Ways{{"a", "ab"}}); }) == ErrorCode::kInvalidQuery);
  CHECK(refusal([] { ByteAutomaton(Ways{{"ab", "a"}}); }) == ErrorCode::kInvalidQuery);
  CHECK(refusal([] { TokenBytes({0, 2, 1}, {'a'}, false); }) == ErrorCode::kInvalidQuery);
  CHECK(refusal([] { TokenBytes({0, 1}, {}, false); }) == ErrorCode::kInvalidQuery);
  CHECK(refusal([] { TokenBytes({}, {}, false); }) == ErrorCode::kInvalidQuery);
}

}  // namespace
}  // namespace anygram
