#include <anygram/shard/shared_lengths.hpp>

#include <algorithm>
#include <bit>

#include <anygram/suffix/sort.hpp>

namespace anygram {
namespace {

constexpr std::size_t kAhead = 24;  // suffixes on their way from memory

// Words of eight bytes, or for a width of 3 of two symbols, that a suffix is compared by.
template <int Width>
constexpr unsigned kSymbolsPerWord = Width == 3 ? 2 : 8 / Width;

template <int Width>
std::uint64_t load_word(const std::byte* address) {
  const auto word = load<std::uint64_t>(address);
  return Width == 3 ? word & 0xFFFFFFFFFFFF : word;
}

// Symbols before the first one of which any bit is set, the others being 0.
template <int Width>
unsigned symbols_before(std::uint64_t word) {
  return static_cast<unsigned>(std::countr_zero(word)) / (8 * Width);
}

// The number of the first symbol that is 0, or kSymbolsPerWord.
template <int Width>
unsigned find_end(std::uint64_t word) {
  if constexpr (Width == 3) {
    if ((word & 0xFFFFFF) == 0) return 0;
    return word >> 24 == 0 ? 1 : 2;
  } else {
    constexpr std::uint64_t kOnes = ~std::uint64_t{0} / ((std::uint64_t{1} << (8 * Width - 1)) * 2 - 1);
    // The lowest flag is exact; those above it may be borrowed from it.
    const std::uint64_t flags = (word - kOnes) & ~word & (kOnes << (8 * Width - 1));
    return flags == 0 ? kSymbolsPerWord<Width> : symbols_before<Width>(flags);
  }
}

template <int Width>
std::uint8_t shared_symbols(const std::byte* text, std::uint64_t length, std::uint64_t a, std::uint64_t b) {
  constexpr unsigned kSymbols = kSymbolsPerWord<Width>;
  const std::uint64_t most = std::min<std::uint64_t>(kMaxShared, length - std::max(a, b));
  const std::byte* suffix_a = text + a * Width;
  const std::byte* suffix_b = text + b * Width;
  for (std::uint64_t shared = 0; shared < most; shared += kSymbols) {
    const std::uint64_t word = load_word<Width>(suffix_a + shared * Width);
    const std::uint64_t difference = word ^ load_word<Width>(suffix_b + shared * Width);
    const unsigned end = find_end<Width>(word);
    const unsigned equal = difference == 0 ? kSymbols : symbols_before<Width>(difference);
    if (end < equal) return static_cast<std::uint8_t>(std::min(most, shared + end + 1));
    if (equal < kSymbols) return static_cast<std::uint8_t>(std::min(most, shared + equal));
  }
  return static_cast<std::uint8_t>(most);
}

}  // namespace

void shared_lengths(const TokenText& text, std::span<const Position> positions, std::span<std::uint8_t> shared) {
  with_width(text.width, [&]<int Width>() {
    const std::byte* bytes = text.bytes.data();
    for (std::size_t i = 0; i < shared.size(); ++i) {
      if (i + kAhead < positions.size()) __builtin_prefetch(bytes + std::uint64_t{positions[i + kAhead]} * Width);
      shared[i] = shared_symbols<Width>(bytes, text.length, positions[i], positions[i + 1]);
    }
  });
}

}  // namespace anygram
