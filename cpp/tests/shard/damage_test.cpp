// Files of a shard that are not what was written: found by verify_shard, refused or harmless when they are queried.
#include <anygram/shard/verify.hpp>

#include <doctest/doctest.h>

#include <anygram/shard/key_tree.hpp>
#include <anygram/shard/position_pages.hpp>
#include <anygram/shard/unigrams.hpp>
#include <anygram/storage/section_writer.hpp>

#include "shard/test_corpus.hpp"

namespace anygram {
namespace {

using namespace anygram::testing;

constexpr ShardBuilderOptions kLean{.vocab_size = 20, .profile = Profile::kLean, .sync = false};
constexpr ShardBuilderOptions kFast{.vocab_size = 20, .profile = Profile::kFast, .sync = false};

std::vector<SectionKind> kinds_of(const std::string& folder) {
  std::vector<SectionKind> kinds;
  for (const ShardManifest::Entry& entry : ShardManifest::read(folder).sections) kinds.push_back(entry.info.kind);
  return kinds;
}

std::vector<SectionProblem> deep_problems(const std::string& folder) {
  StopSignal stop;
  return verify_shard(folder, true, 2, stop);
}

// The elements of a section, which may be changed and written again with checksums that are right.
template <class Element>
std::vector<Element> read_elements(const std::string& folder, SectionKind kind) {
  const Section section = ShardManifest::read(folder).open_section(folder, kind);
  std::vector<Element> elements;
  for (std::uint64_t i = 0; i < section.info().num_elements; ++i) elements.push_back(section.element<Element>(i));
  return elements;
}

template <class Element>
void write_elements(const std::string& folder, SectionKind kind, const std::vector<Element>& elements) {
  ShardManifest manifest = ShardManifest::read(folder);
  for (ShardManifest::Entry& entry : manifest.sections) {
    if (entry.info.kind != kind) continue;
    SectionWriter writer(folder + "/" + section_name(kind), kind, sizeof(Element), entry.info.parameter);
    writer.append(std::as_bytes(std::span(elements)));
    entry.info = writer.finish(false);
  }
  manifest.write(folder, false);
}

// Asks everything there is to ask; answers may be wrong.
void ask_everything(const std::string& folder, const Corpus& corpus) {
  const auto shard = open_shard(folder, LoadMode::kMmap);
  Random random(11);
  std::vector<Symbols> texts{{}, {1}, {2}};
  for (int i = 0; i < 100; ++i) {
    texts.push_back(random_excerpt(random, corpus, 20));
    texts.push_back(random_excerpt(random, corpus, 6));
  }
  const std::vector<Ngram> ngrams(texts.begin(), texts.end());
  std::vector<Interval> intervals(ngrams.size());
  shard->find(ngrams, intervals);
  for (std::size_t i = 0; i < ngrams.size(); ++i) {
    REQUIRE(intervals[i].begin <= intervals[i].end);
    REQUIRE(intervals[i].end <= shard->counts().num_tokens);
    if (intervals[i].empty() || ngrams[i].empty()) continue;
    std::vector<Continuation> continuations;
    shard->continuations(intervals[i], ngrams[i].size(), continuations);
    shard->narrow(intervals[i], ngrams[i].size(), 1);
    std::vector<Position> positions(intervals[i].size());
    shard->positions(intervals[i].begin, ngrams[i].size(), positions);
    std::vector<std::uint32_t> documents(positions.size());
    shard->documents_at(positions, documents);
    for (const std::uint32_t document : documents) shard->document_span(document);
  }
  const Symbols text = joined(corpus[0], random_symbols(random, 20, 3));
  std::vector<LongestMatch> matches(text.size());
  shard->longest_matches(text, 0, matches);
  std::vector<Context> contexts;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (matches[i].length > 0) contexts.push_back({i, matches[i].length, matches[i].rank});
  }
  std::vector<Interval> expanded(contexts.size());
  shard->expand(text, contexts, expanded);
  std::vector<Continuation> unigrams;
  shard->unigrams(unigrams);
}

Corpus damage_corpus() {
  Random random(12);
  Corpus corpus = repetitive_corpus(random, 400, 3);
  corpus.resize(corpus.size() + 300);
  for (int i = 0; i < 50; ++i) corpus.push_back(random_symbols(random, below(random, 100), 3));
  return corpus;
}

TEST_CASE("damage: a flipped bit is found, and refused where it is touched") {
  const Corpus corpus = damage_corpus();
  for (const ShardBuilderOptions& options : {kLean, kFast}) {
    const BuiltShards built(corpus, 1, options);
    const std::string folder = built.shard_folder(0);
    CHECK(deep_problems(folder).empty());
    ask_everything(folder, corpus);
    for (const SectionKind kind : kinds_of(folder)) {
      CAPTURE(section_name(kind));
      const std::string path = folder + "/" + section_name(kind);
      flip_bits(path, kSectionPageBytes + 1, std::byte{8});
      StopSignal stop;
      const auto problems = verify_shard(folder, false, 1, stop);
      REQUIRE(problems.size() == 1);
      CHECK(problems[0].path == path);
      CHECK(problems[0].offset == kSectionPageBytes);
      CHECK(deep_problems(folder) == problems);
      CHECK(refusal([&] { ask_everything(folder, corpus); }) == ErrorCode::kChecksum);
      flip_bits(path, kSectionPageBytes + 1, std::byte{8});
    }
    CHECK(deep_problems(folder).empty());
  }
}

TEST_CASE("damage: two positions exchanged are found by the deep check alone") {
  const Corpus corpus = damage_corpus();
  const BuiltShards built(corpus, 1, kLean);
  const std::string folder = built.shard_folder(0);
  const std::vector<Position> order = read_elements<Position>(folder, SectionKind::kSuffixArray);
  Random random(13);
  for (int trial = 0; trial < 20; ++trial) {
    std::vector<Position> wrong = order;
    const std::size_t rank = below(random, order.size() - 1);
    std::swap(wrong[rank], wrong[rank + 1]);
    write_elements(folder, SectionKind::kSuffixArray, wrong);
    StopSignal stop;
    CHECK(verify_shard(folder, false, 1, stop).empty());
    const auto problems = deep_problems(folder);
    REQUIRE_FALSE(problems.empty());
    CHECK(problems[0].path == folder + "/suffix_array");
  }
  write_elements(folder, SectionKind::kSuffixArray, order);
  CHECK(deep_problems(folder).empty());
}

TEST_CASE("damage: any byte of the pages that is not as it should be is found by the deep check") {
  const Corpus corpus = damage_corpus();
  const BuiltShards built(corpus, 1, kFast);
  const std::string folder = built.shard_folder(0);
  const auto pages = read_elements<PageBytes>(folder, SectionKind::kPositionPages);
  REQUIRE(pages.size() > 2);
  Random random(16);
  for (std::size_t trial = 0; trial < 300; ++trial) {
    auto wrong = pages;
    const std::size_t page = trial % 3 == 0 ? pages.size() - 1 : below(random, pages.size());
    wrong[page][below(random, kSectionPageBytes)] ^= static_cast<std::byte>(1 + below(random, 255));
    write_elements(folder, SectionKind::kPositionPages, wrong);
    const auto problems = deep_problems(folder);
    REQUIRE_FALSE(problems.empty());
    CHECK(problems[0].path == folder + "/position_pages");
  }
  write_elements(folder, SectionKind::kPositionPages, pages);
  CHECK(deep_problems(folder).empty());
}

TEST_CASE("damage: each section that contradicts the token stream is found by the deep check") {
  const Corpus corpus = damage_corpus();
  const BuiltShards built(corpus);
  const std::string folder = built.shard_folder(0);
  const auto check = [&]<class Element>(SectionKind kind, std::size_t element, const auto& change, const Element&) {
    CAPTURE(section_name(kind));
    const auto elements = read_elements<Element>(folder, kind);
    auto wrong = elements;
    change(wrong[element]);
    write_elements(folder, kind, wrong);
    const auto problems = deep_problems(folder);
    REQUIRE_FALSE(problems.empty());
    CHECK(problems[0].path == folder + "/" + section_name(kind));
    CHECK(problems[0].offset == kSectionPageBytes + element * sizeof(Element));
    write_elements(folder, kind, elements);
  };
  const auto add_one = [](auto& element) { ++element; };
  check(SectionKind::kDocumentBegins, 3, add_one, Position{});
  check(SectionKind::kDocumentBlocks, 2, add_one, std::uint32_t{});
  REQUIRE(read_elements<std::uint8_t>(folder, SectionKind::kPageShared).size() > 4);
  check(SectionKind::kKeySamples, 5, add_one, std::uint64_t{});
  check(SectionKind::kPageSecondKeys, 3, add_one, std::uint64_t{});
  check(SectionKind::kPageShared, 4, add_one, std::uint8_t{});
  check(SectionKind::kUnigrams, 1, [](UnigramEntry& entry) { ++entry.begin; }, UnigramEntry{});
  check(SectionKind::kUnigrams, 2, [](UnigramEntry& entry) { ++entry.symbol; }, UnigramEntry{});
  check(SectionKind::kTokenStream, 7, [](std::uint8_t& symbol) { symbol = 21; }, std::uint8_t{});
  CHECK(deep_problems(folder).empty());
  // A document's end more than there are documents, and one less.
  for (const std::uint8_t symbol : {std::uint8_t{0}, std::uint8_t{1}}) {
    const auto stream = read_elements<std::uint8_t>(folder, SectionKind::kTokenStream);
    auto wrong = stream;
    wrong[symbol == 0 ? 7 : stream.size() - 1] = symbol;
    write_elements(folder, SectionKind::kTokenStream, wrong);
    CHECK_FALSE(deep_problems(folder).empty());
    write_elements(folder, SectionKind::kTokenStream, stream);
  }
}

TEST_CASE("damage: wrong unigrams are found, however large the vocabulary") {
  Random random(15);
  for (const std::uint64_t vocab_size : {std::uint64_t{300}, std::uint64_t{0xFFFFFFFF}}) {
    Corpus corpus = random_corpus(random, 20, 100, 5);
    corpus.push_back({1, 2, 300});
    const BuiltShards built(corpus, 1, {.vocab_size = vocab_size, .sync = false});
    const std::string folder = built.shard_folder(0);
    const auto entries = read_elements<UnigramEntry>(folder, SectionKind::kUnigrams);
    const auto is_found = [&](std::vector<UnigramEntry> wrong) {
      write_elements(folder, SectionKind::kUnigrams, wrong);
      const auto problems = deep_problems(folder);
      return !problems.empty() && problems[0].path == folder + "/unigrams";
    };
    for (std::size_t i = 0; i < entries.size(); ++i) {
      auto wrong = entries;
      ++wrong[i].begin;
      CHECK(is_found(wrong));
      wrong[i].begin -= 2;
      CHECK(is_found(wrong));
      wrong[i] = {entries[i].symbol + 1, entries[i].begin};
      CHECK(is_found(wrong));
      wrong.erase(wrong.begin() + static_cast<std::ptrdiff_t>(i));
      CHECK(is_found(wrong));
      wrong = entries;
      wrong.insert(wrong.begin() + static_cast<std::ptrdiff_t>(i), entries[i]);
      CHECK(is_found(wrong));
    }
    write_elements(folder, SectionKind::kUnigrams, entries);
    CHECK(deep_problems(folder).empty());
  }
}

TEST_CASE("damage: whatever stands behind right checksums, queries end and touch nothing outside") {
  const Corpus corpus = damage_corpus();
  Random random(14);
  for (int trial = 0; trial < 140; ++trial) {
    const BuiltShards built(corpus, 1, trial < 70 ? kLean : kFast);
    const std::string folder = built.shard_folder(0);
    const auto before = content_checksums(folder);
    const auto scramble = [&]<class Element>(SectionKind kind, Element largest) {
      auto elements = read_elements<Element>(folder, kind);
      for (Element& element : elements) {
        if (trial % 2 == 0 || below(random, 10) == 0) element = static_cast<Element>(random() & largest);
      }
      write_elements(folder, kind, elements);
    };
    switch (trial % 7) {
      case 0:
        scramble(SectionKind::kTokenStream, std::uint8_t{3});
        break;
      case 1:
        if (trial < 70) {
          scramble(SectionKind::kSuffixArray, Position{trial % 4 == 1 ? 0xFFFFFFFFU : 0x7FFU});
        } else {
          auto pages = read_elements<PageBytes>(folder, SectionKind::kPositionPages);
          const std::size_t begin = trial % 3 == 0 ? 0 : trial % 3 == 1 ? kFirstKeysOffset : kSharedOffset;
          for (PageBytes& page : pages) {
            for (std::size_t i = begin; i < kSectionPageBytes; ++i) {
              // Positions stay below 2^16 where not all bytes are changed: those above are refused at once.
              if (trial % 2 != 0 && i < kFirstKeysOffset && i % 4 > 1) continue;
              if (below(random, 4) == 0) page[i] = static_cast<std::byte>(random());
            }
          }
          write_elements(folder, SectionKind::kPositionPages, pages);
        }
        break;
      case 2:
        scramble(SectionKind::kKeySamples, ~std::uint64_t{0});
        break;
      case 3: {
        auto keys = read_elements<std::uint64_t>(folder, SectionKind::kKeySamples);
        std::ranges::shuffle(keys, random);
        write_elements(folder, SectionKind::kKeySamples, keys);
        break;
      }
      case 5:
        if (trial < 70) continue;
        scramble(SectionKind::kPageSecondKeys, ~std::uint64_t{0});
        scramble(SectionKind::kPageShared, std::uint8_t{0xFF});
        break;
      case 4:
        scramble(SectionKind::kUnigrams, std::uint64_t{0x000007FF00000003});
        break;
      default:
        scramble(SectionKind::kDocumentBegins, Position{0xFFF});
        scramble(SectionKind::kDocumentBlocks, std::uint32_t{0x1FF});
    }
    const auto code = refusal([&] { ask_everything(folder, corpus); });
    CHECK((!code || code == ErrorCode::kIndexFormat || code == ErrorCode::kDocumentNotFound));
    CHECK(deep_problems(folder).empty() == (content_checksums(folder) == before));
  }
}

}  // namespace
}  // namespace anygram
