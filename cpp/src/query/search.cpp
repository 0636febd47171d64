#include <anygram/query/search.hpp>

#include <algorithm>
#include <bit>

#include <anygram/base/error.hpp>
#include <anygram/base/thread_pool.hpp>
#include <anygram/query/occurrences.hpp>

#include "windows.hpp"

namespace anygram {
namespace {

// Candidate documents that a thread takes at a time.
constexpr std::size_t kDocumentsPerItem = 1024;

// Such items for each thread, after which their windows are put together.
constexpr std::size_t kItemsAtOnce = 16;

void check(const SearchQuery& query) {
  const auto refuse_empty = [](const SearchQuery::Clause& clause) {
    for (const std::vector<Symbol>& ngram : clause) {
      if (ngram.empty()) throw Error(ErrorCode::kInvalidQuery, "an n-gram to search for has at least one token");
    }
  };
  if (query.clauses.empty()) throw Error(ErrorCode::kInvalidQuery, "a search needs something to look for");
  for (const SearchQuery::Clause& clause : query.clauses) refuse_empty(clause);
  refuse_empty(query.excluded);
}

// Where an n-gram of `length` tokens stands in a shard, ascending.
std::vector<Position> sorted_positions(const Shard& shard, const Interval& interval, std::uint64_t length,
                                       StopSignal& stop) {
  constexpr std::uint64_t kAtOnce = std::uint64_t{1} << 16;
  std::vector<Position> positions(interval.size());
  for (std::uint64_t begin = 0; begin < positions.size(); begin += kAtOnce) {
    stop.poll();
    const std::uint64_t size = std::min<std::uint64_t>(kAtOnce, positions.size() - begin);
    shard.positions(interval.begin + begin, length, std::span(positions).subspan(begin, size));
  }
  const std::uint64_t stream_length = shard.stream_length();
  if (positions.size() < stream_length / 64) {
    std::ranges::sort(positions);
    return positions;
  }
  // So many that a bit for each position of the stream puts them in order at less cost.
  std::vector<std::uint64_t> bits(stream_length / 64 + 1);
  for (const Position position : positions) bits[position / 64] |= std::uint64_t{1} << (position % 64);
  std::size_t next = 0;
  for (std::size_t word = 0; word < bits.size(); ++word) {
    for (std::uint64_t rest = bits[word]; rest != 0; rest &= rest - 1) {
      positions[next++] = static_cast<Position>(word * 64 + static_cast<unsigned>(std::countr_zero(rest)));
    }
  }
  return positions;
}

// One shard's part of a search.
class ShardSearch {
 public:
  ShardSearch(const Shard& shard, const ShardFilter& filter, const SearchQuery& query, StopSignal& stop)
      : shard_(shard), filter_(filter), query_(query) {
    std::vector<Ngram> ngrams;
    for (const SearchQuery::Clause& clause : query.clauses) ngrams.insert(ngrams.end(), clause.begin(), clause.end());
    ngrams.insert(ngrams.end(), query.excluded.begin(), query.excluded.end());
    std::vector<Interval> intervals(ngrams.size());
    shard.find(ngrams, intervals);
    std::size_t next = 0;
    const auto take = [&](const SearchQuery::Clause& clause) {
      ClauseMatches matches;
      for (const std::vector<Symbol>& ngram : clause) {
        const Interval& interval = intervals[next++];
        if (!interval.empty()) matches.push_back({sorted_positions(shard, interval, ngram.size(), stop), ngram.size()});
      }
      return matches;
    };
    // Without a match of each clause there is no window, and nothing needs its positions.
    std::size_t first = 0;
    for (const SearchQuery::Clause& clause : query.clauses) {
      const auto of_clause = std::span(intervals).subspan(first, clause.size());
      if (total_size(of_clause) == 0) return;
      first += clause.size();
    }
    for (const SearchQuery::Clause& clause : query.clauses) clauses_.push_back(take(clause));
    excluded_ = take(query.excluded);
    list_candidates(stop);
  }

