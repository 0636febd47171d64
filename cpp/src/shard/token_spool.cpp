#include <anygram/shard/token_spool.hpp>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include <anygram/base/error.hpp>
#include <anygram/base/little_endian.hpp>
#include <anygram/storage/files.hpp>
#include <anygram/suffix/token_text.hpp>

namespace anygram {
namespace {

// Symbols packed at once: they stay in a core's cache until they are appended.
constexpr std::size_t kPackedAtOnce = std::size_t{1} << 14;

template <class Element>
std::span<const std::byte> as_bytes_of(const std::vector<Element>& elements) {
  return std::as_bytes(std::span(elements));
}

}  // namespace

TokenSpool::TokenSpool(const std::string& folder, int width)
    : stream_path_(join_path(folder, "tokens.spool")),
      lengths_path_(join_path(folder, "lengths.spool")),
      width_(std::max(width, 1)),
      widens_(width == 0),
      stream_writer_(stream_path_, SectionKind::kTokenStream, static_cast<std::uint32_t>(width_)),
      lengths_writer_(lengths_path_) {}

TokenSpool::~TokenSpool() {
  if (!stream_path_.empty()) ::unlink(stream_path_.c_str());
  ::unlink(lengths_path_.c_str());
}

void TokenSpool::append(std::span<const std::uint16_t> ids, std::span<const std::int64_t> lengths, bool separated) {
  append_ids(ids, lengths, separated);
}

void TokenSpool::append(std::span<const std::uint32_t> ids, std::span<const std::int64_t> lengths, bool separated) {
  append_ids(ids, lengths, separated);
}

template <class Id>
void TokenSpool::append_ids(std::span<const Id> ids, std::span<const std::int64_t> lengths, bool separated) {
  const Symbol largest = checked_largest(ids, lengths, separated);
  max_symbol_ = std::max(max_symbol_, largest);
  const int width = widens_ ? width_for(max_symbol_) : width_;
  if (segments_.empty() || width != width_) begin_segment(width);
  with_width(width_, [&]<int Width>() { pack<Width>(ids, lengths, separated); });
  std::vector<DocumentLength> stored(lengths.size());
  std::ranges::transform(lengths, stored.begin(), [](auto length) { return static_cast<DocumentLength>(length); });
  lengths_writer_.write(as_bytes_of(stored));
  num_documents_ += lengths.size();
  num_tokens_ += ids.size() - (separated ? lengths.size() : 0);
}

// The largest symbol among the documents; all of them are checked.
template <class Id>
Symbol TokenSpool::checked_largest(std::span<const Id> ids, std::span<const std::int64_t> lengths,
                                   bool separated) const {
  const auto check_sum = [](bool holds) {
    if (!holds)
      throw Error(ErrorCode::kInvalidArgument, "the documents' lengths do not add up to the number of tokens");
  };
  std::size_t used = 0;
  Id largest = 0;
  bool any = false;
  for (const std::int64_t length : lengths) {
    const std::size_t left = ids.size() - used;
    check_sum(length >= 0 && static_cast<std::uint64_t>(length) + (separated ? 1 : 0) <= left);
    if (static_cast<std::uint64_t>(length) >= kMaxStreamLength) {
      throw Error(ErrorCode::kLimit,
                  "a document of " + std::to_string(length) + " tokens is longer than a shard can hold; split it");
    }
    Id largest_here = 0;
    for (const Id id : ids.subspan(used, static_cast<std::size_t>(length))) largest_here = std::max(largest_here, id);
    largest = std::max(largest, largest_here);
    any = any || length > 0;
    used += static_cast<std::size_t>(length) + (separated ? 1 : 0);
  }
  check_sum(used == ids.size());
  const std::uint64_t allowed = widens_ || width_ == 4 ? 0xFFFFFFFEU : (std::uint64_t{1} << (8 * width_)) - 2;
  if (any && largest > allowed) {
    throw Error(ErrorCode::kInvalidArgument, "token id " + std::to_string(largest) + " is larger than " +
                                                 std::to_string(allowed) + ", the largest of this vocabulary");
  }
  return any ? Symbol{largest} + 1 : 0;
}

template <int Width, class Id>
void TokenSpool::pack(std::span<const Id> ids, std::span<const std::int64_t> lengths, bool separated) {
  std::vector<std::byte> packed((kPackedAtOnce + 1) * Width + kStreamPadding);
  std::size_t filled = 0;  // symbols
  const auto flush = [&] {
    stream_writer_.append(std::span(packed).first(filled * Width));
    filled = 0;
  };
  const Id* next = ids.data();
  for (const std::int64_t length : lengths) {
    for (auto left = static_cast<std::size_t>(length); left > 0;) {
      if (filled == kPackedAtOnce) flush();
      const std::size_t count = std::min(left, kPackedAtOnce - filled);
      std::byte* to = packed.data() + filled * Width;
      if constexpr (Width == 3) {
        // Four bytes at a time, each time over the last of those before.
        for (std::size_t i = 0; i < count; ++i) store(to + i * Width, Symbol{next[i]} + 1);
      } else {
        for (std::size_t i = 0; i < count; ++i) store_symbol<Width>(to + i * Width, Symbol{next[i]} + 1);
      }
      filled += count;
      next += count;
      left -= count;
    }
    store_symbol<Width>(packed.data() + filled * Width, kDocumentEnd);
    ++filled;
    if (filled > kPackedAtOnce) flush();
    if (separated) ++next;
  }
  flush();
}

void TokenSpool::begin_segment(int width) {
  width_ = width;
  stream_writer_.set_element_bytes(static_cast<std::uint32_t>(width));
  segments_.push_back({num_tokens_ + num_documents_, stream_writer_.payload_bytes(), width});
}

void TokenSpool::close() {
  stream_writer_.flush();
  lengths_writer_.close();
  stream_ = MappedFile(stream_path_);
  lengths_ = MappedFile(lengths_path_);
}

std::span<const TokenSpool::DocumentLength> TokenSpool::lengths(const DocumentRun& run) const {
  const auto* all = reinterpret_cast<const DocumentLength*>(lengths_.bytes().data());
  return {all + run.first_document, run.num_documents};
}

std::vector<DocumentRun> TokenSpool::cut(std::uint64_t num_shards, std::uint64_t max_stream_length) const {
  const auto fits = [&](const DocumentRun& run) { return run.stream_length() <= max_stream_length; };
  const std::uint64_t stream_length = num_tokens_ + num_documents_;
  const std::uint64_t least = (stream_length + max_stream_length - 1) / max_stream_length;
  for (std::uint64_t shards = std::min(num_documents_, num_shards != 0 ? num_shards : least);; ++shards) {
    std::vector<DocumentRun> runs = cut_evenly(shards);
    if (std::ranges::all_of(runs, fits)) return runs;
    if (num_shards != 0 || shards >= num_documents_) {
      throw Error(ErrorCode::kLimit, std::to_string(shards) + " shards of at most " +
                                         std::to_string(max_stream_length) + " tokens and document ends do not hold " +
                                         std::to_string(num_tokens_) + " tokens in " + std::to_string(num_documents_) +
                                         " documents; ask for more shards, or split long documents");
    }
  }
}

std::vector<DocumentRun> TokenSpool::cut_evenly(std::uint64_t num_shards) const {
  std::vector<DocumentRun> runs;
  const std::span<const DocumentLength> lengths = this->lengths({.num_documents = num_documents_});
  DocumentRun run;
  std::uint64_t tokens = 0;
  for (std::uint64_t document = 0; document < num_documents_; ++document) {
    const std::uint64_t length = lengths[document];
    tokens += length;
    run.num_tokens += length;
    ++run.num_documents;
    const std::uint64_t shards_left = num_shards - runs.size() - 1;
    const std::uint64_t documents_left = num_documents_ - document - 1;
    // The cut comes where the shards so far have their share, but leaves a document for each shard that follows.
    const bool has_share = static_cast<double>(tokens) * static_cast<double>(num_shards) >=
                           static_cast<double>(num_tokens_) * static_cast<double>(runs.size() + 1);
    if (shards_left == 0 || (documents_left > shards_left && !has_share)) continue;
    runs.push_back(run);
    run = {.first_document = document + 1, .stream_begin = run.stream_begin + run.stream_length()};
  }
  if (run.num_documents > 0) runs.push_back(run);
  return runs;
}

void TokenSpool::read(const DocumentRun& run,
                      const std::function<void(std::span<const std::byte>, int width)>& receive) const {
  std::uint64_t next = run.stream_begin;
  const std::uint64_t run_end = run.stream_begin + run.stream_length();
  for (std::size_t number = 0; number < segments_.size() && next < run_end; ++number) {
    const Segment& segment = segments_[number];
    const auto width = static_cast<std::uint64_t>(segment.width);
    const bool is_last = number + 1 == segments_.size();
    const std::uint64_t end = is_last ? run_end : std::min(run_end, segments_[number + 1].stream_begin);
    while (next < end) {
      const std::uint64_t count = std::min(kPieceSymbols, end - next);
      const std::uint64_t begin = segment.byte_begin + (next - segment.stream_begin) * width;
      receive(stream_.bytes().subspan(kSectionPageBytes + begin, count * width), segment.width);
      next += count;
    }
  }
}

std::optional<SectionInfo> TokenSpool::move_stream(const std::string& path, int width, FileSyncer* syncer) {
  if (segments_.size() != 1 || segments_[0].width != width || stream_path_.empty()) return {};
  if (std::rename(stream_path_.c_str(), path.c_str()) != 0) {
    if (errno == EXDEV) return {};
    throw_system_error("rename", stream_path_, errno);
  }
  stream_path_.clear();
  return stream_writer_.finish(syncer);
}

}  // namespace anygram
