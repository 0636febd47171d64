#include <anygram/query/texts.hpp>

#include <anygram/base/thread_pool.hpp>

namespace anygram {
namespace {

// A run of short texts has so many symbols: enough that lockstep pays, few enough that threads share them evenly.
constexpr std::int64_t kSymbolsPerRun = 4096;

// A text of so many symbols occupies all threads by itself.
constexpr std::int64_t kLongText = 1 << 16;

struct Run {
  std::size_t first;
  std::size_t size;
};

}  // namespace

JoinedTexts::JoinedTexts(std::span<const Ngram> texts) : begins_{0} {
  std::size_t size = texts.size();
  for (const Ngram text : texts) size += text.size();
  symbols_.reserve(size);
  begins_.reserve(texts.size() + 1);
  for (const Ngram text : texts) {
    symbols_.insert(symbols_.end(), text.begin(), text.end());
    symbols_.push_back(kDocumentEnd);
    begins_.push_back(symbols_.size());
  }
}

void for_joined_texts(const NgramList& texts, const Execution& execution,
                      const std::function<void(std::size_t, const JoinedTexts&, const Execution&)>& body) {
  std::vector<Run> runs;
  std::vector<Run> long_texts;
  std::int64_t symbols = 0;  // of the last run
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::int64_t length = texts.offsets[i + 1] - texts.offsets[i];
    if (length >= kLongText) {
      long_texts.push_back({i, 1});
      continue;
    }
    if (runs.empty() || runs.back().first + runs.back().size != i || symbols >= kSymbolsPerRun) {
      runs.push_back({i, 0});
      symbols = 0;
    }
    ++runs.back().size;
    symbols += length + 1;
  }
  for (const Run& run : long_texts) {
    const NgramBlock block(texts, run.first, run.size);
    body(run.first, JoinedTexts(block.ngrams()), execution);
  }
  run_parallel(runs.size(), execution.threads, execution.stop, [&](std::size_t i) {
    const NgramBlock block(texts, runs[i].first, runs[i].size);
    body(runs[i].first, JoinedTexts(block.ngrams()), Execution{1, execution.stop});
  });
}

}  // namespace anygram
