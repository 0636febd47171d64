#include <anygram/shard/shard_builder.hpp>

#include <algorithm>
#include <utility>

#include <anygram/base/error.hpp>
#include <anygram/base/little_endian.hpp>
#include <anygram/shard/documents.hpp>
#include <anygram/shard/position_array.hpp>
#include <anygram/shard/position_pages.hpp>
#include <anygram/shard/unigrams.hpp>
#include <anygram/storage/files.hpp>
#include <anygram/storage/section_writer.hpp>

namespace anygram {
namespace {

// Symbols up to this one are counted in a table, the others in a map.
constexpr std::uint64_t kCountedInTable = std::uint64_t{1} << 22;

template <class Element>
void append_element(SectionWriter& writer, Element element) {
  writer.append(std::as_bytes(std::span(&element, 1)));
}

std::string section_path(const std::string& folder, SectionKind kind) { return join_path(folder, section_name(kind)); }

}  // namespace

ShardBuilder::ShardBuilder(std::string folder, const ShardBuilderOptions& options)
    : folder_(std::move(folder)), options_(options) {
  manifest_.vocab_size = options.vocab_size;
  manifest_.token_width = static_cast<std::uint32_t>(width_for(options.vocab_size));
  manifest_.profile = options.profile;
  counts_.resize(std::min(options.vocab_size + 1, kCountedInTable));
}

void ShardBuilder::add(const SectionInfo& info, bool required) { manifest_.sections.push_back({info, required}); }

void ShardBuilder::write_tokens(const TokenSpool& spool, const DocumentRun& run, StopSignal& stop,
                                const Progress& progress) {
  manifest_.num_tokens = run.num_tokens;
  manifest_.num_documents = run.num_documents;
  const auto path = [this](SectionKind kind) { return section_path(folder_, kind); };
  SectionWriter stream(path(SectionKind::kTokenStream), SectionKind::kTokenStream, manifest_.token_width);
  SectionWriter begins(path(SectionKind::kDocumentBegins), SectionKind::kDocumentBegins, sizeof(Position));
  SectionWriter blocks(path(SectionKind::kDocumentBlocks), SectionKind::kDocumentBlocks, sizeof(std::uint32_t));
  std::uint64_t position = 0;
  std::uint32_t document = 0;
  bool begins_document = true;
  std::vector<std::byte> packed;
  spool.read_symbols(run, [&](std::span<const Symbol> symbols) {
    stop.poll();
    packed.resize(symbols.size() * manifest_.token_width);
    with_width(static_cast<int>(manifest_.token_width), [&]<int Width>() {
      for (std::size_t i = 0; i < symbols.size(); ++i) store_symbol<Width>(packed.data() + i * Width, symbols[i]);
    });
    stream.append(packed);
    for (const Symbol symbol : symbols) {
      if (begins_document) append_element(begins, static_cast<Position>(position));
      if (position % kPositionsPerBlock == 0) append_element(blocks, document);
      begins_document = symbol == kDocumentEnd;
      if (begins_document) {
        ++document;
      } else if (symbol > options_.vocab_size) {
        throw Error(ErrorCode::kInvalidArgument, "token id " + std::to_string(symbol - 1) +
                                                     " is not below vocab_size " + std::to_string(options_.vocab_size));
      } else if (symbol < counts_.size()) {
        ++counts_[symbol];
      } else {
        ++rare_counts_[symbol];
      }
      ++position;
    }
    if (progress) progress(position, run.stream_length());
  });
  add(stream.finish(options_.sync));
  add(begins.finish(options_.sync));
  add(blocks.finish(options_.sync));
  write_unigrams();
}

void ShardBuilder::write_unigrams() {
  std::vector<std::pair<Symbol, std::uint64_t>> rare(rare_counts_.begin(), rare_counts_.end());
  std::ranges::sort(rare);
  SectionWriter writer(section_path(folder_, SectionKind::kUnigrams), SectionKind::kUnigrams, sizeof(UnigramEntry));
  Rank begin = 0;
  const auto append = [&](Symbol symbol, std::uint64_t count) {
    if (count == 0) return;
    append_element(writer, UnigramEntry{symbol, static_cast<std::uint32_t>(begin)});
    begin += count;
  };
  for (std::size_t symbol = 0; symbol < counts_.size(); ++symbol) append(static_cast<Symbol>(symbol), counts_[symbol]);
  for (const auto& [symbol, count] : rare) append(symbol, count);
  add(writer.finish(options_.sync));
}

SortStatistics ShardBuilder::sort(StopSignal& stop, const Progress& progress) {
  // The text is read in no order at all, so it is worth a copy in huge pages.
  const Section stream = manifest_.open_section(folder_, SectionKind::kTokenStream, {.load = LoadMode::kRam});
  const TokenText text{stream.payload(), static_cast<int>(manifest_.token_width), manifest_.stream_length()};
  const KeyFormat format = KeyFormat::for_largest(static_cast<Symbol>(options_.vocab_size));
  const bool fast = options_.profile == Profile::kFast;
  SortOptions sort_options{.threads = options_.threads, .stop = &stop, .progress = progress, .shared = fast};
  if (options_.memory != 0) {
    const std::uint64_t keys =
        fast ? PageWriter::memory_bytes(manifest_.num_tokens) : ArrayWriter::memory_bytes(manifest_.num_tokens);
    const std::uint64_t taken = text.bytes.size() + keys;
    sort_options.memory = options_.memory > taken ? options_.memory - taken : 1;
  }
  return fast ? write_order<PageWriter>(text, format, sort_options)
              : write_order<ArrayWriter>(text, format, sort_options);
}

template <class Writer>
SortStatistics ShardBuilder::write_order(const TokenText& text, KeyFormat format, const SortOptions& options) {
  Writer writer(folder_, text, format);
  const SortStatistics statistics = sort_suffixes(text, options, [&](const SortedRun& run) {
    writer.append(run);
    options.stop->poll();
  });
  for (const SectionInfo& info : writer.finish(options_.sync)) add(info);
  return statistics;
}

void ShardBuilder::write_section(SectionKind kind,
                                 const std::function<std::optional<std::span<const std::byte>>()>& next_piece) {
  SectionWriter writer(section_path(folder_, kind), kind, 1);
  while (const auto piece = next_piece()) writer.append(*piece);
  add(writer.finish(options_.sync), false);
}

std::uint32_t ShardBuilder::finish() { return manifest_.write(folder_, options_.sync); }

}  // namespace anygram
