#include <optional>
#include <string>
#include <utility>

#include <anygram/shard/documents.hpp>
#include <anygram/shard/shard.hpp>
#include <anygram/storage/files.hpp>
#include <anygram/storage/shard_manifest.hpp>

#include "array_searcher.hpp"
#include "page_searcher.hpp"

namespace anygram {
namespace {

// Matches up to this many symbols are searched for in lockstep. Longer ones are found one after another, each from the
// one before it: a document that stands in the corpus as a whole costs its length, not the square of it.
constexpr std::uint64_t kLockstepSymbols = kMaxShared;

// Up to this many occurrences of a text's next symbols are looked at to see whether a match goes on.
constexpr Rank kFewOccurrences = 16;

template <int Width, template <int> class SearcherOf>
class MappedShard final : public Shard {
 public:
  MappedShard(std::string folder, const ShardManifest& manifest, LoadMode load)
      : Shard({manifest.num_tokens, manifest.num_documents, manifest.vocab_size}),
        folder_(std::move(folder)),
        manifest_(manifest),
        manifest_file_(join_path(folder_, section_name(SectionKind::kShard))),
        load_(load),
        stream_(open(SectionKind::kTokenStream)),
        order_(manifest, [this](SectionKind kind) { return open(kind); }),
        unigrams_(open(SectionKind::kUnigrams), manifest.num_tokens),
        documents_(open(SectionKind::kDocumentBegins), open(SectionKind::kDocumentBlocks), manifest.stream_length()),
        searcher_(stream_, order_, unigrams_, manifest.vocab_size) {
    if (manifest.find(SectionKind::kMetadata) != nullptr) metadata_.emplace(open(SectionKind::kMetadata));
  }

  int token_width() const override { return Width; }
  const std::string& path() const override { return folder_; }

  std::uint64_t num_bytes() const override {
    std::uint64_t bytes = 0;
    for (const ShardFile& file : files()) bytes += file.bytes.size();
    return bytes;
  }

  void find(std::span<const Ngram> ngrams, std::span<Interval> intervals) const override {
    for (std::size_t i = 0; i < ngrams.size(); i += kLanes) {
      const std::size_t lanes = std::min(kLanes, ngrams.size() - i);
      searcher_.find(ngrams.subspan(i, lanes), intervals.subspan(i, lanes));
    }
  }

  void longest_matches(Ngram text, std::uint64_t begin, std::span<LongestMatch> matches) const override {
    match(text, begin, text.size(), matches);
  }
  void short_matches(Ngram text, std::uint64_t begin, std::uint64_t most,
                     std::span<LongestMatch> matches) const override {
    match(text, begin, most, matches);
    for (LongestMatch& found : matches) found.length = std::min(found.length, most);
  }
  void expand(Ngram text, std::span<const Context> contexts, std::span<Interval> intervals) const override;
  Interval narrow(Interval interval, std::uint64_t depth, Symbol symbol) const override {
    return searcher_.narrow(interval, depth, symbol);
  }

  void continuations(Interval interval, std::uint64_t depth, std::vector<Continuation>& result) const override {
    searcher_.continuations(interval, depth, result);
  }

  void symbols_after(std::span<const Rank> ranks, std::span<const std::uint64_t> depths,
                     std::span<Symbol> symbols) const override {
    read_symbols(stream_, order_, ranks, depths, symbols);
  }

  void unigrams(std::vector<Continuation>& result) const override { unigrams_.counts(result); }

  void positions(Rank first, std::uint64_t, std::span<Position> positions) const override {
    for (std::size_t i = 0; i < positions.size(); ++i) positions[i] = order_.position(first + i);
  }

  void symbols(std::uint64_t position, std::span<Symbol> symbols) const override {
    for (std::size_t i = 0; i < symbols.size(); ++i) symbols[i] = stream_.symbol(position + i);
  }

  void symbols_around(std::span<const Rank> ranks, std::size_t size, std::span<Symbol> symbols) const override {
    read_around(stream_, order_, ranks, size, symbols);
  }

  void documents_at(std::span<const Position> positions, std::span<std::uint32_t> documents) const override {
    documents_.at(positions, documents);
  }

