// Where a string stands in the documents' text, whatever its tokenization: inside tokens and across their borders.
#pragma once

#include <cstdint>
#include <vector>

#include <anygram/query/byte_automaton.hpp>
#include <anygram/query/occurrences.hpp>
#include <anygram/query/query.hpp>
#include <anygram/query/token_bytes.hpp>

namespace anygram {

// An occurrence: the token that holds its first byte, and which byte of it that is.
struct StringPlace {
  Position position = 0;  // in the shard's token stream
  std::uint32_t byte = 0;
  friend constexpr auto operator<=>(const StringPlace&, const StringPlace&) = default;
};

// Where it ends: in which token after the first (0 if in that one), and behind which byte of it.
struct StringEnd {
  std::uint32_t tokens = 0;
  std::uint32_t byte = 0;
};
StringEnd string_end(const Shard& shard, const TokenBytes& tokens, const ByteAutomaton& string, StringPlace place);

// How it is found. Both find the same.
enum class StringWay {
  kBest,   // the index, until that has cost as much as a scan
  kIndex,  // from the tokens that may hold its beginning on along suffix intervals
  kScan,   // through the whole token stream, some nanoseconds a token
};

// How often it stands there, occurrences that overlap counted each.
std::uint64_t count_string(Shards shards, const TokenBytes& tokens, const ByteAutomaton& string, StringWay way,
                           const Execution& execution);

// The documents that hold it, ascending, and how often it stands in each. However often it stands there, this takes 8
// bytes for each document of a shard.
std::vector<DocumentCount> list_string_documents(Shards shards, const DocumentNumbers& numbers,
                                                 const TokenBytes& tokens, const ByteAutomaton& string, StringWay way,
                                                 const Execution& execution);

// result[s] are the places in shard s, ascending. 8 bytes each.
std::vector<std::vector<StringPlace>> find_string(Shards shards, const TokenBytes& tokens, const ByteAutomaton& string,
                                                  StringWay way, const Execution& execution);

}  // namespace anygram
