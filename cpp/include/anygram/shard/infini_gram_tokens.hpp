// The documents of a shard as infini-gram has them in files.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <anygram/storage/file_writer.hpp>

namespace anygram {

// Writes `tokenized`: for each document a separator, whose bits are all set, then its tokens, little-endian; and
// `offset`: for each document the place of its separator in bytes, 8 bytes each. Memory: 2 MiB.
class InfiniGramTokens {
 public:
  // Bytes of one token: 1, 2 or 4. With `reversed`, each document's tokens are written from the last to the first.
  InfiniGramTokens(const std::string& tokens_path, const std::string& offsets_path, int token_bytes, bool reversed);

  // Appends documents: their token ids one after another, and how many each has. Throws kInvalidArgument for an id that
  // is the separator or does not fit, or lengths that do not add up; nothing is appended then.
  void append(std::span<const std::uint32_t> ids, std::span<const std::int64_t> lengths);
  // Ends appending; with `sync`, the files are on the disk then.
  void close(bool sync);

  std::uint64_t num_documents() const { return num_documents_; }
  // Separators are counted.
  std::uint64_t num_tokens() const { return tokens_.size() / static_cast<std::uint64_t>(token_bytes_); }

 private:
  void check(std::span<const std::uint32_t> ids, std::span<const std::int64_t> lengths) const;
  template <int Width>
  void pack(std::span<const std::uint32_t> document);

  FileWriter tokens_;
  FileWriter offsets_;
  int token_bytes_;
  bool reversed_;
  std::uint64_t num_documents_ = 0;
  std::vector<std::byte> packed_;
};

}  // namespace anygram
