// What each token is as text, in bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <anygram/base/types.hpp>

namespace anygram {

// A document's text is the bytes of its tokens, one after another.
class TokenBytes {
 public:
  // Token i has bytes[offsets[i], offsets[i + 1]). With drops_first_byte, the first token of a document is without its
  // first byte: where text has spaces between tokens, each token begins with its space. Sorts the tokens.
  TokenBytes(std::vector<std::uint64_t> offsets, std::vector<char> bytes, bool drops_first_byte);

  std::size_t num_tokens() const { return offsets_.size() - 1; }
  // Of a symbol that is no token of these, a byte that no text holds.
  std::string_view of(Symbol symbol) const {
    if (symbol == kDocumentEnd || symbol >= offsets_.size()) return "\xFF";
    return std::string_view(bytes_).substr(offsets_[symbol - 1], offsets_[symbol] - offsets_[symbol - 1]);
  }
  std::string_view first(Symbol symbol) const {
    const std::string_view bytes = of(symbol);
    return drops_first_byte_ && !bytes.empty() ? bytes.substr(1) : bytes;
  }
  bool drops_first_byte() const { return drops_first_byte_; }
  // The symbols of all tokens in the order of their bytes.
  std::span<const Symbol> sorted() const { return sorted_; }

 private:
  std::vector<std::uint64_t> offsets_;
  std::string bytes_;
  bool drops_first_byte_;
  std::vector<Symbol> sorted_;
};

}  // namespace anygram
