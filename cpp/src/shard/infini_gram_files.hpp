// The three files of an infini-gram shard as arrays, checked against each other.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>

#include <anygram/base/error.hpp>
#include <anygram/shard/infini_gram_shard.hpp>
#include <anygram/storage/mapped_file.hpp>

namespace anygram {

template <int Width>
class InfiniGramArrays {
 public:
  static constexpr Symbol kSeparator = static_cast<Symbol>((std::uint64_t{1} << (8 * Width)) - 1);

  InfiniGramArrays(const InfiniGramFiles& files, LoadMode load)
      : tokens_(files.tokens, load), table_(files.table, load), offsets_(files.offsets, load) {
    check_sizes();
    check_offsets();
    check_table();
    tokens_.advise_random();
    table_.advise_random();
  }

  const std::string& path() const { return tokens_.path(); }
  std::uint64_t length() const { return length_; }
  std::uint64_t num_documents() const { return num_documents_; }
  std::uint64_t num_bytes() const { return tokens_.bytes().size() + table_.bytes().size() + offsets_.bytes().size(); }
  const std::byte* bytes() const { return tokens_.bytes().data(); }

  // The token as it is stored. Throws if the stream has no such position, where only a damaged table leads.
  Symbol token(std::uint64_t position) const {
    Symbol token = 0;
    std::memcpy(&token, at(position, 1), Width);
    return token;
  }

  // The bytes of `count` tokens.
  const std::byte* at(std::uint64_t position, std::uint64_t count) const {
    if (position > length_ || count > length_ - position) {
      refuse(ErrorCode::kIndexFormat, table_, "it points to where the shard has no token");
    }
    return bytes() + position * Width;
  }

  // What the core calls it: its id + 1, or the end of a document.
  Symbol symbol(std::uint64_t position) const {
    const Symbol stored = token(position);
    return stored == kSeparator ? kDocumentEnd : stored + 1;
  }

  // Checked, because opening looks at samples only.
  std::uint64_t position(Rank rank) const {
    const std::uint64_t byte = pointer(rank);
    if (byte % Width != 0 || byte / Width >= length_) {
      refuse(ErrorCode::kIndexFormat, table_, "rank " + std::to_string(rank) + " points to no token",
             rank * pointer_bytes_);
    }
    return byte / Width;
  }

  // The document that a position belongs to; a separator belongs to the one behind it.
  std::uint32_t document_at(std::uint64_t position) const {
    std::uint64_t low = 0;
    std::uint64_t high = num_documents_;
    while (high - low > 1) {
      const std::uint64_t middle = (low + high) / 2;
      (offset(middle) <= position * Width ? low : high) = middle;
    }
    return static_cast<std::uint32_t>(low);
  }

  Interval document_span(std::uint64_t document) const {
    const bool is_last = document + 1 == num_documents_;
    const Interval span{offset(document) / Width + 1, is_last ? length_ : offset(document + 1) / Width};
    if (span.begin > span.end || span.end > length_) refuse_document(document);
    return span;
  }

  // In a document that stands backwards: where `length` tokens from a position on begin if they are read forwards, as
  // their distance from its other end.
  std::uint64_t mirrored(std::uint64_t position, std::uint64_t length) const {
    const Interval span = document_span(document_at(position));
    if (position < span.begin || position >= span.end || length > span.end - position) {
      refuse(ErrorCode::kIndexFormat, table_, "it points to where no " + std::to_string(length) + " tokens stand");
    }
    return span.begin + (span.end - position - length);
  }

  // How the suffix at a position compares with the bytes of a query: less than, equal to or greater than 0. It is equal
  // if it starts with them.
  int compare(std::uint64_t position, std::span<const std::byte> query) const {
    const std::size_t left = tokens_.bytes().size() - position * Width;
    const int order = std::memcmp(bytes() + position * Width, query.data(), std::min(left, query.size()));
    if (order != 0) return order;
    return left < query.size() ? -1 : 0;
  }

 private:
  static constexpr std::uint64_t kSamples = 1024;
  static constexpr std::size_t kComparedBytes = 4096;  // their builder does not order equal ones beyond 100,000

  std::uint64_t pointer(Rank rank) const {
    std::uint64_t value = 0;
    std::memcpy(&value, table_.bytes().data() + rank * pointer_bytes_, pointer_bytes_);
    return value;
  }

  std::uint64_t offset(std::uint64_t document) const {
    std::uint64_t value = 0;
    std::memcpy(&value, offsets_.bytes().data() + document * sizeof value, sizeof value);
    return value;
  }

