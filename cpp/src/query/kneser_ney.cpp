#include <anygram/query/kneser_ney.hpp>

#include <algorithm>
#include <atomic>

#include <anygram/base/thread_pool.hpp>
#include <anygram/query/matches.hpp>
#include <anygram/scan/ordered_scan.hpp>

namespace anygram {
namespace {

// The facts of n-grams with more occurrences are kept; those of others are read from the index. It bounds the cost of
// one n-gram (some microseconds) and the memory for all.
constexpr std::uint64_t kFewOccurrences = 48;

// Suffixes between two looks at the stop signal.
constexpr std::uint64_t kSuffixesPerPoll = std::uint64_t{1} << 15;

constexpr std::size_t kItemsPerThread = 16;

// N-grams that a thread takes at a time.
constexpr std::size_t kPartsPerItem = 1024;

// Symbols of a text that are answered together: what is kept for each n-gram of it is bounded thereby.
constexpr std::size_t kSymbolsPerPiece = std::size_t{1} << 15;

// How many n-grams of an order have an adjusted count of 1, 2, 3 and 4.
using CountsOfCounts = std::array<std::uint64_t, 5>;

void count_in(CountsOfCounts& counts, std::uint64_t count) {
  if (count < counts.size()) ++counts[count];
}

Discounts estimate(const CountsOfCounts& n) {
  Discounts result;
  if (n[1] == 0 || n[2] == 0 || n[3] == 0) return result;
  const auto real = [&](std::size_t i) { return static_cast<double>(n[i]); };
  const double y = real(1) / (real(1) + 2 * real(2));
  Discounts found{.amounts = {0, 0, 0, 0}, .estimated = true};
  for (std::size_t i = 1; i < 4; ++i) {
    const auto size = static_cast<double>(i);
    found.amounts[i] = size - (size + 1) * y * real(i + 1) / real(i);
    if (found.amounts[i] < 0 || found.amounts[i] > size) return result;
  }
  return found;
}

}  // namespace

void ContextCounts::add(std::uint64_t count) {
  if (count == 0) return;
  sum += count;
  ++sizes[std::min<std::uint64_t>(count, 3) - 1];
}

// What was found in one run of the scan.
struct KneserNey::Part {
  std::vector<Table> tables;
  std::vector<CountsOfCounts> counts_of_counts;  // by order, from 1
  NgramFacts root;
  std::vector<Continuation> unigrams;  // with their adjusted counts
  std::uint64_t end_preceding = 0;     // distinct symbols before a document's end
  std::uint64_t starts = 0;
};

// Follows the n-grams of all lengths that the suffix under way begins with.
class KneserNey::PartScan {
 public:
  PartScan(const KneserNey& model) : model_(model), order_(model.order_), open_(order_ + 1) {
    part_.tables.resize(order_);
    for (Table& table : part_.tables) {
      table.ranks.resize(model.shards_.size());
      table.numbers.resize(model.shards_.size());
    }
    part_.counts_of_counts.resize(order_ + 1);
    for (std::size_t length = 1; length < order_; ++length) {
      open_[length].seen.assign(model.total_.vocab_size + 1, 0);
      open_[length].firsts.resize(model.shards_.size());
    }
  }

  void add(const ScannedSuffix& suffix) {
    std::size_t length = 0;
    while (length < order_ && (length == 0 || suffix.symbols[length - 1] != kDocumentEnd)) ++length;
    while (depth_ > suffix.shared) close(depth_--);
    while (depth_ < length) begin(++depth_, suffix);
    bool is_new = true;
    for (std::size_t k = depth_; k > 0; --k) {
      Open& ngram = open_[k];
      ++ngram.count;
      if (suffix.preceding == kDocumentEnd) ++ngram.facts.starts;
      if (k == order_) continue;
      // Whatever stood before a longer n-gram stood before the shorter one.
      if (is_new && ngram.seen[suffix.preceding] != ngram.number) {
        ngram.seen[suffix.preceding] = ngram.number;
        ++ngram.facts.preceding;
      } else {
        is_new = false;
      }
      Rank& first = ngram.firsts[suffix.shard];
      if (first == kNoRank) first = suffix.rank;
    }
  }

  Part finish() {
    while (depth_ > 0) close(depth_--);
    return std::move(part_);
  }

 private:
  static constexpr Rank kNoRank = ~Rank{0};

