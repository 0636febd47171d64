// Finishes the order of suffixes that are sorted by their first key.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <anygram/base/interval.hpp>
#include <anygram/suffix/anchors.hpp>
#include <anygram/suffix/key.hpp>
#include <anygram/suffix/record_sort.hpp>

namespace anygram {

// Works in rounds: all suffixes that are still tied load their next key (a tight loop that hides memory latency by
// prefetching), then each group of ties is sorted by it. After kAnchorDepth symbols one look at the anchors' ranks
// decides, so the number of rounds is bounded. One object a thread: it owns scratch memory.
template <int Width>
class TieSorter {
 public:
  // Without `ranks`, suffixes that are equal for kAnchorDepth symbols stay tied.
  TieSorter(const std::byte* text, KeyFormat format, RecordSort sort_records, const AnchorRanks<Width>* ranks,
            WorkMeter& meter)
      : text_(text), format_(format), sort_records_(sort_records), ranks_(ranks), meter_(meter) {}

  // Sorts records whose keys are those of their suffixes. The keys are lost. Appends the groups that stay tied to
  // `still_tied`, counted from `first`.
  void sort(Records records, std::size_t size, Rank first, std::vector<Interval>& still_tied) {
    statistics_.records_moved += sort_records_(records, size, meter_);
    // In segments that fit the cache, together with the text that their suffixes begin with.
    constexpr std::size_t kSegment = 4096;
    for (std::size_t begin = 0; begin < size;) {
      std::size_t end = std::min(size, begin + kSegment);
      while (end < size && records.keys[end] == records.keys[end - 1]) ++end;
      meter_.add(end - begin);
      sort_segment({records.keys + begin, records.positions + begin}, end - begin, first + begin, still_tied);
      begin = end;
    }
  }

  const SortStatistics& statistics() const { return statistics_; }

 private:
  // Suffixes that are tied: tied_[begin] up to the next group's begin. They belong at positions[destination].
  struct Group {
    std::uint32_t begin;
    std::uint32_t destination;
  };

  void sort_segment(Records records, std::size_t size, Rank first, std::vector<Interval>& still_tied) {
    if (tied_.size() < size + 1) {
      tied_.resize(size + 1);
      groups_.resize(size + 1);
      next_groups_.resize(size + 1);
    }
    num_tied_ = num_groups_ = 0;
    split({records.keys, records.positions}, size, 0, records.positions);
    for (int depth = format_.symbols_per_key; num_groups_ > 0; depth += format_.symbols_per_key) {
      std::swap(groups_, next_groups_);
      const std::size_t num_groups = num_groups_;
      const std::size_t num_tied = num_tied_;
      groups_[num_groups].begin = static_cast<std::uint32_t>(num_tied);
      if (depth >= kAnchorDepth && ranks_ == nullptr) {
        for (std::size_t group = 0; group < num_groups; ++group) {
          const Rank begin = first + groups_[group].destination;
          still_tied.push_back({begin, begin + groups_[group + 1].begin - groups_[group].begin});
        }
        return;
      }
      const bool last_round = depth >= kAnchorDepth;
      if (last_round) {
        ranks_->load(tied_.data(), num_tied, records.keys);
        statistics_.ranks_loaded += num_tied;
      } else {
        load_keys(num_tied, depth, records.keys);
      }
      num_tied_ = num_groups_ = 0;
      for (std::size_t group = 0; group < num_groups; ++group) {
        const std::size_t begin = groups_[group].begin;
        const std::size_t group_size = groups_[group + 1].begin - begin;
        const std::uint32_t destination = groups_[group].destination;
        const Records tied{records.keys + begin, tied_.data() + begin};
        sort_group(tied, group_size);
        std::copy_n(tied.positions, group_size, records.positions + destination);
        if (!last_round) split(tied, group_size, destination, records.positions);
      }
      if (last_round) return;
    }
  }

  void load_keys(std::size_t size, int depth, std::uint64_t* keys) {
    constexpr std::size_t kAhead = 24;
    const std::byte* text = text_ + static_cast<std::size_t>(depth) * Width;
    const Position* positions = tied_.data();
    statistics_.keys_loaded += size;
    const std::size_t hinted = size > kAhead ? size - kAhead : 0;
    for (std::size_t i = 0; i < hinted; ++i) {
      __builtin_prefetch(text + std::uint64_t{positions[i + kAhead]} * Width);
      keys[i] = load_key<Width>(text, positions[i], format_);
    }
    for (std::size_t i = hinted; i < size; ++i) keys[i] = load_key<Width>(text, positions[i], format_);
  }

  void sort_group(Records records, std::size_t size) {
    if (size == 2) {
      const std::uint64_t key0 = records.keys[0], key1 = records.keys[1];
      const Position position0 = records.positions[0], position1 = records.positions[1];
      const bool swap = key1 < key0;
      records.keys[0] = swap ? key1 : key0;
      records.keys[1] = swap ? key0 : key1;
      records.positions[0] = swap ? position1 : position0;
      records.positions[1] = swap ? position0 : position1;
      return;
    }
    const std::uint64_t key = records.keys[0];
    std::size_t equal = 1;
    while (equal < size && records.keys[equal] == key) ++equal;
    if (equal < size) statistics_.records_moved += sort_records_(records, size, meter_);
  }

  // Appends the runs of equal keys in sorted records to the next round's groups. Runs that are equal up to a document's
  // end are ordered by position at once. `tied_` may be read and written at once: the writes never overtake.
  void split(Records records, std::size_t size, std::uint32_t destination, Position* positions) {
    bool with_previous = false;
    for (std::size_t i = 0; i < size; ++i) {
      const std::uint64_t key = records.keys[i];
      const bool with_next = i + 1 < size && records.keys[i + 1] == key;
      if (with_next && format_.has_end(key)) [[unlikely]] {
        std::size_t end = i + 2;
        while (end < size && records.keys[end] == key) ++end;
        sort_positions(positions + destination + i, end - i);
        i = end - 1;
        with_previous = false;
        continue;
      }
      tied_[num_tied_] = records.positions[i];
      next_groups_[num_groups_] = {static_cast<std::uint32_t>(num_tied_), destination + static_cast<std::uint32_t>(i)};
      num_tied_ += with_next || with_previous;
      num_groups_ += with_next && !with_previous;
      with_previous = with_next;
    }
  }

  void sort_positions(Position* positions, std::size_t size) {
    if (std::is_sorted(positions, positions + size)) return;
    ended_keys_.assign(positions, positions + size);
    statistics_.records_moved += sort_records_({ended_keys_.data(), positions}, size, meter_);
  }

  const std::byte* text_;
  const KeyFormat format_;
  const RecordSort sort_records_;
  const AnchorRanks<Width>* ranks_;
  WorkMeter& meter_;
  SortStatistics statistics_;

  std::vector<Position> tied_;
  std::vector<Group> groups_, next_groups_;
  std::vector<std::uint64_t> ended_keys_;
  std::size_t num_tied_ = 0;
  std::size_t num_groups_ = 0;
};

}  // namespace anygram
