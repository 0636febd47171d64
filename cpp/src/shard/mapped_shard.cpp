#include <optional>
#include <string>
#include <utility>

#include <anygram/shard/documents.hpp>
#include <anygram/shard/shard.hpp>
#include <anygram/storage/files.hpp>
#include <anygram/storage/shard_manifest.hpp>

#include "searcher.hpp"

namespace anygram {
namespace {

// Matches up to this many symbols are searched for in lockstep. Longer ones are found one after another, each from the
// one before it: a document that stands in the corpus as a whole costs its length, not the square of it.
constexpr std::uint64_t kLockstepSymbols = 256;

// Up to this many occurrences of a text's next symbols are looked at to see whether a match goes on.
constexpr Rank kFewOccurrences = 16;

template <int Width>
class MappedShard final : public Shard {
 public:
  MappedShard(std::string folder, const ShardManifest& manifest, LoadMode load)
      : Shard({manifest.num_tokens, manifest.num_documents, manifest.vocab_size}),
        folder_(std::move(folder)),
        manifest_(manifest),
        manifest_file_(join_path(folder_, section_name(SectionKind::kShard))),
        load_(load),
        stream_(open(SectionKind::kTokenStream)),
        order_(open(SectionKind::kSuffixArray), manifest.stream_length()),
        tree_(open(SectionKind::kKeySamples), manifest.num_tokens),
        unigrams_(open(SectionKind::kUnigrams), manifest.num_tokens),
        documents_(open(SectionKind::kDocumentBegins), open(SectionKind::kDocumentBlocks), manifest.stream_length()),
        searcher_(stream_, order_, tree_, unigrams_, manifest.vocab_size) {
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

  void longest_matches(Ngram text, std::uint64_t begin, std::span<LongestMatch> matches) const override;
  void expand(Ngram text, std::span<const Context> contexts, std::span<Interval> intervals) const override;
  Interval narrow(Interval interval, std::uint64_t depth, Symbol symbol) const override;
  void continuations(Interval interval, std::uint64_t depth, std::vector<Continuation>& result) const override;
  void symbols_after(std::span<const Rank> ranks, std::span<const std::uint64_t> depths,
                     std::span<Symbol> symbols) const override;

  void unigrams(std::vector<Continuation>& result) const override { unigrams_.counts(result); }

  void positions(Rank first, std::span<Position> positions) const override {
    for (std::size_t i = 0; i < positions.size(); ++i) positions[i] = order_.position(first + i);
  }

  void symbols(std::uint64_t position, std::span<Symbol> symbols) const override {
    for (std::size_t i = 0; i < symbols.size(); ++i) symbols[i] = stream_.symbol(position + i);
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
    for (const Section* section : {&stream_.section(), &order_.section(), &tree_.section(), &unigrams_.section(),
                                   &documents_.begins(), &documents_.blocks(), metadata_ ? &*metadata_ : nullptr}) {
      if (section != nullptr) result.push_back({section_name(section->info().kind), section->raw_file_bytes()});
    }
    return result;
  }

 private:
  Section open(SectionKind kind) const {
    return manifest_.open_section(folder_, kind, {.load = load_, .random_access = true});
  }

  Symbol symbol_after(Rank rank, std::uint64_t depth) const { return stream_.symbol(order_.position(rank) + depth); }

  LongestMatch resolve_long(const PackedText<Width>& text, std::uint64_t start, std::uint64_t length,
                            const LongestMatch& found, const LongestMatch& before) const;

  std::string folder_;
  ShardManifest manifest_;
  MappedFile manifest_file_;
  LoadMode load_;
  StreamView<Width> stream_;
  OrderView order_;
  KeyTree tree_;
  Unigrams unigrams_;
  Documents documents_;
  std::optional<Section> metadata_;
  Searcher<Width> searcher_;
};

template <int Width>
void MappedShard<Width>::longest_matches(Ngram text, std::uint64_t begin, std::span<LongestMatch> matches) const {
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
  look_ahead(kLockstepSymbols);
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
      capped[used++] = std::min(lengths[first + i], kLockstepSymbols);
    }
    std::array<LongestMatch, kLanes> found;
    searcher_.longest_matches(packed, {starts.data(), used}, {capped.data(), used}, {found.data(), used});
    for (std::size_t k = 0; k < used; ++k) matches[starts[k]] = found[k];
  }
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
template <int Width>
LongestMatch MappedShard<Width>::resolve_long(const PackedText<Width>& text, std::uint64_t start, std::uint64_t length,
                                              const LongestMatch& found, const LongestMatch& before) const {
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

template <int Width>
void MappedShard<Width>::expand(Ngram text, std::span<const Context> contexts, std::span<Interval> intervals) const {
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

template <int Width>
Interval MappedShard<Width>::narrow(Interval interval, std::uint64_t depth, Symbol symbol) const {
  const auto first_rank = [&](Rank low, auto is_before) {
    Rank high = interval.end;
    while (low < high) {
      const Rank middle = (low + high) / 2;
      if (is_before(symbol_after(middle, depth))) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  };
  const Rank begin = first_rank(interval.begin, [symbol](Symbol found) { return found < symbol; });
  return {begin, first_rank(begin, [symbol](Symbol found) { return found <= symbol; })};
}

template <int Width>
void MappedShard<Width>::symbols_after(std::span<const Rank> ranks, std::span<const std::uint64_t> depths,
                                       std::span<Symbol> symbols) const {
  std::array<std::uint64_t, kLanes> positions;
  for (std::size_t first = 0; first < ranks.size(); first += kLanes) {
    const std::size_t lanes = std::min(kLanes, ranks.size() - first);
    for (std::size_t i = 0; i < lanes; ++i) order_.prefetch(ranks[first + i]);
    for (std::size_t i = 0; i < lanes; ++i) {
      positions[i] = order_.position(ranks[first + i]) + depths[first + i];
      stream_.prefetch(positions[i]);
    }
    for (std::size_t i = 0; i < lanes; ++i) symbols[first + i] = stream_.symbol(positions[i]);
  }
}

// The interval is cut in halves where its ends differ in their next symbol, all parts of one size together, so that the
// cache misses of a round overlap. What is left are the ranks where the symbol changes.
template <int Width>
void MappedShard<Width>::continuations(Interval interval, std::uint64_t depth,
                                       std::vector<Continuation>& result) const {
  if (interval.empty()) return;
  struct Part {  // the symbols at the first and the last rank differ
    Rank first;
    Rank last;
    Symbol first_symbol;
    Symbol last_symbol;
  };
  struct Change {  // from this rank on
    Rank rank;
    Symbol symbol;
  };
  const std::array<Rank, 2> ends{interval.begin, interval.end - 1};
  const std::array<std::uint64_t, 2> end_depths{depth, depth};
  std::array<Symbol, 2> end_symbols;
  symbols_after(ends, end_depths, end_symbols);
  std::vector<Change> changes{{interval.begin, end_symbols[0]}};
  std::vector<Part> parts;
  if (end_symbols[0] != end_symbols[1]) parts.push_back({ends[0], ends[1], end_symbols[0], end_symbols[1]});
  std::vector<Part> next_parts;
  std::vector<Rank> middles;
  std::vector<Symbol> symbols;
  std::vector<std::uint64_t> depths;
  while (!parts.empty()) {
    middles.clear();
    for (const Part& part : parts) middles.push_back((part.first + part.last) / 2);
    depths.assign(middles.size(), depth);
    symbols.resize(middles.size());
    symbols_after(middles, depths, symbols);
    next_parts.clear();
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const Part& part = parts[i];
      const auto keep = [&](const Part& half) {
        if (half.first_symbol == half.last_symbol) return;
        if (half.first + 1 == half.last) {
          changes.push_back({half.last, half.last_symbol});
        } else {
          next_parts.push_back(half);
        }
      };
      keep({part.first, middles[i], part.first_symbol, symbols[i]});
      keep({middles[i], part.last, symbols[i], part.last_symbol});
    }
    parts.swap(next_parts);
  }
  std::ranges::sort(changes, {}, &Change::rank);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const Rank end = i + 1 < changes.size() ? changes[i + 1].rank : interval.end;
    result.push_back({changes[i].symbol, end - changes[i].rank});
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
  switch (manifest.token_width) {
    case 1:
      return std::make_shared<MappedShard<1>>(folder, manifest, load);
    case 2:
      return std::make_shared<MappedShard<2>>(folder, manifest, load);
    case 3:
      return std::make_shared<MappedShard<3>>(folder, manifest, load);
    case 4:
      return std::make_shared<MappedShard<4>>(folder, manifest, load);
    default:
      throw Error(ErrorCode::kIndexFormat,
                  "expected a token width from 1 to 4, found " + std::to_string(manifest.token_width), folder);
  }
}

}  // namespace anygram
