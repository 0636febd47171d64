#include "kneser_ney_scan.hpp"

#include <algorithm>
#include <atomic>
#include <string>

#include <anygram/base/thread_pool.hpp>

namespace anygram {
namespace {

// The facts of rarer n-grams are read from the index when they are asked for. It bounds the cost of one of those (some
// cache misses) and the space for the others: of 110 million tokens, 3% of the n-grams of order 5 have records.
constexpr std::uint64_t kFewOccurrences = 8;

// Suffixes between two looks at the stop signal.
constexpr std::uint64_t kSuffixesPerPoll = std::uint64_t{1} << 15;

constexpr std::size_t kItemsPerThread = 16;

void count_in(CountsOfCounts& counts, std::uint64_t count) {
  if (count < counts.size()) ++counts[count];
}

std::uint32_t narrow(std::uint64_t value) {
  if (value <= std::numeric_limits<std::uint32_t>::max()) return static_cast<std::uint32_t>(value);
  throw Error(ErrorCode::kLimit, "the index is too large for Kneser-Ney: an n-gram has " + std::to_string(value) +
                                     " beginnings of documents or neighbours, and 4294967295 is the most");
}

NgramRecord make_record(Rank begin, std::uint64_t size, std::uint64_t count, const ContextCounts& after) {
  return {narrow(begin),
          narrow(size),
          narrow(count),
          {narrow(after.sizes[0]), narrow(after.sizes[1]), narrow(after.sizes[2])},
          after.sum};
}

}  // namespace

void ContextCounts::add(std::uint64_t count) {
  if (count == 0) return;
  sum += count;
  ++sizes[std::min<std::uint64_t>(count, 3) - 1];
}

void ContextCounts::add(const ContextCounts& counts) {
  sum += counts.sum;
  for (std::size_t i = 0; i < sizes.size(); ++i) sizes[i] += counts.sizes[i];
}

KneserNeyCounts::PartScan::PartScan(std::uint64_t order, std::uint64_t few, std::size_t num_shards,
                                    std::uint64_t vocab_size)
    : order_(order), few_(few), num_shards_(num_shards), open_(order + 1) {
  part_.records.resize((order_ - 1) * 2 * num_shards_);
  part_.sizes.resize(order_ + 1);
  for (std::size_t length = 1; length < order_; ++length) {
    open_[length].seen.assign(vocab_size + 1, 0);
    open_[length].firsts.resize(num_shards_);
    open_[length].sizes.resize(num_shards_);
  }
}

void KneserNeyCounts::PartScan::add(const ScannedSuffix& suffix) {
  std::size_t length = 0;
  while (length < order_ && (length == 0 || suffix.symbols[length - 1] != kDocumentEnd)) ++length;
  while (depth_ > suffix.shared) close(depth_--);
  while (depth_ < length) begin(++depth_, suffix);
  bool is_new = true;
  for (std::size_t k = depth_; k > 0; --k) {
    Open& ngram = open_[k];
    ++ngram.count;
    if (suffix.preceding == kDocumentEnd) ++ngram.starts;
    if (k == order_) continue;
    // Whatever stood before a longer n-gram stood before the shorter one.
    if (is_new && ngram.seen[suffix.preceding] != ngram.number) {
      ngram.seen[suffix.preceding] = ngram.number;
      ++ngram.preceding;
    } else {
      is_new = false;
    }
    Rank& first = ngram.firsts[suffix.shard];
    if (first == kNoRank) first = suffix.rank;
    ++ngram.sizes[suffix.shard];
  }
}

KneserNeyCounts::Part KneserNeyCounts::PartScan::finish() {
  while (depth_ > 0) close(depth_--);
  return std::move(part_);
}

void KneserNeyCounts::PartScan::begin(std::size_t length, const ScannedSuffix& suffix) {
  Open& ngram = open_[length];
  ngram.last = suffix.symbols[length - 1];
  ngram.count = ngram.preceding = ngram.starts = 0;
  ngram.after = ngram.after_start = {};
  ++ngram.number;
  std::ranges::fill(ngram.firsts, kNoRank);
  std::ranges::fill(ngram.sizes, 0);
}

void KneserNeyCounts::PartScan::close(std::size_t length) {
  const Open& ngram = open_[length];
  const std::uint64_t adjusted = length < order_ ? ngram.preceding : ngram.count;
  count_in(part_.sizes[length], adjusted);
  if (length < order_ && ngram.starts > 0) count_in(part_.sizes[length + 1], ngram.starts);
  (length > 1 ? open_[length - 1].after : part_.root).add(adjusted);
  if (length < order_) (length > 1 ? open_[length - 1].after_start : part_.root_start).add(ngram.starts);
  if (length == 1) {
    part_.unigrams.push_back({ngram.last, adjusted});
    part_.starts += ngram.starts;
  }
  if (length == 2 && ngram.last == kDocumentEnd) ++part_.end_preceding;
  if (length < order_ && (length == 1 || ngram.count > few_)) keep(length, ngram);
}

void KneserNeyCounts::PartScan::keep(std::size_t length, const Open& ngram) {
  for (std::size_t s = 0; s < num_shards_; ++s) {
    if (ngram.firsts[s] == kNoRank) continue;
    const Rank first = ngram.firsts[s];
    records(length, kPlain, s).push_back(make_record(first, ngram.sizes[s], ngram.preceding, ngram.after));
    if (ngram.starts == 0) continue;
    records(length, kStart, s).push_back(make_record(first, ngram.sizes[s], ngram.starts, ngram.after_start));
  }
}

KneserNeyCounts KneserNeyCounts::scan(Shards shards, std::uint64_t order, const Execution& execution,
                                      const Progress& progress) {
  KneserNeyCounts result(order, shards);
  result.totals_.few = kFewOccurrences;
  // The whole of an order's n-grams has to be known before any is smoothed: an item is a run of them all.
  const auto runs = cut_by_first_symbol(shards, kItemsPerThread * execution.threads);
  std::vector<Part> parts(runs.size());
  std::atomic<std::uint64_t> done{0};
  run_parallel(runs.size(), execution.threads, execution.stop, [&](std::size_t i) {
    OrderedScan scan(shards, runs[i], order);
    PartScan part(order, kFewOccurrences, shards.size(), result.total_.vocab_size);
    std::uint64_t suffixes = 0;
    while (const ScannedSuffix* suffix = scan.next()) {
      part.add(*suffix);
      if (++suffixes % kSuffixesPerPoll == 0) execution.stop.look();
    }
    parts[i] = part.finish();
    const std::uint64_t sum = done.fetch_add(suffixes) + suffixes;
    if (progress) progress(sum, result.total_.num_tokens);
  });
  Totals& totals = result.totals_;
  std::uint64_t end = 0;  // the adjusted count of the end
  std::uint64_t starts = 0;
  for (const Part& part : parts) {
    for (std::size_t k = 1; k <= order; ++k) {
      for (std::size_t n = 0; n < totals.sizes[k].size(); ++n) totals.sizes[k][n] += part.sizes[k][n];
    }
    totals.root.add(part.root);
    totals.root_start.add(part.root_start);
    totals.num_types += part.unigrams.size();
    end += part.end_preceding;
    starts += part.starts;
  }
  // The n-grams that no suffix begins with: the end of a document, alone and behind <s>.
  totals.empty_documents = result.total_.num_documents - starts;
  if (order > 1) {
    if (totals.empty_documents > 0) ++end;
    count_in(totals.sizes[2], totals.empty_documents);
    totals.root_start.add(totals.empty_documents);
  } else {
    end = result.total_.num_documents;
  }
  count_in(totals.sizes[1], end);
  totals.root.add(end);
  if (end > 0) ++totals.num_types;
  if (!parts.empty()) {
    parts.front().unigrams.push_back({kDocumentEnd, end});
  } else {
    parts.emplace_back();
    parts.front().records.resize((order - 1) * 2 * shards.size());
    parts.front().unigrams.push_back({kDocumentEnd, end});
  }
  result.write_payload(parts);
  return result;
}

}  // namespace anygram
