// One index asked from several threads at once. Mostly of use under a thread sanitizer.
#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include <anygram/index.hpp>
#include <anygram/shard/verify.hpp>

#include "shard/test_corpus.hpp"

namespace anygram {
namespace {

using namespace anygram::testing;

// Everything that was answered, as numbers that can be compared.
std::vector<std::uint64_t> ask_everything(const Index& index, const Corpus& corpus, unsigned seed) {
  Random random(seed);
  StopSignal stop;
  const Execution execution = index.execution(stop);
  std::vector<std::uint64_t> answers;
  const auto add = [&](const auto&... numbers) { (answers.push_back(static_cast<std::uint64_t>(numbers)), ...); };

  std::vector<Symbols> ngrams;
  for (int i = 0; i < 2000; ++i) ngrams.push_back(random_excerpt(random, corpus, 6));
  const NgramArrays arrays(ngrams);
  std::vector<std::int64_t> counts(ngrams.size());
  count_batch(index.shards(), arrays.list(), execution, counts);
  for (const std::int64_t count : counts) add(count);

  const Symbols symbols(ngrams.size(), 1);
  std::vector<ProbabilityCounts> probabilities(ngrams.size());
  probability_batch(index.shards(), arrays.list(), symbols, true, execution, probabilities);
  for (const ProbabilityCounts& one : probabilities) add(one.prompt_count, one.continuation_count, one.suffix_length);

  for (std::size_t i = 0; i < 20; ++i) {
    for (const Continuation& one : continuations(index.shards(), ngrams[i], false, 3).continuations) {
      add(one.symbol, one.count);
    }
    const ShardIntervals intervals = find(index.shards(), ngrams[i]);
    add(count_documents(index.shards(), intervals, nullptr, execution));
    for (const Occurrence& one : sample(index.shards(), index.documents(), intervals, 1, 5, seed, nullptr, execution)) {
      add(one.document, one.offset);
      for (const Symbol symbol : document_symbols(index.shards(), index.documents(), one.document, 0, 10)) add(symbol);
    }
    for (const DocumentCount& one : list_documents(index.shards(), index.documents(), intervals, nullptr, execution)) {
      add(one.document, one.count);
    }
  }

  Symbols text;
  while (text.size() < 9000) text = joined(text, random_excerpt(random, corpus, 400));
  const MatchLengths matches = longest_matches(index.shards(), text, 2, execution);
  for (std::size_t i = 0; i < text.size(); ++i) add(matches.lengths[i], matches.counts[i]);
  text.resize(300);
  const TextScores scores = score(index.shards(), text, {.order = {}, .top_k = 3, .end = true}, execution);
  for (const std::int64_t count : scores.continuation_counts) add(count);
  for (const Continuation& one : scores.top) add(one.symbol, one.count);
  return answers;
}

TEST_CASE("index: asked from four threads at once while its pages are checked for the first time") {
  Random random(60);
  Corpus corpus;
  for (int i = 0; i < 4; ++i) {
    const Corpus part = repetitive_corpus(random, 2000, 15);
    corpus.insert(corpus.end(), part.begin(), part.end());
  }
  const BuiltShards built(corpus, 2);
  const auto open = [&](unsigned threads) {
    std::vector<std::shared_ptr<const Shard>> shards;
    for (std::size_t s = 0; s < 2; ++s) shards.push_back(open_shard(built.shard_folder(s), LoadMode::kMmap));
    return Index(std::move(shards), threads);
  };
  constexpr unsigned kThreads = 4;
  std::vector<std::vector<std::uint64_t>> expected(kThreads);
  const Index serial = open(1);
  for (unsigned i = 0; i < kThreads; ++i) expected[i] = ask_everything(serial, corpus, i);

  const Index index = open(3);
  CHECK(index.counts().num_tokens == serial.counts().num_tokens);
  std::atomic<bool> start{false};
  std::vector<std::vector<std::uint64_t>> answers(kThreads);
  std::atomic<std::size_t> problems{0};
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      while (!start) std::this_thread::yield();
      answers[i] = ask_everything(index, corpus, i);
      StopSignal stop;
      problems += verify_shard(built.shard_folder(i % 2), true, 2, stop).size();
    });
  }
  start = true;
  for (std::thread& thread : threads) thread.join();
  for (unsigned i = 0; i < kThreads; ++i) CHECK(answers[i] == expected[i]);
  CHECK(problems == 0);
}

}  // namespace
}  // namespace anygram