  struct Open {
    Symbol last = kDocumentEnd;
    std::uint64_t count = 0;
    NgramFacts facts;
    std::uint32_t number = 0;
    std::vector<std::uint32_t> seen;  // by symbol: the number of the last n-gram that it stood before
    std::vector<Rank> firsts;         // by shard, or kNoRank
  };

  void begin(std::size_t length, const ScannedSuffix& suffix) {
    Open& ngram = open_[length];
    ngram.last = suffix.symbols[length - 1];
    ngram.count = 0;
    ngram.facts = {};
    ++ngram.number;
    std::ranges::fill(ngram.firsts, kNoRank);
  }

  void close(std::size_t length) {
    const Open& ngram = open_[length];
    const std::uint64_t adjusted = length < order_ ? ngram.facts.preceding : ngram.count;
    count_in(part_.counts_of_counts[length], adjusted);
    if (length < order_ && ngram.facts.starts > 0) count_in(part_.counts_of_counts[length + 1], ngram.facts.starts);
    NgramFacts& context = length > 1 ? open_[length - 1].facts : part_.root;
    context.after.add(adjusted);
    if (length < order_) context.after_start.add(ngram.facts.starts);
    if (length == 1) {
      part_.unigrams.push_back({ngram.last, adjusted});
      part_.starts += ngram.facts.starts;
    }
    if (length == 2 && ngram.last == kDocumentEnd) ++part_.end_preceding;
    if (length < order_ && ngram.count > kFewOccurrences) keep(length, ngram);
  }

  void keep(std::size_t length, const Open& ngram) {
    Table& table = part_.tables[length];
    for (std::size_t s = 0; s < ngram.firsts.size(); ++s) {
      if (ngram.firsts[s] == kNoRank) continue;
      table.ranks[s].push_back(ngram.firsts[s]);
      table.numbers[s].push_back(static_cast<std::uint32_t>(table.facts.size()));
    }
    table.facts.push_back(ngram.facts);
  }

