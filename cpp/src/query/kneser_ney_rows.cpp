#include "kneser_ney_rows.hpp"

#include <algorithm>
#include <array>

namespace anygram {
namespace {

// Records that are looked for in lockstep.
constexpr std::size_t kLanesOfRecords = 64;

}  // namespace

KneserNey::RowProbs::RowProbs(const KneserNey& model, Ngram text, bool begins, bool at_start)
    : model_(model), text_(text), at_start_(at_start), matches_(model.shards_.size()), longest_(text.size()) {
  if (model.order_ == 1) return;
  for (std::size_t s = 0; s < matches_.size(); ++s) {
    matches_[s].resize(text.size());
    model.shards_[s]->short_matches(text, 0, model.order_, matches_[s]);
    for (std::size_t i = 0; i < text.size(); ++i) longest_[i] = std::max(longest_[i], matches_[s][i].length);
  }
  recorded_.resize(text.size());
  facts_.resize(text.size() * model.order_);
  find_documents(begins);
  find_records();
  read_rare();
  count_longest();
}

void KneserNey::RowProbs::find_documents(bool begins) {
  document_begins_.resize(text_.size());
  start_places_.resize(text_.size());
  std::size_t begin = begins ? 0 : kBefore;
  for (std::size_t row = 0; row < text_.size(); ++row) {
    document_begins_[row] = begin;
    if (has_start(row)) {
      start_places_[row] = start_facts_.size();
      start_facts_.resize(start_facts_.size() + model_.order_);
      const KneserNeyCounts::Totals& totals = model_.counts_.totals();
      start_facts(row, 0) = as_context(0, 1, totals.root_start);
    }
    if (text_[row] == kDocumentEnd) begin = row + 1;
  }
}

// `length` counts <s>, if it is part of the context.
KneserNey::RowProbs::Facts KneserNey::RowProbs::as_context(std::uint64_t count, std::uint64_t length,
                                                           const ContextCounts& after) const {
  Facts facts{.count = static_cast<double>(count)};
  if (after.sum == 0 || length >= model_.order_) return facts;
  facts.sum = static_cast<double>(after.sum);
  facts.backoff = model_.backoff(length + 1, after);
  return facts;
}

std::uint64_t KneserNey::RowProbs::longest_context(std::size_t begin) const {
  return std::min(longest_[begin], model_.order_ - 1);
}

void KneserNey::RowProbs::find_records() {
  for (std::uint64_t length = 1; length < model_.order_; ++length) {
    for (std::size_t s = 0; s < matches_.size(); ++s) {
      for (std::size_t begin = 0; begin < text_.size(); begin += kLanesOfRecords) {
        find_records(length, s, begin, std::min(text_.size(), begin + kLanesOfRecords));
      }
    }
  }
}

void KneserNey::RowProbs::find_records(std::uint64_t length, std::size_t shard, std::size_t begin, std::size_t end) {
  const KneserNeyCounts& counts = model_.counts_;
  constexpr auto kPlain = KneserNeyCounts::kPlain;
  std::array<std::size_t, kLanesOfRecords> rows;
  std::array<KneserNeyCounts::Probe, kLanesOfRecords> probes;
  std::size_t lanes = 0;
  for (std::size_t row = begin; row < end; ++row) {
    const LongestMatch& match = matches_[shard][row];
    if (recorded_[row] + 1 != length || match.length < length) continue;
    counts.prefetch(kPlain, length, shard, match.rank);
    rows[lanes++] = row;
  }
  const auto rank = [&](std::size_t lane) { return matches_[shard][rows[lane]].rank; };
  for (std::size_t i = 0; i < lanes; ++i) probes[i] = counts.probe(kPlain, length, shard, rank(i));
  for (std::size_t i = 0; i < lanes; ++i) {
    const std::size_t row = rows[i];
    const auto found = counts.find(kPlain, length, shard, rank(i), probes[i]);
    if (!found) continue;
    recorded_[row] = length;
    facts(row, length) = as_context(found->count, length, found->after());
    if (!has_start(row)) continue;
    const auto start = counts.find(KneserNeyCounts::kStart, length, shard, rank(i));
    if (start) start_facts(row, length) = as_context(start->count, length + 1, start->after());
  }
}

// N-grams without records have few occurrences, and those of longer ones are among them: all facts of those that begin
// at a place are read from the occurrences of the shortest.
void KneserNey::RowProbs::read_rare() {
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < text_.size(); ++row) {
    if (recorded_[row] < longest_context(row)) rows.push_back(row);
  }
  std::vector<std::uint64_t> sizes(rows.size(), 0);
  std::vector<std::vector<Interval>> found(matches_.size());  // by shard and row
  for (std::size_t s = 0; s < matches_.size(); ++s) {
    std::vector<Context> contexts;
    std::vector<std::size_t> owners;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::uint64_t length = recorded_[rows[i]] + 1;
      const LongestMatch& match = matches_[s][rows[i]];
      if (match.length < length) continue;
      contexts.push_back({rows[i], length, match.rank});
      owners.push_back(i);
    }
    std::vector<Interval> intervals(contexts.size());
    model_.shards_[s]->expand(text_, contexts, intervals);
    found[s].resize(rows.size());
    for (std::size_t k = 0; k < owners.size(); ++k) {
      found[s][owners[k]] = intervals[k];
      sizes[owners[k]] += intervals[k].size();
    }
  }
  std::vector<std::size_t> begins{0};  // of each row's occurrences that are read
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::size_t row = rows[i];
    if (model_.is_kept(recorded_[row] + 1, sizes[i])) model_.counts_.refuse_missing(recorded_[row] + 1, sizes[i]);
    const bool is_read = sizes[i] > 1 || has_start(row);
    begins.push_back(begins.back() + (is_read ? sizes[i] : 0));
    if (is_read) continue;
    for (std::uint64_t length = recorded_[row] + 1; length <= longest_[row]; ++length) {
      facts(row, length) = as_context(1, length, {1, {1, 0, 0}});
    }
  }
  const std::size_t width = model_.order_ + 1;
  std::vector<Symbol> around(begins.back() * width);
  std::vector<std::size_t> filled(rows.size(), 0);
  std::vector<Rank> ranks;
  std::vector<std::size_t> places;
  std::vector<Symbol> symbols;
  for (std::size_t s = 0; s < matches_.size(); ++s) {
    ranks.clear();
    places.clear();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (begins[i] == begins[i + 1]) continue;
      for (Rank rank = found[s][i].begin; rank < found[s][i].end; ++rank) {
        ranks.push_back(rank);
        places.push_back(begins[i] + filled[i]++);
      }
    }
    symbols.resize(ranks.size() * width);
    model_.shards_[s]->symbols_around(ranks, model_.order_, symbols);
    for (std::size_t k = 0; k < ranks.size(); ++k) {
      std::copy_n(symbols.begin() + static_cast<std::ptrdiff_t>(k * width), width,
                  around.begin() + static_cast<std::ptrdiff_t>(places[k] * width));
    }
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (begins[i] == begins[i + 1]) continue;
    set_rare(rows[i], std::span(around).subspan(begins[i] * width, (begins[i + 1] - begins[i]) * width));
  }
}

