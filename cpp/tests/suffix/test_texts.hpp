// Texts for the tests of suffix sorting, searching and merging.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <anygram/suffix/sort.hpp>

namespace anygram::testing {

// A token stream that owns its bytes.
class Text {
 public:
  Text(const std::vector<Symbol>& symbols, int width)
      : width_(width),
        length_(symbols.size()),
        bytes_(symbols.size() * static_cast<std::size_t>(width) + kStreamPadding) {
    for (std::size_t i = 0; i < symbols.size(); ++i)
      std::memcpy(bytes_.data() + i * static_cast<std::size_t>(width), &symbols[i], static_cast<std::size_t>(width));
  }

  TokenText text() const {
    return {std::span(bytes_).first(length_ * static_cast<std::size_t>(width_)), width_, length_};
  }

 private:
  int width_;
  std::uint64_t length_;
  std::vector<std::byte> bytes_;
};

// The definition of the order, and nothing else.
inline bool suffix_less(const std::vector<Symbol>& symbols, Position a, Position b) {
  for (std::size_t offset = 0;; ++offset) {
    const Symbol symbol_a = symbols[a + offset], symbol_b = symbols[b + offset];
    if (symbol_a != symbol_b) return symbol_a < symbol_b;
    if (symbol_a == kDocumentEnd) return a < b;
  }
}

inline std::vector<Position> sort_by_definition(const std::vector<Symbol>& symbols) {
  std::vector<Position> order;
  for (std::size_t i = 0; i < symbols.size(); ++i)
    if (symbols[i] != kDocumentEnd) order.push_back(static_cast<Position>(i));
  std::sort(order.begin(), order.end(), [&](Position a, Position b) { return suffix_less(symbols, a, b); });
  return order;
}

// One document of `length` symbols.
template <class SymbolAt>
std::vector<Symbol> document(std::size_t length, const SymbolAt& symbol_at) {
  std::vector<Symbol> symbols;
  for (std::size_t i = 0; i < length; ++i) symbols.push_back(static_cast<Symbol>(symbol_at(i)));
  symbols.push_back(kDocumentEnd);
  return symbols;
}

inline std::vector<Symbol> periodic(std::size_t length, std::size_t period) {
  return document(length, [&](std::size_t i) { return i % period + 1; });
}

inline std::vector<Symbol> fibonacci(std::size_t length) {
  std::vector<Symbol> word{1}, before{2};
  while (word.size() < length) {
    std::vector<Symbol> next = word;
    next.insert(next.end(), before.begin(), before.end());
    before = std::exchange(word, std::move(next));
  }
  return document(length, [&](std::size_t i) { return word[i]; });
}

inline std::vector<Symbol> thue_morse(std::size_t length) {
  return document(length, [](std::size_t i) { return std::popcount(i) % 2 + 1; });
}

// Every word of `order` binary symbols once, by the rule that prefers the larger symbol.
inline std::vector<Symbol> de_bruijn(int order) {
  const std::uint32_t mask = (std::uint32_t{1} << order) - 1;
  std::vector<bool> seen(std::size_t{mask} + 1);
  std::vector<Symbol> symbols;
  std::uint32_t state = 0;
  seen[0] = true;
  for (;;) {
    const std::uint32_t one = ((state << 1) | 1) & mask, zero = (state << 1) & mask;
    if (seen[one] && seen[zero]) break;
    state = seen[one] ? zero : one;
    seen[state] = true;
    symbols.push_back((state & 1) + 1);
  }
  symbols.push_back(kDocumentEnd);
  return symbols;
}

using Random = std::mt19937_64;

inline std::uint64_t below(Random& random, std::uint64_t bound) { return random() % bound; }

// Documents of words that follow each other with some regularity, the frequent ones far more often; some documents are
// copies of earlier ones with a few edits, as in any crawl.
inline std::vector<Symbol> like_prose(std::size_t length, Symbol largest, std::uint64_t seed) {
  Random random(seed);
  std::vector<Symbol> symbols;
  std::vector<std::pair<std::size_t, std::size_t>> documents;
  while (symbols.size() < length) {
    const std::size_t begin = symbols.size();
    if (!documents.empty() && below(random, 4) == 0) {
      const auto [from, to] = documents[below(random, documents.size())];
      for (std::size_t i = from; i < to; ++i)
        symbols.push_back(below(random, 100) == 0 ? static_cast<Symbol>(below(random, largest) + 1) : symbols[i]);
    } else {
      std::uint64_t state = random();
      for (std::uint64_t left = below(random, 400); left > 0; --left) {
        // Three choices in four depend on the symbol before.
        if (below(random, 4) == 0) state = below(random, largest) * below(random, largest) / largest;
        state = (state * 2654435761 + below(random, 3)) % largest;
        symbols.push_back(static_cast<Symbol>(state * state / largest) % largest + 1);
      }
    }
    documents.emplace_back(begin, symbols.size());
    symbols.push_back(kDocumentEnd);
  }
  return symbols;
}

struct NamedText {
  std::string name;
  std::vector<Symbol> symbols;
};

// Texts on which suffix sorting tends to break, or to become slow, of about `length` symbols each.
inline std::vector<NamedText> adversarial_texts(std::size_t length) {
  Random random(7);
  std::vector<NamedText> texts;
  texts.push_back({"all equal", periodic(length, 1)});
  for (const std::size_t period : {2U, 3U, 5U, 17U, 28U, 29U, 1000U})
    texts.push_back({"period " + std::to_string(period), periodic(length, period)});
  texts.push_back({"fibonacci", fibonacci(length)});
  texts.push_back({"thue-morse", thue_morse(length)});
  texts.push_back({"de bruijn", de_bruijn(static_cast<int>(std::bit_width(length)) - 1)});
  texts.push_back({"random", document(length, [&](std::size_t) { return below(random, 50000) + 1; })});
  texts.push_back({"random binary", document(length, [&](std::size_t) { return below(random, 2) + 1; })});
  texts.push_back({"descending", document(length, [&](std::size_t i) { return (length - i) / 8 + 1; })});

  std::vector<Symbol> copies;
  const std::vector<Symbol> original = document(300, [&](std::size_t) { return below(random, 300) + 1; });
  while (copies.size() < length) copies.insert(copies.end(), original.begin(), original.end());
  texts.push_back({"copies of a document", copies});
  for (std::size_t edit = 0; edit < copies.size(); edit += 1 + below(random, 3000))
    if (copies[edit] != kDocumentEnd) copies[edit] = static_cast<Symbol>(below(random, 300) + 1);
  texts.push_back({"near copies", copies});
  texts.push_back({"empty documents", std::vector<Symbol>(length, kDocumentEnd)});

  std::vector<Symbol> tiny;
  while (tiny.size() + 1 < length)
    tiny.push_back(below(random, 3) == 0 ? kDocumentEnd : static_cast<Symbol>(below(random, 3) + 1));
  tiny.push_back(kDocumentEnd);
  texts.push_back({"tiny documents", tiny});

  std::vector<Symbol> runs = document(length, [&](std::size_t) { return below(random, 20000) + 1; });
  for (std::size_t begin = 0; begin + length / 50 < length; begin += length / 10)
    std::fill_n(runs.begin() + static_cast<std::ptrdiff_t>(begin), length / 50, Symbol{5});
  texts.push_back({"runs in random text", runs});
  texts.push_back({"like prose", like_prose(length, 30000, 1)});
  texts.push_back({"like prose, few words", like_prose(length, 12, 2)});
  return texts;
}

// By definition: see SortedRun.
inline std::uint8_t shared_symbols(const TokenText& text, Position a, Position b) {
  return with_width(text.width, [&]<int Width>() {
    std::uint8_t shared = 0;
    bool ended = false;
    for (; !ended && shared < kMaxShared; ++shared) {
      const Symbol symbol = symbol_at<Width>(text.bytes.data(), std::uint64_t{a} + shared);
      if (symbol != symbol_at<Width>(text.bytes.data(), std::uint64_t{b} + shared)) break;
      ended = symbol == kDocumentEnd;
    }
    return shared;
  });
}

// The array that sort_suffixes delivers, with the sink's promises checked.
inline std::vector<Position> sorted_suffixes(const TokenText& text, const SortOptions& options,
                                             SortStatistics* statistics = nullptr) {
  std::vector<Position> order;
  const SortStatistics counted = sort_suffixes(text, options, [&](const SortedRun& run) {
    if (run.first != order.size()) throw Error(ErrorCode::kInvalidArgument, "runs are not in rank order");
    if (run.shared.size() != (options.shared ? run.positions.size() : 0))
      throw Error(ErrorCode::kInvalidArgument, "not as many shared lengths as asked for");
    for (std::size_t i = 0; i < run.positions.size(); ++i) {
      if (options.shared) {
        const std::uint8_t expected = order.empty() ? 0 : shared_symbols(text, order.back(), run.positions[i]);
        if (run.shared[i] != expected) throw Error(ErrorCode::kInvalidArgument, "a shared length is wrong");
      }
      order.push_back(run.positions[i]);
    }
  });
  if (statistics != nullptr) *statistics = counted;
  return order;
}

}  // namespace anygram::testing