  const KneserNey& model_;
  std::uint64_t order_;
  Part part_;
  std::vector<Open> open_;  // by length, from 1
  std::size_t depth_ = 0;   // how many are open
};

KneserNey::KneserNey(Shards shards, std::uint64_t order, const Execution& execution, const Progress& progress)
    : shards_(shards.begin(), shards.end()),
      order_(order),
      total_(total_counts(shards)),
      tables_(order),
      unigrams_(total_.vocab_size + 1) {
  for (Table& table : tables_) {
    table.ranks.resize(shards_.size());
    table.numbers.resize(shards_.size());
  }
  // The whole of an order's n-grams has to be known before any is smoothed: an item is a run of them all.
  const auto runs = cut_by_first_symbol(shards, kItemsPerThread * execution.threads);
  std::vector<Part> parts(runs.size());
  std::atomic<std::uint64_t> done{0};
  const bool reports = static_cast<bool>(progress);
  run_parallel(runs.size(), execution.threads, execution.stop, [&](std::size_t i) {
    OrderedScan scan(shards, runs[i], order_);
    PartScan part(*this);
    std::uint64_t suffixes = 0;
    while (const ScannedSuffix* suffix = scan.next()) {
      part.add(*suffix);
      if (++suffixes % kSuffixesPerPoll == 0) execution.stop.look();
    }
    parts[i] = part.finish();
    const std::uint64_t sum = done.fetch_add(suffixes) + suffixes;
    if (reports) progress(sum, total_.num_tokens);
  });
  std::vector<CountsOfCounts> counts_of_counts(order_ + 1);
  std::uint64_t starts = 0;
  for (const Part& part : parts) {
    merge(part);
    starts += part.starts;
    for (std::size_t k = 1; k <= order_; ++k) {
      for (std::size_t n = 0; n < 5; ++n) counts_of_counts[k][n] += part.counts_of_counts[k][n];
    }
  }
  empty_documents_ = total_.num_documents - starts;
  finish(counts_of_counts);
}

void KneserNey::merge(const Part& part) {
  for (std::size_t length = 1; length < order_; ++length) {
    Table& table = tables_[length];
    const auto first = static_cast<std::uint32_t>(table.facts.size());
    for (std::size_t s = 0; s < shards_.size(); ++s) {
      const auto& ranks = part.tables[length].ranks[s];
      table.ranks[s].insert(table.ranks[s].end(), ranks.begin(), ranks.end());
      for (const std::uint32_t number : part.tables[length].numbers[s]) table.numbers[s].push_back(first + number);
    }
    const auto& facts = part.tables[length].facts;
    table.facts.insert(table.facts.end(), facts.begin(), facts.end());
  }
  const auto add = [](ContextCounts& sum, const ContextCounts& counts) {
    sum.sum += counts.sum;
    for (std::size_t i = 0; i < sum.sizes.size(); ++i) sum.sizes[i] += counts.sizes[i];
  };
  add(root_.after, part.root.after);
  add(root_.after_start, part.root.after_start);
  for (const Continuation& unigram : part.unigrams) unigrams_[unigram.symbol] = unigram.count;
  unigrams_[kDocumentEnd] += part.end_preceding;
  num_types_ += part.unigrams.size();
}

// Adds the n-grams that no suffix begins with: the end of a document, alone and behind <s>.
void KneserNey::finish(std::span<const CountsOfCounts> counts_of_counts) {
  std::vector<CountsOfCounts> counts(counts_of_counts.begin(), counts_of_counts.end());
  std::uint64_t& end = unigrams_[kDocumentEnd];
  if (order_ > 1) {
    if (empty_documents_ > 0) ++end;
    count_in(counts[2], empty_documents_);
    root_.after_start.add(empty_documents_);
  } else {
    end = total_.num_documents;
  }
  count_in(counts[1], end);
  root_.after.add(end);
  if (end > 0) ++num_types_;
  discounts_.resize(order_ + 1);
  for (std::size_t k = 1; k <= order_; ++k) discounts_[k] = estimate(counts[k]);
  unknown_prob_ = unigram(0);
}

double KneserNey::discounted(std::uint64_t order, std::uint64_t count) const {
  return static_cast<double>(count) - discounts_[order].amounts[std::min<std::uint64_t>(count, 3)];
}

// The share that discounting leaves to the shorter context.
double KneserNey::backoff(std::uint64_t order, const ContextCounts& counts) const {
  double mass = 0;
  for (std::size_t i = 0; i < 3; ++i) mass += discounts_[order].amounts[i + 1] * static_cast<double>(counts.sizes[i]);
  return mass / static_cast<double>(counts.sum);
}

// Interpolated with a uniform distribution over the words seen, the end and the unknown word.
double KneserNey::unigram(std::uint64_t count) const {
  const double uniform = 1.0 / static_cast<double>(num_types_ + 1);
  if (root_.after.sum == 0) return uniform;
  return discounted(1, count) / static_cast<double>(root_.after.sum) + backoff(1, root_.after) * uniform;
}

// Of an n-gram of that length; with `ends`, its last symbol is a document's end.
NgramFacts KneserNey::facts(std::uint64_t length, std::span<const Interval> intervals, bool ends) const {
  const std::uint64_t count = total_size(intervals);
  if (count == 0) return {};
  if (count <= kFewOccurrences) return read_facts(length, intervals, ends);
  const Table& table = tables_[length];
  for (std::size_t s = 0; s < intervals.size(); ++s) {
    if (intervals[s].empty()) continue;
    const auto found = std::ranges::lower_bound(table.ranks[s], intervals[s].begin);
    return table.facts[table.numbers[s][static_cast<std::size_t>(found - table.ranks[s].begin())]];
  }
  return {};
}

NgramFacts KneserNey::read_facts(std::uint64_t length, std::span<const Interval> intervals, bool ends) const {
  struct Neighbours {
    Symbol after;
    Symbol before;
    auto operator<=>(const Neighbours&) const = default;
  };
  std::vector<Neighbours> around;
  std::vector<Position> positions;
  std::vector<Rank> ranks;
  std::vector<std::uint64_t> depths;
  std::vector<Symbol> after;
  for (std::size_t s = 0; s < intervals.size(); ++s) {
    const Interval& interval = intervals[s];
    if (interval.empty()) continue;
    positions.resize(interval.size());
    shards_[s]->positions(interval.begin, length, positions);
    after.assign(interval.size(), kDocumentEnd);
    if (!ends) {
      ranks.clear();
      for (Rank rank = interval.begin; rank < interval.end; ++rank) ranks.push_back(rank);
      depths.assign(interval.size(), length);
      shards_[s]->symbols_after(ranks, depths, after);
    }
    for (std::size_t i = 0; i < positions.size(); ++i) {
      Symbol before = kDocumentEnd;
      if (positions[i] > 0) shards_[s]->symbols(positions[i] - 1, {&before, 1});
      around.push_back({after[i], before});
    }
  }
  std::ranges::sort(around);
  NgramFacts facts;
  std::vector<Symbol> before;
  for (std::size_t i = 0; i < around.size();) {
    const std::size_t first = i;
    std::uint64_t distinct = 0;
    std::uint64_t starts = 0;
    for (; i < around.size() && around[i].after == around[first].after; ++i) {
      if (i == first || around[i].before != around[i - 1].before) {
        ++distinct;
        before.push_back(around[i].before);
      }
      if (around[i].before == kDocumentEnd) ++starts;
    }
    facts.after.add(length + 1 < order_ ? distinct : i - first);
    if (length + 1 < order_) facts.after_start.add(starts);
    facts.starts += starts;
  }
  std::ranges::sort(before);
  facts.preceding = static_cast<std::uint64_t>(std::ranges::unique(before).begin() - before.begin());
  return facts;
}

ShardIntervals KneserNey::narrow(std::uint64_t length, std::span<const Interval> intervals, Symbol symbol) const {
  ShardIntervals result(intervals.size());
  for (std::size_t s = 0; s < intervals.size(); ++s) {
    if (!intervals[s].empty()) result[s] = shards_[s]->narrow(intervals[s], length, symbol);
  }
  return result;
}

// The count that an n-gram of that length is smoothed by.
std::uint64_t KneserNey::adjusted(std::uint64_t length, std::span<const Interval> intervals, bool ends) const {
  return length < order_ ? facts(length, intervals, ends).preceding : total_size(intervals);
}

// A piece of a text with what precedes it, each n-gram of which is looked at once.
class KneserNey::PieceProbs {
 public:
  PieceProbs(const KneserNey& model, Ngram text, bool at_start, const Execution& execution)
      : model_(model), text_(text), at_start_(at_start), matches_(model.shards_, text, execution) {
    for (std::uint64_t begin = 0; begin < text.size(); ++begin) {
      first_parts_.push_back(parts_.size());
      const std::uint64_t longest = std::min(model.order_, matches_.length(begin));
      for (std::uint64_t length = 1; length <= longest; ++length) parts_.push_back({begin, length});
    }
    intervals_ = matches_.find(parts_, execution);
    facts_.resize(parts_.size());
    const std::size_t items = (parts_.size() + kPartsPerItem - 1) / kPartsPerItem;
    run_parallel(items, execution.threads, execution.stop, [&](std::size_t item) {
      const std::size_t end = std::min(parts_.size(), (item + 1) * kPartsPerItem);
      for (std::size_t i = item * kPartsPerItem; i < end; ++i) {
        if (parts_[i].length < model_.order_) facts_[i] = model_.facts(parts_[i].length, intervals(i), false);
      }
    });
  }

