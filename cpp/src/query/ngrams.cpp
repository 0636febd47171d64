#include <anygram/query/ngrams.hpp>

#include <algorithm>
#include <string>
#include <type_traits>

#include <anygram/base/error.hpp>

namespace anygram {
namespace {

constexpr std::int64_t kDocumentEndToken = 0xFFFFFFFF;

// Whether all of them are token ids; the symbols are right if they are. Without a branch for each, so that compilers
// make vector code of it.
template <class Token>
bool convert(const Token* tokens, std::span<Symbol> symbols) {
  if constexpr (sizeof(Token) == 8) {
    // What is no token id has, after 1 is added, one of the upper 32 bits or is 0.
    std::uint64_t upper = 0;
    std::uint64_t zeros = 0;
    for (std::size_t i = 0; i < symbols.size(); ++i) {
      const std::uint64_t next = static_cast<std::uint64_t>(tokens[i]) + 1;
      upper |= next;
      zeros |= next == 0 ? 1 : 0;
      symbols[i] = static_cast<Symbol>(next);
    }
    return upper >> 32 == 0 && zeros == 0;
  } else {
    // Here it is what is negative, or the one that becomes 0.
    Symbol zeros = 0;
    Token signs = 0;
    for (std::size_t i = 0; i < symbols.size(); ++i) {
      const Token token = tokens[i];
      const Symbol next = static_cast<Symbol>(token) + 1;
      signs = static_cast<Token>(signs | token);
      zeros |= next == 0 ? 1 : 0;
      symbols[i] = next;
    }
    return zeros == 0 && (std::is_unsigned_v<Token> || signs >= 0);
  }
}

template <class Token>
void read_tokens(const TokenArray& array, std::uint64_t begin, std::span<Symbol> symbols) {
  const auto* tokens = static_cast<const Token*>(array.data);
  if (convert(tokens + begin, symbols)) [[likely]]
    return;
  for (std::uint64_t i = 0; i < array.size; ++i) {
    const Token token = tokens[i];
    if (token < Token{0}) refuse_token(token);
    if (static_cast<std::uint64_t>(token) > kLargestToken) {
      if constexpr (std::is_same_v<Token, std::uint64_t>) {
        if (token > std::uint64_t{1} << 63) {
          throw Error(ErrorCode::kInvalidQuery,
                      "token ids go from 0 to " + std::to_string(kLargestToken) + ", found " + std::to_string(token));
        }
      }
      refuse_token(static_cast<std::int64_t>(token));
    }
  }
  throw Error(ErrorCode::kInvalidQuery, "the array of token ids was changed while it was read");
}

}  // namespace

void refuse_token(std::int64_t token) {
  if (token == kDocumentEndToken) {
    throw Error(ErrorCode::kInvalidQuery,
                "a document's end (DOCUMENT_END) cannot stand inside an n-gram or a prompt, only be a prompt's "
                "continuation");
  }
  throw Error(ErrorCode::kInvalidQuery,
              "token ids go from 0 to " + std::to_string(kLargestToken) + ", found " + std::to_string(token));
}

void read_symbols(const TokenArray& tokens, std::uint64_t begin, std::span<Symbol> symbols) {
  switch (tokens.type) {
    case TokenType::kSymbol:
      std::ranges::copy_n(static_cast<const Symbol*>(tokens.data) + begin, std::ssize(symbols), symbols.begin());
      return;
    case TokenType::kInt8:
      return read_tokens<std::int8_t>(tokens, begin, symbols);
    case TokenType::kInt16:
      return read_tokens<std::int16_t>(tokens, begin, symbols);
    case TokenType::kInt32:
      return read_tokens<std::int32_t>(tokens, begin, symbols);
    case TokenType::kInt64:
      return read_tokens<std::int64_t>(tokens, begin, symbols);
    case TokenType::kUint8:
      return read_tokens<std::uint8_t>(tokens, begin, symbols);
    case TokenType::kUint16:
      return read_tokens<std::uint16_t>(tokens, begin, symbols);
    case TokenType::kUint32:
      return read_tokens<std::uint32_t>(tokens, begin, symbols);
    case TokenType::kUint64:
      return read_tokens<std::uint64_t>(tokens, begin, symbols);
  }
}

NgramBlock::NgramBlock(const NgramList& list, std::size_t first, std::size_t size) : ngrams_(size) {
  const auto refuse_offsets = [] {
    throw Error(ErrorCode::kInvalidQuery, "offsets of n-grams ascend within the array of their tokens; these do not");
  };
  const auto limit = static_cast<std::int64_t>(list.tokens.size);
  const std::int64_t begin = list.offsets[first];
  const std::int64_t end = list.offsets[first + size];
  if (begin < 0 || begin > end || end > limit) refuse_offsets();
  const Symbol* symbols = nullptr;
  if (list.tokens.type == TokenType::kSymbol) {
    symbols = static_cast<const Symbol*>(list.tokens.data) + begin;
  } else {
    symbols_.resize(static_cast<std::size_t>(end - begin));
    read_symbols(list.tokens, static_cast<std::uint64_t>(begin), symbols_);
    symbols = symbols_.data();
  }
  std::int64_t from = begin;
  for (std::size_t i = 0; i < size; ++i) {
    const std::int64_t to = i + 1 == size ? end : list.offsets[first + i + 1];
    if (to < from || to > end) refuse_offsets();
    ngrams_[i] = {symbols + (from - begin), static_cast<std::size_t>(to - from)};
    from = to;
  }
}

}  // namespace anygram
