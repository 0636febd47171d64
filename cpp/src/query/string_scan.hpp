// Finding a string by reading a whole token stream.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include <anygram/query/string_search.hpp>

namespace anygram {

std::uint64_t scan_count(const Shard& shard, const TokenBytes& tokens, const ByteAutomaton& string,
                         const Execution& execution);

// For each document that holds the string, in order: where it begins, and how often it stands there.
std::vector<std::pair<Position, std::uint64_t>> scan_documents(const Shard& shard, const TokenBytes& tokens,
                                                               const ByteAutomaton& string, const Execution& execution);

std::vector<StringPlace> scan_places(const Shard& shard, const TokenBytes& tokens, const ByteAutomaton& string,
                                     const Execution& execution);

}  // namespace anygram