  Interval document_span(std::uint64_t document) const override { return documents_.span(document); }

  std::span<const std::byte> section_bytes(const std::string& name) const override {
    if (name != section_name(SectionKind::kMetadata) || !metadata_) return {};
    metadata_->check_all();
    return metadata_->payload();
  }

  std::vector<ShardFile> files() const override {
    std::vector<ShardFile> result{{section_name(SectionKind::kShard), manifest_file_.bytes()}};
    for (const Section* section : sections()) {
      result.push_back({section_name(section->info().kind), section->raw_file_bytes()});
    }
    return result;
  }

  std::vector<SectionPages> pages_touched() const override {
    std::vector<SectionPages> result;
    for (const Section* section : sections()) {
      result.push_back({section_name(section->info().kind), section->pages_touched()});
    }
    return result;
  }

 private:
  using Searcher = SearcherOf<Width>;
  using Order = typename Searcher::Order;

  Section open(SectionKind kind) const {
    return manifest_.open_section(folder_, kind, {.load = load_, .random_access = true});
  }

  std::vector<const Section*> sections() const {
    std::vector<const Section*> result{&stream_.section()};
    for (const Section* section : order_.sections()) result.push_back(section);
    for (const Section* section : {&unigrams_.section(), &documents_.begins(), &documents_.blocks()}) {
      result.push_back(section);
    }
    if (metadata_) result.push_back(&*metadata_);
    return result;
  }

  // The longest matches, of which no more than the first `most` symbols have to be found.
  void match(Ngram text, std::uint64_t begin, std::uint64_t most, std::span<LongestMatch> matches) const;
  LongestMatch resolve_long(const PackedText<Width>& text, std::uint64_t start, std::uint64_t length,
                            const LongestMatch& found, const LongestMatch& before) const;

