#include <anygram/scan/gram_finder.hpp>

#include <doctest/doctest.h>

#include <numeric>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "shard/test_corpus.hpp"

namespace anygram {
namespace {

using Rows = std::vector<std::tuple<std::uint64_t, std::uint64_t, std::uint32_t>>;

// As they are; spaces separate words.
Normalisation plain(Units units) {
  std::vector<std::int32_t> mapping(kCodePointEnd);
  std::iota(mapping.begin(), mapping.end(), 0);
  if (units == Units::kWords) mapping[' '] = Normalisation::kSeparator;
  return {units, std::move(mapping), {}, {0}, {}};
}

std::string joined(std::string text) {
  for (char& c : text) {
    if (c == ' ') c = kWordEnd;
  }
  return text;
}

GramFinder finder(Units units, const std::vector<std::string>& grams) {
  std::string bytes;
  std::vector<std::uint64_t> begins;
  std::vector<std::uint64_t> ends;
  for (const std::string& gram : grams) {
    begins.push_back(bytes.size());
    bytes += units == Units::kCharacters ? gram : joined(gram);
    ends.push_back(bytes.size());
  }
  return {plain(units), {units, bytes, begins, ends}};
}

Rows rows(const GramPlaces& found) {
  Rows result;
  for (const GramPlace& place : found.places) result.emplace_back(place.text, place.unit, place.gram);
  return result;
}

GramPlaces find(const GramFinder& finder, const std::vector<std::string>& texts) {
  StopSignal stop;
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  return finder.find(views, 2, stop);
}

// The words between spaces.
std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text + " ") {
    if (c != ' ') {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  return words;
}

}  // namespace

TEST_CASE("each place of each gram is found, by text, by unit, by gram") {
  const GramPlaces found = find(finder(Units::kWords, {"a", "b a", "a b", "a", "c"}), {"a b  a", "", "ab c", "b a"});
  CHECK(rows(found) == Rows{{0, 0, 0}, {0, 0, 2}, {0, 1, 1}, {0, 2, 0}, {2, 1, 4}, {3, 0, 1}, {3, 1, 0}});
  CHECK(found.num_units == std::vector<std::uint64_t>{3, 0, 2, 2});
  CHECK(found.num_bytes == std::vector<std::uint64_t>{6, 0, 4, 3});
}

TEST_CASE("units of characters are code points") {
  const GramPlaces found = find(finder(Units::kCharacters, {"\xC3\xA9", "a"}), {"\xC3\xA9\xC3\xA9"
                                                                                "a",
                                                                                "a\xFF"});
  CHECK(rows(found) == Rows{{0, 0, 0}, {0, 1, 0}, {0, 2, 1}, {1, 0, 1}});
  CHECK(found.num_units == std::vector<std::uint64_t>{3, 2});
  CHECK(found.num_bytes == std::vector<std::uint64_t>{5, 2});
}

TEST_CASE("random texts over few words, against every window") {
  std::mt19937 random(1);
  const auto text_of = [&](std::size_t most) {
    std::string text;
    for (std::size_t i = random() % (most + 1); i > 0; --i) {
      text += static_cast<char>('a' + random() % 2);
      text += std::string(random() % 3, ' ');
    }
    return text;
  };
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> grams;
    for (int i = 0; i < 30; ++i) {
      const std::vector<std::string> words = words_of("x " + text_of(12));
      std::string gram = words.size() > 1 ? words[1] : words[0];
      for (std::size_t word = 2; word < words.size(); ++word) gram += " " + words[word];
      grams.push_back(gram);
    }
    const std::vector<std::string> texts{text_of(40), text_of(5), text_of(200)};
    const GramFinder made = finder(Units::kWords, grams);
    Rows expected;
    for (std::size_t text = 0; text < texts.size(); ++text) {
      const std::vector<std::string> words = words_of(texts[text]);
      for (std::size_t unit = 0; unit < words.size(); ++unit) {
        for (std::uint32_t gram = 0; gram < grams.size(); ++gram) {
          if (made.firsts()[gram] != gram) continue;
          const std::vector<std::string> wanted = words_of(grams[gram]);
          if (unit + wanted.size() > words.size()) continue;
          if (std::equal(wanted.begin(), wanted.end(), words.begin() + static_cast<std::ptrdiff_t>(unit))) {
            expected.emplace_back(text, unit, gram);
          }
        }
      }
    }
    CHECK(rows(find(made, texts)) == expected);
  }
}

TEST_CASE("documents are read as their tokens spell them") {
  const testing::Corpus corpus{{1, 2, 1}, {}, {3, 4, 9}};
  const testing::BuiltShards built(corpus, 2);
  const GramFinder made = finder(Units::kCharacters, {"ab", "\xC3\xA9", "\xEF\xBF\xBD", "a"});
  // Token 0 spells "a", 1 "b", 2 the first byte of a character, 3 its second; there is no token 8.
  const TokenTexts texts("ab\xC3\xA9", {0, 1, 2, 3, 4}, "");
  std::vector<ShardDocument> documents;
  for (std::size_t shard = 0; shard < built.shards().size(); ++shard) {
    const std::uint64_t number = built.shards()[shard]->counts().num_documents;
    for (std::uint64_t document = number; document > 0; --document) documents.push_back({shard, document - 1});
  }
  StopSignal stop;
  std::vector<std::vector<std::pair<std::uint64_t, std::uint32_t>>> found(documents.size());
  const GramPlaces places = made.find(built.shards(), documents, texts, 2, stop);
  for (const GramPlace& place : places.places) found[place.text].emplace_back(place.unit, place.gram);
  for (std::size_t i = 0; i < documents.size(); ++i) {
    switch (places.num_units[i]) {
      case 0:
        CHECK(found[i].empty());
        break;
      case 3:
        CHECK(found[i] == std::vector<std::pair<std::uint64_t, std::uint32_t>>{{0, 0}, {0, 3}, {2, 3}});
        break;
      default:
        CHECK(found[i] == std::vector<std::pair<std::uint64_t, std::uint32_t>>{{0, 1}, {1, 2}});
    }
  }
}

TEST_CASE("a search that is stopped says so") {
  StopSignal stop;
  stop.stop();
  const GramFinder made = finder(Units::kWords, {"a"});
  const std::vector<std::string_view> texts{"a"};
  CHECK_THROWS_AS(made.find(texts, 1, stop), Error);
}

}  // namespace anygram
