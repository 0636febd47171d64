// What comes next after many suffixes, and where in an interval of ranks it changes.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include <anygram/shard/shard.hpp>

#include "bound_search.hpp"

namespace anygram {

// symbols[i] becomes the symbol `depths[i]` after the start of the suffix of ranks[i].
template <class Stream, class Order>
void read_symbols(const Stream& stream, const Order& order, std::span<const Rank> ranks,
                  std::span<const std::uint64_t> depths, std::span<Symbol> symbols) {
  std::array<std::uint64_t, kLanes> positions;
  for (std::size_t first = 0; first < ranks.size(); first += kLanes) {
    const std::size_t lanes = std::min(kLanes, ranks.size() - first);
    for (std::size_t i = 0; i < lanes; ++i) order.prefetch(ranks[first + i]);
    for (std::size_t i = 0; i < lanes; ++i) {
      positions[i] = order.position(ranks[first + i]) + depths[first + i];
      stream.prefetch(positions[i]);
    }
    for (std::size_t i = 0; i < lanes; ++i) symbols[first + i] = stream.symbol(positions[i]);
  }
}

// Of the suffix of each rank the symbol before it and its first `size` symbols, as Shard::symbols_around has them.
template <class Stream, class Order>
void read_around(const Stream& stream, const Order& order, std::span<const Rank> ranks, std::size_t size,
                 std::span<Symbol> symbols) {
  std::array<std::uint64_t, kLanes> positions;
  for (std::size_t first = 0; first < ranks.size(); first += kLanes) {
    const std::size_t lanes = std::min(kLanes, ranks.size() - first);
    for (std::size_t i = 0; i < lanes; ++i) order.prefetch(ranks[first + i]);
    for (std::size_t i = 0; i < lanes; ++i) {
      positions[i] = order.position(ranks[first + i]);
      stream.prefetch(positions[i] - (positions[i] > 0 ? 1 : 0));
    }
    for (std::size_t i = 0; i < lanes; ++i) {
      Symbol* all = &symbols[(first + i) * (size + 1)];
      all[0] = positions[i] > 0 ? stream.symbol(positions[i] - 1) : kDocumentEnd;
      stream.read(positions[i], {all + 1, size});
    }
  }
}

// The interval is cut in halves where its ends differ in their next symbol, all parts of one size together, so that the
// cache misses of a round overlap. What is left are the ranks where the symbol changes.
template <class Stream, class Order>
void list_changes(const Stream& stream, const Order& order, Interval interval, std::uint64_t depth,
                  std::vector<Continuation>& result) {
  if (interval.empty()) return;
  struct Part {  // the symbols at the first and the last rank differ
    Rank first;
    Rank last;
    Symbol first_symbol;
    Symbol last_symbol;
  };
  struct Change {  // from this rank on
    Rank rank;
    Symbol symbol;
  };
  const std::array<Rank, 2> ends{interval.begin, interval.end - 1};
  const std::array<std::uint64_t, 2> end_depths{depth, depth};
  std::array<Symbol, 2> end_symbols;
  read_symbols(stream, order, ends, end_depths, end_symbols);
  std::vector<Change> changes{{interval.begin, end_symbols[0]}};
  std::vector<Part> parts;
  if (end_symbols[0] != end_symbols[1]) parts.push_back({ends[0], ends[1], end_symbols[0], end_symbols[1]});
  std::vector<Part> next_parts;
  std::vector<Rank> middles;
  std::vector<Symbol> symbols;
  std::vector<std::uint64_t> depths;
  while (!parts.empty()) {
    middles.clear();
    for (const Part& part : parts) middles.push_back((part.first + part.last) / 2);
    depths.assign(middles.size(), depth);
    symbols.resize(middles.size());
    read_symbols(stream, order, middles, depths, symbols);
    next_parts.clear();
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const Part& part = parts[i];
      const auto keep = [&](const Part& half) {
        if (half.first_symbol == half.last_symbol) return;
        if (half.first + 1 == half.last) {
          changes.push_back({half.last, half.last_symbol});
        } else {
          next_parts.push_back(half);
        }
      };
      keep({part.first, middles[i], part.first_symbol, symbols[i]});
      keep({middles[i], part.last, symbols[i], part.last_symbol});
    }
    parts.swap(next_parts);
  }
  std::ranges::sort(changes, {}, &Change::rank);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const Rank end = i + 1 < changes.size() ? changes[i + 1].rank : interval.end;
    result.push_back({changes[i].symbol, end - changes[i].rank});
  }
}

}  // namespace anygram
