#include <anygram/shard/shard.hpp>

#include <algorithm>

namespace anygram {

void Shard::short_matches(Ngram text, std::uint64_t begin, std::uint64_t most, std::span<LongestMatch> matches) const {
  longest_matches(text, begin, matches);
  for (LongestMatch& match : matches) match.length = std::min(match.length, most);
}

void Shard::symbols_around(std::span<const Rank> ranks, std::size_t size, std::span<Symbol> symbols) const {
  std::ranges::fill(symbols, kDocumentEnd);
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    Position position = 0;
    positions(ranks[i], 1, {&position, 1});
    const std::span<Symbol> all = symbols.subspan(i * (size + 1), size + 1);
    const auto available = std::min<std::uint64_t>(size, stream_length() - position);
    if (position == 0) {
      this->symbols(0, all.subspan(1, available));
    } else {
      this->symbols(position - 1, all.first(available + 1));
    }
    std::fill(std::ranges::find(all.subspan(1), kDocumentEnd), all.end(), kDocumentEnd);
  }
}

}  // namespace anygram
