#include <anygram/shard/infini_gram_shard.hpp>

#include <algorithm>
#include <cstring>

#include <doctest/doctest.h>

#include <anygram/query/matches.hpp>
#include <anygram/query/probability.hpp>

#include "shard/test_corpus.hpp"

namespace anygram {
namespace {

using namespace anygram::testing;

struct Layout {
  int width;
  bool backwards;
};

constexpr Layout kLayouts[] = {{1, false}, {1, true}, {2, false}, {2, true}, {4, false}, {4, true}};

// A shard as infini-gram's builder writes it, by sorting its suffixes as bytes.
class Written {
 public:
  Written(const Corpus& corpus, Layout layout) : layout_(layout), width_(static_cast<std::size_t>(layout.width)) {
    std::vector<std::byte> stream;
    std::vector<std::uint64_t> offsets;
    for (Symbols document : corpus) {
      if (layout.backwards) std::ranges::reverse(document);
      offsets.push_back(stream.size());
      stream.insert(stream.end(), width_, std::byte{0xFF});
      for (const Symbol symbol : document) {
        const Symbol token = symbol - 1;
        const auto bytes = std::as_bytes(std::span(&token, 1)).first(width_);
        stream.insert(stream.end(), bytes.begin(), bytes.end());
      }
    }
    std::vector<std::uint32_t> table;
    for (std::size_t place = 0; place < stream.size(); place += width_)
      table.push_back(static_cast<std::uint32_t>(place));
    std::ranges::sort(table, [&](std::uint32_t a, std::uint32_t b) {
      return std::lexicographical_compare(stream.begin() + a, stream.end(), stream.begin() + b, stream.end());
    });
    write_file(files().tokens, stream);
    write_file(files().table, std::as_bytes(std::span(table)));
    write_file(files().offsets, std::as_bytes(std::span(offsets)));
  }

  InfiniGramFiles files() const {
    return {folder_.file("tokenized.0"), folder_.file("table.0"), folder_.file("offset.0"), layout_.width,
            layout_.backwards};
  }

