// The suffixes of all shards in one order, each with its first symbols and with what stands before it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <anygram/base/interval.hpp>
#include <anygram/shard/shard.hpp>

namespace anygram {

struct ScannedSuffix {
  std::span<const Symbol> symbols;  // its first `depth`; behind a document's end, kDocumentEnd again
  std::uint64_t shared = 0;  // with the suffix before it in the scan, at most `depth`; an end that both reach counts
  Symbol preceding = kDocumentEnd;  // the symbol before it; kDocumentEnd at a document's beginning
  std::size_t shard = 0;
  Rank rank = 0;
};

// Reads the given ranks of each shard, and merges them. Each suffix costs the reading of its position, and of the text
// there (a cache miss, or a page fault).
class OrderedScan {
 public:
  OrderedScan(Shards shards, std::span<const Interval> intervals, std::size_t depth);

  // The next suffix, valid until the next call; nullptr behind the last.
  const ScannedSuffix* next();

 private:
  // One shard's ranks, read some hundred at a time.
  struct Cursor {
    const Shard* shard = nullptr;
    Interval rest;         // not yet read
    Rank first = 0;        // of the block
    std::size_t used = 0;  // of the block
    std::vector<Rank> ranks;
    std::vector<Symbol> symbols;  // depth + 1 for each: the preceding one first
  };

  void fill(Cursor& cursor) const;
  std::span<const Symbol> head(const Cursor& cursor) const;
  bool is_done(const Cursor& cursor) const { return cursor.used == cursor.ranks.size(); }

  std::size_t depth_;
  std::vector<Cursor> cursors_;
  Cursor* last_ = nullptr;
  std::vector<Symbol> before_;  // the symbols of the last suffix
  bool is_first_ = true;
  ScannedSuffix suffix_;
};

// Cuts all ranks into at most `parts` runs of about equal size, none of which divides the suffixes that begin with the
// same symbol: result[i][s] are the ranks of shard s in run i.
std::vector<std::vector<Interval>> cut_by_first_symbol(Shards shards, std::size_t parts);

}  // namespace anygram
