// Many n-grams in one array, read where the caller has them, and made into symbols piece by piece.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <anygram/shard/shard.hpp>

namespace anygram {

// What an array of token ids holds; kSymbol: symbols, which are known to be of tokens.
enum class TokenType { kSymbol, kInt8, kInt16, kInt32, kInt64, kUint8, kUint16, kUint32, kUint64 };

struct TokenArray {
  const void* data = nullptr;
  std::uint64_t size = 0;
  TokenType type = TokenType::kSymbol;
};

inline constexpr std::uint64_t kLargestToken = 0xFFFFFFFE;

// Why a number is no token id of an n-gram, as an Error with kInvalidQuery.
[[noreturn]] void refuse_token(std::int64_t token);

// symbols[i] becomes the symbol of tokens[begin + i]. Throws what refuse_token throws, of the array's first such
// number.
void read_symbols(const TokenArray& tokens, std::uint64_t begin, std::span<Symbol> symbols);

// N-gram i is the tokens [offsets[i], offsets[i + 1]). The arrays may be the memory of someone who still writes to it:
// NgramBlock reads each of their numbers once and checks it then.
struct NgramList {
  TokenArray tokens;
  std::span<const std::int64_t> offsets;  // one more than there are n-grams, ascending

  std::size_t size() const { return offsets.empty() ? 0 : offsets.size() - 1; }
};

// Some of a list's n-grams.
class NgramBlock {
 public:
  // N-grams [first, first + size) of the list, which must outlive the block. Throws kInvalidQuery for what is no token
  // id, and for offsets that descend or leave the array.
  NgramBlock(const NgramList& list, std::size_t first, std::size_t size);

  std::span<const Ngram> ngrams() const { return ngrams_; }

 private:
  std::vector<Symbol> symbols_;  // none if the list holds symbols
  std::vector<Ngram> ngrams_;
};

}  // namespace anygram
