// What things cost, in counted work and bytes: bounds that a change must not break unseen. Nothing here measures time.
#include <doctest/doctest.h>

#include <anygram/suffix/sort.hpp>

#include "shard/test_corpus.hpp"
#include "suffix/test_texts.hpp"

namespace anygram::testing {
namespace {

constexpr std::size_t kLength = 400'000;
constexpr std::size_t kFixedBytes = 12'288;
constexpr Symbol kLargest = 50'000;

double work_per_symbol(const std::vector<Symbol>& symbols) {
  const Text text(symbols, 2);
  SortStatistics statistics;
  sorted_suffixes(text.text(), SortOptions{.threads = 2}, &statistics);
  return static_cast<double>(statistics.total_work()) / static_cast<double>(symbols.size());
}

// Documents of a stream, without their ends.
Corpus documents_of(const std::vector<Symbol>& stream) {
  Corpus corpus(1);
  for (const Symbol symbol : stream) {
    if (symbol == kDocumentEnd) {
      corpus.emplace_back();
    } else {
      corpus.back().push_back(symbol);
    }
  }
  corpus.pop_back();
  return corpus;
}

// A share of the documents five times, in some order.
std::vector<Symbol> with_copies(const std::vector<Symbol>& stream) {
  Corpus corpus = documents_of(stream);
  Random random(1);
  const std::size_t distinct = corpus.size();
  for (std::size_t i = 0; i < distinct; ++i) {
    if (below(random, 10) < 3) corpus.insert(corpus.end(), 4, Symbols(corpus[i]));
  }
  std::shuffle(corpus.begin(), corpus.end(), random);
  std::vector<Symbol> symbols;
  for (const Symbols& document : corpus) {
    symbols.insert(symbols.end(), document.begin(), document.end());
    symbols.push_back(kDocumentEnd);
  }
  return symbols;
}

double bytes_per_token(const std::vector<Symbol>& stream, Profile profile) {
  const BuiltShards shards(documents_of(stream), 1, {.vocab_size = kLargest, .profile = profile, .sync = false});
  std::uint64_t bytes = 0;
  for (const ShardFile& file : shards[0].files()) {
    // These grow with the vocabulary and the documents, not with the tokens.
    if (file.name == "unigrams" || file.name.starts_with("document")) continue;
    // A header, and what fills pages up, is the same for any corpus.
    bytes += file.bytes.size() - std::min(kFixedBytes, file.bytes.size());
  }
  return static_cast<double>(bytes) / static_cast<double>(shards[0].counts().num_tokens);
}

// Pages of the token stream and of the order that one count touches on an index just opened: the mean of many.
double pages_per_count(const BuiltShards& shards, const Corpus& corpus, std::size_t length) {
  constexpr int kQuestions = 200;
  Random random(7);
  std::uint64_t pages = 0;
  for (int question = 0; question < kQuestions; ++question) {
    Symbols symbols;
    while (symbols.size() < length) {
      const Symbols& document = corpus[below(random, corpus.size())];
      if (document.size() < length) continue;
      const auto begin = document.begin() + static_cast<std::ptrdiff_t>(below(random, document.size() - length + 1));
      symbols.assign(begin, begin + static_cast<std::ptrdiff_t>(length));
    }
    const auto shard = open_shard(shards.shard_folder(0), LoadMode::kMmap);
    const Ngram ngram(symbols);
    Interval interval;
    shard->find({&ngram, 1}, {&interval, 1});
    REQUIRE(interval.size() > 0);
    for (const SectionPages& section : shard->pages_touched()) {
      // The others are the way to the pages, and stay in memory.
      const bool counts =
          section.name == "token_stream" || section.name == "position_pages" || section.name == "suffix_array";
      if (counts) pages += section.pages;
    }
  }
  return static_cast<double>(pages) / kQuestions;
}

}  // namespace

TEST_CASE("sorting moves and loads a bounded number of things for each symbol") {
  const std::vector<Symbol> prose = like_prose(kLength, kLargest, 3);
  CHECK(work_per_symbol(prose) < 15);
  CHECK(work_per_symbol(with_copies(prose)) < 19);
  CHECK(work_per_symbol(periodic(kLength, 1)) < 14);
  CHECK(work_per_symbol(periodic(kLength, 1000)) < 25);
  // These are induced, and their shared lengths found from one position to the next: linear, and more in number.
  CHECK(work_per_symbol(fibonacci(kLength)) < 134);
  CHECK(work_per_symbol(thue_morse(kLength)) < 122);
}

TEST_CASE("a profile takes no more bytes a token than it says") {
  const std::vector<Symbol> prose = like_prose(kLength, kLargest, 3);
  CHECK(bytes_per_token(prose, Profile::kLean) < 6.15);
  CHECK(bytes_per_token(prose, Profile::kFast) < 8.15);
}

TEST_CASE("a count of an index just opened touches a few pages") {
  const Corpus corpus = documents_of(like_prose(kLength, kLargest, 3));
  const BuiltShards fast(corpus, 1, {.vocab_size = kLargest, .profile = Profile::kFast, .sync = false});
  const BuiltShards lean(corpus, 1, {.vocab_size = kLargest, .profile = Profile::kLean, .sync = false});
  CHECK(pages_per_count(fast, corpus, 1) == 0);
  CHECK(pages_per_count(lean, corpus, 1) == 0);
  for (const std::size_t length : {2U, 3U, 5U}) CHECK(pages_per_count(fast, corpus, length) < 3);
  for (const std::size_t length : {8U, 20U, 50U}) CHECK(pages_per_count(fast, corpus, length) < 3.6);
  for (const std::size_t length : {2U, 5U, 20U}) CHECK(pages_per_count(lean, corpus, length) < 11);
}

}  // namespace anygram::testing
