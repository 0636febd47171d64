// A shard that tokengrams wrote, read where it lies.
#pragma once

#include <memory>
#include <string>

#include <anygram/shard/shard.hpp>

namespace anygram {

struct TokengramsFiles {
  std::string tokens;   // nothing but token ids of token_width bytes, little-endian
  std::string table;    // the positions of all suffixes in the order of their ids, a prefix first, 8 bytes each
  int token_width = 2;  // 2 or 4
};

// The files know no documents: all tokens are one, which ends where they end. All ids of 2 bytes are tokens; of 4 bytes
// the largest has no symbol, and is refused with kIndexFormat when an answer would hold it.
//
// Throws kIndexNotFound for a missing file; kTruncated or kIndexFormat if sizes or samples of the table do not fit each
// other, as is so if token_width is not what the files were written with; kLimit from 2^32 tokens on.
std::shared_ptr<const Shard> open_tokengrams_shard(const TokengramsFiles& files, LoadMode load);

}  // namespace anygram
