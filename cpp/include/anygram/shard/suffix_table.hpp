// The order of the suffixes of a file of plain tokens, as other programs read it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <anygram/base/stop_signal.hpp>

namespace anygram {

// Whose table it is. In both, a suffix runs to the end of the file, whatever separates documents there, and one that
// ends within another comes before it.
enum class TableFormat {
  kInfiniGram,  // by the tokens' bytes as they lie in the file; byte offsets, of infini_gram_pointer_bytes() each
  kTokengrams,  // by the tokens' numbers; offsets in tokens, of 8 bytes each
};

struct SuffixTableOptions {
  TableFormat format = TableFormat::kInfiniGram;
  int token_bytes = 2;  // of one token in the file, little-endian: 1, 2 or 4
  unsigned threads = 1;
  std::uint64_t memory = 0;  // bytes, 0: no bound; see least_table_memory()
  bool sync = true;          // whether the table is on the disk when it is returned from
};

// How often a token occurs.
struct TokenCount {
  std::uint32_t token;
  std::uint64_t count;
};

// Bytes of one entry for a file of so many bytes: as many as the largest offset needs, at least 1.
int infini_gram_pointer_bytes(std::uint64_t file_bytes);

// The least `memory` for an ordinary file of so many tokens of which so many are distinct, in bytes.
std::uint64_t least_table_memory(std::uint64_t num_tokens, std::uint64_t num_distinct);

// Writes the table of the tokens in one file to another, which it creates or empties. Returns how often each token
// occurs, ascending by token. Progress in tokens. Throws kInvalidArgument if the file does not hold whole tokens,
// kLimit if it holds more than 2^32 - 1 of them or `memory` is not enough, kStopped, kIo and kDiskFull.
std::vector<TokenCount> write_suffix_table(const std::string& tokens_path, const std::string& table_path,
                                           const SuffixTableOptions& options, StopSignal& stop,
                                           const Progress& progress = {});

}  // namespace anygram
