// The documents of all shards, numbered through.
#pragma once

#include <cstdint>
#include <vector>

#include <anygram/query/query.hpp>

namespace anygram {

class DocumentNumbers {
 public:
  explicit DocumentNumbers(Shards shards);

  std::uint64_t first(std::size_t shard) const { return firsts_[shard]; }
  std::uint64_t size() const { return firsts_.back(); }
  std::size_t num_shards() const { return firsts_.size() - 1; }
  // The shard that holds a document. Throws kDocumentNotFound.
  std::size_t shard_of(std::uint64_t document) const;

 private:
  std::vector<std::uint64_t> firsts_;  // one more than there are shards
};

}  // namespace anygram