 private:
  TemporaryFolder folder_;
  Layout layout_;
  std::size_t width_;
};

std::vector<Continuation> by_symbol(std::vector<Continuation> continuations) {
  std::ranges::sort(continuations, {}, &Continuation::symbol);
  return continuations;
}

void check_positions(const InfiniGramShard& shard, const Oracle& oracle, const Symbols& ngram, Interval interval) {
  std::vector<Position> positions(interval.size());
  shard.positions(interval.begin, ngram.size(), positions);
  std::ranges::sort(positions);
  std::vector<Position> expected;
  oracle.for_each_occurrence(ngram, [&](std::size_t document, std::size_t offset) {
    expected.push_back(static_cast<Position>(shard.document_span(document).begin + offset));
  });
  CHECK(positions == expected);
  for (const Position position : positions) {
    Symbols symbols(ngram.size());
    shard.symbols(position, symbols);
    CHECK(symbols == ngram);
  }
}

// Of ranks with the same symbol behind.
std::size_t count_runs(const InfiniGramShard& shard, Interval interval, std::uint64_t depth) {
  Symbols symbols;
  for (Rank rank = interval.begin; rank < interval.end; ++rank) {
    Symbol after = 0;
    shard.symbols_after({&rank, 1}, {&depth, 1}, {&after, 1});
    if (symbols.empty() || symbols.back() != after) symbols.push_back(after);
  }
  return symbols.size();
}

void check_ngram(const InfiniGramShard& shard, const Oracle& oracle, const Symbols& ngram) {
  const Ngram one = ngram;
  Interval interval;
  shard.find({&one, 1}, {&interval, 1});
  REQUIRE(interval.size() == oracle.count(ngram));
  check_positions(shard, oracle, ngram, interval);
  if (ngram.empty()) return;
  CHECK(shard.find_raw(ngram) == interval);
  const std::vector<Continuation> expected = by_symbol(oracle.continuations(ngram));
  std::vector<Continuation> found;
  shard.continuations(interval, ngram.size(), found);
  CHECK(found == expected);
  for (const Continuation& continuation : expected) {
    CHECK(shard.narrow(interval, ngram.size(), continuation.symbol).size() == continuation.count);
  }
  CHECK(shard.narrow(interval, ngram.size(), 999'999).empty());
  for (Rank rank = interval.begin; rank < interval.end; ++rank) {
    Symbol after = 0;
    const std::uint64_t depth = ngram.size();
    shard.symbols_after({&rank, 1}, {&depth, 1}, {&after, 1});
    CHECK(std::ranges::any_of(expected, [&](const Continuation& one_of) { return one_of.symbol == after; }));
  }
  if (!interval.empty() && shard.has_ordered_continuations(interval, ngram.size())) {
    CHECK(count_runs(shard, interval, ngram.size()) == expected.size());
  }
}

void check_text(const std::shared_ptr<const InfiniGramShard>& shard, const Oracle& oracle, const Symbols& text) {
  std::vector<LongestMatch> matches(text.size());
  shard->longest_matches(text, 0, matches);
  const std::vector<std::uint64_t> expected = oracle.longest_matches(text);
  for (std::size_t i = 0; i < text.size(); ++i) {
    REQUIRE(matches[i].length == expected[i]);
    const Context context{i, matches[i].length, matches[i].rank};
    Interval interval;
    shard->expand(text, {&context, 1}, {&interval, 1});
    const Ngram matched = std::span(text).subspan(i, expected[i]);
    CHECK(interval.size() == oracle.count(matched));
    if (expected[i] > 0) CHECK((interval.begin <= matches[i].rank && matches[i].rank < interval.end));
  }
}

void check_documents(const InfiniGramShard& shard, const Oracle& oracle, bool backwards) {
  CHECK(shard.counts().num_documents == oracle.num_documents());
  CHECK(shard.counts().num_tokens == oracle.num_tokens());
  Symbols stream;
  for (const Symbols& document : oracle.corpus()) {
    stream.push_back(kDocumentEnd);
    stream.insert(stream.end(), document.begin(), document.end());
  }
  stream.push_back(kDocumentEnd);  // the last document's end reads as one
  for (std::size_t begin = 0; begin < stream.size(); begin += 3) {
    Symbols read(stream.size() - begin);
    shard.symbols(begin, read);
    CHECK(std::ranges::equal(read, std::span(stream).subspan(begin)));
  }
  for (std::uint64_t document = 0; document < oracle.num_documents(); ++document) {
    const Interval span = shard.document_span(document);
    Symbols symbols(span.size());
    shard.symbols(span.begin, symbols);
    CHECK(symbols == oracle.corpus()[document]);
    shard.raw_symbols(span.begin, symbols);
    if (backwards) std::ranges::reverse(symbols);
    CHECK(symbols == oracle.corpus()[document]);
    for (std::uint64_t position = span.begin - 1; position < span.end; ++position) {
      const auto place = static_cast<Position>(position);
      std::uint32_t found = 0;
      shard.documents_at({&place, 1}, {&found, 1});
      CHECK(found == document);
    }
  }
}

TEST_CASE("a shard of infini-gram answers as its documents do") {
  Random random(11);
  for (const Layout layout : kLayouts) {
    for (int round = 0; round < 12; ++round) {
      const Symbol largest = round % 3 == 0 ? 2 : 5;
      Corpus corpus = random_corpus(random, 8, round % 2 == 0 ? 4 : 25, largest);
      if (layout.width > 1 && round % 4 == 1) {  // the order of bytes is not that of numbers
        for (Symbols& document : corpus)
          for (Symbol& symbol : document) symbol = symbol * 255 - 200;
      }
      const Oracle oracle(corpus);
      const Written written(corpus, layout);
      const auto shard = open_infini_gram_shard(written.files(), round % 2 == 0 ? LoadMode::kMmap : LoadMode::kRam);
      check_documents(*shard, oracle, layout.backwards);
      std::vector<Continuation> unigrams;
      shard->unigrams(unigrams);
      std::vector<Continuation> expected = oracle.continuations({});
      std::erase_if(expected, [](const Continuation& one) { return one.symbol == kDocumentEnd; });
      CHECK(unigrams == by_symbol(expected));
      for (int i = 0; i < 20; ++i) {
        check_ngram(*shard, oracle, random_excerpt(random, corpus, 5));
        check_ngram(*shard, oracle, random_symbols(random, 1 + below(random, 3), largest));
        Symbols text = joined(random_excerpt(random, corpus, 12), random_symbols(random, 3, largest));
        check_text(shard, oracle, joined(joined(text, {kDocumentEnd, 300'000}), random_excerpt(random, corpus, 9)));
      }
    }
  }
}

TEST_CASE("separators in an n-gram of infini-gram's") {
  const Corpus corpus{{1, 2}, {3}, {1, 2}};
  for (const Layout layout : kLayouts) {
    const Written written(corpus, layout);
    const auto shard = open_infini_gram_shard(written.files(), LoadMode::kMmap);
    const auto count = [&](const Symbols& ngram) { return shard->find_raw(ngram).size(); };
    CHECK(count({}) == 8);
    CHECK(count({kDocumentEnd}) == 3);
    // The last document has no separator behind it; backwards, none before it.
    CHECK(count({2, kDocumentEnd}) == (layout.backwards ? 2 : 1));
    CHECK(count({kDocumentEnd, 1}) == (layout.backwards ? 1 : 2));
    CHECK(shard->find_raw({}).end == shard->stream_length());
  }
}

TEST_CASE("damaged files of infini-gram are refused") {
  Random random(5);
  const Corpus corpus = random_corpus(random, 12, 40, 9);
  for (const Layout layout : kLayouts) {
    const Written written(corpus, layout);
    const InfiniGramFiles files = written.files();
    const auto code = [&] { return refusal([&] { open_infini_gram_shard(files, LoadMode::kMmap); }); };
    REQUIRE(!code());
    for (const std::string& path : {files.tokens, files.table, files.offsets}) {
      const std::vector<std::byte> whole = read_file(path);
      for (const std::size_t size : {std::size_t{0}, std::size_t{1}, whole.size() / 2, whole.size() - 1}) {
        write_file(path, std::span(whole).first(size));
        CHECK(code().has_value());
      }
      std::vector<std::byte> turned = whole;
      std::ranges::reverse(turned);
      write_file(path, turned);
      CHECK(code().has_value());
      std::filesystem::remove(path);
      CHECK(code() == ErrorCode::kIndexNotFound);
      write_file(path, whole);
    }
    InfiniGramFiles other = files;
    other.token_width = layout.width == 2 ? 1 : 2;
    CHECK(refusal([&] { open_infini_gram_shard(other, LoadMode::kMmap); }).has_value());
    other.token_width = 3;
    CHECK(refusal([&] { open_infini_gram_shard(other, LoadMode::kMmap); }) == ErrorCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace anygram
