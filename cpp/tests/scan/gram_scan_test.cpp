#include <anygram/scan/gram_scan.hpp>

#include <doctest/doctest.h>

#include <numeric>

#include "shard/test_corpus.hpp"

namespace anygram {
namespace {

// ASCII in lower case; spaces separate, '-' is taken away, and "&" becomes two words.
Normalisation words() {
  Normalisation made{.units = Units::kWords};
  made.mapping.resize(kCodePointEnd);
  std::iota(made.mapping.begin(), made.mapping.end(), 0);
  for (std::int32_t c = 'A'; c <= 'Z'; ++c) made.mapping[static_cast<std::size_t>(c)] = c - 'A' + 'a';
  made.mapping[' '] = Normalisation::kSeparator;
  made.mapping['-'] = Normalisation::kNothing;
  made.mapping['&'] = Normalisation::kFirstExpansion;
  made.expansions = {Normalisation::kSeparator, '+', Normalisation::kSeparator};
  made.expansion_offsets = {0, 3};
  return made;
}

Normalisation characters() {
  Normalisation made{.units = Units::kCharacters};
  made.mapping.resize(kCodePointEnd);
  std::iota(made.mapping.begin(), made.mapping.end(), 0);
  made.expansion_offsets = {0};
  return made;
}

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

std::uint64_t count(const GramScan& scan, std::uint32_t gram) {
  const auto found = scan.grams().find(scan.first_equal(gram));
  return found == scan.grams().end() ? 0 : found->second.count;
}

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
  CHECK(scan.grams().at(2).documents == std::vector<std::uint64_t>{0, 1});
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
  Normalisation broken = characters();
  broken.mapping[7] = -9;
  CHECK_THROWS_AS(broken.check(), Error);
}

}  // namespace anygram
