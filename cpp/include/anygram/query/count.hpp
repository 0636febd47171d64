// How often n-grams occur.
#pragma once

#include <anygram/query/ngrams.hpp>
#include <anygram/query/query.hpp>

namespace anygram {

// Occurrences over all shards, overlapping ones included; of the empty n-gram, the number of tokens.
std::uint64_t count(Shards shards, Ngram ngram);

// counts[i] = count(ngrams[i]), in parallel and in lockstep.
void count_batch(Shards shards, const NgramList& ngrams, const Execution& execution, std::span<std::int64_t> counts);

}  // namespace anygram
