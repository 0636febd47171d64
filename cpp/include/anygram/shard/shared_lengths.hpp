// How many symbols neighbouring suffixes share, from an order that is known and the text.
#pragma once

#include <cstdint>
#include <span>

#include <anygram/base/types.hpp>
#include <anygram/suffix/token_text.hpp>

namespace anygram {

// shared[i] becomes what the suffix at positions[i + 1] shares with that at positions[i], as SortedRun::shared has it:
// at most kMaxShared, a document's end that both reach counted as one. The positions are below text.length, and no two
// neighbours are equal. Costs a cache miss and the comparison of what is shared for each; memory: none.
void shared_lengths(const TokenText& text, std::span<const Position> positions, std::span<std::uint8_t> shared);

}  // namespace anygram