// From all occurrences of the shortest n-gram at `begin` that has no record.
void KneserNey::RowProbs::set_rare(std::size_t begin, std::span<const Symbol> around) {
  const std::size_t width = model_.order_ + 1;
  std::vector<const Symbol*> occurrences;
  for (std::size_t i = 0; i < around.size(); i += width) occurrences.push_back(&around[i]);
  std::vector<Neighbours> neighbours;
  const bool starts = has_start(begin);
  for (std::uint64_t length = recorded_[begin] + 1; length <= longest_[begin]; ++length) {
    if (length > recorded_[begin] + 1) {
      std::erase_if(occurrences, [&](const Symbol* symbols) { return symbols[length] != text_[begin + length - 1]; });
    }
    if (length == model_.order_) {
      facts(begin, length).count = static_cast<double>(occurrences.size());
      return;
    }
    neighbours.clear();
    for (const Symbol* symbols : occurrences) {
      neighbours.push_back({.after = symbols[length + 1], .before = symbols[0]});
    }
    const NgramFacts found = model_.facts_of(length, neighbours);
    facts(begin, length) = as_context(found.preceding, length, found.after);
    if (starts) start_facts(begin, length) = as_context(found.starts, length + 1, found.after_start);
  }
}

// N-grams of the order whose beginnings all have records.
void KneserNey::RowProbs::count_longest() {
  const std::uint64_t order = model_.order_;
  std::vector<Context> contexts;
  std::vector<Interval> intervals;
  for (std::size_t s = 0; s < matches_.size(); ++s) {
    contexts.clear();
    for (std::size_t row = 0; row < text_.size(); ++row) {
      if (recorded_[row] + 1 != order || matches_[s][row].length < order) continue;
      contexts.push_back({row, order, matches_[s][row].rank});
    }
    intervals.resize(contexts.size());
    model_.shards_[s]->expand(text_, contexts, intervals);
    for (std::size_t k = 0; k < contexts.size(); ++k) {
      facts(contexts[k].begin, order).count += static_cast<double>(intervals[k].size());
    }
  }
}

