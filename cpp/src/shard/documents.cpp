#include <anygram/shard/documents.hpp>
#include <anygram/storage/shard_manifest.hpp>

#include <algorithm>
#include <string>

namespace anygram {

std::uint32_t Documents::at(Position position) const {
  const std::uint64_t block = position / kPositionsPerBlock;
  const auto in_range = [this](std::uint32_t document) {
    return std::min<std::uint64_t>(document, num_documents_ - 1);  // only a damaged index exceeds it
  };
  std::uint64_t low = in_range(blocks_.element<std::uint32_t>(block));
  const bool is_last_block = block + 1 >= blocks_.info().num_elements;
  std::uint64_t high = is_last_block ? num_documents_ - 1 : in_range(blocks_.element<std::uint32_t>(block + 1));
  while (low < high) {
    const std::uint64_t middle = (low + high + 1) / 2;
    if (begin(middle) <= position) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return static_cast<std::uint32_t>(low);
}

Interval Documents::span(std::uint64_t document) const {
  if (document >= num_documents_) {
    throw Error(ErrorCode::kDocumentNotFound, "document " + std::to_string(document) + " does not exist: there are " +
                                                  std::to_string(num_documents_));
  }
  const std::uint64_t first = begin(document);
  const std::uint64_t next = document + 1 < num_documents_ ? begin(document + 1) : stream_length_;
  if (first >= next || next > stream_length_) {
    throw FormatError(ErrorCode::kIndexFormat, {begins_.path(), kSectionPageBytes + document * sizeof(Position),
                                                "positions that ascend up to " + std::to_string(stream_length_),
                                                std::to_string(first) + " before " + std::to_string(next)});
  }
  return {first, next - 1};
}

}  // namespace anygram
