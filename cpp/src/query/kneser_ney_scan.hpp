// The scan that Kneser-Ney's counts are found by.
#pragma once

#include <limits>
#include <vector>

#include <anygram/query/kneser_ney_counts.hpp>
#include <anygram/scan/ordered_scan.hpp>

namespace anygram {

// What was found in one run of the scan.
struct KneserNeyCounts::Part {
  // By length, list and shard, as tables_ are.
  std::vector<std::vector<NgramRecord>> records;
  std::vector<CountsOfCounts> sizes;  // by order, from 1
  ContextCounts root;
  ContextCounts root_start;
  std::vector<Continuation> unigrams;  // with their adjusted counts
  std::uint64_t end_preceding = 0;     // distinct symbols before a document's end
  std::uint64_t starts = 0;            // documents that begin with a symbol of this run
};

// Follows the n-grams of all lengths that the suffix under way begins with.
class KneserNeyCounts::PartScan {
 public:
  PartScan(std::uint64_t order, std::uint64_t few, std::size_t num_shards, std::uint64_t vocab_size);

  void add(const ScannedSuffix& suffix);
  Part finish();

 private:
  static constexpr Rank kNoRank = std::numeric_limits<Rank>::max();

  struct Open {
    Symbol last = kDocumentEnd;
    std::uint64_t count = 0;
    std::uint64_t preceding = 0;  // distinct symbols before it, a document's beginning being one
    std::uint64_t starts = 0;     // how often it begins a document
    ContextCounts after;
    ContextCounts after_start;
    std::uint32_t number = 0;
    std::vector<std::uint32_t> seen;   // by symbol: the number of the last n-gram that it stood before
    std::vector<Rank> firsts;          // by shard, or kNoRank
    std::vector<std::uint64_t> sizes;  // by shard, how often
  };

  void begin(std::size_t length, const ScannedSuffix& suffix);
  void close(std::size_t length);
  void keep(std::size_t length, const Open& ngram);
  std::vector<NgramRecord>& records(std::size_t length, List list, std::size_t shard) {
    return part_.records[((length - 1) * 2 + list) * num_shards_ + shard];
  }

  std::uint64_t order_;
  std::uint64_t few_;
  std::size_t num_shards_;
  Part part_;
  std::vector<Open> open_;  // by length, from 1
  std::size_t depth_ = 0;   // how many are open
};

}  // namespace anygram
