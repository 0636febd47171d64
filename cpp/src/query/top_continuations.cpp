#include <anygram/query/top_continuations.hpp>

#include <algorithm>
#include <functional>

#include <anygram/query/probability.hpp>

namespace anygram {
namespace {

// The interval is cut in halves, but only where a frequent continuation may hide: all parts at once, so that their
// cache misses overlap. The search keeps the places where the next symbol changes, as narrowly as they are known.
class TopSearch {
 public:
  TopSearch(const Shard& shard, Interval interval, std::uint64_t depth, std::uint64_t k)
      : shard_(shard), interval_(interval), depth_(depth), k_(k) {
    const std::vector<Symbol> ends = symbols_at({interval.begin, interval.end - 1});
    only_ = ends[0];
    if (ends[0] != ends[1]) changes_ = {{interval.begin, interval.end - 1, ends[0], ends[1]}};
  }

  // The k most frequent, and at times others, in rank order.
  std::vector<Continuation> search() {
    while (cut()) {
    }
    std::vector<Continuation> found;
    for (std::size_t i = 0; i < num_runs(); ++i) {
      if (known_[i] >= least_) found.push_back({run_symbol(i), known_[i]});
    }
    return found;
  }

 private:
  // The symbols at `first` and `last` differ; what is between them is not known.
  struct Change {
    Rank first;
    Rank last;
    Symbol first_symbol;
    Symbol last_symbol;

    std::uint64_t hidden() const { return last - first - 1; }
  };

  // Runs of one symbol stand before, between and behind the changes, and no symbol has two.
  std::size_t num_runs() const { return changes_.size() + 1; }
  Symbol run_symbol(std::size_t i) const {
    if (changes_.empty()) return only_;
    return i < changes_.size() ? changes_[i].first_symbol : changes_.back().last_symbol;
  }
  std::uint64_t known_length(std::size_t i) const {
    const Rank begin = i == 0 ? interval_.begin : changes_[i - 1].last;
    const Rank end = i == changes_.size() ? interval_.end : changes_[i].first + 1;
    return end - begin;
  }
  std::uint64_t most(std::size_t i) const {  // that the run may have
    return known_[i] + (i == 0 ? 0 : changes_[i - 1].hidden()) + (i == changes_.size() ? 0 : changes_[i].hidden());
  }

  std::vector<Symbol> symbols_at(const std::vector<Rank>& ranks) {
    depths_.assign(ranks.size(), depth_);
    std::vector<Symbol> symbols(ranks.size());
    shard_.symbols_after(ranks, depths_, symbols);
    return symbols;
  }

  // Cuts the changes that may hide one of the k; false if there is none.
  bool cut() {
    known_.resize(num_runs());
    for (std::size_t i = 0; i < num_runs(); ++i) known_[i] = known_length(i);
    // The k-th most frequent occurs as often at least.
    least_ = 0;
    if (num_runs() >= k_) {
      std::vector<std::uint64_t> sorted = known_;
      const auto kth = sorted.begin() + static_cast<std::ptrdiff_t>(k_ - 1);
      std::ranges::nth_element(sorted, kth, std::greater{});
      least_ = *kth;
    }
    std::vector<Rank> middles;
    std::vector<bool> is_cut(changes_.size());
    for (std::size_t i = 0; i < changes_.size(); ++i) {
      const Change& change = changes_[i];
      is_cut[i] = change.hidden() > 0 && (change.hidden() >= least_ || most(i) >= least_ || most(i + 1) >= least_);
      if (is_cut[i]) middles.push_back((change.first + change.last) / 2);
    }
    if (middles.empty()) return false;
    const std::vector<Symbol> symbols = symbols_at(middles);
    std::vector<Change> narrower;
    narrower.reserve(changes_.size() + middles.size());
    std::size_t next = 0;
    for (std::size_t i = 0; i < changes_.size(); ++i) {
      const Change& change = changes_[i];
      if (!is_cut[i]) {
        narrower.push_back(change);
        continue;
      }
      const Rank middle = middles[next];
      const Symbol symbol = symbols[next++];
      if (change.first_symbol != symbol) narrower.push_back({change.first, middle, change.first_symbol, symbol});
      if (symbol != change.last_symbol) narrower.push_back({middle, change.last, symbol, change.last_symbol});
    }
    changes_.swap(narrower);
    return true;
  }

  const Shard& shard_;
  Interval interval_;
  std::uint64_t depth_;
  std::uint64_t k_;
  Symbol only_ = kDocumentEnd;  // where nothing changes
  std::vector<Change> changes_;
  std::vector<std::uint64_t> known_;  // the length of each run, as far as it is known
  std::uint64_t least_ = 0;
  std::vector<std::uint64_t> depths_;
};

}  // namespace

std::vector<Continuation> most_frequent_continuations(Shards shards, std::span<const Interval> intervals,
                                                      std::uint64_t depth, std::uint64_t k) {
  const auto interval_of = [&](std::size_t s) {
    return depth == 0 ? Interval{0, shards[s]->counts().num_tokens} : intervals[s];
  };
  std::size_t holders = 0;
  std::size_t holder = 0;
  for (std::size_t s = 0; s < shards.size(); ++s) {
    if (interval_of(s).empty()) continue;
    ++holders;
    holder = s;
  }
  std::vector<Continuation> found;
  const auto is_ordered = [&] { return shards[holder]->has_ordered_continuations(interval_of(holder), depth); };
  if (k > 0 && (holders == 0 || (holders == 1 && is_ordered()))) {
    if (holders == 1) found = TopSearch(*shards[holder], interval_of(holder), depth, k).search();
    const std::uint64_t num_documents = total_counts(shards).num_documents;
    if (depth == 0 && num_documents > 0) found.push_back({kDocumentEnd, num_documents});
  } else {
    found = merged_continuations(shards, intervals, depth);
  }
  keep_most_frequent(found, k);
  return found;
}

}  // namespace anygram
