// Where the documents' tokens wait, on disk, until it is known how they are cut into shards.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <anygram/base/types.hpp>
#include <anygram/storage/file_writer.hpp>
#include <anygram/storage/mapped_file.hpp>
#include <anygram/storage/section_writer.hpp>

namespace anygram {

// A run of documents, and of the spooled stream's symbols.
struct DocumentRun {
  std::uint64_t first_document = 0;
  std::uint64_t num_documents = 0;
  std::uint64_t num_tokens = 0;
  std::uint64_t stream_begin = 0;

  std::uint64_t stream_length() const { return num_tokens + num_documents; }
};

// Two scratch files in a folder: the token stream of all documents, and the documents' lengths. Memory does not grow
// with the corpus. The files are removed with the object.
class TokenSpool {
 public:
  using DocumentLength = std::uint32_t;

  // Bytes for each symbol; 0 for as many as the ids so far ask for.
  TokenSpool(const std::string& folder, int width);
  TokenSpool(const TokenSpool&) = delete;
  TokenSpool& operator=(const TokenSpool&) = delete;
  ~TokenSpool();

  // Appends documents: their token ids one after another, and how many each has. With `separated`, one id that belongs
  // to no document, whatever it is, stands behind each. Throws kInvalidArgument for an id that does not fit the width
  // or lengths that do not add up, kLimit for a document that no shard could hold; nothing is appended then.
  void append(std::span<const std::uint16_t> ids, std::span<const std::int64_t> lengths, bool separated = false);
  void append(std::span<const std::uint32_t> ids, std::span<const std::int64_t> lengths, bool separated = false);
  // Ends appending; what follows reads.
  void close();

  // Bytes for each symbol appended last.
  int width() const { return width_; }
  std::uint64_t num_tokens() const { return num_tokens_; }
  std::uint64_t num_documents() const { return num_documents_; }
  // The largest id so far, or nothing (-1) without any token.
  std::int64_t max_token() const { return static_cast<std::int64_t>(max_symbol_) - 1; }

  // Cuts into runs of near-equal tokens, each of at least one document and at most `max_stream_length` symbols. With
  // num_shards 0, as few as that allows; otherwise as many as asked, but at most one for each document. Throws kLimit.
  std::vector<DocumentRun> cut(std::uint64_t num_shards, std::uint64_t max_stream_length = kMaxStreamLength) const;

  // How many tokens each document of a run has.
  std::span<const DocumentLength> lengths(const DocumentRun& run) const;
  // Calls `receive` with the run's symbols packed into so many bytes each, in pieces of at most kPieceSymbols.
  void read(const DocumentRun& run, const std::function<void(std::span<const std::byte>, int width)>& receive) const;
  // Makes the file with the stream, of all documents, the section that a shard needs of it: nothing is copied. Returns
  // nothing, and does nothing, if symbols were packed into another number of bytes or `path` is on another disk. The
  // spool can be read as before.
  std::optional<SectionInfo> move_stream(const std::string& path, int width, FileSyncer* syncer);

  static constexpr std::uint64_t kPieceSymbols = std::uint64_t{1} << 22;

 private:
  // Symbols of one width, up to the next segment. A wider id than all before begins a new one.
  struct Segment {
    std::uint64_t stream_begin;
    std::uint64_t byte_begin;
    int width;
  };

  template <class Id>
  void append_ids(std::span<const Id> ids, std::span<const std::int64_t> lengths, bool separated);
  template <class Id>
  Symbol checked_largest(std::span<const Id> ids, std::span<const std::int64_t> lengths, bool separated) const;
  template <int Width, class Id>
  void pack(std::span<const Id> ids, std::span<const std::int64_t> lengths, bool separated);
  void begin_segment(int width);
  std::vector<DocumentRun> cut_evenly(std::uint64_t num_shards) const;

  std::string stream_path_;
  std::string lengths_path_;
  int width_;
  bool widens_;
  SectionWriter stream_writer_;
  FileWriter lengths_writer_;
  MappedFile stream_;
  MappedFile lengths_;
  std::vector<Segment> segments_;
  std::uint64_t num_tokens_ = 0;
  std::uint64_t num_documents_ = 0;
  Symbol max_symbol_ = 0;
};

}  // namespace anygram
