// The windows of one document that hold a match of each clause.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include <anygram/base/interval.hpp>
#include <anygram/base/types.hpp>

namespace anygram {

// Where an n-gram stands in a stream, ascending, and its length.
struct TermMatches {
  std::vector<Position> positions;
  std::uint64_t length;
};

using ClauseMatches = std::vector<TermMatches>;

// Finds windows document by document, in ascending order. Keeps its place in the lists, so make one for each thread.
class WindowFinder {
 public:
  WindowFinder(const std::vector<ClauseMatches>& clauses, const ClauseMatches& excluded,
               std::optional<std::uint64_t> within, bool ordered)
      : within_(within), ordered_(ordered) {
    for (const ClauseMatches& clause : clauses) clauses_.push_back(cursors(clause));
    excluded_ = cursors(excluded);
  }

  // Calls visit(Interval) for each window within `document`, its positions in the stream, ascending.
  template <class Visit>
  void find(const Interval& document, const Visit& visit) {
    bool missing = false;
    for (Clause& clause : clauses_) missing = !enter(clause, document) || missing;
    const bool has_excluded = enter(excluded_, document);
    if (missing || (has_excluded && !within_)) return;
    candidates_.clear();
    if (ordered_) {
      list_ordered();
    } else {
      list_unordered();
    }
    keep_minimal();
    for (const Interval& window : candidates_) {
      if (!has_excluded || !is_excluded(window)) visit(window);
    }
  }

 private:
  // The matches of one n-gram in the document at hand.
  struct Term {
    std::span<const Position> all;
    std::uint64_t length = 0;
    std::size_t next = 0;  // in all: the first match not before the document
    std::span<const Position> here = {};
  };
  using Clause = std::vector<Term>;

  static constexpr std::uint64_t kNone = std::numeric_limits<std::uint64_t>::max();

  static Clause cursors(const ClauseMatches& matches) {
    Clause clause;
    for (const TermMatches& term : matches) clause.push_back({.all = term.positions, .length = term.length});
    return clause;
  }

  // The number of the first position from `begin` on that is not below `bound`: with growing steps, then by halving.
  static std::size_t skip_below(std::span<const Position> positions, std::size_t begin, std::uint64_t bound) {
    std::size_t step = 1;
    std::size_t low = begin;
    while (low + step <= positions.size() && positions[low + step - 1] < bound) {
      low += step;
      step *= 2;
    }
    const auto end = positions.begin() + static_cast<std::ptrdiff_t>(std::min(positions.size(), low + step - 1));
    return static_cast<std::size_t>(std::lower_bound(positions.begin() + static_cast<std::ptrdiff_t>(low), end, bound) -
                                    positions.begin());
  }

  static bool enter(Clause& clause, const Interval& document) {
    bool found = false;
    for (Term& term : clause) {
      const std::size_t begin = skip_below(term.all, term.next, document.begin);
      const std::size_t end = skip_below(term.all, begin, document.end);
      term.here = term.all.subspan(begin, end - begin);
      term.next = end;
      found = found || begin < end;
    }
    return found;
  }

  // The least end of a match that begins in [begin, last_begin] and ends at `end` or later; kNone if there is none.
  static std::uint64_t least_end(const Clause& clause, std::uint64_t begin, std::uint64_t last_begin,
                                 std::uint64_t end) {
    std::uint64_t least = kNone;
    for (const Term& term : clause) {
      const std::uint64_t bound = std::max(begin, end - std::min(end, term.length));
      const auto match = std::ranges::lower_bound(term.here, bound);
      if (match != term.here.end() && *match <= last_begin) least = std::min(least, *match + term.length);
    }
    return least;
  }

  std::uint64_t last_begin(std::uint64_t end) const {
    return within_ && *within_ < kNone - end ? end + *within_ : kNone;
  }

  // A window's matches have one that ends first. The window begins with that, or with a match that contains it; the
  // others begin at most `within` tokens after it, and are best where they end first.
  void list_unordered() {
    for (std::size_t anchor = 0; anchor < clauses_.size(); ++anchor) {
      for (const Term& term : clauses_[anchor]) {
        for (const Position position : term.here) {
          const Interval match{position, position + term.length};
          list_from(anchor, match, match.begin);
          for (std::size_t other = 0; other < clauses_.size(); ++other) {
            if (other != anchor) list_from_containing(anchor, match, clauses_[other]);
          }
        }
      }
    }
  }

  void list_from_containing(std::size_t anchor, const Interval& match, const Clause& clause) {
    for (const Term& term : clause) {
      if (term.length <= match.size()) continue;
      const auto first = std::ranges::lower_bound(term.here, match.end - std::min(match.end, term.length));
      for (auto begin = first; begin != term.here.end() && *begin < match.begin; ++begin) {
        list_from(anchor, match, *begin);
      }
    }
  }

  void list_from(std::size_t anchor, const Interval& match, std::uint64_t begin) {
    std::uint64_t end = match.end;
    for (std::size_t other = 0; other < clauses_.size() && end != kNone; ++other) {
      if (other != anchor) end = std::max(end, least_end(clauses_[other], begin, last_begin(match.end), match.end));
    }
    if (end != kNone) candidates_.push_back({begin, end});
  }

  // From each match of the first clause on, the next of each clause that ends first.
  void list_ordered() {
    for (const Term& term : clauses_.front()) {
      for (const Position position : term.here) {
        const std::uint64_t first_end = position + term.length;
        std::uint64_t end = first_end;
        for (std::size_t next = 1; next < clauses_.size() && end != kNone; ++next) {
          end = least_end(clauses_[next], end, last_begin(first_end), 0);
        }
        if (end != kNone) candidates_.push_back({position, end});
      }
    }
  }

  // Of windows that contain each other the smallest, ascending.
  void keep_minimal() {
    std::ranges::sort(candidates_, [](const Interval& a, const Interval& b) {
      return a.begin != b.begin ? a.begin > b.begin : a.end < b.end;
    });
    std::size_t kept = 0;
    for (const Interval& window : candidates_) {
      if (kept == 0 || window.end < candidates_[kept - 1].end) candidates_[kept++] = window;
    }
    candidates_.resize(kept);
    std::ranges::reverse(candidates_);
  }

  bool is_excluded(const Interval& window) const {
    return std::ranges::any_of(excluded_, [&](const Term& term) {
      const std::uint64_t reach = term.length + *within_ < *within_ ? kNone : term.length + *within_;
      const auto match = std::ranges::lower_bound(term.here, window.begin - std::min(window.begin, reach));
      return match != term.here.end() && *match <= last_begin(window.end);
    });
  }

  std::optional<std::uint64_t> within_;
  bool ordered_;
  std::vector<Clause> clauses_;
  Clause excluded_;
  std::vector<Interval> candidates_;
};

}  // namespace anygram