double KneserNey::RowProbs::prob(std::size_t row) const {
  const Symbol symbol = text_[row];
  double prob = model_.unigram(symbol <= model_.vocab_size_ ? model_.counts_.unigram(symbol) : 0);
  if (model_.order_ == 1) return prob;
  const std::size_t document = document_begins_[row];
  const std::uint64_t before = document == kBefore ? model_.order_ : row - document;  // symbols of the document
  // Longer and longer contexts, until one does not occur; the longest may be that from <s> on.
  for (std::uint64_t order = 2; order <= model_.order_; ++order) {
    const std::uint64_t length = order - 1;
    const bool from_start = length == before + 1;
    if (length > before && !(from_start && at_start_)) break;
    const std::size_t begin = from_start ? document : row - length;
    const std::uint64_t symbols = from_start ? before : length;
    if (symbols > 0 && longest_[begin] < symbols) break;
    const Facts& context = from_start ? start_facts(begin, symbols) : facts(begin, symbols);
    if (context.sum == 0) break;
    const double counted = from_start ? start_count(begin, symbols + 1) : count(begin, order);
    const auto size = static_cast<std::size_t>(std::min(counted, 3.0));
    prob = (counted - model_.discounts_[order].amounts[size]) / context.sum + context.backoff * prob;
  }
  return prob;
}

double KneserNey::RowProbs::count(std::size_t begin, std::uint64_t length) const {
  if (text_[begin + length - 1] != kDocumentEnd) return longest_[begin] < length ? 0 : facts(begin, length).count;
  const ShardIntervals ends = ends_of(begin, length - 1);
  const std::uint64_t count = length < model_.order_ ? model_.facts(length, ends).preceding : total_size(ends);
  return static_cast<double>(count);
}

// How many documents begin with the symbols text[begin, begin + length).
double KneserNey::RowProbs::start_count(std::size_t begin, std::uint64_t length) const {
  if (text_[begin + length - 1] != kDocumentEnd) return longest_[begin] < length ? 0 : start_facts(begin, length).count;
  if (length == 1) return static_cast<double>(model_.counts_.totals().empty_documents);
  return static_cast<double>(model_.facts(length, ends_of(begin, length - 1)).starts);
}

ShardIntervals KneserNey::RowProbs::ends_of(std::size_t begin, std::uint64_t length) const {
  ShardIntervals result(matches_.size());
  for (std::size_t s = 0; s < matches_.size(); ++s) {
    if (matches_[s][begin].length < length) continue;
    const Context context{begin, length, matches_[s][begin].rank};
    Interval interval;
    model_.shards_[s]->expand(text_, {&context, 1}, {&interval, 1});
    result[s] = model_.shards_[s]->narrow(interval, length, kDocumentEnd);
  }
  return result;
}

}  // namespace anygram
