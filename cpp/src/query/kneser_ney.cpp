#include <anygram/query/kneser_ney.hpp>

#include <algorithm>
#include <utility>

#include <anygram/base/thread_pool.hpp>
#include <anygram/query/texts.hpp>

#include "kneser_ney_rows.hpp"

namespace anygram {
namespace {

// Rows of a text that a thread takes at a time: what is kept for each n-gram of them is bounded thereby.
constexpr std::size_t kRowsPerPiece = 4096;

// Continuations whose occurrences are read together.
constexpr std::size_t kReadTogether = 4096;

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

KneserNey::KneserNey(Shards shards, KneserNeyCounts counts)
    : shards_(shards.begin(), shards.end()),
      counts_(std::move(counts)),
      order_(counts_.order()),
      vocab_size_(total_counts(shards).vocab_size),
      discounts_(order_ + 1) {
  const KneserNeyCounts::Totals& totals = counts_.totals();
  for (std::size_t k = 1; k <= order_; ++k) discounts_[k] = estimate(totals.sizes[k]);
  // Interpolated with a uniform distribution over the words seen, the end and the unknown word.
  const double uniform = 1.0 / static_cast<double>(totals.num_types + 1);
  unigram_sum_ = static_cast<double>(totals.root.sum);
  unigram_rest_ = totals.root.sum == 0 ? uniform : backoff(1, totals.root) * uniform;
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

double KneserNey::unigram(std::uint64_t count) const {
  return unigram_sum_ == 0 ? unigram_rest_ : discounted(1, count) / unigram_sum_ + unigram_rest_;
}

KneserNey::NgramFacts KneserNey::facts_of(std::uint64_t length, std::vector<Neighbours>& occurrences) const {
  NgramFacts facts;
  std::ranges::sort(occurrences);
  for (std::size_t i = 0; i < occurrences.size();) {
    const std::size_t first = i;
    std::uint64_t distinct = 0;
    std::uint64_t starts = 0;
    for (; i < occurrences.size() && occurrences[i].after == occurrences[first].after; ++i) {
      if (i == first || occurrences[i].before != occurrences[i - 1].before) ++distinct;
      if (occurrences[i].before == kDocumentEnd) ++starts;
    }
    facts.after.add(length + 1 < order_ ? distinct : i - first);
    if (length + 1 < order_) facts.after_start.add(starts);
    facts.starts += starts;
  }
  std::ranges::sort(occurrences, {}, &Neighbours::before);
  for (std::size_t i = 0; i < occurrences.size(); ++i) {
    if (i == 0 || occurrences[i].before != occurrences[i - 1].before) ++facts.preceding;
  }
  return facts;
}

KneserNey::NgramFacts KneserNey::facts(std::uint64_t length, std::span<const Interval> intervals) const {
  const std::uint64_t count = total_size(intervals);
  if (count == 0) return {};
  if (!is_kept(length, count)) return read_facts(length, intervals);
  for (std::size_t s = 0; s < intervals.size(); ++s) {
    if (intervals[s].empty()) continue;
    const Rank rank = intervals[s].begin;
    const auto found = counts_.find(KneserNeyCounts::kPlain, length, s, rank);
    if (!found) counts_.refuse_missing(length, count);
    NgramFacts facts;
    facts.preceding = found->count;
    facts.after = found->after();
    if (const auto start = counts_.find(KneserNeyCounts::kStart, length, s, rank)) {
      facts.starts = start->count;
      facts.after_start = start->after();
    }
    return facts;
  }
  return {};
}

KneserNey::NgramFacts KneserNey::read_facts(std::uint64_t length, std::span<const Interval> intervals) const {
  std::vector<Neighbours> occurrences;
  std::vector<Rank> ranks;
  std::vector<Symbol> around;
  for (std::size_t s = 0; s < intervals.size(); ++s) {
    ranks.clear();
    for (Rank rank = intervals[s].begin; rank < intervals[s].end; ++rank) ranks.push_back(rank);
    around.resize(ranks.size() * (length + 2));
    shards_[s]->symbols_around(ranks, length + 1, around);
    for (std::size_t i = 0; i < around.size(); i += length + 2) {
      occurrences.push_back({.after = around[i + length + 1], .before = around[i]});
    }
  }
  return facts_of(length, occurrences);
}

// `stream` holds texts, with a document's end behind each but perhaps the last. A row for each symbol; those of ends
// are only made if asked for.
std::vector<double> KneserNey::stream_probs(Ngram stream, bool at_start, bool ends, const Execution& execution) const {
  std::vector<double> probs(stream.size());
  const std::size_t pieces = (stream.size() + kRowsPerPiece - 1) / kRowsPerPiece;
  run_parallel(pieces, execution.threads, execution.stop, [&](std::size_t piece) {
    const std::size_t begin = piece * kRowsPerPiece;
    const std::size_t end = std::min(stream.size(), begin + kRowsPerPiece);
    const std::size_t first = begin - std::min<std::size_t>(begin, order_ - 1);
    const bool begins = first == 0 || stream[first - 1] == kDocumentEnd;
    RowProbs rows(*this, stream.subspan(first, end - first), begins, at_start);
    for (std::size_t row = begin; row < end; ++row) {
      if (ends || stream[row] != kDocumentEnd) probs[row] = rows.prob(row - first);
    }
  });
  return probs;
}

std::vector<double> KneserNey::probs(Ngram text, bool at_start, bool end, const Execution& execution) const {
  std::vector<Symbol> stream(text.begin(), text.end());
  if (end) stream.push_back(kDocumentEnd);
  return stream_probs(stream, at_start, end, execution);
}

std::vector<std::vector<double>> KneserNey::probs_batch(const NgramList& texts, bool at_start, bool end,
                                                        const Execution& execution) const {
  std::vector<std::vector<double>> results(texts.size());
  for_joined_texts(texts, execution, [&](std::size_t first, const JoinedTexts& joined, const Execution& own) {
    const std::vector<double> probs = stream_probs(joined.symbols(), at_start, end, own);
    for (std::size_t i = 0; i < joined.size(); ++i) {
      const auto begin = probs.begin() + static_cast<std::ptrdiff_t>(joined.begin(i));
      const std::size_t size = joined.length(i) + (end ? 1 : 0);
      results[first + i].assign(begin, begin + static_cast<std::ptrdiff_t>(size));
    }
  });
  return results;
}

std::vector<double> KneserNey::distribution(Ngram prompt, bool at_start) const {
  std::vector<double> probs(vocab_size_ + 1);
  for (std::size_t symbol = 0; symbol < probs.size(); ++symbol) {
    probs[symbol] = unigram(counts_.unigram(static_cast<Symbol>(symbol)));
  }
  for (std::uint64_t order = 2; order <= order_; ++order) {
    const bool from_start = order == prompt.size() + 2;
    const std::uint64_t length = order - (from_start ? 2 : 1);
    if (length > prompt.size() || (from_start && !at_start)) break;
    const ShardIntervals intervals = find(shards_, prompt.last(length));
    ContextCounts context = counts_.totals().root_start;
    if (length > 0) {
      const NgramFacts found = facts(length, intervals);
      context = from_start ? found.after_start : found.after;
    }
    if (context.sum == 0) break;
    const double shorter = backoff(order, context);
    for (double& prob : probs) prob *= shorter;
    add_continuations(probs, length, intervals, from_start, context.sum);
  }
  return probs;
}

// Adds the discounted share of what follows an n-gram, or <s> and it.
void KneserNey::add_continuations(std::vector<double>& probs, std::uint64_t length, std::span<const Interval> intervals,
                                  bool from_start, std::uint64_t sum) const {
  const std::uint64_t order = length + (from_start ? 2 : 1);
  const auto add = [&](Symbol symbol, std::uint64_t count) {
    if (count > 0) probs[symbol] += discounted(order, count) / static_cast<double>(sum);
  };
  if (length == 0) add(kDocumentEnd, counts_.totals().empty_documents);
  struct Part {
    Symbol symbol;
    std::size_t shard;
    Interval interval;
  };
  std::vector<Part> parts;
  std::vector<Continuation> found;
  for (std::size_t s = 0; s < shards_.size(); ++s) {
    found.clear();
    if (length == 0) {
      shards_[s]->unigrams(found);
    } else if (!intervals[s].empty()) {
      shards_[s]->continuations(intervals[s], length, found);
    }
    Rank begin = length == 0 ? 0 : intervals[s].begin;
    for (const Continuation& continuation : found) {
      parts.push_back({continuation.symbol, s, {begin, begin + continuation.count}});
      begin += continuation.count;
    }
  }
  std::ranges::sort(parts, {}, [](const Part& part) { return std::pair(part.symbol, part.shard); });
  const auto count_of = [&](const NgramFacts& facts) { return from_start ? facts.starts : facts.preceding; };
  // N-grams without a record are read some thousand at a time, so that their cache misses overlap.
  std::vector<std::vector<Rank>> ranks(shards_.size());
  std::vector<std::vector<Symbol>> owners(shards_.size());
  struct Occurrence {
    Symbol symbol;
    Symbol before;
    auto operator<=>(const Occurrence&) const = default;
  };
  std::vector<Occurrence> occurrences;
  std::vector<Symbol> around;
  const auto read = [&] {
    occurrences.clear();
    for (std::size_t s = 0; s < shards_.size(); ++s) {
      around.resize(ranks[s].size() * 2);
      shards_[s]->symbols_around(ranks[s], 1, around);
      for (std::size_t i = 0; i < ranks[s].size(); ++i) occurrences.push_back({owners[s][i], around[2 * i]});
      ranks[s].clear();
      owners[s].clear();
    }
    std::ranges::sort(occurrences);
    for (std::size_t i = 0; i < occurrences.size();) {
      const std::size_t first = i;
      std::uint64_t distinct = 0;
      std::uint64_t starts = 0;
      for (; i < occurrences.size() && occurrences[i].symbol == occurrences[first].symbol; ++i) {
        if (i == first || occurrences[i].before != occurrences[i - 1].before) ++distinct;
        if (occurrences[i].before == kDocumentEnd) ++starts;
      }
      add(occurrences[first].symbol, from_start ? starts : distinct);
    }
  };
  std::size_t waiting = 0;
  for (std::size_t i = 0; i < parts.size();) {
    const std::size_t first = i;
    std::uint64_t count = 0;
    for (; i < parts.size() && parts[i].symbol == parts[first].symbol; ++i) count += parts[i].interval.size();
    if (length + 1 == order_) {
      add(parts[first].symbol, count);
    } else if (is_kept(length + 1, count)) {
      ShardIntervals longer(shards_.size());
      for (std::size_t k = first; k < i; ++k) longer[parts[k].shard] = parts[k].interval;
      add(parts[first].symbol, count_of(facts(length + 1, longer)));
    } else {
      for (std::size_t k = first; k < i; ++k) {
        for (Rank rank = parts[k].interval.begin; rank < parts[k].interval.end; ++rank) {
          ranks[parts[k].shard].push_back(rank);
          owners[parts[k].shard].push_back(parts[first].symbol);
        }
      }
      waiting += count;
      if (waiting < kReadTogether) continue;
      read();
      waiting = 0;
    }
  }
  read();
}

}  // namespace anygram