  std::size_t num_candidates() const { return candidates_.size(); }

  // Appends the windows of candidates [begin, end), numbered within the shard.
  void windows(std::size_t begin, std::size_t end, std::vector<Window>& result) const {
    WindowFinder finder(clauses_, excluded_, query_.within, query_.ordered);
    for (std::size_t i = begin; i < end; ++i) {
      const Interval span = shard_.document_span(candidates_[i]);
      finder.find(span, [&](const Interval& window) {
        result.push_back({candidates_[i], window.begin - span.begin, window.end - span.begin});
      });
    }
  }

 private:
  // The documents of the filter that hold a match of the clause with the fewest.
  void list_candidates(StopSignal& stop) {
    const auto size = [](const ClauseMatches& matches) {
      std::size_t sum = 0;
      for (const TermMatches& term : matches) sum += term.positions.size();
      return sum;
    };
    const auto rarest = std::ranges::min_element(clauses_, {}, size);
    for (const TermMatches& term : *rarest) {
      // One look-up for each document: all matches up to its end are in it.
      for (auto next = term.positions.begin(); next != term.positions.end();) {
        std::uint32_t document = 0;
        shard_.documents_at({&*next, 1}, {&document, 1});
        if (filter_.contains(document)) candidates_.push_back(document);
        const std::uint64_t end = shard_.document_span(document).end;
        while (next != term.positions.end() && *next < end) ++next;
        if (candidates_.size() % (std::size_t{1} << 16) == 0) stop.poll();
      }
    }
    std::ranges::sort(candidates_);
    const auto repeated = std::ranges::unique(candidates_);
    candidates_.erase(repeated.begin(), repeated.end());
  }

  const Shard& shard_;
  const ShardFilter filter_;
  const SearchQuery& query_;
  std::vector<ClauseMatches> clauses_;
  ClauseMatches excluded_;
  std::vector<std::uint32_t> candidates_;
};

// Searches candidates in order, some items at a time, until there are enough windows or no candidates left.
void search_shard(const ShardSearch& shard, std::uint64_t first_document, const SearchQuery& query,
                  const Execution& execution, SearchResult& result) {
  const std::size_t num_items = (shard.num_candidates() + kDocumentsPerItem - 1) / kDocumentsPerItem;
  // With a limit no more than needed; without one so many that threads seldom wait for each other, and not all, since
  // windows are held twice until they are put together.
  const std::size_t items_at_once = std::max<std::size_t>(1, execution.threads) * (query.limit ? 1 : kItemsAtOnce);
  for (std::size_t first = 0; first < num_items && (!query.limit || result.windows.size() < *query.limit);
       first += items_at_once) {
    std::vector<std::vector<Window>> found(std::min(items_at_once, num_items - first));
    run_parallel(found.size(), execution.threads, execution.stop, [&](std::size_t item) {
      const std::size_t begin = (first + item) * kDocumentsPerItem;
      shard.windows(begin, std::min(begin + kDocumentsPerItem, shard.num_candidates()), found[item]);
    });
    result.num_examined +=
        std::min(shard.num_candidates(), (first + found.size()) * kDocumentsPerItem) - first * kDocumentsPerItem;
    for (const std::vector<Window>& of_item : found) {
      for (Window window : of_item) {
        window.document += first_document;
        result.windows.push_back(window);
      }
    }
  }
}

}  // namespace

SearchResult search(Shards shards, const SearchQuery& query, const Execution& execution) {
  check(query);
  check_filter(shards, query.filter);
  const DocumentNumbers numbers(shards);
  SearchResult result;
  for (std::size_t s = 0; s < shards.size(); ++s) {
    const ShardSearch shard(*shards[s], {query.filter, s}, query, execution.stop);
    result.num_candidates += shard.num_candidates();
    search_shard(shard, numbers.first(s), query, execution, result);
  }
  return result;
}

}  // namespace anygram
