#include <anygram/shard/documents.hpp>
#include <anygram/storage/shard_manifest.hpp>

#include <algorithm>
#include <array>
#include <string>

namespace anygram {

Interval Documents::candidates(Position position) const {
  const std::uint64_t block = position / kPositionsPerBlock;
  const auto in_range = [this](std::uint32_t document) {
    return std::min<std::uint64_t>(document, num_documents_ - 1);  // only a damaged index exceeds it
  };
  const std::uint64_t first = in_range(blocks_.element<std::uint32_t>(block));
  const bool is_last_block = block + 1 >= blocks_.info().num_elements;
  return {first, is_last_block ? num_documents_ - 1 : in_range(blocks_.element<std::uint32_t>(block + 1))};
}

std::uint32_t Documents::choose(Interval candidates, Position position) const {
  std::uint64_t low = candidates.begin;
  std::uint64_t high = candidates.end;
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

std::uint32_t Documents::at(Position position) const { return choose(candidates(position), position); }

void Documents::at(std::span<const Position> positions, std::span<std::uint32_t> documents) const {
  constexpr std::size_t kAtOnce = 32;
  const std::byte* const blocks = blocks_.payload().data();
  const std::byte* const begins = begins_.payload().data();
  std::array<Interval, kAtOnce> found;
  for (std::size_t first = 0; first < positions.size(); first += kAtOnce) {
    const std::size_t size = std::min(kAtOnce, positions.size() - first);
    for (std::size_t i = 0; i < size; ++i) {
      __builtin_prefetch(blocks + positions[first + i] / kPositionsPerBlock * sizeof(std::uint32_t));
    }
    for (std::size_t i = 0; i < size; ++i) {
      found[i] = candidates(positions[first + i]);
      __builtin_prefetch(begins + (found[i].begin + found[i].end + 1) / 2 * sizeof(Position));
    }
    for (std::size_t i = 0; i < size; ++i) documents[first + i] = choose(found[i], positions[first + i]);
  }
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
