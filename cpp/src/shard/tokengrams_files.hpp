// The two files of a tokengrams shard as arrays, checked against each other.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <type_traits>

#include <anygram/base/error.hpp>
#include <anygram/shard/tokengrams_shard.hpp>
#include <anygram/storage/mapped_file.hpp>

namespace anygram {

template <int Width>
class TokengramsArrays {
 public:
  // An id as it is stored.
  using Token = std::conditional_t<Width == 2, std::uint16_t, std::uint32_t>;
  static constexpr Symbol kLargestSymbol = Width == 2 ? Symbol{1} << 16 : std::numeric_limits<Symbol>::max();

  TokengramsArrays(const TokengramsFiles& files, LoadMode load)
      : tokens_(files.tokens, load), table_(files.table, load) {
    check_sizes();
    check_table();
    tokens_.advise_random();
    table_.advise_random();
  }

  const std::string& path() const { return tokens_.path(); }
  std::uint64_t length() const { return length_; }
  std::uint64_t num_bytes() const { return tokens_.bytes().size() + table_.bytes().size(); }

  // Checked, because opening looks at samples only.
  std::uint64_t position(Rank rank) const {
    std::uint64_t value = 0;
    std::memcpy(&value, table_.bytes().data() + rank * sizeof value, sizeof value);
    if (value >= length_) {
      refuse(ErrorCode::kIndexFormat, table_,
             "at rank " + std::to_string(rank) + " expected a position below " + std::to_string(length_) + ", found " +
                 std::to_string(value),
             rank * sizeof value);
    }
    return value;
  }

  // What the core calls it: its id + 1, or the document's end where the tokens end.
  Symbol symbol(std::uint64_t position) const {
    if (position == length_) return kDocumentEnd;
    if (position > length_) refuse(ErrorCode::kIndexFormat, table_, "a suffix is shorter than its place in it says");
    const Token stored = token(position);
    if (Width == 4 && stored == std::numeric_limits<Token>::max()) {
      throw Error(ErrorCode::kIndexFormat,
                  tokens_.path() + ": expected token ids below 4294967295, found that; it has no place in an index",
                  tokens_.path(), position * Width);
    }
    return static_cast<Symbol>(stored) + 1;
  }

  // How many tokens the suffix at a position shares with a text, of which `known` are known to be the same.
  std::uint64_t shared(std::uint64_t position, std::span<const Token> text, std::uint64_t known) const {
    const std::uint64_t limit = std::min<std::uint64_t>(text.size(), length_ - position);
    std::uint64_t same = known;
    while (same + kBlock <= limit && std::memcmp(at(position + same), text.data() + same, kBlock * Width) == 0) {
      same += kBlock;
    }
    while (same < limit && token(position + same) == text[same]) ++same;
    return same;
  }

  // Whether the suffix at a position, which shares so many tokens with a text and no more, is before it.
  bool is_before(std::uint64_t position, std::span<const Token> text, std::uint64_t shared) const {
    if (shared == text.size()) return false;
    return position + shared == length_ || token(position + shared) < text[shared];
  }

 private:
  static constexpr std::uint64_t kSamples = 1024;
  static constexpr std::uint64_t kComparedTokens = 1 << 16;  // neighbours that share more are believed to be in order
  static constexpr std::uint64_t kBlock = 8;

  const std::byte* at(std::uint64_t position) const { return tokens_.bytes().data() + position * Width; }

  Token token(std::uint64_t position) const {
    Token token = 0;
    std::memcpy(&token, at(position), Width);
    return token;
  }

  [[noreturn]] static void refuse(ErrorCode code, const MappedFile& file, const std::string& what,
                                  std::optional<std::uint64_t> offset = {}) {
    throw Error(code,
                file.path() + ": " + what +
                    "; the files do not belong together, one is damaged, or token_dtype is not what they were written "
                    "with (u" +
                    std::to_string(8 * Width) + " was given): copy them again",
                file.path(), offset);
  }

  void check_sizes() {
    const std::uint64_t size = tokens_.bytes().size();
    if (size % Width != 0) {
      refuse(ErrorCode::kTruncated, tokens_,
             "expected tokens of " + std::to_string(Width) + " bytes each, found " + std::to_string(size) + " bytes");
    }
    length_ = size / Width;
    if (length_ >= kMaxStreamLength) {
      throw Error(ErrorCode::kLimit, tokens_.path() + ": shards of 2^32 tokens or more are not read: split it",
                  tokens_.path());
    }
    const std::uint64_t table = table_.bytes().size();
    if (table != length_ * sizeof(std::uint64_t)) {
      refuse(ErrorCode::kTruncated, table_,
             "expected " + std::to_string(length_ * sizeof(std::uint64_t)) + " bytes for " + std::to_string(length_) +
                 " tokens, found " + std::to_string(table));
    }
  }

  // Neighbours of samples. Where all are looked at, and in order, no position can be missing.
  void check_table() const {
    if (length_ == 0) return;
    position(length_ - 1);
    const std::uint64_t pairs = length_ - 1;
    for (std::uint64_t i = 0; i < std::min(pairs, kSamples); ++i) {
      const Rank rank = pairs <= kSamples ? i : i * (pairs - 1) / (kSamples - 1);
      const std::uint64_t here = position(rank);
      const std::uint64_t next = position(rank + 1);
      if (here == next || !in_order(here, next)) {
        refuse(ErrorCode::kIndexFormat, table_,
               "at rank " + std::to_string(rank) + " expected a suffix before the next one, found " +
                   std::to_string(here) + " before " + std::to_string(next),
               rank * sizeof(std::uint64_t));
      }
    }
  }

  bool in_order(std::uint64_t first, std::uint64_t second) const {
    const std::uint64_t limit = std::min(length_ - std::max(first, second), kComparedTokens);
    std::uint64_t same = 0;
    while (same < limit && token(first + same) == token(second + same)) ++same;
    if (same == kComparedTokens || first + same == length_) return true;
    return second + same < length_ && token(first + same) < token(second + same);
  }

  MappedFile tokens_;
  MappedFile table_;
  std::uint64_t length_ = 0;
};

}  // namespace anygram
