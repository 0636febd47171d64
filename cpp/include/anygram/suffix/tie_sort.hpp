// Sorts suffixes by their first keys, and finishes the order of those whose first keys are equal.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <anygram/base/interval.hpp>
#include <anygram/suffix/anchors.hpp>
#include <anygram/suffix/key.hpp>
#include <anygram/suffix/match.hpp>
#include <anygram/suffix/record_sort.hpp>

namespace anygram {

// Works in rounds over all ties of a segment, so that the text of one can be fetched while another is compared. Pairs
// are decided by a match of 64 bytes. Larger groups skip what all of them share by such a match, and are sorted by the
// keys behind it. After kAnchorDepth symbols one look at the anchors' ranks decides, so the number of rounds is
// bounded. One object a thread: it owns scratch memory.
template <int Width>
class TieSorter {
 public:
  // Without `ranks`, suffixes that are equal for kAnchorDepth symbols stay tied.
  TieSorter(const std::byte* text, KeyFormat format, RecordSort sort_records, const AnchorRanks<Width>* ranks,
            WorkMeter& meter)
      : text_(text), format_(format), sort_records_(sort_records), ranks_(ranks), meter_(meter) {
    for (int zeros = 0; zeros <= 64; ++zeros)
      symbols_of_zeros_[static_cast<std::size_t>(zeros)] =
          static_cast<std::uint8_t>(std::max(0, zeros - (64 - format_.key_bits())) / format_.bits);
  }

  // Sorts records whose keys are those of their suffixes. The keys are lost. If `shared` is not null, shared[i] becomes
  // what the suffixes i - 1 and i share, for i > 0. Appends the groups that stay tied to `still_tied`, counted from
  // `first`.
  void sort(Records records, std::uint8_t* shared, std::size_t size, Rank first, std::vector<Interval>& still_tied) {
    statistics_.records_moved += sort_records_(records, size, meter_);
    records_ = records;
    shared_ = shared;
    note_shared(0, size, 0);
    // In segments that fit the cache, together with the text that their suffixes begin with.
    constexpr std::size_t kSegment = 16384;
    for (std::size_t begin = 0; begin < size;) {
      std::size_t end = std::min(size, begin + kSegment);
      while (end < size && records.keys[end] == records.keys[end - 1]) ++end;
      meter_.add(end - begin);
      sort_segment(begin, end, first, still_tied);
      begin = end;
    }
  }

  const SortStatistics& statistics() const { return statistics_; }

 private:
  // Records that are equal for `depth` symbols. If they have ended, the last of these is the end.
  struct Group {
    std::uint32_t begin;
    std::uint32_t size;
    std::uint32_t depth;
    bool ended;
  };

  // A list that makes room for many at a time, so that appending one costs no check.
  class List {
   public:
    void make_room(std::size_t count) {
      if (groups_.size() <= size_ + count) groups_.resize(std::max(2 * groups_.size(), size_ + count + 1));
    }
    void clear() { size_ = 0; }
    // Appends if told so; without a branch.
    void append_if(bool condition, const Group& group) {
      groups_[size_] = group;
      size_ += condition;
    }
    std::size_t size() const { return size_; }
    const Group& operator[](std::size_t index) const { return groups_[index]; }

   private:
    std::vector<Group> groups_;
    std::size_t size_ = 0;
  };

  static constexpr std::size_t kAhead = 24;  // suffixes whose text is on its way from memory
  static constexpr int kShortRounds = 2;
  static constexpr std::size_t kLongWork = std::size_t{1} << 16;

  const std::byte* text_at(Position position, std::uint32_t depth) const {
    return text_ + (std::uint64_t{position} + depth) * Width;
  }
  template <int Bytes>
  void prefetch(Position position, std::uint32_t depth) const {
    const std::byte* const address = text_at(position, depth);
    __builtin_prefetch(address);
    __builtin_prefetch(address + Bytes + 7);  // and a key behind; mostly the same line for a short match
  }

  void sort_segment(std::size_t begin, std::size_t end, Rank first, std::vector<Interval>& still_tied) {
    next_pairs_.clear();
    next_groups_.clear();
    deep_.clear();
    split(begin, end, static_cast<std::uint32_t>(format_.symbols_per_key));
    for (int round = 0; next_pairs_.size() + next_groups_.size() > 0; ++round) {
      std::swap(pairs_, next_pairs_);
      std::swap(groups_, next_groups_);
      next_pairs_.clear();
      next_groups_.clear();
      // Most ties end soon, so two cache lines are not fetched for each at first.
      if (round < kShortRounds) {
        match_pairs<16>();
        sort_groups<16>();
      } else {
        match_pairs<64>();
        sort_groups<64>();
      }
    }
    if (ranks_ != nullptr) return sort_by_ranks();
    for (std::size_t i = 0; i < deep_.size(); ++i)
      still_tied.push_back({first + deep_[i].begin, first + deep_[i].begin + deep_[i].size});
  }

