#include <anygram/query/document_numbers.hpp>

#include <algorithm>
#include <string>

#include <anygram/base/error.hpp>

namespace anygram {

DocumentNumbers::DocumentNumbers(Shards shards) : firsts_{0} {
  for (const auto& shard : shards) firsts_.push_back(firsts_.back() + shard->counts().num_documents);
}

std::size_t DocumentNumbers::shard_of(std::uint64_t document) const {
  if (document >= size()) {
    throw Error(ErrorCode::kDocumentNotFound,
                "document " + std::to_string(document) + " does not exist: there are " + std::to_string(size()));
  }
  return static_cast<std::size_t>(std::ranges::upper_bound(firsts_, document) - firsts_.begin()) - 1;
}

}  // namespace anygram
