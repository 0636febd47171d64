#include <anygram/scan/ordered_scan.hpp>

#include <algorithm>
#include <numeric>

namespace anygram {
namespace {

constexpr std::uint64_t kBlock = 512;

}  // namespace

OrderedScan::OrderedScan(Shards shards, std::span<const Interval> intervals, std::size_t depth)
    : depth_(depth), before_(depth) {
  for (std::size_t s = 0; s < shards.size(); ++s) {
    Cursor cursor;
    cursor.shard = shards[s].get();
    cursor.rest = intervals[s];
    fill(cursor);
    cursors_.push_back(std::move(cursor));
  }
}

void OrderedScan::fill(Cursor& cursor) const {
  const std::uint64_t size = std::min(kBlock, cursor.rest.size());
  cursor.first = cursor.rest.begin;
  cursor.used = 0;
  cursor.ranks.resize(size);
  std::iota(cursor.ranks.begin(), cursor.ranks.end(), cursor.first);
  cursor.symbols.resize(size * (depth_ + 1));
  cursor.shard->symbols_around(cursor.ranks, depth_, cursor.symbols);
  cursor.rest.begin += size;
}

std::span<const Symbol> OrderedScan::head(const Cursor& cursor) const {
  return std::span(cursor.symbols).subspan(cursor.used * (depth_ + 1) + 1, depth_);
}

const ScannedSuffix* OrderedScan::next() {
  if (last_ != nullptr) {
    std::ranges::copy(suffix_.symbols, before_.begin());
    if (++last_->used == last_->ranks.size()) fill(*last_);
  }
  last_ = nullptr;
  for (Cursor& cursor : cursors_) {
    if (is_done(cursor)) continue;
    if (last_ == nullptr || std::ranges::lexicographical_compare(head(cursor), head(*last_))) last_ = &cursor;
  }
  if (last_ == nullptr) return nullptr;
  suffix_.symbols = head(*last_);
  suffix_.preceding = last_->symbols[last_->used * (depth_ + 1)];
  suffix_.shard = static_cast<std::size_t>(last_ - cursors_.data());
  suffix_.rank = last_->first + last_->used;
  suffix_.shared = 0;
  while (!is_first_ && suffix_.shared < depth_ && before_[suffix_.shared] == suffix_.symbols[suffix_.shared]) {
    if (suffix_.symbols[suffix_.shared++] == kDocumentEnd) break;
  }
  is_first_ = false;
  return &suffix_;
}

std::vector<std::vector<Interval>> cut_by_first_symbol(Shards shards, std::size_t parts) {
  struct Run {
    Symbol symbol;
    std::size_t shard;
    std::uint64_t count;
  };
  std::vector<Run> runs;
  std::uint64_t total = 0;
  for (std::size_t s = 0; s < shards.size(); ++s) {
    std::vector<Continuation> unigrams;
    shards[s]->unigrams(unigrams);
    for (const Continuation& unigram : unigrams) {
      runs.push_back({unigram.symbol, s, unigram.count});
      total += unigram.count;
    }
  }
  std::ranges::sort(runs, {}, &Run::symbol);
  const std::uint64_t wanted = total / std::max<std::size_t>(parts, 1) + 1;
  std::vector<std::vector<Interval>> result;
  std::vector<Interval> part(shards.size());
  std::uint64_t size = 0;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    part[runs[i].shard].end += runs[i].count;
    size += runs[i].count;
    const bool is_last = i + 1 == runs.size();
    if (!is_last && (size < wanted || runs[i + 1].symbol == runs[i].symbol)) continue;
    result.push_back(part);
    for (Interval& interval : part) interval.begin = interval.end;
    size = 0;
  }
  return result;
}

}  // namespace anygram
