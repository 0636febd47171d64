// Where n-grams stand: documents, offsets, samples.
#pragma once

#include <anygram/query/document_filter.hpp>
#include <anygram/query/document_numbers.hpp>
#include <anygram/query/ngrams.hpp>
#include <anygram/query/query.hpp>

namespace anygram {

struct Occurrence {
  std::uint64_t document = 0;  // over all shards
  std::uint64_t offset = 0;    // in the document, in tokens
  std::uint64_t shard = 0;
  Rank rank = 0;
  Position position = 0;
};

struct DocumentCount {
  std::uint64_t document = 0;
  std::uint64_t count = 0;
};

// The occurrence, of an n-gram of `length` tokens, at one rank of a shard.
Occurrence locate(Shards shards, const DocumentNumbers& numbers, std::uint64_t shard, Rank rank, std::uint64_t length);

// The questions below are about the documents of `filter`, or about all if it is null.

// How many occurrences there are. Cost: O(occurrences) with a filter, O(documents) if every token is one.
std::uint64_t count_occurrences(Shards shards, std::span<const Interval> intervals, const DocumentFilter* filter,
                                const Execution& execution);

// counts[i] becomes the same for ngrams[i].
void count_occurrences_batch(Shards shards, const NgramList& ngrams, const DocumentFilter* filter,
                             const Execution& execution, std::span<std::int64_t> counts);

// How many documents hold an occurrence. Cost: O(occurrences).
std::uint64_t count_documents(Shards shards, std::span<const Interval> intervals, const DocumentFilter* filter,
                              const Execution& execution);

// counts[i] becomes the same for ngrams[i].
void count_documents_batch(Shards shards, const NgramList& ngrams, const DocumentFilter* filter,
                           const Execution& execution, std::span<std::int64_t> counts);

// Where each n-gram stands: the intervals of ngrams[i] are [i * shards.size(), (i + 1) * shards.size()), shard by
// shard.
std::vector<Interval> find_batch(Shards shards, const NgramList& ngrams, const Execution& execution);

// The documents that do, ascending, and how many each holds.
std::vector<DocumentCount> list_documents(Shards shards, const DocumentNumbers& numbers,
                                          std::span<const Interval> intervals, const DocumentFilter* filter,
                                          const Execution& execution);

// `size` occurrences of an n-gram of `length` tokens, or all if there are fewer, drawn without replacement: those with
// the smallest hash of (seed, document, offset), by which they come in order. So a sample is the same however the
// corpus is sharded, and a larger one begins with a smaller one. Cost: O(occurrences).
std::vector<Occurrence> sample(Shards shards, const DocumentNumbers& numbers, std::span<const Interval> intervals,
                               std::uint64_t length, std::uint64_t size, std::uint64_t seed,
                               const DocumentFilter* filter, const Execution& execution);

// Tokens [begin, end) of a document, as symbols, cut where it ends.
std::vector<Symbol> document_symbols(Shards shards, const DocumentNumbers& numbers, std::uint64_t document,
                                     std::uint64_t begin, std::uint64_t end);

// Tokens [begin, end) of a document; both are cut where it ends.
struct DocumentSpan {
  std::uint64_t document = 0;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

// The symbols of spans, one after another, and where those of each begin: one more than there are spans. All are read
// at once, on all threads. Throws kDocumentNotFound.
struct SpanSymbols {
  std::vector<Symbol> symbols;
  std::vector<std::uint64_t> begins;
};
SpanSymbols span_symbols(Shards shards, const DocumentNumbers& numbers, std::span<const DocumentSpan> spans,
                         const Execution& execution);

}  // namespace anygram