  [[noreturn]] static void refuse(ErrorCode code, const MappedFile& file, const std::string& what,
                                  std::optional<std::uint64_t> offset = {}) {
    throw Error(code,
                file.path() + ": " + what + "; the file is damaged, or token_dtype is not what it was written with (u" +
                    std::to_string(8 * Width) + " was given)",
                file.path(), offset);
  }

  void check_sizes() {
    const std::uint64_t size = tokens_.bytes().size();
    if (size == 0 || size % Width != 0) {
      refuse(ErrorCode::kTruncated, tokens_, std::to_string(size) + " bytes are no whole number of tokens");
    }
    length_ = size / Width;
    if (length_ > kMaxStreamLength) {
      throw Error(ErrorCode::kLimit, tokens_.path() + ": shards of more than 2^32 tokens are not read", tokens_.path());
    }
    const std::uint64_t table = table_.bytes().size();
    if (table == 0 || table % length_ != 0 || table / length_ > sizeof(std::uint64_t)) {
      refuse(ErrorCode::kTruncated, table_,
             std::to_string(table) + " bytes are no table for the " + std::to_string(length_) + " tokens of the shard");
    }
    pointer_bytes_ = table / length_;
    const std::uint64_t offsets = offsets_.bytes().size();
    if (offsets == 0 || offsets % sizeof(std::uint64_t) != 0) {
      refuse(ErrorCode::kTruncated, offsets_, std::to_string(offsets) + " bytes are no offsets of 8 bytes each");
    }
    num_documents_ = offsets / sizeof(std::uint64_t);
    if (num_documents_ > length_) {
      refuse(ErrorCode::kIndexFormat, offsets_,
             "expected at most " + std::to_string(length_) + " documents, found " + std::to_string(num_documents_));
    }
  }

  void check_offsets() const {
    for (std::uint64_t i = 0; i < std::min(num_documents_, 2 * kSamples); ++i) {
      const std::uint64_t document = num_documents_ <= 2 * kSamples ? i : i * (num_documents_ - 1) / (2 * kSamples - 1);
      const std::uint64_t here = offset(document);
      const bool is_separator = here % Width == 0 && here / Width < length_ && token(here / Width) == kSeparator;
      const bool ascends = document == 0 ? here == 0 : offset(document - 1) < here;
      if (!is_separator || !ascends) refuse_document(document);
    }
  }

  // Separators sort behind all tokens: where they begin says how many there are.
  void check_table() const {
    const std::uint64_t num_tokens = length_ - num_documents_;
    for (const Rank rank : {num_tokens, length_ - 1}) {
      if (!is_position(rank) || token(position(rank)) != kSeparator) refuse_rank(rank);
    }
    if (num_tokens > 0 && (!is_position(num_tokens - 1) || token(position(num_tokens - 1)) == kSeparator)) {
      refuse(ErrorCode::kIndexFormat, table_, "there are more separators than documents");
    }
    for (std::uint64_t i = 0; i < std::min(length_ - 1, kSamples); ++i) {
      const Rank rank = length_ - 1 <= kSamples ? i : i * (length_ - 2) / (kSamples - 1);
      if (!is_position(rank) || !is_position(rank + 1)) refuse_rank(rank);
      const std::uint64_t next = position(rank + 1);
      const std::uint64_t here = position(rank);
      const std::size_t left = tokens_.bytes().size() - next * Width;
      const int order = compare(here, {bytes() + next * Width, std::min(left, kComparedBytes)});
      // Equal, with all of the next suffix compared: this one goes on behind it, and should be the later one.
      const bool is_longer = order == 0 && left <= kComparedBytes;
      if (here == next || order > 0 || is_longer) {
        refuse_rank(rank);
      }
    }
  }

  bool is_position(Rank rank) const { return pointer(rank) % Width == 0 && pointer(rank) / Width < length_; }

  [[noreturn]] void refuse_rank(Rank rank) const {
    refuse(ErrorCode::kIndexFormat, table_, "it is not in the order of the suffixes at rank " + std::to_string(rank),
           rank * pointer_bytes_);
  }

  [[noreturn]] void refuse_document(std::uint64_t document) const {
    refuse(ErrorCode::kIndexFormat, offsets_, "document " + std::to_string(document) + " does not start there",
           document * sizeof(std::uint64_t));
  }

  MappedFile tokens_;
  MappedFile table_;
  MappedFile offsets_;
  std::uint64_t length_ = 0;
  std::uint64_t num_documents_ = 0;
  std::size_t pointer_bytes_ = 0;
};

}  // namespace anygram
