// Against the definition it is tested from Python; here, that shards, threads and tables change nothing.
#include <anygram/query/kneser_ney.hpp>

#include <cmath>

#include <doctest/doctest.h>

#include <anygram/storage/section_writer.hpp>

#include "shard/test_corpus.hpp"

namespace anygram {
namespace {

using namespace anygram::testing;

void check_equal(const std::vector<double>& found, const std::vector<double>& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) REQUIRE(found[i] == doctest::Approx(expected[i]).epsilon(1e-12));
}

TEST_CASE("Kneser-Ney: the same for any shards and threads, and the distribution is that of the text's symbols") {
  Random random(62);
  for (int trial = 0; trial < 12; ++trial) {
    // Half of them so regular that many n-grams are frequent enough for the tables.
    Corpus corpus = random_corpus(random, 12, 30, 3);
    const std::size_t copies = trial % 2 == 0 ? 1 : 40;
    const Corpus once = corpus;
    for (std::size_t i = 1; i < copies; ++i) corpus.insert(corpus.end(), once.begin(), once.end());
    const std::uint64_t order = 1 + below(random, 5);
    const Symbols text = joined(random_excerpt(random, corpus, 12), random_symbols(random, 4, 3));
    const BuiltShards one(corpus, 1);
    const BuiltShards three(corpus, 3);
    StopSignal stop;
    const KneserNey expected(one.shards(), order, {1, stop}, {});
    const KneserNey model(three.shards(), order, {3, stop}, {});
    for (const bool at_start : {true, false}) {
      const std::vector<double> probs = model.probs(text, at_start, true, {3, stop});
      check_equal(probs, expected.probs(text, at_start, true, {1, stop}));
      for (std::size_t row = 0; row <= text.size(); ++row) {
        const std::vector<double> next = model.distribution(Ngram(text).first(row), at_start);
        const Symbol symbol = row < text.size() ? text[row] : kDocumentEnd;
        if (symbol < next.size()) REQUIRE(next[symbol] == doctest::Approx(probs[row]).epsilon(1e-12));
      }
    }
  }
}

// Half of them so regular that most n-grams have records.
Corpus counted_corpus(Random& random, bool is_regular) {
  Corpus corpus = random_corpus(random, 12, 30, 3);
  const Corpus once = corpus;
  for (int i = 0; is_regular && i < 12; ++i) corpus.insert(corpus.end(), once.begin(), once.end());
  return corpus;
}

IndexId id_of(int number) {
  IndexId id{};
  id[3] = static_cast<std::byte>(number);
  return id;
}

// All that a model says of some texts; or throws.
std::vector<double> answers(const KneserNey& model, const Corpus& texts) {
  StopSignal stop;
  std::vector<double> all;
  for (const Symbols& text : texts) {
    for (const bool at_start : {true, false}) {
      for (const double prob : model.probs(text, at_start, true, {1, stop})) all.push_back(prob);
      for (const double prob : model.distribution(text, at_start)) all.push_back(prob);
    }
  }
  return all;
}

TEST_CASE("Kneser-Ney: counts that were saved give the same answers, and are refused by others") {
  Random random(63);
  const TemporaryFolder folder;
  for (int trial = 0; trial < 8; ++trial) {
    const Corpus corpus = counted_corpus(random, trial % 2 == 0);
    const BuiltShards built(corpus, 1 + below(random, 3));
    const std::uint64_t order = 1 + below(random, 4);
    StopSignal stop;
    const KneserNey model(built.shards(), order, {2, stop}, {});
    const std::string path = folder.file("counts");
    model.counts().save(path, id_of(1), false);
    CHECK(Section(path).verify(1, stop).empty());
    const Corpus texts{random_excerpt(random, corpus, 20), random_symbols(random, 9, 4), {}};
    for (const LoadMode load : {LoadMode::kMmap, LoadMode::kRam}) {
      const KneserNey opened(built.shards(), KneserNeyCounts::open(path, built.shards(), order, id_of(1), load));
      CHECK(answers(opened, texts) == answers(model, texts));
      const std::string copy = folder.file("copy");
      opened.counts().save(copy, id_of(1), false);
      CHECK(read_file(copy) == read_file(path));
    }
    const auto open = [&](Shards shards, std::uint64_t other_order, int id) {
      return refusal([&] { KneserNeyCounts::open(path, shards, other_order, id_of(id), LoadMode::kMmap); });
    };
    CHECK(open(built.shards(), order, 2) == ErrorCode::kIndexFormat);
    CHECK(open(built.shards(), order + 1, 1) == ErrorCode::kIndexFormat);
    Corpus longer = corpus;
    longer.push_back({1});
    CHECK(open(BuiltShards(longer, built.shards().size()).shards(), order, 1) == ErrorCode::kIndexFormat);
    CHECK(refusal([&] {
            KneserNeyCounts::open(folder.file("none"), built.shards(), order, id_of(1), LoadMode::kMmap);
          }) == ErrorCode::kIndexNotFound);
  }
}

TEST_CASE("Kneser-Ney: counts that say anything else are refused, or answered by, and nothing else is read") {
  Random random(64);
  const TemporaryFolder folder;
  const std::string path = folder.file("counts");
  const Corpus corpus = counted_corpus(random, true);
  const BuiltShards built(corpus, 2);
  StopSignal stop;
  KneserNey(built.shards(), 3, {1, stop}, {}).counts().save(path, id_of(1), false);
  std::vector<std::uint64_t> words;
  {
    const Section section(path);
    for (std::uint64_t i = 0; i < section.info().num_elements; ++i) words.push_back(section.element<std::uint64_t>(i));
  }
  const Corpus texts{random_excerpt(random, corpus, 12), random_symbols(random, 6, 4)};
  int refused = 0;
  const auto ask = [&](std::span<const std::uint64_t> changed) {
    SectionWriter writer(path, SectionKind::kKneserNey, 8, 3);
    writer.append(std::as_bytes(changed));
    writer.finish(false);
    try {
      answers(KneserNey(built.shards(), KneserNeyCounts::open(path, built.shards(), 3, id_of(1), LoadMode::kMmap)),
              texts);
    } catch (const FormatError&) {
      ++refused;
    }
  };
  for (std::size_t i = 0; i < words.size(); ++i) {
    for (const std::uint64_t value :
         {std::uint64_t{0}, ~std::uint64_t{0}, words[i] ^ (std::uint64_t{1} << below(random, 64))}) {
      std::vector<std::uint64_t> changed = words;
      changed[i] = value;
      ask(changed);
    }
  }
  CHECK(refused > 50);
  refused = 0;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{17}, words.size() / 2, words.size() - 1}) {
    ask(std::span(words).first(size));
  }
  words.push_back(0);
  ask(words);
  CHECK(refused == 6);
}

}  // namespace
}  // namespace anygram