  // Notes what neighbours of different keys share; the keys are those at `depth`.
  void note_shared(std::size_t begin, std::size_t end, std::uint32_t depth) {
    if (shared_ == nullptr) return;
    const std::uint64_t* const keys = records_.keys;
    for (std::size_t i = begin + 1; i < end; ++i) {
      const auto zeros = static_cast<std::size_t>(std::countl_zero(keys[i - 1] ^ keys[i]));
      shared_[i] = cap(depth + symbols_of_zeros_[zeros]);
    }
  }
  static std::uint8_t cap(std::uint32_t shared) {
    return static_cast<std::uint8_t>(std::min<std::uint32_t>(shared, kMaxShared));
  }

  // Makes groups of the runs of equal keys in sorted records, which are then equal for `depth` symbols.
  void split(std::size_t begin, std::size_t end, std::uint32_t depth) {
    constexpr std::size_t kBlock = 4096;
    const std::uint64_t* const keys = records_.keys;
    std::size_t run = begin;
    const auto append_run = [&](bool is_whole, std::size_t run_end) {
      const std::size_t size = run_end - run;
      const bool ended = format_.has_end(keys[run_end - 1]);
      const Group group{static_cast<std::uint32_t>(run), static_cast<std::uint32_t>(size), depth, ended};
      next_pairs_.append_if(is_whole & (size == 2) & !ended, group);
      next_groups_.append_if(is_whole & (size > 1) & ((size > 2) | ended), group);
      run = is_whole ? run_end : run;
    };
    for (std::size_t i = begin + 1; i < end;) {
      next_pairs_.make_room(kBlock / 2 + 2);
      next_groups_.make_room(kBlock / 2 + 2);
      if (end - begin >= kLongWork) meter_.add(0);
      for (const std::size_t block_end = std::min(end, i + kBlock); i < block_end; ++i)
        append_run(keys[i] != keys[i - 1], i);
    }
    next_pairs_.make_room(1);
    next_groups_.make_room(1);
    append_run(true, end);
  }

  // A group whose shared symbols have become more.
  void keep(List& next, const Group& group) {
    const bool is_deep = group.depth >= static_cast<std::uint32_t>(kAnchorDepth);
    deep_.make_room(1);
    next.make_room(1);
    deep_.append_if(is_deep, group);
    next.append_if(!is_deep, group);
  }

  template <int Bytes>
  void match_pairs() {
    statistics_.keys_loaded += 2 * pairs_.size();
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
      if (i + kAhead / 2 < pairs_.size()) {
        const Group& ahead = pairs_[i + kAhead / 2];
        prefetch<Bytes>(records_.positions[ahead.begin], ahead.depth);
        prefetch<Bytes>(records_.positions[ahead.begin + 1], ahead.depth);
      }
      Group pair = pairs_[i];
      Position* const positions = records_.positions + pair.begin;
      const Position a = positions[0], b = positions[1];
      const std::byte *const text_a = text_at(a, pair.depth), *const text_b = text_at(b, pair.depth);
      const Match found = match<Width, Bytes>(text_a, text_b);
      pair.depth += found.symbols;
      if (found.symbols == Bytes / Width) {
        keep(next_pairs_, pair);
        continue;
      }
      const bool swap = found.ended ? b < a
                                    : load_symbol<Width>(text_b + found.symbols * Width) <
                                          load_symbol<Width>(text_a + found.symbols * Width);
      positions[0] = swap ? b : a;
      positions[1] = swap ? a : b;
      if (shared_ != nullptr) shared_[pair.begin + 1] = cap(pair.depth + found.ended);
    }
  }

