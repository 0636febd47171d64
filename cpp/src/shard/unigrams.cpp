#include <anygram/shard/unigrams.hpp>

#include <string>

namespace anygram {

Interval Unigrams::find(Symbol symbol) const {
  std::uint64_t low = 0;
  std::uint64_t high = num_symbols_;
  while (low < high) {
    const std::uint64_t middle = (low + high) / 2;
    if (entry(middle).symbol < symbol) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == num_symbols_ || entry(low).symbol != symbol) return {0, 0};
  return interval(low);
}

void Unigrams::counts(std::vector<Continuation>& result) const {
  result.reserve(result.size() + num_symbols_);
  for (std::uint64_t number = 0; number < num_symbols_; ++number) {
    result.push_back({entry(number).symbol, interval(number).size()});
  }
}

Interval Unigrams::interval(std::uint64_t number) const {
  const Rank begin = entry(number).begin;
  const Rank end = number + 1 < num_symbols_ ? entry(number + 1).begin : num_suffixes_;
  if (begin >= end || end > num_suffixes_) {
    throw FormatError(ErrorCode::kIndexFormat, {section_.path(), kSectionPageBytes + number * sizeof(UnigramEntry),
                                                "ranks that ascend up to " + std::to_string(num_suffixes_),
                                                std::to_string(begin) + " before " + std::to_string(end)});
  }
  return {begin, end};
}

}  // namespace anygram
