#include <anygram/shard/tokengrams_shard.hpp>

#include <algorithm>
#include <cstring>

#include <doctest/doctest.h>

#include "shard/test_corpus.hpp"

namespace anygram {
namespace {

using namespace anygram::testing;

// A shard as tokengrams writes it, by sorting its suffixes.
class Written {
 public:
  Written(const Symbols& document, int width) : width_(width) {
    std::vector<std::byte> stream;
    std::vector<std::uint64_t> table;
    for (std::size_t i = 0; i < document.size(); ++i) {
      const Symbol token = document[i] - 1;
      const auto bytes = std::as_bytes(std::span(&token, 1)).first(static_cast<std::size_t>(width));
      stream.insert(stream.end(), bytes.begin(), bytes.end());
      table.push_back(i);
    }
    std::ranges::sort(table, [&](std::uint64_t a, std::uint64_t b) {
      return std::ranges::lexicographical_compare(std::span(document).subspan(a), std::span(document).subspan(b));
    });
    write_file(files().tokens, stream);
    write_file(files().table, std::as_bytes(std::span(table)));
  }

  TokengramsFiles files() const { return {folder_.file("x.bin"), folder_.file("x.idx"), width_}; }

 private:
  TemporaryFolder folder_;
  int width_;
};

std::vector<Continuation> by_symbol(std::vector<Continuation> continuations) {
  std::ranges::sort(continuations, {}, &Continuation::symbol);
  return continuations;
}

void check_ngram(const Shard& shard, const Oracle& oracle, const Symbols& ngram) {
  const Ngram one = ngram;
  Interval interval;
  shard.find({&one, 1}, {&interval, 1});
  REQUIRE(interval.size() == oracle.count(ngram));
  if (ngram.empty()) return;
  const std::vector<Continuation> expected = by_symbol(oracle.continuations(ngram));
  std::vector<Continuation> found;
  shard.continuations(interval, ngram.size(), found);
  CHECK(found == expected);
  for (const Continuation& continuation : expected) {
    const Interval narrowed = shard.narrow(interval, ngram.size(), continuation.symbol);
    REQUIRE(narrowed.size() == continuation.count);
    for (Rank rank = narrowed.begin; rank < narrowed.end; ++rank) {
      Symbol after = 0;
      const std::uint64_t depth = ngram.size();
      shard.symbols_after({&rank, 1}, {&depth, 1}, {&after, 1});
      CHECK(after == continuation.symbol);
    }
  }
  CHECK(shard.narrow(interval, ngram.size(), 999'999).empty());
}

void check_text(const Shard& shard, const Oracle& oracle, const Symbols& text) {
  std::vector<LongestMatch> matches(text.size());
  shard.longest_matches(text, 0, matches);
  const std::vector<std::uint64_t> expected = oracle.longest_matches(text);
  for (std::size_t i = 0; i < text.size(); ++i) {
    REQUIRE(matches[i].length == expected[i]);
    for (std::uint64_t length = 0; length <= expected[i]; length += 1 + length / 4) {
      const Context context{i, length, matches[i].rank};
      const Ngram part = std::span(text).subspan(i, length);
      Interval found;
      shard.expand(text, {&context, 1}, {&found, 1});
      Interval searched;
      shard.find({&part, 1}, {&searched, 1});
      CHECK(found == searched);
    }
  }
  if (text.size() > 2) {
    std::vector<LongestMatch> inner(text.size() - 2);
    shard.longest_matches(text, 1, inner);
    for (std::size_t i = 0; i < inner.size(); ++i) CHECK(inner[i].length == expected[i + 1]);
  }
}

TEST_CASE("a shard of tokengrams answers as its one document does") {
  Random random(12);
  for (const int width : {2, 4}) {
    for (int round = 0; round < 24; ++round) {
      const Symbol largest = round % 3 == 0 ? 1 : 4;
      const std::size_t length = round == 0 ? 0 : below(random, round % 2 == 0 ? 6 : 400);
      Symbols document = random_symbols(random, length, largest);
      if (round % 4 == 3) document = joined(document, document);  // long matches, some twice
      const auto spread = [&](Symbols symbols) {
        if (round % 2 == 1) {
          for (Symbol& symbol : symbols) symbol = 65536 - 257 * (4 - symbol);  // the order of bytes is another
        }
        return symbols;
      };
      document = spread(document);
      const Oracle oracle({document});
      const Written written(document, width);
      const auto shard = open_tokengrams_shard(written.files(), round % 2 == 0 ? LoadMode::kMmap : LoadMode::kRam);
      CHECK(shard->counts().num_tokens == document.size());
      CHECK(shard->counts().num_documents == 1);
      CHECK(shard->document_span(0) == Interval{0, document.size()});
      Symbols stream(document.size() + 1);
      shard->symbols(0, stream);
      CHECK(stream == joined(document, {kDocumentEnd}));
      std::vector<Continuation> unigrams;
      shard->unigrams(unigrams);
      std::vector<Continuation> expected = oracle.continuations({});
      std::erase_if(expected, [](const Continuation& one) { return one.symbol == kDocumentEnd; });
      CHECK(unigrams == by_symbol(expected));
      for (int i = 0; i < 12; ++i) {
        check_ngram(*shard, oracle, random_excerpt(random, {document}, 5));
        check_ngram(*shard, oracle, spread(random_symbols(random, 1 + below(random, 3), largest)));
      }
      const Symbols other = spread(random_symbols(random, 3, largest));
      const Symbols text = joined(random_excerpt(random, {document}, 150), other);
      check_text(*shard, oracle, joined(joined(text, {kDocumentEnd, 300'000}), random_excerpt(random, {document}, 90)));
    }
  }
}

TEST_CASE("damaged files of tokengrams are refused") {
  Random random(6);
  for (const int width : {2, 4}) {
    const Written written(random_symbols(random, 300, 9), width);
    const TokengramsFiles files = written.files();
    const auto code = [&] { return refusal([&] { open_tokengrams_shard(files, LoadMode::kMmap); }); };
    REQUIRE(!code());
    for (const std::string& path : {files.tokens, files.table}) {
      const std::vector<std::byte> whole = read_file(path);
      for (std::size_t size = 0; size < whole.size(); ++size) {
        write_file(path, std::span(whole).first(size));
        CHECK(code() == ErrorCode::kTruncated);
      }
      std::vector<std::byte> turned = whole;
      std::ranges::reverse(turned);
      write_file(path, turned);
      CHECK(code() == ErrorCode::kIndexFormat);
      std::filesystem::remove(path);
      CHECK(code() == ErrorCode::kIndexNotFound);
      write_file(path, whole);
    }
    for (const int other : {1, 3, 6 - width}) {
      CHECK(refusal([&] { open_tokengrams_shard({files.tokens, files.table, other}, LoadMode::kMmap); }) ==
            (other == 6 - width ? ErrorCode::kTruncated : ErrorCode::kInvalidArgument));
    }
  }
}

}  // namespace
}  // namespace anygram
