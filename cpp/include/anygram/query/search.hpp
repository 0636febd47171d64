// Boolean and proximity search: windows of documents that hold all of several clauses.
#pragma once

#include <optional>
#include <vector>

#include <anygram/query/document_filter.hpp>
#include <anygram/query/query.hpp>

namespace anygram {

// What a window must hold: a match of each clause, which is an occurrence of any of the clause's n-grams.
struct SearchQuery {
  using Clause = std::vector<std::vector<Symbol>>;

  std::vector<Clause> clauses = {};  // at least one; no n-gram is empty
  // No document counts that holds one of these; with `within`, no window that one overlaps, or stands at most so near.
  Clause excluded = {};
  // Tokens between the nearest edges of any two of a window's matches, at most.
  std::optional<std::uint64_t> within = {};
  // Whether the matches must stand in the clauses' order, none overlapping the one before.
  bool ordered = false;
  // Stop once so many windows are found.
  std::optional<std::uint64_t> limit = {};
  // Only these documents; all if null.
  const DocumentFilter* filter = nullptr;
};

// Tokens [begin, end) of a document: a choice of one match of each clause lies in it, and no smaller one inside of it
// does as well.
struct Window {
  std::uint64_t document = 0;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  friend constexpr bool operator==(const Window&, const Window&) = default;
};

struct SearchResult {
  std::vector<Window> windows;  // by document, then by place
  // Documents of the filter that hold a match of the rarest clause, and how many of them, in order, were searched: all
  // without a limit, or if the limit was not reached.
  std::uint64_t num_candidates = 0;
  std::uint64_t num_examined = 0;
};

// All windows, or those of the first documents. Cost: O(occurrences of all n-grams), and 4 bytes for each of them in a
// shard; more only where n-grams of different lengths contain each other. Throws kInvalidQuery for a query without
// clauses or with an empty n-gram.
SearchResult search(Shards shards, const SearchQuery& query, const Execution& execution);

}  // namespace anygram
