// Which symbols occur, and where their suffixes begin.
#pragma once

#include <vector>

#include <anygram/base/interval.hpp>
#include <anygram/shard/shard.hpp>
#include <anygram/storage/section.hpp>

namespace anygram {

// An entry of a unigrams section: the first rank of the suffixes that start with the symbol. Entries ascend; symbols
// that do not occur have none.
struct UnigramEntry {
  Symbol symbol = 0;
  std::uint32_t begin = 0;
};
static_assert(sizeof(UnigramEntry) == 8);

class Unigrams {
 public:
  Unigrams(Section section, Rank num_suffixes)
      : section_(std::move(section)), num_symbols_(section_.info().num_elements), num_suffixes_(num_suffixes) {}

  // The ranks of the suffixes that start with `symbol`. O(log distinct).
  Interval find(Symbol symbol) const;
  // How often each symbol occurs, ascending.
  void counts(std::vector<Continuation>& result) const;

  const Section& section() const { return section_; }

 private:
  UnigramEntry entry(std::uint64_t number) const { return section_.element<UnigramEntry>(number); }
  Interval interval(std::uint64_t number) const;

  Section section_;
  std::uint64_t num_symbols_;
  Rank num_suffixes_;
};

}  // namespace anygram