  // Of the symbol in that row, or, behind the last, of the document's end.
  double prob(std::size_t row) const {
    const bool ends = row == text_.size();
    const Symbol symbol = ends ? kDocumentEnd : text_[row];
    double prob = model_.unigram(symbol < model_.unigrams_.size() ? model_.unigrams_[symbol] : 0);
    // Longer and longer contexts, until one does not occur; the longest may be that from <s> on.
    for (std::uint64_t order = 2; order <= model_.order_; ++order) {
      const std::uint64_t length = order - 1;
      const bool from_start = length == row + 1;
      if (length > row && !(from_start && at_start_)) break;
      const ContextCounts context = from_start ? start_context(row) : this->context(row - length, length);
      if (context.sum == 0) break;
      const std::uint64_t count = from_start ? start_count(row) : this->count(row - length, order);
      prob = model_.discounted(order, count) / static_cast<double>(context.sum) + model_.backoff(order, context) * prob;
    }
    return prob;
  }

 private:
  bool occurs(std::size_t begin, std::uint64_t length) const { return matches_.length(begin) >= length; }
  std::size_t part(std::size_t begin, std::uint64_t length) const { return first_parts_[begin] + length - 1; }

  ShardIntervals intervals(std::size_t part) const {
    ShardIntervals result;
    for (const auto& intervals : intervals_) result.push_back(intervals[part]);
    return result;
  }

  // What follows text[begin, begin + length).
  ContextCounts context(std::size_t begin, std::uint64_t length) const {
    return occurs(begin, length) ? facts_[part(begin, length)].after : ContextCounts{};
  }

  // What follows <s> and the first `length` symbols.
  ContextCounts start_context(std::size_t length) const {
    if (length == 0) return model_.root_.after_start;
    return occurs(0, length) ? facts_[part(0, length)].after_start : ContextCounts{};
  }