  std::string folder_;
  ShardManifest manifest_;
  MappedFile manifest_file_;
  LoadMode load_;
  StreamView<Width> stream_;
  Order order_;
  Unigrams unigrams_;
  Documents documents_;
  std::optional<Section> metadata_;
  Searcher searcher_;
};

template <int Width, template <int> class SearcherOf>
void MappedShard<Width, SearcherOf>::match(Ngram text, std::uint64_t begin, std::uint64_t most,
                                           std::span<LongestMatch> matches) const {
  std::ranges::fill(matches, LongestMatch{});
  if (order_.size() == 0) return;
  // Symbols that could match end before the first that this vocabulary does not have. Those after the starts are looked
  // at no further than matches reach, so that a long text may be matched in pieces.
  std::uint64_t end = begin + matches.size();
  const auto look_ahead = [&](std::uint64_t symbols) {
    const std::uint64_t before = end;
    const std::uint64_t limit = std::min<std::uint64_t>(text.size(), end + symbols);
    while (end < limit && searcher_.occurs(text[end])) ++end;
    return end > before;
  };
  const std::uint64_t in_lockstep = std::min(kLockstepSymbols, most);
  look_ahead(in_lockstep);
  PackedText<Width> packed(text.subspan(begin, end - begin));
  const std::uint64_t first_end = end - begin;
  std::vector<std::uint64_t> lengths(matches.size());  // from each start on, as far as was looked
  for (std::uint64_t i = matches.size(), run_end = first_end; i-- > 0;) {
    if (!searcher_.occurs(text[begin + i])) run_end = i;
    lengths[i] = run_end - i;
  }

  std::array<std::uint64_t, kLanes> starts;
  std::array<std::uint64_t, kLanes> capped;
  for (std::size_t first = 0; first < matches.size(); first += kLanes) {
    const std::size_t lanes = std::min(kLanes, matches.size() - first);
    std::size_t used = 0;
    for (std::size_t i = 0; i < lanes; ++i) {
      if (lengths[first + i] == 0) continue;
      starts[used] = first + i;
      capped[used++] = std::min(lengths[first + i], in_lockstep);
    }
    std::array<LongestMatch, kLanes> found;
    searcher_.longest_matches(packed, {starts.data(), used}, {capped.data(), used}, {found.data(), used});
    for (std::size_t k = 0; k < used; ++k) matches[starts[k]] = found[k];
  }
  if (most <= kLockstepSymbols) return;
  for (std::size_t i = 0; i < matches.size(); ++i) {
    if (matches[i].length < kLockstepSymbols || lengths[i] <= kLockstepSymbols) continue;
    const LongestMatch found = matches[i];
    const LongestMatch before = i > 0 ? matches[i - 1] : LongestMatch{};
    const bool open = i + lengths[i] == first_end;
    std::uint64_t length = open ? end - begin - i : lengths[i];
    matches[i] = resolve_long(packed, i, length, found, before);
    while (open && matches[i].length == length && look_ahead(length)) {
      packed.assign(text.subspan(begin, end - begin));
      length = end - begin - i;
      matches[i] = resolve_long(packed, i, length, found, before);
    }
  }
}

// `found` matches kLockstepSymbols symbols at `start`; `before` is the whole longest match one symbol earlier.
template <int Width, template <int> class SearcherOf>
LongestMatch MappedShard<Width, SearcherOf>::resolve_long(const PackedText<Width>& text, std::uint64_t start,
                                                          std::uint64_t length, const LongestMatch& found,
                                                          const LongestMatch& before) const {
  const Context context{start, kLockstepSymbols, found.rank};
  Interval interval;
  searcher_.expand(text, {&context, 1}, {&interval, 1});
  if (before.length > kLockstepSymbols && interval.size() <= kFewOccurrences) {
    // If each occurrence of these symbols follows an occurrence of the symbol before them, then the match one symbol
    // earlier goes on here and none is longer.
    const Symbol previous = load_symbol<Width>(text.at(start - 1));
    const std::uint64_t continued = std::uint64_t{order_.position(before.rank)} + 1;
    Rank rank = interval.end;
    bool all_follow = true;
    for (Rank candidate = interval.begin; candidate < interval.end; ++candidate) {
      const std::uint64_t position = order_.position(candidate);
      all_follow = all_follow && position > 0 && stream_.symbol(position - 1) == previous;
      if (position == continued) rank = candidate;
    }
    if (all_follow && rank != interval.end) return {before.length - 1, rank};
  }
  return searcher_.longest_within(text, start, length, interval, kLockstepSymbols);
}

template <int Width, template <int> class SearcherOf>
void MappedShard<Width, SearcherOf>::expand(Ngram text, std::span<const Context> contexts,
                                            std::span<Interval> intervals) const {
  if (contexts.empty()) return;
  std::uint64_t begin = text.size();
  std::uint64_t end = 0;
  for (const Context& context : contexts) {
    begin = std::min(begin, context.begin);
    end = std::max(end, context.begin + context.length);
  }
  const PackedText<Width> packed(text.subspan(begin, end - begin));
  std::array<Context, kLanes> shifted;
  for (std::size_t first = 0; first < contexts.size(); first += kLanes) {
    const std::size_t lanes = std::min(kLanes, contexts.size() - first);
    for (std::size_t i = 0; i < lanes; ++i) {
      shifted[i] = contexts[first + i];
      shifted[i].begin -= begin;
    }
    searcher_.expand(packed, {shifted.data(), lanes}, intervals.subspan(first, lanes));
  }
}

}  // namespace

std::vector<std::byte> content_checksums(const std::string& folder) {
  const ShardManifest manifest = ShardManifest::read(folder);
  std::vector<std::byte> checksums;
  for (const ShardManifest::Entry& entry : manifest.sections) {
    const Section section = manifest.open_section(folder, entry.info.kind);
    const auto pages = section.page_checksums();
    checksums.insert(checksums.end(), pages.begin(), pages.end());
  }
  return checksums;
}

std::shared_ptr<const Shard> open_shard(const std::string& folder, LoadMode load) {
  const ShardManifest manifest = ShardManifest::read(folder);
  return with_width(static_cast<int>(manifest.token_width), [&]<int Width>() -> std::shared_ptr<const Shard> {
    if (manifest.profile == Profile::kFast) {
      return std::make_shared<MappedShard<Width, PageSearcher>>(folder, manifest, load);
    }
    return std::make_shared<MappedShard<Width, ArraySearcher>>(folder, manifest, load);
  });
}

}  // namespace anygram
