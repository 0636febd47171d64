// Which documents a question is about.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <anygram/query/document_numbers.hpp>
#include <anygram/query/query.hpp>

namespace anygram {

// Some of an index's documents: a bit for each. Queries take a pointer to one; none means all documents.
class DocumentFilter {
 public:
  // chosen[d] is not 0 for the documents d that the question is about. Throws kInvalidQuery unless there are as many as
  // documents.
  DocumentFilter(DocumentNumbers numbers, std::span<const std::uint8_t> chosen);

  // By its number over all shards.
  bool contains(std::uint64_t document) const { return (words_[document / 64] >> (document % 64) & 1) != 0; }
  std::uint64_t num_chosen() const { return num_chosen_; }
  const DocumentNumbers& numbers() const { return numbers_; }

 private:
  DocumentNumbers numbers_;
  std::vector<std::uint64_t> words_;
  std::uint64_t num_chosen_ = 0;
};

// What a filter says about one shard's documents.
class ShardFilter {
 public:
  ShardFilter(const DocumentFilter* filter, std::size_t shard)
      : filter_(filter), first_(filter == nullptr ? 0 : filter->numbers().first(shard)) {}

  bool is_all() const { return filter_ == nullptr; }
  // By its number in the shard.
  bool contains(std::uint64_t document) const { return is_all() || filter_->contains(first_ + document); }

 private:
  const DocumentFilter* filter_;
  std::uint64_t first_;
};

// Throws kInvalidQuery for a filter that was made for other shards.
void check_filter(Shards shards, const DocumentFilter* filter);

// The tokens of the filter's documents of one shard. O(documents).
std::uint64_t count_tokens(const Shard& shard, const ShardFilter& filter, const Execution& execution);

// lengths[d] becomes the number of tokens of document d. O(documents).
void document_lengths(Shards shards, const DocumentNumbers& numbers, const Execution& execution,
                      std::span<std::int64_t> lengths);

}  // namespace anygram
