#include <anygram/shard/shard_builder.hpp>

#include <algorithm>
#include <utility>

#include <anygram/base/error.hpp>
#include <anygram/base/little_endian.hpp>
#include <anygram/shard/documents.hpp>
#include <anygram/shard/key_tree.hpp>
#include <anygram/shard/unigrams.hpp>
#include <anygram/storage/files.hpp>
#include <anygram/storage/section_writer.hpp>
#include <anygram/suffix/key.hpp>

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
  const std::uint64_t samples = stream_length / sample_period(profile) + 1;
  // Of the sampled keys and the tree made of them, both exist at once; but the sorter's memory is free again then.
  return stream_length * static_cast<std::uint64_t>(width) + samples * sizeof(std::uint64_t) + stream_length * 7 / 10;
}

SortStatistics ShardBuilder::sort(StopSignal& stop, const Progress& progress) {
  // The text is read in no order at all, so it is worth a copy in huge pages.
  const Section stream = manifest_.open_section(folder_, SectionKind::kTokenStream, {.load = LoadMode::kRam});
  const TokenText text{stream.payload(), static_cast<int>(manifest_.token_width), manifest_.stream_length()};
  SectionWriter order(path(SectionKind::kSuffixArray), SectionKind::kSuffixArray, sizeof(Position), 0, syncer());

  const std::uint64_t period = sample_period(options_.profile);
  const KeyFormat format = KeyFormat::for_largest(static_cast<Symbol>(options_.vocab_size));
  std::vector<std::uint64_t> sample_keys;
  sample_keys.reserve(manifest_.num_tokens / period + 1);

  SortOptions sort_options{.threads = options_.threads, .stop = &stop, .progress = progress};
  if (options_.memory != 0) {
    const std::uint64_t taken = text.bytes.size() + sample_keys.capacity() * sizeof(std::uint64_t);
    sort_options.memory = options_.memory > taken ? options_.memory - taken : 1;
  }
  const SortStatistics statistics = sort_suffixes(text, sort_options, [&](const SortedRun& run) {
    const Rank first = run.first;
    const std::span<const Position> positions = run.positions;
    order.append(std::as_bytes(positions));
    with_width(text.width, [&]<int Width>() {
      constexpr std::size_t kAhead = 16;  // samples whose keys are on their way from memory
      const std::size_t first_sample = (period - first % period) % period;
      for (std::size_t i = first_sample; i < positions.size(); i += period) {
        if (i + kAhead * period < positions.size()) {
          __builtin_prefetch(text.bytes.data() + std::uint64_t{positions[i + kAhead * period]} * Width);
        }
        sample_keys.push_back(load_key<Width>(text.bytes.data(), positions[i], format));
      }
    });
    stop.poll();
  });
  add(order.finish(options_.sync));
  SectionWriter tree(path(SectionKind::kKeySamples), SectionKind::kKeySamples, sizeof(std::uint64_t), period, syncer());
  const std::vector<std::uint64_t> keys = build_key_tree(std::move(sample_keys));
  tree.append(std::as_bytes(std::span(keys)));
  add(tree.finish(options_.sync));
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