  std::uint64_t count(std::size_t begin, std::uint64_t order) const {
    if (begin + order > text_.size()) {
      return model_.adjusted(order, model_.narrow(order - 1, intervals(part(begin, order - 1)), kDocumentEnd), true);
    }
    if (!occurs(begin, order)) return 0;
    const std::size_t number = part(begin, order);
    return order < model_.order_ ? facts_[number].preceding : total_size(intervals(number));
  }

  std::uint64_t start_count(std::size_t row) const {
    if (row == text_.size()) {
      if (row == 0) return model_.empty_documents_;
      return model_.facts(row + 1, model_.narrow(row, intervals(part(0, row)), kDocumentEnd), true).starts;
    }
    return occurs(0, row + 1) ? facts_[part(0, row + 1)].starts : 0;
  }

  const KneserNey& model_;
  Ngram text_;
  bool at_start_;
  TextMatches matches_;
  std::vector<TextMatches::Part> parts_;  // every n-gram of the text that occurs
  std::vector<std::size_t> first_parts_;  // by where they begin
  std::vector<std::vector<Interval>> intervals_;
  std::vector<NgramFacts> facts_;  // those of the order's own length are not asked for
};

std::vector<double> KneserNey::probs(Ngram text, bool at_start, bool end, const Execution& execution) const {
  const std::size_t rows = text.size() + (end ? 1 : 0);
  std::vector<double> result(rows);
  for (std::size_t begin = 0; begin < rows; begin += kSymbolsPerPiece) {
    const std::size_t history = std::min<std::size_t>(begin, order_ - 1);
    const std::size_t size = std::min(kSymbolsPerPiece, rows - begin);
    const std::size_t first = begin - history;
    const Ngram symbols = text.subspan(first, std::min(history + size, text.size() - first));
    const PieceProbs piece(*this, symbols, at_start && first == 0, execution);
    for (std::size_t i = 0; i < size; ++i) result[begin + i] = piece.prob(history + i);
  }
  return result;
}

std::vector<double> KneserNey::distribution(Ngram prompt, bool at_start) const {
  std::vector<double> probs(unigrams_.size());
  for (std::size_t symbol = 0; symbol < probs.size(); ++symbol) probs[symbol] = unigram(unigrams_[symbol]);
  for (std::uint64_t order = 2; order <= order_; ++order) {
    const bool from_start = order == prompt.size() + 2;
    const std::uint64_t length = order - (from_start ? 2 : 1);
    if (length > prompt.size() || (from_start && !at_start)) break;
    const ShardIntervals intervals = find(shards_, prompt.last(length));
    const NgramFacts context_facts = length == 0 ? root_ : facts(length, intervals, false);
    const ContextCounts context = from_start ? context_facts.after_start : context_facts.after;
    if (context.sum == 0) break;
    const double shorter = backoff(order, context);
    for (double& prob : probs) prob *= shorter;
    const auto add = [&](Symbol symbol, std::uint64_t count) {
      if (count > 0) probs[symbol] += discounted(order, count) / static_cast<double>(context.sum);
    };
    for (const Symbol symbol : symbols_after(length, intervals)) {
      if (length == 0 && symbol == kDocumentEnd) {
        add(symbol, empty_documents_);
        continue;
      }
      const bool ends = symbol == kDocumentEnd;
      const ShardIntervals longer = length == 0 ? find(shards_, {&symbol, 1}) : narrow(length, intervals, symbol);
      add(symbol, from_start ? facts(length + 1, longer, ends).starts : adjusted(order, longer, ends));
    }
  }
  return probs;
}

// The distinct symbols after an n-gram of that length; of the empty one, all that occur, and the end.
std::vector<Symbol> KneserNey::symbols_after(std::uint64_t length, std::span<const Interval> intervals) const {
  std::vector<Continuation> continuations;
  for (std::size_t s = 0; s < shards_.size(); ++s) {
    if (length == 0) {
      shards_[s]->unigrams(continuations);
    } else if (!intervals[s].empty()) {
      shards_[s]->continuations(intervals[s], length, continuations);
    }
  }
  std::vector<Symbol> symbols;
  if (length == 0) symbols.push_back(kDocumentEnd);
  for (const Continuation& continuation : continuations) symbols.push_back(continuation.symbol);
  std::ranges::sort(symbols);
  symbols.erase(std::ranges::unique(symbols).begin(), symbols.end());
  return symbols;
}

}  // namespace anygram
