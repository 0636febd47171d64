// One immutable, independently sorted part of an index: what every query is written against.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <anygram/base/interval.hpp>
#include <anygram/base/types.hpp>
#include <anygram/storage/mapped_file.hpp>

namespace anygram {

// The tokens counted. Holds no kDocumentEnd.
using Ngram = std::span<const Symbol>;

// The longest match of some suffix of a text: how many symbols of it occur, and a rank where they stand.
struct LongestMatch {
  std::uint64_t length = 0;
  Rank rank = 0;
};

// symbols [begin, begin + length) of a text, which are known to occur; `rank` is one of the places.
struct Context {
  std::uint64_t begin = 0;
  std::uint64_t length = 0;
  Rank rank = 0;
};

// A symbol seen right after a prompt, and how often. kDocumentEnd stands for the end of a document.
struct Continuation {
  Symbol symbol = kDocumentEnd;
  std::uint64_t count = 0;
  friend constexpr bool operator==(const Continuation&, const Continuation&) = default;
};

// A file of a shard's folder, whole. Shards of other formats have none.
struct ShardFile {
  std::string name;
  std::span<const std::byte> bytes;
};

// How many pages of 4 KB of a section were read.
struct SectionPages {
  std::string name;
  std::uint64_t pages = 0;
};

struct ShardCounts {
  std::uint64_t num_tokens = 0;     // document ends excluded
  std::uint64_t num_documents = 0;  // empty ones included
  std::uint64_t vocab_size = 0;     // symbols are at most this
};

// Thread-safe: all methods are const and may run at once. Those that take many questions answer them in lockstep, so
// that their cache misses (or page faults) overlap: ask for tens at a time. They throw Error with kChecksum when a page
// that they touch is damaged.
class Shard {
 public:
  virtual ~Shard() = default;

  const ShardCounts& counts() const { return counts_; }
  std::uint64_t stream_length() const { return counts_.num_tokens + counts_.num_documents; }
  virtual int token_width() const = 0;
  virtual std::uint64_t num_bytes() const = 0;
  virtual const std::string& path() const = 0;

  // intervals[i] becomes the ranks of the suffixes that start with ngrams[i]; the empty n-gram has all of them. Cost of
  // one: O(log n) comparisons.
  virtual void find(std::span<const Ngram> ngrams, std::span<Interval> intervals) const = 0;

  // matches[i] becomes the longest match of text[begin + i ..]. A long match costs its length only once: what follows
  // from the match before it is not compared again. Symbols above vocab_size match nothing.
  virtual void longest_matches(Ngram text, std::uint64_t begin, std::span<LongestMatch> matches) const = 0;

  // The same, but of each match at most its first `most` symbols: what is asked about no more than them costs less.
  virtual void short_matches(Ngram text, std::uint64_t begin, std::uint64_t most,
                             std::span<LongestMatch> matches) const;

  // intervals[i] becomes the ranks of contexts[i], found from its known rank outwards. Cost: O(log count).
  virtual void expand(Ngram text, std::span<const Context> contexts, std::span<Interval> intervals) const = 0;

  // The part of `interval`, whose suffixes share their first `depth` symbols, that has `symbol` next. O(log size).
  virtual Interval narrow(Interval interval, std::uint64_t depth, Symbol symbol) const = 0;

  // Appends what follows those `depth` symbols, ascending. Cost: O(distinct * log(size / distinct)).
  virtual void continuations(Interval interval, std::uint64_t depth, std::vector<Continuation>& result) const = 0;

  // symbols[i] becomes the symbol behind an n-gram of depths[i] symbols whose interval holds ranks[i].
  virtual void symbols_after(std::span<const Rank> ranks, std::span<const std::uint64_t> depths,
                             std::span<Symbol> symbols) const = 0;

  // Whether what follows those `depth` symbols is the same in a run of ranks for each symbol, so that equal symbols at
  // two ranks tell of those between them. Depth 0 asks about the first tokens themselves.
  virtual bool has_ordered_continuations(const Interval&, std::uint64_t /*depth*/) const { return true; }

  // Whether documents stand in reverse. Then what is found for an n-gram has no ranks in common with what is found for
  // its beginning. All that is asked and answered in symbols, positions and offsets runs forwards all the same.
  virtual bool backwards() const { return false; }

  // How often each symbol occurs, ascending, document ends excluded.
  virtual void unigrams(std::vector<Continuation>& result) const = 0;

  // positions[i] becomes where the n-gram of `length` symbols begins whose interval holds the rank first + i: that of
  // the suffix array, so any length will do, unless documents stand in reverse. Its document is the same with length 1.
  virtual void positions(Rank first, std::uint64_t length, std::span<Position> positions) const = 0;

  // The stream's symbols from `position` on.
  virtual void symbols(std::uint64_t position, std::span<Symbol> symbols) const = 0;

  // Of the suffix of each rank, the symbol before it (kDocumentEnd at a document's beginning) and its first `size`
  // symbols, size + 1 for each; behind a document's end, kDocumentEnd again. Not for documents that stand in reverse.
  virtual void symbols_around(std::span<const Rank> ranks, std::size_t size, std::span<Symbol> symbols) const;

  // The number, in this shard, of the document that holds a position (its end belongs to it).
  virtual void documents_at(std::span<const Position> positions, std::span<std::uint32_t> documents) const = 0;

  // Where a document's symbols stand, its end excluded.
  virtual Interval document_span(std::uint64_t document) const = 0;

  // Bytes of the section of that name; empty if the shard has none. For parts that the core does not read.
  virtual std::span<const std::byte> section_bytes(const std::string& name) const = 0;

  // The files that make up the shard, to copy them elsewhere. They stay readable when the folder is gone.
  virtual std::vector<ShardFile> files() const = 0;

  // The pages that were read since the shard was opened, each counted once, section by section: what a cold question
  // costs. Of a shard in memory all were read. O(pages).
  virtual std::vector<SectionPages> pages_touched() const = 0;

 protected:
  explicit Shard(const ShardCounts& counts) : counts_(counts) {}
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

 private:
  ShardCounts counts_;
};

// The shards of an index, in the order of their documents.
using Shards = std::span<const std::shared_ptr<const Shard>>;

// The checksums of all pages of all sections: equal for equal shards, and different, but for chance, for others.
std::vector<std::byte> content_checksums(const std::string& folder);

// Opens the folder that ShardBuilder wrote. O(1) in the corpus.
std::shared_ptr<const Shard> open_shard(const std::string& folder, LoadMode load);

}  // namespace anygram
