#include <anygram/shard/convert.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include <anygram/base/thread_pool.hpp>
#include <anygram/shard/position_array.hpp>
#include <anygram/shard/position_pages.hpp>
#include <anygram/shard/shared_lengths.hpp>
#include <anygram/storage/file_syncer.hpp>
#include <anygram/storage/files.hpp>

namespace anygram {
namespace {

constexpr std::size_t kCopyBytes = std::size_t{8} << 20;  // at a time
constexpr std::uint64_t kRanksAtOnce = std::uint64_t{1} << 20;
constexpr std::uint64_t kRanksPerItem = std::uint64_t{1} << 14;  // that a thread takes at a time

// The sections that hold the order of the suffixes, in one profile or the other.
bool is_of_order(SectionKind kind) {
  return kind == SectionKind::kSuffixArray || kind == SectionKind::kKeySamples || kind == SectionKind::kPositionPages ||
         kind == SectionKind::kPageSecondKeys || kind == SectionKind::kPageShared;
}

class Conversion {
 public:
  Conversion(const std::string& source, const std::string& folder, const ConvertOptions& options, StopSignal& stop,
             const Progress& progress)
      : source_(source),
        folder_(folder),
        options_(options),
        stop_(stop),
        progress_(progress),
        from_(ShardManifest::read(source)),
        to_(from_),
        format_(KeyFormat::for_largest(static_cast<Symbol>(from_.vocab_size))) {
    to_.profile = options.profile;
    to_.sections.clear();
  }

  std::uint32_t run() {
    const bool changes = from_.profile != to_.profile;
    for (const ShardManifest::Entry& entry : from_.sections) {
      if (!changes || !is_of_order(entry.info.kind)) copy(entry);
    }
    if (changes) to_.profile == Profile::kLean ? write_array() : write_pages();
    if (options_.sync) syncer_.wait();
    return to_.write(folder_, options_.sync);
  }

 private:
  FileSyncer* syncer() { return options_.sync ? &syncer_ : nullptr; }

  void copy(const ShardManifest::Entry& entry) {
    const Section section = from_.open_section(source_, entry.info.kind);
    section.check_all();
    FileWriter writer(join_path(folder_, section_name(entry.info.kind)));
    for (std::span<const std::byte> left = section.raw_file_bytes(); !left.empty();) {
      const auto piece = left.first(std::min(kCopyBytes, left.size()));
      writer.write(piece);
      left = left.subspan(piece.size());
      stop_.poll();
    }
    if (options_.sync) writer.sync();
    writer.close();
    to_.sections.push_back(entry);
  }

  template <class Writer>
  void finish(Writer& writer) {
    for (const SectionInfo& info : writer.finish()) to_.sections.push_back({info, true});
  }

  void report(Rank done) {
    stop_.poll();
    if (progress_) progress_(done, from_.num_tokens);
  }

  // Every sample of the suffix array is one of the pages', whose keys are there.
  void write_array() {
    static_assert(kArraySamplePeriod % kRanksPerSample == 0);
    const Section pages = from_.open_section(source_, SectionKind::kPositionPages);
    const TokenText unread{.bytes = {}, .width = 1, .length = from_.stream_length()};  // the keys are known
    ArrayWriter writer(folder_, unread, format_, syncer());
    for (Rank first = 0; first < from_.num_tokens; first += kRanksPerPage) {
      const std::uint64_t count = std::min(kRanksPerPage, from_.num_tokens - first);
      const std::byte* page = pages.at(first / kRanksPerPage * kSectionPageBytes, kSectionPageBytes);
      std::array<Position, kRanksPerPage> positions;
      std::memcpy(positions.data(), page, count * sizeof(Position));
      std::array<std::uint64_t, kSamplesPerPage> keys;
      std::size_t num_keys = 0;
      for (Rank i = (kArraySamplePeriod - first % kArraySamplePeriod) % kArraySamplePeriod; i < count;
           i += kArraySamplePeriod) {
        keys[num_keys++] = load<std::uint64_t>(page + kFirstKeysOffset + i / kRanksPerSample * sizeof(std::uint64_t));
      }
      writer.append(std::span(positions).first(count), std::span(keys).first(num_keys));
      if (first / kRanksPerPage % 1024 == 0) report(first);
    }
    finish(writer);
    report(from_.num_tokens);
  }

  void write_pages() {
    const Section order = from_.open_section(source_, SectionKind::kSuffixArray);
    const std::uint64_t stream_bytes = from_.stream_length() * from_.token_width;
    const bool in_memory = options_.memory == 0 || options_.memory > stream_bytes + (std::uint64_t{64} << 20);
    const Section stream =
        from_.open_section(source_, SectionKind::kTokenStream, {.load = in_memory ? LoadMode::kRam : LoadMode::kMmap});
    stream.check_all();
    const TokenText text{stream.payload(), static_cast<int>(from_.token_width), from_.stream_length()};
    PageWriter writer(folder_, text, format_, syncer());
    std::vector<Position> positions(1);  // the one before the run, then the run
    std::vector<std::uint8_t> shared;
    for (Rank first = 0; first < from_.num_tokens; first += kRanksAtOnce) {
      const std::uint64_t count = std::min(kRanksAtOnce, from_.num_tokens - first);
      positions[0] = positions.back();
      positions.resize(1 + count);
      std::memcpy(positions.data() + 1, order.at(first * sizeof(Position), count * sizeof(Position)),
                  count * sizeof(Position));
      check(order, first, positions);
      shared.resize(count);
      // Nothing is before the first suffix of all: to compare it with itself is harmless, and not kept.
      if (first == 0) positions[0] = positions[1];
      run_parallel((count + kRanksPerItem - 1) / kRanksPerItem, options_.threads, stop_, [&](std::size_t item) {
        const std::uint64_t begin = item * kRanksPerItem;
        const std::uint64_t size = std::min(kRanksPerItem, count - begin);
        shared_lengths(text, std::span(positions).subspan(begin, size + 1), std::span(shared).subspan(begin, size));
      });
      if (first == 0) shared[0] = 0;
      writer.append({first, std::span(positions).subspan(1), shared});
      report(first);
    }
    finish(writer);
    report(from_.num_tokens);
  }

  // Positions that nothing can be read from. `positions` has one more, the one before the run.
  void check(const Section& order, Rank first, std::span<const Position> positions) const {
    for (std::size_t i = 1; i < positions.size(); ++i) {
      if (positions[i] < from_.stream_length()) continue;
      throw FormatError(ErrorCode::kIndexFormat,
                        {order.path(), kSectionPageBytes + (first + i - 1) * sizeof(Position),
                         "a position below " + std::to_string(from_.stream_length()), std::to_string(positions[i])});
    }
  }

  const std::string& source_;
  const std::string& folder_;
  ConvertOptions options_;
  StopSignal& stop_;
  const Progress& progress_;
  ShardManifest from_;
  ShardManifest to_;
  KeyFormat format_;
  FileSyncer syncer_;
};

}  // namespace

std::uint32_t convert_shard(const std::string& source, const std::string& folder, const ConvertOptions& options,
                            StopSignal& stop, const Progress& progress) {
  return Conversion(source, folder, options, stop, progress).run();
}

}  // namespace anygram
