#include <anygram/shard/token_spool.hpp>

#include <doctest/doctest.h>

#include "shard/test_corpus.hpp"

namespace anygram {
namespace {

using namespace anygram::testing;

void append(TokenSpool& spool, const std::vector<std::uint32_t>& tokens, const std::vector<std::int64_t>& lengths) {
  spool.append(tokens, lengths);
}

Symbols read_run(const TokenSpool& spool, const DocumentRun& run) {
  Symbols symbols;
  spool.read(run, [&](std::span<const std::byte> piece, int width) {
    with_width(width, [&]<int Width>() {
      for (std::size_t i = 0; i < piece.size() / Width; ++i) symbols.push_back(symbol_at<Width>(piece.data(), i));
    });
  });
  return symbols;
}

std::uint32_t largest_id(int width) { return static_cast<std::uint32_t>((std::uint64_t{1} << (8 * width)) - 2); }

TEST_CASE("token spool: what is appended is read, at each width") {
  for (int width = 1; width <= 4; ++width) {
    const TemporaryFolder folder;
    TokenSpool spool(folder.path(), width);
    const std::uint32_t largest = largest_id(width);
    CHECK(spool.max_token() == -1);
    append(spool, {}, {});
    append(spool, {0, 7, 3}, {2, 0, 1});
    append(spool, {}, {0});
    CHECK(spool.max_token() == 7);
    append(spool, {largest}, {1});
    spool.close();
    CHECK(spool.width() == width);
    CHECK(spool.num_tokens() == 4);
    CHECK(spool.num_documents() == 5);
    CHECK(spool.max_token() == largest);
    const std::vector<DocumentRun> runs = spool.cut(1);
    REQUIRE(runs.size() == 1);
    CHECK(read_run(spool, runs[0]) == Symbols{1, 8, 0, 0, 4, 0, 0, largest + 1, 0});
  }
}

TEST_CASE("token spool: ids and lengths that cannot be are refused") {
  for (int width = 1; width <= 4; ++width) {
    const TemporaryFolder folder;
    TokenSpool spool(folder.path(), width);
    const auto code = [&](const std::vector<std::uint32_t>& tokens, const std::vector<std::int64_t>& lengths) {
      return refusal([&] { append(spool, tokens, lengths); });
    };
    CHECK(code({largest_id(width) + 1}, {1}) == ErrorCode::kInvalidArgument);
    CHECK(code({1, 2}, {1}) == ErrorCode::kInvalidArgument);
    CHECK(code({1, 2}, {3}) == ErrorCode::kInvalidArgument);
    CHECK(code({1, 2}, {-1, 3}) == ErrorCode::kInvalidArgument);
    CHECK(code({1, 2}, {std::int64_t{1} << 62, 2}) == ErrorCode::kInvalidArgument);
    CHECK(code({1}, {}) == ErrorCode::kInvalidArgument);
    CHECK(spool.num_tokens() == 0);
    CHECK(spool.num_documents() == 0);
  }
}

TEST_CASE("token spool: ids of 2 and of 4 bytes, with separators or without, are the same documents") {
  Random random(8);
  for (int trial = 0; trial < 50; ++trial) {
    // Some documents are longer than what is packed at once.
    const Corpus corpus = random_corpus(random, 12, trial % 5 == 0 ? 40'000 : 20, 300);
    const TemporaryFolder folder;
    TokenSpool spool(folder.path(), 2);
    std::vector<std::int64_t> lengths;
    std::vector<std::uint32_t> plain;
    std::vector<std::uint32_t> separated;
    for (const Symbols& document : corpus) {
      lengths.push_back(static_cast<std::int64_t>(document.size()));
      for (const Symbol symbol : document) plain.push_back(symbol - 1);
      for (const Symbol symbol : document) separated.push_back(symbol - 1);
      separated.push_back(trial % 2 == 0 ? 65535 : 0);
    }
    const std::vector<std::uint16_t> small_plain(plain.begin(), plain.end());
    const std::vector<std::uint16_t> small_separated(separated.begin(), separated.end());
    spool.append(plain, lengths);
    spool.append(separated, lengths, true);
    spool.append(small_plain, lengths);
    spool.append(small_separated, lengths, true);
    CHECK(refusal([&] { spool.append(plain, lengths, true); }) == ErrorCode::kInvalidArgument);
    CHECK(refusal([&] { spool.append(separated, lengths); }) == ErrorCode::kInvalidArgument);
    spool.close();
    CHECK(spool.num_documents() == 4 * corpus.size());
    Symbols expected;
    for (int i = 0; i < 4; ++i) expected = joined(expected, Oracle(corpus).stream());
    CHECK(read_run(spool, spool.cut(1)[0]) == expected);
  }
}

TEST_CASE("token spool: what is too large is refused in ids of 2 bytes too, and a separator is no id") {
  const TemporaryFolder folder;
  TokenSpool spool(folder.path(), 2);
  const std::vector<std::uint16_t> ids{1, 65535};
  const std::vector<std::int64_t> whole{2}, first{1};
  CHECK(refusal([&] { spool.append(ids, whole); }) == ErrorCode::kInvalidArgument);
  spool.append(ids, first, true);
  CHECK(spool.max_token() == 1);
}

TEST_CASE("token spool: of an unknown vocabulary, symbols widen as larger ids come") {
  const TemporaryFolder folder;
  TokenSpool spool(folder.path(), 0);
  Symbols expected;
  for (const std::uint32_t id : {254U, 255U, 7U, 65534U, 65535U, 3U, 16777214U, 16777215U, 0xFFFFFFFEU, 1U}) {
    append(spool, {id, 0}, {1, 1});
    CHECK(spool.width() == width_for(std::uint64_t{static_cast<std::uint64_t>(spool.max_token())} + 1));
    for (const Symbol symbol : {id + 1, 0U, 1U, 0U}) expected.push_back(symbol);
  }
  CHECK(refusal([&] { append(spool, {0xFFFFFFFF}, {1}); }) == ErrorCode::kInvalidArgument);
  spool.close();
  for (const std::uint64_t num_shards : {1U, 3U, 20U}) {
    Symbols found;
    for (const DocumentRun& run : spool.cut(num_shards)) found = joined(found, read_run(spool, run));
    CHECK(found == expected);
  }
  CHECK_FALSE(spool.move_stream(folder.file("stream"), 4, nullptr));
}

TEST_CASE("token spool: the stream's file is that which is written symbol by symbol") {
  Random random(11);
  for (const std::size_t longest : {0U, 3U, 5000U}) {
    const Corpus corpus = random_corpus(random, 40, longest + 1, 300);
    const TemporaryFolder folder;
    TokenSpool spool(folder.path(), 2);
    append_documents(spool, corpus);
    spool.close();
    CHECK_FALSE(spool.move_stream(folder.file("stream"), 3, nullptr));
    const std::optional<SectionInfo> info = spool.move_stream(folder.file("stream"), 2, nullptr);
    REQUIRE(info);
    CHECK_FALSE(spool.move_stream(folder.file("again"), 2, nullptr));
    SectionWriter writer(folder.file("written"), SectionKind::kTokenStream, 2);
    const Symbols stream = Oracle(corpus).stream();
    for (const Symbol symbol : stream) {
      const auto narrow = static_cast<std::uint16_t>(symbol);
      writer.append(std::as_bytes(std::span(&narrow, 1)));
    }
    CHECK(writer.finish(false) == *info);
    CHECK(read_file(folder.file("written")) == read_file(folder.file("stream")));
    CHECK(read_run(spool, spool.cut(1)[0]) == stream);  // as before
  }
}

TEST_CASE("token spool: its files go with it") {
  const TemporaryFolder folder;
  {
    TokenSpool spool(folder.path(), 2);
    append(spool, {1, 2}, {2});
    CHECK_FALSE(std::filesystem::is_empty(folder.path()));
  }
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("token spool: runs of near-equal tokens that together are the whole corpus") {
  Random random(3);
  for (int trial = 0; trial < 100; ++trial) {
    const Corpus corpus = random_corpus(random, 60, 1 + below(random, 50), 9);
    std::uint64_t longest = 0;
    for (const Symbols& document : corpus) longest = std::max<std::uint64_t>(longest, document.size());
    const Oracle oracle(corpus);
    const TemporaryFolder folder;
    TokenSpool spool(folder.path(), 1);
    append_documents(spool, corpus);
    spool.close();
    for (const std::uint64_t num_shards : {1U, 2U, 3U, 7U, 20U, 1000U}) {
      const std::vector<DocumentRun> runs = spool.cut(num_shards);
      REQUIRE(runs.size() == std::min<std::uint64_t>(num_shards, corpus.size()));
      Symbols stream;
      std::uint64_t document = 0;
      for (const DocumentRun& run : runs) {
        CHECK(run.first_document == document);
        CHECK(run.stream_begin == stream.size());
        CHECK(run.num_documents > 0);
        const Symbols symbols = read_run(spool, run);
        CHECK(symbols.size() == run.stream_length());
        CHECK(static_cast<std::uint64_t>(std::ranges::count(symbols, kDocumentEnd)) == run.num_documents);
        document += run.num_documents;
        stream = joined(stream, symbols);
      }
      CHECK(stream == oracle.stream());
      if (num_shards * 4 > corpus.size()) continue;  // with few documents, each shard having one comes first
      for (const DocumentRun& run : runs) {
        const std::uint64_t share = oracle.num_tokens() / num_shards;
        CHECK(run.num_tokens <= share + longest + 1);
        CHECK(run.num_tokens + longest + 1 >= share);
      }
    }
  }
}

TEST_CASE("token spool: as few shards as hold the corpus, or none") {
  const TemporaryFolder folder;
  TokenSpool spool(folder.path(), 1);
  CHECK(spool.cut(0).empty());
  append_documents(spool, Corpus(10, Symbols(4, 1)));  // 50 symbols
  spool.close();
  CHECK(spool.cut(0).size() == 1);
  CHECK(spool.cut(0, 50).size() == 1);
  CHECK(spool.cut(0, 49).size() == 2);
  CHECK(spool.cut(0, 25).size() == 2);
  CHECK(spool.cut(0, 24).size() == 3);  // of 4, 3 and 3 documents
  CHECK(spool.cut(0, 5).size() == 10);
  CHECK(refusal([&] { spool.cut(0, 4); }) == ErrorCode::kLimit);
  CHECK(spool.cut(2, 25).size() == 2);
  CHECK(spool.cut(4, 25).size() == 4);
  CHECK(refusal([&] { spool.cut(1, 49); }) == ErrorCode::kLimit);
  CHECK(refusal([&] { spool.cut(2, 24); }) == ErrorCode::kLimit);
}

}  // namespace
}  // namespace anygram
