// Where the documents' tokens wait, on disk, until it is known how they are cut into shards.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <anygram/base/types.hpp>
#include <anygram/storage/file_writer.hpp>
#include <anygram/storage/mapped_file.hpp>

namespace anygram {

// A run of documents, and of the spooled stream's symbols.
struct DocumentRun {
  std::uint64_t first_document = 0;
  std::uint64_t num_documents = 0;
  std::uint64_t num_tokens = 0;
  std::uint64_t stream_begin = 0;

  std::uint64_t stream_length() const { return num_tokens + num_documents; }
};

// Two scratch files in a folder: the token stream of all documents, `width` bytes a symbol, and the documents' lengths.
// Memory does not grow with the corpus. The files are removed with the object.
class TokenSpool {
 public:
  TokenSpool(const std::string& folder, int width);
  TokenSpool(const TokenSpool&) = delete;
  TokenSpool& operator=(const TokenSpool&) = delete;
  ~TokenSpool();

  // Appends documents: their token ids one after another, and how many each has. Throws kInvalidArgument for an id that
  // does not fit the width or lengths that do not add up, kLimit for a document that no shard could hold.
  void append(std::span<const std::uint32_t> tokens, std::span<const std::int64_t> lengths);
  // Ends appending; what follows reads.
  void close();

  int width() const { return width_; }
  std::uint64_t num_tokens() const { return num_tokens_; }
  std::uint64_t num_documents() const { return num_documents_; }
  // The largest id so far, or nothing (-1) without any token.
  std::int64_t max_token() const { return static_cast<std::int64_t>(max_symbol_) - 1; }

  // Cuts into runs of near-equal tokens, each of at least one document and at most `max_stream_length` symbols. With
  // num_shards 0, as few as that allows; otherwise as many as asked, but at most one for each document. Throws kLimit.
  std::vector<DocumentRun> cut(std::uint64_t num_shards, std::uint64_t max_stream_length = kMaxStreamLength) const;

  // Calls `receive` with the run's symbols, in pieces.
  void read_symbols(const DocumentRun& run, const std::function<void(std::span<const Symbol>)>& receive) const;

 private:
  std::vector<DocumentRun> cut_evenly(std::uint64_t num_shards) const;
  std::uint64_t document_length(std::uint64_t document) const;

  std::string stream_path_;
  std::string lengths_path_;
  int width_;
  FileWriter stream_writer_;
  FileWriter lengths_writer_;
  MappedFile stream_;
  MappedFile lengths_;
  std::vector<std::byte> packed_;
  std::uint64_t num_tokens_ = 0;
  std::uint64_t num_documents_ = 0;
  std::uint64_t max_symbol_ = 0;
};

}  // namespace anygram
