#include <anygram/scan/gram_scan.hpp>

#include <doctest/doctest.h>

#include <numeric>
#include <random>

#include "shard/test_corpus.hpp"

namespace anygram {
namespace {

std::vector<std::int32_t> identity() {
  std::vector<std::int32_t> mapping(kCodePointEnd);
  std::iota(mapping.begin(), mapping.end(), 0);
  return mapping;
}

// ASCII in lower case; spaces separate, '-' is taken away, and "&" becomes two words.
Normalisation words() {
  std::vector<std::int32_t> mapping = identity();
  for (std::int32_t c = 'A'; c <= 'Z'; ++c) mapping[static_cast<std::size_t>(c)] = c - 'A' + 'a';
  mapping[' '] = Normalisation::kSeparator;
  mapping['-'] = Normalisation::kNothing;
  mapping['&'] = Normalisation::kFirstExpansion;
  return {Units::kWords, mapping, {Normalisation::kSeparator, '+', Normalisation::kSeparator}, {0, 3}, {}};
}

Normalisation characters() { return {Units::kCharacters, identity(), {}, {0}, {}}; }

std::string joined(std::string text) {
  for (char& c : text) {
    if (c == ' ') c = kWordEnd;
  }
  return text;
}

GramTable table(Units units, const std::vector<std::string>& grams) {
  std::string bytes;
  std::vector<std::uint64_t> begins;
  std::vector<std::uint64_t> ends;
  for (const std::string& gram : grams) {
    begins.push_back(bytes.size());
    bytes += units == Units::kCharacters ? gram : joined(gram);
    ends.push_back(bytes.size());
  }
  return {units, bytes, begins, ends};
}

std::uint64_t count(const GramScan& scan, std::uint32_t gram) { return scan.grams()[scan.first_equal(gram)].count; }

void scan_texts(GramScan& scan, const std::vector<std::string>& texts) {
  StopSignal stop;
  scan.scan_texts(texts, 0, 2, stop);
}

}  // namespace

TEST_CASE("grams are found where their words are, and only there") {
  std::vector<GramScan::Family> families;
  const std::vector<std::string> grams{"the cat", "cat", "the", "the cat", "ca", "a + b", "the cat sat on the mat"};
  families.push_back({words(), table(Units::kWords, grams)});
  families.push_back({characters(), table(Units::kCharacters, {"he c", "aa", "\xC3\xA9t"})});
  GramScan scan(std::move(families), {});
  scan_texts(scan, {"The  CAT sat on the mat", "the", "cat c-at a&b", "aaa \xC3\xA9t\xC3\xA9", ""});
  std::vector<std::uint64_t> counts;
  for (std::uint32_t gram = 0; gram < scan.num_grams(); ++gram) counts.push_back(count(scan, gram));
  CHECK(counts == std::vector<std::uint64_t>{1, 3, 3, 1, 0, 1, 1, 0, 2, 1});
  CHECK(scan.first_equal(3) == 0);
  CHECK(scan.grams()[2].documents == std::vector<std::uint64_t>{0, 1});
}

TEST_CASE("grams of any length are found wherever they stand") {
  // Few words and characters, so that all come often; lengths from a byte to more than any block.
  std::mt19937 random(7);
  const auto below = [&](std::size_t end) { return random() % end; };
  const std::vector<std::string> pieces{"a", "b", "ab", "\xC3\xA9", "a long word indeed", "x", "longer-than-blocks"};
  const auto text_of = [&](std::size_t number) {
    std::string text;
    for (std::size_t i = 0; i < number; ++i) text += pieces[below(pieces.size())] + " ";
    return text;
  };
  for (int round = 0; round < 200; ++round) {
    const bool by_word = round % 2 == 0;
    const Units units = by_word ? Units::kWords : Units::kCharacters;
    std::vector<std::string> texts;
    for (int i = 0; i < 3; ++i) texts.push_back(text_of(below(30)));
    const std::string source = texts[0] + text_of(12);
    std::vector<std::string> grams;
    for (int i = 0; i < 40; ++i) {
      // From a word's begin, or a character's, to a word's end.
      const auto is_begin = [&](std::size_t place) {
        return by_word ? place == 0 || source[place - 1] == ' '
                       : (static_cast<unsigned char>(source[place]) & 0xC0) != 0x80;
      };
      std::size_t begin = below(source.size());
      while (!is_begin(begin)) --begin;
      std::size_t end = std::min(source.size(), begin + 1 + below(i % 2 == 0 ? 12 : 90));
      end = source.find(' ', end - 1);
      if (end == std::string::npos || end <= begin) continue;
      grams.push_back(source.substr(begin, end - begin));
    }
    if (grams.empty()) continue;
    if (by_word) {
      for (std::string& gram : grams) gram.erase(std::remove(gram.begin(), gram.end(), '-'), gram.end());
    }
    std::vector<GramScan::Family> families;
    families.push_back({by_word ? words() : characters(), table(units, grams)});
    GramScan scan(std::move(families), {});
    scan_texts(scan, texts);
    for (std::uint32_t gram = 0; gram < grams.size(); ++gram) {
      std::uint64_t expected = 0;
      for (std::string text : texts) {
        if (by_word) text = " " + text;
        text.erase(std::remove(text.begin(), text.end(), by_word ? '-' : '\0'), text.end());
        const std::string wanted = by_word ? " " + grams[gram] + " " : grams[gram];
        for (std::size_t at = text.find(wanted); at != std::string::npos; at = text.find(wanted, at + 1)) ++expected;
      }
      CHECK(count(scan, gram) == expected);
    }
  }
}

TEST_CASE("a group's score is the mean share of its parts that one document covers") {
  std::vector<GramScan::Family> families;
  families.push_back({words(), table(Units::kWords, {"a b", "b c", "x"})});
  GramGroup group{.part_lengths = {4, 1}, .minimum = 0.5};
  group.pieces = {{0, 0, 0, 2}, {1, 0, 1, 3}, {2, 1, 0, 1}};
  GramScan scan(std::move(families), {group});
  scan_texts(scan, {"a b", "b c", "a b c", "x", "a b x", "c b a"});
  const GroupResult& result = scan.groups().at(0);
  CHECK(result.score == (0.5 + 1.0) / 2);
  CHECK(result.document == 4);
  CHECK(result.pieces == std::vector<std::uint32_t>{0, 2});
  std::vector<std::uint64_t> documents;
  for (const GroupDocument& listed : result.documents) documents.push_back(listed.document);
  CHECK(documents == std::vector<std::uint64_t>{3, 4});
}

TEST_CASE("shards are read token by token, and broken UTF-8 is replaced") {
  const testing::Corpus corpus{{1, 2, 1}, {}, {3, 4, 9}};
  const testing::BuiltShards built(corpus, 2);
  std::vector<GramScan::Family> families;
  families.push_back({characters(), table(Units::kCharacters, {"ab", "\xEF\xBF\xBD", "ba"})});
  GramScan scan(std::move(families), {});
  StopSignal stop;
  std::uint64_t last = 0;
  // Token 0 spells "a", 1 "b", 2 the first byte of a character, 3 its second; there is no token 8.
  const TokenTexts texts("ab\xC3\xA9", {0, 1, 2, 3, 4}, "");
  scan.scan_shards(built.shards(), texts, 2, stop, [&](std::uint64_t done, std::uint64_t) { last = done; });
  CHECK(count(scan, 0) == 1);
  CHECK(count(scan, 1) == 1);
  CHECK(count(scan, 2) == 1);
  CHECK(last == 6);
  CHECK(scan.num_bytes() == 3 + 2 + 3);
}

TEST_CASE("tables that do not fit are refused") {
  CHECK_THROWS_AS(table(Units::kWords, {""}), Error);
  CHECK_THROWS_AS(TokenTexts("ab", {0, 3}, ""), Error);
  std::vector<std::int32_t> nowhere = identity();
  nowhere[7] = -9;
  CHECK_THROWS_AS(Normalisation(Units::kCharacters, nowhere, {}, {0}, {}), Error);
}

}  // namespace anygram
