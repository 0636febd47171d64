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
// those up to stream_length are of separators. Ranks are those of the files. So are positions, but within a document
// that runs backwards they are counted from its other end, so that it is read forwards.
class InfiniGramShard : public Shard {
 public:
  // The ranks of an n-gram that may hold separators, which kDocumentEnd stands for. Like `find` else.
  virtual Interval find_raw(Ngram ngram) const = 0;

  // As the files have them: if documents run backwards, an n-gram stands in reverse from its position on.
  virtual void raw_positions(Rank first, std::span<Position> positions) const = 0;
  virtual void raw_symbols(std::uint64_t position, std::span<Symbol> symbols) const = 0;

 protected:
  using Shard::Shard;
};

// Throws kIndexNotFound for a missing file; kTruncated or kIndexFormat if sizes, offsets or samples of the table do not
// fit each other, as is so if token_width is not what the files were written with; kLimit above 2^32 tokens.
std::shared_ptr<const InfiniGramShard> open_infini_gram_shard(const InfiniGramFiles& files, LoadMode load);

}  // namespace anygram
