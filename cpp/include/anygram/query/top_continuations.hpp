// The most frequent continuations, without a list of all.
#pragma once

#include <anygram/query/query.hpp>

namespace anygram {

// Of what follows the first `depth` symbols of the intervals' suffixes, the k most frequent over all shards, the most
// frequent first, the smaller token first among equals. With depth 0, of every token and every document's end. Where
// one shard has all of them, the cost goes by how often others than the k occur between them: a few questions if a
// continuation has a good share of the interval, however many others there are. Where several have, they are listed.
std::vector<Continuation> most_frequent_continuations(Shards shards, std::span<const Interval> intervals,
                                                      std::uint64_t depth, std::uint64_t k);

}  // namespace anygram
