// What all queries share: the shards that they are put to, and how much of the machine they may use.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <anygram/base/stop_signal.hpp>
#include <anygram/shard/shard.hpp>

namespace anygram {

// How a query may run: on how many threads of the pool, and who may stop it.
struct Execution {
  unsigned threads;
  StopSignal& stop;
};

// Sums over all shards.
ShardCounts total_counts(Shards shards);

// The intervals of an n-gram (or of a part of a text), one for each shard.
using ShardIntervals = std::vector<Interval>;

std::uint64_t total_size(std::span<const Interval> intervals);

// Where an n-gram stands, shard by shard.
ShardIntervals find(Shards shards, Ngram ngram);

}  // namespace anygram
