#include <anygram/shard/verify.hpp>

#include <algorithm>
#include <optional>
#include <span>

#include <anygram/base/thread_pool.hpp>
#include <anygram/shard/documents.hpp>
#include <anygram/shard/key_tree.hpp>
#include <anygram/shard/position_pages.hpp>
#include <anygram/shard/shared_lengths.hpp>
#include <anygram/shard/unigrams.hpp>
#include <anygram/storage/shard_manifest.hpp>
#include <anygram/suffix/key.hpp>
#include <anygram/suffix/verify.hpp>

namespace anygram {
namespace {

// Symbols between two looks at the stop signal.
constexpr std::uint64_t kSymbolsPerPoll = std::uint64_t{1} << 20;

// Pages that a thread checks at a time.
constexpr std::uint64_t kPagesPerItem = 256;

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
        is_fast_(manifest_.profile == Profile::kFast),
        order_(open(is_fast_ ? SectionKind::kPositionPages : SectionKind::kSuffixArray)),
        text_{stream_.payload(), static_cast<int>(manifest_.token_width), manifest_.stream_length()},
        format_(KeyFormat::for_largest(static_cast<Symbol>(manifest_.vocab_size))) {}

  std::vector<SectionProblem> run() {
    check_documents_and_symbols();
    if (problems_.empty()) check_order_of_suffixes();
    if (problems_.empty()) check_unigrams();
    if (problems_.empty() && is_fast_) check_pages();
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

  // Where the position of a rank stands in the payload.
  std::uint64_t place(Rank rank) const {
    if (!is_fast_) return rank * sizeof(Position);
    return rank / kRanksPerPage * kSectionPageBytes + rank % kRanksPerPage * sizeof(Position);
  }

  Position position(Rank rank) const { return load<Position>(order_.payload().data() + place(rank)); }

  void read_positions(Rank first, std::span<Position> result) const {
    for (std::size_t done = 0; done < result.size();) {
      const Rank rank = first + done;
      const std::uint64_t run = is_fast_ ? kRanksPerPage - rank % kRanksPerPage : result.size();
      const std::size_t count = std::min<std::size_t>(run, result.size() - done);
      std::memcpy(result.data() + done, order_.payload().data() + place(rank), count * sizeof(Position));
      done += count;
    }
  }

  void check_order_of_suffixes() {
    const auto read = [this](Rank first, std::span<Position> result) { read_positions(first, result); };
    const VerifyOptions options{.threads = threads_, .stop = &stop_, .progress = progress_};
    for (const OrderProblem& found : check_order(text_, manifest_.num_tokens, read, options)) {
      problems_.push_back({order_.path(), kSectionPageBytes + place(found.rank), expectation(found.fault),
                           "position " + std::to_string(found.position)});
    }
  }

  // In the right suffix array, suffixes of one first symbol follow each other: an entry is right if it stands where the
  // symbol of the entry before it ends and its own begins.
  void check_unigrams() {
    const Section unigrams = open(SectionKind::kUnigrams);
    const std::uint64_t num_entries = unigrams.info().num_elements;
    const auto first_symbol = [this](Rank rank) { return symbol(position(rank)); };
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

  // All that stands in the pages beside the positions follows from the positions, which are right by now.
  void check_pages() {
    const std::uint64_t num_pages = num_position_pages(manifest_.num_tokens);
    std::vector<std::optional<SectionProblem>> found((num_pages + kPagesPerItem - 1) / kPagesPerItem);
    page_shared_.resize(num_pages);
    run_parallel(found.size(), threads_, stop_, [&](std::size_t item) {
      const std::uint64_t end = std::min(num_pages, (item + 1) * kPagesPerItem);
      for (std::uint64_t page = item * kPagesPerItem; page < end && !found[item]; ++page)
        found[item] = page_problem(page);
    });
    for (auto& one : found) {
      if (one && problems_.empty()) problems_.push_back(*std::move(one));
    }
    const Section second_keys = open(SectionKind::kPageSecondKeys);
    const Section shared = open(SectionKind::kPageShared);
    for (std::uint64_t page = 0; page < num_pages; ++page) {
      const std::byte* keys = order_.payload().data() + page * kSectionPageBytes + kSecondKeysOffset;
      compare(second_keys, page, load<std::uint64_t>(keys), second_keys.element<std::uint64_t>(page));
      compare(shared, page, page_shared_[page], shared.element<std::uint8_t>(page));
    }
  }

  std::optional<SectionProblem> page_problem(std::uint64_t page) {
    const Rank first = page * kRanksPerPage;
    const std::uint64_t count = std::min(kRanksPerPage, manifest_.num_tokens - first);
    // From the first suffix of the page before on: what lies between the two is what page_shared tells.
    const Rank begin = page == 0 ? 0 : first - kRanksPerPage;
    std::vector<Position> positions(first + count - begin);
    read_positions(begin, positions);
    std::vector<std::uint8_t> shared(positions.size());
    shared_lengths(text_, positions, std::span(shared).subspan(1));
    page_shared_[page] = page == 0 ? 0 : *std::min_element(shared.begin() + 1, shared.begin() + kRanksPerPage + 1);
    const std::span<const Position> here = std::span(positions).subspan(first - begin);
    PageBytes expected = make_empty_page();
    with_width(text_.width, [&]<int Width>() {
      fill_page<Width>(expected, 0, text_.bytes.data(), format_, here, std::span(shared).subspan(first - begin));
    });
    const std::byte* found = order_.payload().data() + page * kSectionPageBytes;
    const auto difference = std::ranges::mismatch(expected, std::span(found, kSectionPageBytes)).in1;
    if (difference == expected.end()) return {};
    const auto offset = static_cast<std::size_t>(difference - expected.begin());
    const char* part = offset >= kSharedOffset      ? "shared symbols "
                       : offset >= kFirstKeysOffset ? "a key with the byte "
                                                    : "no position, but the byte ";
    return SectionProblem{order_.path(), kSectionPageBytes * (page + 1) + offset,
                          part + std::to_string(std::to_integer<int>(*difference)),
                          std::to_string(std::to_integer<int>(found[offset]))};
  }

  void check_tree() {
    const KeyTree tree(open(SectionKind::kKeySamples), manifest_.num_tokens);
    if (is_fast_ && tree.period() != kRanksPerPage) {
      problems_.push_back({tree.section().path(), 0, "keys with period " + std::to_string(kRanksPerPage),
                           std::to_string(tree.period())});
      return;
    }
    std::vector<std::uint64_t> keys;
    for (Rank rank = 0; rank < manifest_.num_tokens; rank += tree.period()) {
      if (keys.size() % kSymbolsPerPoll == 0) stop_.poll();
      keys.push_back(with_width(
          text_.width, [&]<int Width>() { return load_key<Width>(text_.bytes.data(), position(rank), format_); }));
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
  bool is_fast_;
  Section order_;
  TokenText text_;
  KeyFormat format_;
  std::vector<std::uint8_t> page_shared_;  // as they should be
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
