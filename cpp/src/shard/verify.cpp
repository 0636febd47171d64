#include <anygram/shard/verify.hpp>

#include <algorithm>
#include <optional>
#include <span>

#include <anygram/shard/documents.hpp>
#include <anygram/shard/key_tree.hpp>
#include <anygram/shard/unigrams.hpp>
#include <anygram/storage/shard_manifest.hpp>
#include <anygram/suffix/key.hpp>
#include <anygram/suffix/verify.hpp>

namespace anygram {
namespace {

// Symbols between two looks at the stop signal.
constexpr std::uint64_t kSymbolsPerPoll = std::uint64_t{1} << 20;

SectionProblem problem(const Section& section, std::uint64_t element, std::string expected, std::string found) {
  return {section.path(), kSectionPageBytes + element * section.info().element_bytes, std::move(expected),
          std::move(found)};
}

class DeepCheck {
 public:
  DeepCheck(const std::string& folder, unsigned threads, StopSignal& stop, const Progress& progress)
      : folder_(folder),
        manifest_(ShardManifest::read(folder)),
        threads_(threads),
        stop_(stop),
        progress_(progress),
        stream_(open(SectionKind::kTokenStream)),
        order_(open(SectionKind::kSuffixArray)),
        text_{stream_.payload(), static_cast<int>(manifest_.token_width), manifest_.stream_length()} {}

  std::vector<SectionProblem> run() {
    check_documents_and_symbols();
    if (problems_.empty()) check_suffix_array();
    if (problems_.empty()) check_unigrams();
    if (problems_.empty()) check_tree();
    return std::move(problems_);
  }

 private:
  Section open(SectionKind kind) const { return manifest_.open_section(folder_, kind, {.check_pages = false}); }

  Symbol symbol(std::uint64_t position) const {
    return with_width(text_.width, [&]<int Width>() { return symbol_at<Width>(text_.bytes.data(), position); });
  }

  void compare(const Section& section, std::uint64_t element, std::uint64_t expected, std::uint64_t found) {
    if (expected == found || !problems_.empty()) return;
    problems_.push_back(problem(section, element, std::to_string(expected), std::to_string(found)));
  }

  void check_documents_and_symbols() {
    const Section begins = open(SectionKind::kDocumentBegins);
    const Section blocks = open(SectionKind::kDocumentBlocks);
    std::uint64_t document = 0;
    bool begins_document = true;
    for (std::uint64_t position = 0; position < text_.length && problems_.empty(); ++position) {
      if (position % kSymbolsPerPoll == 0) stop_.poll();
      if (document >= manifest_.num_documents) {
        problems_.push_back(problem(stream_, position, std::to_string(manifest_.num_documents) + " documents", "more"));
        return;
      }
      if (begins_document) compare(begins, document, position, begins.element<Position>(document));
      if (position % kPositionsPerBlock == 0) {
        const std::uint64_t block = position / kPositionsPerBlock;
        compare(blocks, block, document, blocks.element<std::uint32_t>(block));
      }
      const Symbol found = symbol(position);
      begins_document = found == kDocumentEnd;
      if (begins_document) {
        ++document;
      } else if (found > manifest_.vocab_size) {
        problems_.push_back(problem(stream_, position, "a symbol up to " + std::to_string(manifest_.vocab_size),
                                    std::to_string(found)));
      }
    }
    if (!begins_document || document != manifest_.num_documents) {
      problems_.push_back(problem(stream_, text_.length - 1, std::to_string(manifest_.num_documents) + " document ends",
                                  std::to_string(document)));
    }
  }

  void check_suffix_array() {
    const auto positions = order_.payload();
    const auto read = [&](Rank first, std::span<Position> result) {
      std::memcpy(result.data(), positions.data() + first * sizeof(Position), result.size_bytes());
    };
    const VerifyOptions options{.threads = threads_, .stop = &stop_, .progress = progress_};
    for (const OrderProblem& found : check_order(text_, order_.info().num_elements, read, options)) {
      problems_.push_back(
          problem(order_, found.rank, expectation(found.fault), "position " + std::to_string(found.position)));
    }
  }

  // In the right suffix array, suffixes of one first symbol follow each other: an entry is right if it stands where the
  // symbol of the entry before it ends and its own begins.
  void check_unigrams() {
    const Section unigrams = open(SectionKind::kUnigrams);
    const std::uint64_t num_entries = unigrams.info().num_elements;
    const auto first_symbol = [this](Rank rank) { return symbol(order_.element<Position>(rank)); };
    UnigramEntry before;
    for (std::uint64_t entry = 0; entry < num_entries && problems_.empty(); ++entry) {
      if (entry % kSymbolsPerPoll == 0) stop_.poll();
      const auto found = unigrams.element<UnigramEntry>(entry);
      const bool ascends = entry == 0 ? found.begin == 0 : found.begin > before.begin;
      if (!ascends || found.begin >= manifest_.num_tokens) {
        problems_.push_back(problem(unigrams, entry, "ranks that ascend from 0 on", std::to_string(found.begin)));
        return;
      }
      if (entry > 0) compare(unigrams, entry, before.symbol, first_symbol(found.begin - 1));
      compare(unigrams, entry, first_symbol(found.begin), found.symbol);
      before = found;
    }
    if (manifest_.num_tokens > 0) compare(unigrams, num_entries, first_symbol(manifest_.num_tokens - 1), before.symbol);
  }

  static std::string expectation(OrderFault fault) {
    switch (fault) {
      case OrderFault::kWrongSize:
        return "a position for each token";
      case OrderFault::kOutOfRange:
        return "a position of the token stream";
      case OrderFault::kNoSuffix:
        return "the position of a token, not of a document's end";
      case OrderFault::kRepeated:
        return "each position once";
      case OrderFault::kWrongOrder:
        return "a suffix that comes before the next one";
    }
    return "a suffix array";
  }

  void check_tree() {
    const KeyTree tree(open(SectionKind::kKeySamples), manifest_.num_tokens);
    const KeyFormat format = KeyFormat::for_largest(static_cast<Symbol>(manifest_.vocab_size));
    std::vector<std::uint64_t> keys;
    for (Rank rank = 0; rank < manifest_.num_tokens; rank += tree.period()) {
      if (keys.size() % kSymbolsPerPoll == 0) stop_.poll();
      const auto position = order_.element<Position>(rank);
      keys.push_back(
          with_width(text_.width, [&]<int Width>() { return load_key<Width>(text_.bytes.data(), position, format); }));
    }
    keys = build_key_tree(std::move(keys));
    for (std::size_t i = 0; i < keys.size(); ++i) {
      compare(tree.section(), i, keys[i], tree.section().element<std::uint64_t>(i));
    }
  }

  const std::string& folder_;
  ShardManifest manifest_;
  unsigned threads_;
  StopSignal& stop_;
  const Progress& progress_;
  Section stream_;
  Section order_;
  TokenText text_;
  std::vector<SectionProblem> problems_;
};

}  // namespace

std::vector<SectionProblem> verify_shard(const std::string& folder, bool deep, unsigned threads, StopSignal& stop,
                                         const Progress& progress) {
  std::vector<SectionProblem> problems = verify_shard_files(folder, threads, stop, progress);
  if (!deep || !problems.empty()) return problems;
  try {
    return DeepCheck(folder, threads, stop, progress).run();
  } catch (const FormatError& error) {
    return {error.problem()};
  }
}

}  // namespace anygram