  template <int Bytes>
  void sort_groups() {
    std::size_t ahead = 0, num_ahead = 0;  // groups whose text is on its way, and their suffixes
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      for (; ahead < groups_.size() && num_ahead < kAhead; ++ahead) {
        const Group& group = groups_[ahead];
        const Position* const positions = records_.positions + group.begin;
        for (std::size_t j = 0; j < std::min<std::size_t>(kAhead, group.size); ++j)
          prefetch<Bytes>(positions[j], group.depth);
        num_ahead += group.size;
      }
      num_ahead -= groups_[i].size;
      sort_group<Bytes>(groups_[i]);
    }
  }

  template <int Bytes>
  void sort_group(Group group) {
    if (group.ended) {
      // Its depth is one key's too large.
      group.depth -= static_cast<std::uint32_t>(format_.symbols_per_key);
      const Position position = records_.positions[group.begin];
      group.depth += match<Width, 64>(text_at(position, group.depth), text_at(position, group.depth)).symbols;
      return sort_positions(group);
    }
    const Match found = match_all<Bytes>(group);
    group.depth += found.symbols;
    if (found.ended) return sort_positions(group);
    if (found.symbols == Bytes / Width || group.depth >= static_cast<std::uint32_t>(kAnchorDepth))
      return keep(next_groups_, group);
    load_keys(group);
    sort_by_keys(group);
    note_shared(group.begin, group.begin + group.size, group.depth);
    split(group.begin, group.begin + group.size, group.depth + static_cast<std::uint32_t>(format_.symbols_per_key));
  }

  // What all of a group share behind its depth.
  template <int Bytes>
  Match match_all(const Group& group) {
    const Position* const positions = records_.positions + group.begin;
    Matcher<Width, Bytes> matcher(text_at(positions[0], group.depth));
    std::size_t i = 1;
    for (; i < group.size && !matcher.differ_at_once(); ++i) {
      if (i + kAhead < group.size) prefetch<Bytes>(positions[i + kAhead], group.depth);
      matcher.add(text_at(positions[i], group.depth));
      if (i % kLongWork == kLongWork - 1) meter_.add(0);
    }
    statistics_.keys_loaded += i;
    return matcher.result();
  }

  void load_keys(const Group& group) {
    const Position* const positions = records_.positions + group.begin;
    std::uint64_t* const keys = records_.keys + group.begin;
    statistics_.keys_loaded += group.size;
    for (std::size_t i = 0; i < group.size; ++i) {
      if (i + kAhead < group.size) __builtin_prefetch(text_at(positions[i + kAhead], group.depth));
      keys[i] = load_key<Width>(text_, std::uint64_t{positions[i]} + group.depth, format_);
      if (i % kLongWork == kLongWork - 1) meter_.add(0);
    }
  }

  void sort_by_keys(const Group& group) {
    statistics_.records_moved +=
        sort_records_({records_.keys + group.begin, records_.positions + group.begin}, group.size, meter_);
  }

  // Suffixes that are equal through an end, which is one symbol behind the group's depth.
  void sort_positions(const Group& group) {
    Position* const positions = records_.positions + group.begin;
    if (!std::is_sorted(positions, positions + group.size)) {
      std::copy_n(positions, group.size, records_.keys + group.begin);
      sort_by_keys(group);
    }
    if (shared_ != nullptr) std::fill_n(shared_ + group.begin + 1, group.size - 1, cap(group.depth + 1));
  }

  // Batches of small groups, so that the memory of one is fetched while another's is used.
  void sort_by_ranks() {
    for (std::size_t i = 0; i < deep_.size();) {
      std::size_t end = i, size = 0;
      for (; end < deep_.size() && (end == i || size + deep_[end].size <= batch_positions_.size()); ++end)
        size += deep_[end].size;
      load_ranks(i, end, size);
      for (; i < end; ++i) {
        sort_by_keys(deep_[i]);
        if (shared_ != nullptr) note_shared_of_ranks(deep_[i]);
      }
    }
  }

  void load_ranks(std::size_t begin, std::size_t end, std::size_t size) {
    statistics_.ranks_loaded += size;
    if (end - begin == 1) {
      const std::size_t place = deep_[begin].begin;
      return ranks_->load(records_.positions + place, size, records_.keys + place, meter_);
    }
    std::size_t place = 0;
    for (std::size_t i = begin; i < end; ++i, place += deep_[i - 1].size)
      std::copy_n(records_.positions + deep_[i].begin, deep_[i].size, batch_positions_.data() + place);
    ranks_->load(batch_positions_.data(), size, batch_ranks_.data(), meter_);
    place = 0;
    for (std::size_t i = begin; i < end; ++i, place += deep_[i - 1].size)
      std::copy_n(batch_ranks_.data() + place, deep_[i].size, records_.keys + deep_[i].begin);
  }

  void note_shared_of_ranks(const Group& group) {
    const Position* const positions = records_.positions + group.begin;
    const std::uint64_t* const ranks = records_.keys + group.begin;
    const std::uint32_t offset = ranks_->offset(positions[0]);
    for (std::size_t i = 1; i < group.size; ++i) {
      const int shared = ranks_->shared(ranks[i - 1], ranks[i]);
      shared_[group.begin + i] = shared >= 0
                                     ? cap(offset + static_cast<std::uint32_t>(shared))
                                     : shared_symbols<Width>(text_, positions[i - 1], positions[i], group.depth);
    }
  }

  const std::byte* text_;
  const KeyFormat format_;
  const RecordSort sort_records_;
  const AnchorRanks<Width>* ranks_;
  WorkMeter& meter_;
  SortStatistics statistics_;
  std::array<std::uint8_t, 65> symbols_of_zeros_{};  // equal symbols of keys whose difference has so many leading zeros

  Records records_{};
  std::uint8_t* shared_ = nullptr;
  List pairs_, groups_, next_pairs_, next_groups_;
  List deep_;  // equal for kAnchorDepth symbols, and not ended there
  std::array<Position, 1024> batch_positions_{};
  std::array<std::uint64_t, 1024> batch_ranks_{};
};

}  // namespace anygram
