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

template <class Element>
void append_element(SectionWriter& writer, Element element) {
  writer.append(std::as_bytes(std::span(&element, 1)));
}

// The same symbols, packed into another number of bytes each.
template <int From, int To>
void repack(std::span<const std::byte> symbols, SectionWriter& writer) {
  constexpr std::size_t kAtOnce = std::size_t{1} << 14;
  std::vector<std::byte> packed(kAtOnce * To);
  const std::size_t length = symbols.size() / From;
  for (std::size_t done = 0; done < length;) {
    const std::size_t count = std::min(kAtOnce, length - done);
    for (std::size_t i = 0; i < count; ++i)
      store_symbol<To>(packed.data() + i * To, symbol_at<From>(symbols.data(), done + i));
    writer.append(std::span(packed).first(count * To));
    done += count;
  }
}

// What the writer of the order takes.
std::uint64_t writer_bytes(std::uint64_t num_tokens, Profile profile) {
  return profile == Profile::kFast ? PageWriter::memory_bytes(num_tokens) : ArrayWriter::memory_bytes(num_tokens);
}

}  // namespace

ShardBuilder::ShardBuilder(std::string folder, const ShardBuilderOptions& options)
    : folder_(std::move(folder)), options_(options) {
  manifest_.vocab_size = options.vocab_size;
  manifest_.token_width = static_cast<std::uint32_t>(width_for(options.vocab_size));
  manifest_.profile = options.profile;
}

void ShardBuilder::add(const SectionInfo& info, bool required) { manifest_.sections.push_back({info, required}); }

std::string ShardBuilder::path(SectionKind kind) const { return join_path(folder_, section_name(kind)); }

void ShardBuilder::write_tokens(TokenSpool& spool, const DocumentRun& run, StopSignal& stop, const Progress& progress) {
  manifest_.num_tokens = run.num_tokens;
  manifest_.num_documents = run.num_documents;
  UnigramCounter unigrams(options_.vocab_size, options_.threads);
  write_stream(spool, run, unigrams, stop, progress);
  write_documents(spool.lengths(run));
  write_unigrams(unigrams);
}

void ShardBuilder::write_stream(TokenSpool& spool, const DocumentRun& run, UnigramCounter& unigrams, StopSignal& stop,
                                const Progress& progress) {
  const auto width = static_cast<int>(manifest_.token_width);
  const std::string stream_path = path(SectionKind::kTokenStream);
  const bool is_all = run.num_documents == spool.num_documents();
  std::optional<SectionInfo> info = is_all ? spool.move_stream(stream_path, width, syncer()) : std::nullopt;
  std::optional<SectionWriter> stream;
  if (!info) stream.emplace(stream_path, SectionKind::kTokenStream, manifest_.token_width, 0, syncer());
  std::uint64_t done = 0;
  spool.read(run, [&](std::span<const std::byte> symbols, int spooled_width) {
    stop.poll();
    unigrams.add(symbols, spooled_width, stop);
    if (stream && spooled_width == width) {
      stream->append(symbols);
    } else if (stream) {
      with_width(spooled_width,
                 [&]<int From>() { with_width(width, [&]<int To>() { repack<From, To>(symbols, *stream); }); });
    }
    done += symbols.size() / static_cast<std::size_t>(spooled_width);
    if (progress) progress(done, run.stream_length());
  });
  add(info ? *info : stream->finish(options_.sync));
}

void ShardBuilder::write_documents(std::span<const TokenSpool::DocumentLength> lengths) {
  SectionWriter begins(path(SectionKind::kDocumentBegins), SectionKind::kDocumentBegins, sizeof(Position), 0, syncer());
  SectionWriter blocks(path(SectionKind::kDocumentBlocks), SectionKind::kDocumentBlocks, sizeof(std::uint32_t), 0,
                       syncer());
  std::uint64_t begin = 0;
  std::uint64_t block_begin = 0;
  std::uint32_t document = 0;
  for (const std::uint64_t length : lengths) {
    append_element(begins, static_cast<Position>(begin));
    begin += length + 1;
    for (; block_begin < begin; block_begin += kPositionsPerBlock) append_element(blocks, document);
    ++document;
  }
  add(begins.finish(options_.sync));
  add(blocks.finish(options_.sync));
}

void ShardBuilder::write_unigrams(const UnigramCounter& unigrams) {
  SectionWriter writer(path(SectionKind::kUnigrams), SectionKind::kUnigrams, sizeof(UnigramEntry), 0, syncer());
  Rank begin = 0;
  unigrams.for_each([&](Symbol symbol, std::uint64_t count) {
    append_element(writer, UnigramEntry{symbol, static_cast<std::uint32_t>(begin)});
    begin += count;
  });
  add(writer.finish(options_.sync));
}

std::uint64_t ShardBuilder::least_memory(std::uint64_t stream_length, int width, Profile profile) {
  return stream_length * static_cast<std::uint64_t>(width) + writer_bytes(stream_length, profile) +
         least_sort_memory(stream_length);
}

SortStatistics ShardBuilder::sort(StopSignal& stop, const Progress& progress) {
  // The text is read in no order at all, so it is worth a copy in huge pages.
  const Section stream = manifest_.open_section(folder_, SectionKind::kTokenStream, {.load = LoadMode::kRam});
  const TokenText text{stream.payload(), static_cast<int>(manifest_.token_width), manifest_.stream_length()};
  const KeyFormat format = KeyFormat::for_largest(static_cast<Symbol>(options_.vocab_size));
  const bool fast = options_.profile == Profile::kFast;
  SortOptions sort_options{.threads = options_.threads, .stop = &stop, .progress = progress, .shared = fast};
  if (options_.memory != 0) {
    const std::uint64_t taken = text.bytes.size() + writer_bytes(manifest_.num_tokens, options_.profile);
    sort_options.memory = options_.memory > taken ? options_.memory - taken : 1;
  }
  return fast ? write_order<PageWriter>(text, format, sort_options)
              : write_order<ArrayWriter>(text, format, sort_options);
}

template <class Writer>
SortStatistics ShardBuilder::write_order(const TokenText& text, KeyFormat format, const SortOptions& options) {
  Writer writer(folder_, text, format, syncer());
  const SortStatistics statistics = sort_suffixes(text, options, [&](const SortedRun& run) {
    writer.append(run);
    options.stop->poll();
  });
  for (const SectionInfo& info : writer.finish()) add(info);
  return statistics;
}

void ShardBuilder::write_section(SectionKind kind,
                                 const std::function<std::optional<std::span<const std::byte>>()>& next_piece) {
  SectionWriter writer(path(kind), kind, 1, 0, syncer());
  while (const auto piece = next_piece()) writer.append(*piece);
  add(writer.finish(options_.sync), false);
}

std::uint32_t ShardBuilder::finish() {
  syncer_.wait();
  return manifest_.write(folder_, options_.sync);
}

}  // namespace anygram
