// What Kneser-Ney smoothing of one order asks of a whole index: found by one scan of it, and then kept in memory or in
// a section of its own. The format is specified in docs/index-format.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <anygram/query/query.hpp>
#include <anygram/storage/section.hpp>

namespace anygram {

// The adjusted counts of what follows a context: their sum, and how many of them are 1, 2, and 3 or more.
struct ContextCounts {
  std::uint64_t sum = 0;
  std::array<std::uint64_t, 3> sizes{};

  void add(std::uint64_t count);
  void add(const ContextCounts& counts);
};

// How many n-grams of an order have an adjusted count of 1, 2, 3 and 4; [0] is not used.
using CountsOfCounts = std::array<std::uint64_t, 5>;

// About an n-gram that occurs in a shard, over all shards: how often it is counted, and what follows it.
struct NgramRecord {
  std::uint32_t begin = 0;  // the ranks of the suffixes that begin with it, in the shard
  std::uint32_t size = 0;
  std::uint32_t count = 0;  // adjusted
  std::array<std::uint32_t, 3> sizes{};
  std::uint64_t sum = 0;

  ContextCounts after() const { return {sum, {sizes[0], sizes[1], sizes[2]}}; }
};
static_assert(sizeof(NgramRecord) == 32);

// The id of an index.
using IndexId = std::array<std::byte, 16>;

// Immutable; read from many threads at once.
class KneserNeyCounts {
 public:
  // What is not about single n-grams.
  struct Totals {
    std::uint64_t few = 0;  // n-grams of two symbols and more that occur more often have records
    std::uint64_t empty_documents = 0;
    std::uint64_t num_types = 0;        // distinct symbols that occur, the end being one
    ContextCounts root;                 // what follows the empty n-gram
    ContextCounts root_start;           // what follows <s>
    std::vector<CountsOfCounts> sizes;  // by order, from 1
  };

  // Whether a list is about n-grams, or about <s> and the n-gram.
  enum List : std::uint8_t { kPlain = 0, kStart = 1 };

  // A search that waits for memory.
  struct Probe {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
  };

  // Scans all shards in order, once, on all threads. Holds 32 bytes for each n-gram that has a record, twice in the
  // end. Throws kLimit for an index that has too many documents or symbols for the format (2^32 of either).
  static KneserNeyCounts scan(Shards shards, std::uint64_t order, const Execution& execution, const Progress& progress);
  // Opens what save() wrote; reads the beginning of it. Throws as Section does, and kIndexFormat if it belongs to
  // another index or order.
  static KneserNeyCounts open(const std::string& path, Shards shards, std::uint64_t order, const IndexId& id,
                              LoadMode load);

  // Writes the section; with `sync`, it is on the disk when this returns.
  void save(const std::string& path, const IndexId& id, bool sync) const;

  std::uint64_t order() const { return order_; }
  const Totals& totals() const { return totals_; }
  // The adjusted count of a symbol, which is at most vocab_size.
  std::uint64_t unigram(Symbol symbol) const { return word(unigrams_ + std::uint64_t{symbol} * sizeof(std::uint64_t)); }

  // The record of the n-gram of that length that the suffix of that rank of a shard begins with, if it has one. Looking
  // for many at once is to call the three steps for all of them in turn.
  std::optional<NgramRecord> find(List list, std::uint64_t length, std::size_t shard, Rank rank) const;
  void prefetch(List list, std::uint64_t length, std::size_t shard, Rank rank) const;
  Probe probe(List list, std::uint64_t length, std::size_t shard, Rank rank) const;
  std::optional<NgramRecord> find(List list, std::uint64_t length, std::size_t shard, Rank rank, Probe probe) const;

  [[noreturn]] void refuse_missing(std::uint64_t length, std::uint64_t count) const;

 private:
  struct Part;
  class PartScan;
  // Offsets are in bytes of the payload.
  struct Table {
    std::uint64_t num_records = 0;
    std::uint64_t shift = 0;
    std::uint64_t num_buckets = 0;
    std::uint64_t buckets = 0;
    std::uint64_t records = 0;
  };

  KneserNeyCounts(std::uint64_t order, Shards shards);

  void write_payload(std::span<const Part> parts);
  void read_payload(const SectionInfo& info, const IndexId& id);
  // Where everything stands, from the numbers of records and the shifts; the payload's size.
  std::uint64_t lay_out();
  std::uint64_t head_words() const;
  const Table& table(List list, std::uint64_t length, std::size_t shard) const {
    return tables_[((length - 1) * 2 + list) * shard_sizes_.size() + shard];
  }

  const std::byte* at(std::uint64_t offset, std::size_t length) const {
    return section_ ? section_->at(offset, length) : reinterpret_cast<const std::byte*>(memory_.data()) + offset;
  }
  std::uint64_t word(std::uint64_t offset) const { return load<std::uint64_t>(at(offset, sizeof(std::uint64_t))); }
  NgramRecord record(const Table& table, std::uint64_t number) const {
    return load<NgramRecord>(at(table.records + number * sizeof(NgramRecord), sizeof(NgramRecord)));
  }
  std::uint32_t begin_of(const Table& table, std::uint64_t number) const {
    return load<std::uint32_t>(at(table.records + number * sizeof(NgramRecord), sizeof(std::uint32_t)));
  }
  [[noreturn]] void refuse(std::uint64_t offset, const std::string& expected, const std::string& found) const;

  std::uint64_t order_;
  ShardCounts total_;
  std::vector<std::uint64_t> shard_sizes_;  // ranks
  Totals totals_;
  std::vector<Table> tables_;
  std::uint64_t unigrams_ = 0;
  std::vector<std::uint64_t> memory_;  // the payload, if there is no section
  std::optional<Section> section_;
};

}  // namespace anygram
