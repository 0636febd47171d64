#include <anygram/query/ngrams.hpp>

#include <doctest/doctest.h>

#include <array>
#include <limits>

#include "shard/test_corpus.hpp"

namespace anygram {
namespace {

using namespace anygram::testing;

template <class Token>
constexpr TokenType kTypeOf = [] {
  constexpr std::array kSigned{TokenType::kInt8, TokenType::kInt16, TokenType::kInt32, TokenType::kInt64};
  constexpr std::array kUnsigned{TokenType::kUint8, TokenType::kUint16, TokenType::kUint32, TokenType::kUint64};
  constexpr std::size_t kLog = sizeof(Token) == 1 ? 0 : sizeof(Token) == 2 ? 1 : sizeof(Token) == 4 ? 2 : 3;
  return std::is_signed_v<Token> ? kSigned[kLog] : kUnsigned[kLog];
}();

template <class Token>
Symbols read_all(const std::vector<Token>& tokens) {
  Symbols symbols(tokens.size());
  read_symbols({tokens.data(), tokens.size(), kTypeOf<Token>}, 0, symbols);
  return symbols;
}

TEST_CASE_TEMPLATE("token arrays: ids become symbols, and what is none is refused, wherever it stands", Token,
                   std::int8_t, std::int16_t, std::int32_t, std::int64_t, std::uint8_t, std::uint16_t, std::uint32_t,
                   std::uint64_t) {
  Random random(80);
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<Token>::max());
  const std::uint64_t largest = std::min(kMost, kLargestToken);
  std::vector<Token> tokens(100);
  for (Token& token : tokens) token = static_cast<Token>(below(random, largest + 1));
  tokens[17] = static_cast<Token>(largest);
  tokens[18] = 0;
  const Symbols symbols = read_all(tokens);
  for (std::size_t i = 0; i < tokens.size(); ++i) CHECK(symbols[i] == static_cast<std::uint64_t>(tokens[i]) + 1);

  std::vector<Token> illegal;
  if constexpr (std::is_signed_v<Token>) illegal = {Token{-1}, std::numeric_limits<Token>::min()};
  for (const std::uint64_t above : {kLargestToken + 1, kLargestToken + 2, std::uint64_t{1} << 40, ~std::uint64_t{0}}) {
    if (above <= kMost) illegal.push_back(static_cast<Token>(above));
  }
  for (const Token token : illegal) {
    for (const std::size_t place : {0U, 1U, 50U, 99U}) {
      std::vector<Token> wrong = tokens;
      wrong[place] = token;
      CHECK(refusal([&] { read_all(wrong); }) == ErrorCode::kInvalidQuery);
    }
  }
}

TEST_CASE("n-gram blocks: any run of a list, from an array or from symbols") {
  Random random(81);
  std::vector<Symbols> ngrams;
  for (int i = 0; i < 30; ++i) ngrams.push_back(random_symbols(random, below(random, 6), 100));
  const NgramArrays arrays(ngrams);
  std::vector<std::uint16_t> tokens;
  for (const Symbol symbol : arrays.symbols) tokens.push_back(static_cast<std::uint16_t>(symbol - 1));
  const NgramList from_array{{tokens.data(), tokens.size(), TokenType::kUint16}, arrays.offsets};
  REQUIRE(from_array.size() == ngrams.size());
  for (const NgramList& list : {arrays.list(), from_array}) {
    for (std::size_t first = 0; first < ngrams.size(); first += 7) {
      const std::size_t size = std::min<std::size_t>(9, ngrams.size() - first);
      const NgramBlock block(list, first, size);
      REQUIRE(block.ngrams().size() == size);
      for (std::size_t i = 0; i < size; ++i) CHECK(std::ranges::equal(block.ngrams()[i], ngrams[first + i]));
    }
  }
}

TEST_CASE("n-gram blocks: offsets that do not ascend within the array are refused") {
  const std::vector<std::uint16_t> tokens(10);
  for (const std::vector<std::int64_t>& offsets :
       std::vector<std::vector<std::int64_t>>{{0, 11}, {-1, 3}, {5, 3}, {0, 7, 5}, {0, 7, 3, 9}, {0, -3, 9}}) {
    const NgramList list{{tokens.data(), tokens.size(), TokenType::kUint16}, offsets};
    CHECK(refusal([&] { NgramBlock(list, 0, list.size()); }) == ErrorCode::kInvalidQuery);
  }
  CHECK(NgramList{}.size() == 0);
}

}  // namespace
}  // namespace anygram
