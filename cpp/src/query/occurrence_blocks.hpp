// An interval's occurrences, looked up block by block, and shared out among threads part by part.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <anygram/base/thread_pool.hpp>
#include <anygram/query/query.hpp>

namespace anygram {

// Ranks that are looked up together.
inline constexpr std::size_t kRanksAtOnce = 1024;

// Ranks that a thread takes at a time: a fraction of a millisecond's work.
inline constexpr Rank kRanksPerItem = 16 * kRanksAtOnce;

// Calls receive(first, positions, documents) with some of the occurrences of an n-gram of `length` tokens in one shard,
// `first` being the rank of the first, in rank order.
template <class Receive>
void for_each_block(const Shard& shard, const Interval& interval, std::uint64_t length, const Receive& receive) {
  std::array<Position, kRanksAtOnce> positions;
  std::array<std::uint32_t, kRanksAtOnce> documents;
  for (Rank first = interval.begin; first < interval.end; first += kRanksAtOnce) {
    const auto size = static_cast<std::size_t>(std::min<Rank>(kRanksAtOnce, interval.end - first));
    shard.positions(first, length, std::span(positions).first(size));
    shard.documents_at(std::span(positions).first(size), std::span(documents).first(size));
    receive(first, std::span<const Position>(positions).first(size),
            std::span<const std::uint32_t>(documents).first(size));
  }
}

// Calls receive(first, documents) likewise.
template <class Receive>
void for_each_block_of_documents(const Shard& shard, const Interval& interval, const Receive& receive) {
  for_each_block(shard, interval, 1,
                 [&](Rank first, std::span<const Position>, std::span<const std::uint32_t> documents) {
                   receive(first, documents);
                 });
}

// Calls work(part) for parts of the interval, on any thread.
template <class Work>
void for_each_part(const Interval& interval, const Execution& execution, const Work& work) {
  const auto items = static_cast<std::size_t>((interval.size() + kRanksPerItem - 1) / kRanksPerItem);
  run_parallel(items, execution.threads, execution.stop, [&](std::size_t item) {
    execution.stop.check();
    const Rank begin = interval.begin + item * kRanksPerItem;
    work(Interval{begin, std::min(interval.end, begin + kRanksPerItem)});
  });
}

}  // namespace anygram
