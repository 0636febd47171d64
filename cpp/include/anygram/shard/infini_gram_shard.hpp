// A shard that infini-gram wrote (v4, v5 and v6: the same bytes), read where it lies.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include <anygram/shard/shard.hpp>

namespace anygram {

struct InfiniGramFiles {
  std::string tokens;      // a separator of token_width bytes 0xFF before each document
  std::string table;       // byte offsets in the order of the suffixes' bytes, each of the same number of bytes
  std::string offsets;     // byte offsets of the separators, 8 bytes each
  int token_width = 2;     // 1, 2 or 4
  bool backwards = false;  // each document's tokens stand in reverse
};

// The separators take places in its table, behind all tokens: so its ranks below num_tokens are those of tokens, and
// those up to stream_length are of separators. Positions and ranks are those of the files. Where documents run
// backwards, an n-gram's position is that of its last token, and continuations stand before it.
class InfiniGramShard : public Shard {
 public:
  // The ranks of an n-gram that may hold separators, which kDocumentEnd stands for. Like `find` else.
  virtual Interval find_raw(Ngram ngram) const = 0;
  virtual bool backwards() const = 0;

 protected:
  using Shard::Shard;
};

// Throws kIndexNotFound for a missing file; kTruncated or kIndexFormat if sizes, offsets or samples of the table do not
// fit each other, as is so if token_width is not what the files were written with; kLimit above 2^32 tokens.
std::shared_ptr<const InfiniGramShard> open_infini_gram_shard(const InfiniGramFiles& files, LoadMode load);

}  // namespace anygram
