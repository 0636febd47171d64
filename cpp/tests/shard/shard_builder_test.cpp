#include <anygram/shard/shard_builder.hpp>

#include <doctest/doctest.h>

#include <anygram/shard/verify.hpp>

#include "shard/test_corpus.hpp"

namespace anygram {
namespace {

using namespace anygram::testing;

Symbols stream_of(const Shard& shard) {
  Symbols symbols(shard.stream_length());
  shard.symbols(0, symbols);
  return symbols;
}

std::vector<Position> order_of(const Shard& shard) {
  std::vector<Position> positions(shard.counts().num_tokens);
  shard.positions(0, 1, positions);
  return positions;
}

TEST_CASE("shard builder: what is written is what is opened, at each width and in both profiles") {
  Random random(4);
  constexpr std::array<std::uint64_t, 8> kVocabSizes{1, 255, 256, 65535, 65536, 16777215, 16777216, 0xFFFFFFFF};
  for (const std::uint64_t vocab_size : kVocabSizes) {
    for (const Profile profile : {Profile::kLean, Profile::kFast}) {
      for (const LoadMode load : {LoadMode::kMmap, LoadMode::kRam}) {
        Corpus corpus = random_corpus(random, 30, 60, static_cast<Symbol>(std::min<std::uint64_t>(vocab_size, 3)));
        corpus.push_back({static_cast<Symbol>(vocab_size), 1, static_cast<Symbol>(vocab_size)});
        const Oracle oracle(corpus);
        const BuiltShards built(corpus, 1, {.vocab_size = vocab_size, .profile = profile, .sync = false}, load);
        const Shard& shard = built[0];
        CHECK(shard.counts().num_tokens == oracle.num_tokens());
        CHECK(shard.counts().num_documents == oracle.num_documents());
        CHECK(shard.counts().vocab_size == vocab_size);
        CHECK(shard.token_width() == width_for(vocab_size));
        REQUIRE(stream_of(shard) == oracle.stream());
        REQUIRE(order_of(shard) == sort_by_definition(oracle.stream()));
        std::vector<Continuation> unigrams;
        shard.unigrams(unigrams);
        for (const Continuation& unigram : unigrams) CHECK(unigram.count == oracle.count({&unigram.symbol, 1}));
        CHECK(total_count(unigrams) == oracle.num_tokens());
        std::uint64_t begin = 0;
        for (std::size_t document = 0; document < corpus.size(); ++document) {
          const Interval span{begin, begin + corpus[document].size()};
          CHECK(shard.document_span(document) == span);
          begin = span.end + 1;
        }
        StopSignal stop;
        CHECK(verify_shard(built.shard_folder(0), true, 2, stop).empty());
      }
    }
  }
}

TEST_CASE("shard builder: a corpus without any token") {
  for (const std::size_t num_documents : {1U, 2U, 1000U}) {
    const BuiltShards built{Corpus(num_documents)};
    const Shard& shard = built[0];
    CHECK(shard.counts().num_tokens == 0);
    CHECK(shard.counts().num_documents == num_documents);
    CHECK(shard.document_span(num_documents - 1) == Interval{num_documents - 1, num_documents - 1});
    StopSignal stop;
    CHECK(verify_shard(built.shard_folder(0), true, 1, stop).empty());
    const Symbols text{1, 2, 1};
    const std::vector<Ngram> ngrams{Ngram{}, Ngram(text).first(1), text};
    std::vector<Interval> intervals(3, Interval{1, 5});
    shard.find(ngrams, intervals);
    for (const Interval& interval : intervals) CHECK(interval.empty());
    std::vector<LongestMatch> matches(3, LongestMatch{7, 7});
    shard.longest_matches(text, 0, matches);
    for (const LongestMatch& match : matches) CHECK(match.length == 0);
  }
}

TEST_CASE("shard builder: the bytes depend on neither threads nor memory") {
  const Symbols stream = like_prose(150'000, 3000, 9);
  Corpus corpus(1);
  for (const Symbol symbol : stream) {
    if (symbol == kDocumentEnd) {
      corpus.emplace_back();
    } else {
      corpus.back().push_back(symbol);
    }
  }
  for (const Profile profile : {Profile::kLean, Profile::kFast}) {
    const auto build = [&](unsigned threads, std::uint64_t memory) {
      const BuiltShards built(
          corpus, 1, {.vocab_size = 3000, .profile = profile, .threads = threads, .memory = memory, .sync = false});
      std::vector<std::vector<std::byte>> files;
      for (const ShardFile& file : built[0].files()) files.emplace_back(file.bytes.begin(), file.bytes.end());
      CHECK(files.size() == (profile == Profile::kFast ? 9 : 7));
      return files;
    };
    const auto files = build(1, 0);
    CHECK(build(2, 0) == files);
    CHECK(build(4, 0) == files);
    const std::uint64_t least = ShardBuilder::least_memory(stream.size() + 1, 2, profile);
    CHECK(build(1, least) == files);
    CHECK(build(2, 2 * least) == files);
  }
}

TEST_CASE("shard builder: an id beyond the vocabulary is refused") {
  const TemporaryFolder folder;
  TokenSpool spool(folder.path(), 2);
  append_documents(spool, {{1, 300, 301}});
  spool.close();
  const auto code = [&](std::uint64_t vocab_size) {
    const TemporaryFolder shard;
    return refusal([&] {
      StopSignal stop;
      ShardBuilder(shard.path(), {.vocab_size = vocab_size, .sync = false})
          .write_tokens(spool, spool.cut(1)[0], stop, {});
    });
  };
  CHECK(code(301) == std::nullopt);
  CHECK(code(300) == ErrorCode::kInvalidArgument);
  CHECK(code(200) == ErrorCode::kInvalidArgument);  // and of another width
}

TEST_CASE("shard builder: other sections, progress, and no shard before finish") {
  const TemporaryFolder folder;
  const TemporaryFolder shard;
  TokenSpool spool(folder.path(), 1);
  append_documents(spool, {{1, 2, 3}, {}, {1, 2}});
  spool.close();
  StopSignal stop;
  std::uint64_t written = 0;
  ShardBuilder builder(shard.path(), {.vocab_size = 3});
  builder.write_tokens(spool, spool.cut(1)[0], stop, [&](std::uint64_t done, std::uint64_t total) {
    CHECK(total == 8);
    written = done;
  });
  CHECK(written == 8);
  builder.sort(stop, {});
  const std::vector<std::vector<std::byte>> pieces{{std::byte{1}, std::byte{2}}, {}, {std::byte{3}}};
  std::size_t next = 0;
  builder.write_section(SectionKind::kMetadata, [&]() -> std::optional<std::span<const std::byte>> {
    if (next == pieces.size()) return {};
    return pieces[next++];
  });
  CHECK(refusal([&] { open_shard(shard.path(), LoadMode::kMmap); }) == ErrorCode::kIndexNotFound);
  builder.finish();
  const auto opened = open_shard(shard.path(), LoadMode::kMmap);
  CHECK(std::ranges::equal(opened->section_bytes("metadata"),
                           std::vector<std::byte>{std::byte{1}, std::byte{2}, std::byte{3}}));
  CHECK(opened->section_bytes("token_stream").empty());
  CHECK(opened->files().size() == 10);
  std::uint64_t bytes = 0;
  for (const ShardFile& file : opened->files()) {
    CHECK(std::ranges::equal(file.bytes, read_file(shard.file(file.name))));
    bytes += file.bytes.size();
  }
  CHECK(opened->num_bytes() == bytes);
}

TEST_CASE("shard builder: a poll that throws ends it") {
  const TemporaryFolder folder;
  TokenSpool spool(folder.path(), 1);
  append_documents(spool, Corpus(100, Symbols(50, 1)));
  spool.close();
  StopSignal stop([] { throw Error(ErrorCode::kStopped, "by the caller"); });
  const TemporaryFolder shard;
  ShardBuilder builder(shard.path(), {.vocab_size = 3});
  CHECK(refusal([&] { builder.write_tokens(spool, spool.cut(1)[0], stop, {}); }) == ErrorCode::kStopped);
  CHECK(refusal([&] { open_shard(shard.path(), LoadMode::kMmap); }) == ErrorCode::kIndexNotFound);
}

TEST_CASE("content checksums: equal for equal shards only") {
  const Corpus corpus{{1, 2, 3}, {2, 3}};
  const BuiltShards one(corpus);
  const BuiltShards same(corpus);
  const BuiltShards other(Corpus{{1, 2, 3}, {2, 4}});
  CHECK(content_checksums(one.shard_folder(0)) == content_checksums(same.shard_folder(0)));
  CHECK(content_checksums(one.shard_folder(0)) != content_checksums(other.shard_folder(0)));
  CHECK(one.checksums() == same.checksums());
  CHECK(one.checksums() != other.checksums());
}

}  // namespace
}  // namespace anygram
