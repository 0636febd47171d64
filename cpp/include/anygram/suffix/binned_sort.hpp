// Sorts a set of suffixes: scattered into bins by the first bits of their keys, each bin sorted on its own.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <span>
#include <vector>

#include <anygram/base/interval.hpp>
#include <anygram/base/thread_pool.hpp>
#include <anygram/suffix/key.hpp>
#include <anygram/suffix/key_bins.hpp>
#include <anygram/suffix/symbol_filter.hpp>
#include <anygram/suffix/tie_sort.hpp>
#include <anygram/suffix/work_array.hpp>

namespace anygram {

// Some sorted suffixes, with the groups of them that are still tied, as intervals of ranks.
struct SortedPart {
  SortedRun run;
  std::span<const Interval> still_tied;
};

// Source::collect(begin, end, smallest, largest, to) writes to `to`, ascending, the positions of the set that are in
// [begin, end), and returns how many; it may leave out those whose symbol is not in [smallest, largest]. No position is
// a document end's. Bounds are multiples of 64 or the text's end.
template <int Width, class Source>
class BinnedSort {
 public:
  BinnedSort(const TokenText& text, Symbol largest_symbol, const Source& source, const SortOptions& options,
             const AnchorRanks<Width>* ranks, WorkMeter& meter)
      : text_(text.bytes.data()),
        length_(text.length),
        largest_symbol_(largest_symbol),
        format_(KeyFormat::for_largest(largest_symbol)),
        source_(source),
        options_(options),
        ranks_(ranks),
        meter_(meter),
        num_slices_(std::max<std::size_t>(1, options.threads)) {}

  // Counts the suffixes and plans the bins; there are about `num_expected`. Counts length units on the meter.
  void plan(std::uint64_t num_expected) {
    constexpr std::uint64_t kNumBins = 16384, kSmallestBin = 2048;
    bin_size_ = std::max(num_expected / kNumBins, kSmallestBin);
    const std::vector<std::uint64_t> sample = sample_keys();
    bins_.emplace(format_, largest_symbol_, sample, num_expected, bin_size_ / 4);
    std::vector<std::vector<std::uint32_t>> counts(num_slices_);
    run_slices([&](std::size_t slice) {
      std::vector<std::uint32_t>& entries = counts[slice];
      entries.resize(bins_->num_entries());
      for_each_key(slice, 1, largest_symbol_, [&](std::uint64_t key, Position) { ++entries[bins_->entry(key)]; });
    });
    assign_bins(counts);
  }

  std::uint64_t num_records() const { return num_records_; }
  // What a pass needs besides its records.
  std::uint64_t num_bytes() const {
    return bins_->num_bytes() + bin_of_.size() * sizeof(std::uint16_t) +
           num_bins() * (num_slices_ * (sizeof(std::uint32_t) + sizeof(std::uint64_t)) + 64);
  }

  // Sorts all suffixes in some passes over the text, or as many as `memory` bytes for their records ask for (0: no
  // bound), and calls deliver(part) in the order of ranks, on the calling thread, while others sort on. Counts length
  // units for each pass, and one for each record.
  template <class Deliver>
  void sort(std::uint64_t memory, SortStatistics& statistics, const Deliver& deliver) {
    const std::vector<std::size_t> passes = split_into_passes(records_per_pass(memory));
    std::uint64_t largest_pass = 0;
    for (std::size_t pass = 0; pass + 1 < passes.size(); ++pass)
      largest_pass = std::max(largest_pass, records_in(passes[pass], passes[pass + 1]));
    WorkArray<std::uint64_t> keys(largest_pass + num_slices_ * kSpareRecords);
    WorkArray<Position> positions(largest_pass + num_slices_ * kSpareRecords);
    WorkArray<std::uint8_t> shared(options_.shared ? largest_pass : 0);
    const Pass arrays{{keys.data(), positions.data()}, options_.shared ? shared.data() : nullptr};
    for (std::size_t pass = 0; pass + 1 < passes.size(); ++pass) {
      scatter(passes[pass], passes[pass + 1], arrays.records);
      sort_bins(passes[pass], passes[pass + 1], arrays, deliver);
    }
    statistics.records_moved += num_records_;
    for (const auto& sorter : idle_sorters_) statistics += sorter->statistics();
    statistics.passes += passes.size() - 1;
  }

  // How many passes sort() will take, for planning the meter.
  std::size_t num_passes(std::uint64_t memory) const { return split_into_passes(records_per_pass(memory)).size() - 1; }

 private:
  // For each slice, behind the records of a pass: a cache line of its own.
  static constexpr std::uint64_t kSpareRecords = 16;
  static constexpr std::uint64_t kBlock = 4096;  // positions collected at once

  struct Pass {
    Records records;
    std::uint8_t* shared;
  };

  std::uint64_t record_bytes() const { return sizeof(std::uint64_t) + sizeof(Position) + options_.shared; }
  std::size_t num_bins() const { return bin_sizes_.size(); }
  std::uint64_t records_in(std::size_t begin, std::size_t end) const {
    return std::accumulate(bin_sizes_.begin() + static_cast<std::ptrdiff_t>(begin),
                           bin_sizes_.begin() + static_cast<std::ptrdiff_t>(end), std::uint64_t{0});
  }

  template <class Body>
  void run_slices(const Body& body) {
    run_parallel(num_slices_, options_.threads, meter_.stop(), body);
  }

  // The keys of short stretches of the text, evenly spread.
  std::vector<std::uint64_t> sample_keys() const {
    constexpr std::uint64_t kStretch = 64, kStretches = std::uint64_t{1} << 14;
    const std::uint64_t step = std::max<std::uint64_t>(1, length_ / kStretch / kStretches) * kStretch;
    std::vector<std::uint64_t> sample;
    std::array<Position, kStretch + kFilterSpare> positions;
    for (std::uint64_t begin = 0; begin < length_; begin += step) {
      const std::uint64_t end = std::min(length_, begin + kStretch);
      const std::size_t size = source_.collect(begin, end, 1, largest_symbol_, positions.data());
      for (std::size_t i = 0; i < size; ++i) sample.push_back(load_key<Width>(text_, positions[i], format_));
    }
    return sample;
  }

  template <class Visit>
  void for_each_key(std::size_t slice, Symbol smallest, Symbol largest, const Visit& visit) {
    const auto bound = [&](std::size_t number) { return length_ / 64 * number / num_slices_ * 64; };
    const std::uint64_t slice_end = slice + 1 == num_slices_ ? length_ : bound(slice + 1);
    std::array<Position, kBlock + kFilterSpare> positions;
    std::uint64_t uncounted = 0;
    for (std::uint64_t begin = bound(slice); begin < slice_end; begin += kBlock) {
      const std::uint64_t end = std::min(begin + kBlock, slice_end);
      const std::size_t size = source_.collect(begin, end, smallest, largest, positions.data());
      for (std::size_t i = 0; i < size; ++i) visit(load_key<Width>(text_, positions[i], format_), positions[i]);
      uncounted += end - begin;
      if (uncounted < std::uint64_t{1} << 18 && end != slice_end) continue;
      meter_.add(uncounted);
      uncounted = 0;
    }
  }

  // Consecutive entries share a bin until it has its share of the records: so few that a bin fits a core's cache.
  void assign_bins(const std::vector<std::vector<std::uint32_t>>& counts) {
    bin_of_.resize(bins_->num_entries());
    bin_sizes_.assign(1, 0);
    bin_entries_.assign(1, 0);
    slice_bin_sizes_.assign(num_slices_, {0});
    for (std::size_t entry = 0; entry < bin_of_.size(); ++entry) {
      std::uint64_t size = 0;
      for (const auto& of_slice : counts) size += of_slice[entry];
      num_records_ += size;
      if (bin_sizes_.back() > 0 && bin_sizes_.back() + size > bin_size_) {
        bin_sizes_.push_back(0);
        bin_entries_.push_back(entry);
        for (auto& sizes : slice_bin_sizes_) sizes.push_back(0);
      }
      bin_sizes_.back() += size;
      for (std::size_t slice = 0; slice < num_slices_; ++slice) slice_bin_sizes_[slice].back() += counts[slice][entry];
      bin_of_[entry] = static_cast<std::uint16_t>(bin_sizes_.size() - 1);
    }
    bin_entries_.push_back(bin_of_.size());
  }

  // Not all at once if they are many, whatever the bound: to touch new memory costs more than to read the text again.
  std::uint64_t records_per_pass(std::uint64_t memory) const {
    constexpr std::uint64_t kFew = std::uint64_t{1} << 22;
    const std::uint64_t enough = std::max(kFew, num_records_ / 12);
    return memory == 0 ? enough : std::min(enough, memory / record_bytes());
  }

  // Bin numbers that begin a pass, and the number of bins at the end.
  std::vector<std::size_t> split_into_passes(std::uint64_t max_records) const {
    std::vector<std::size_t> passes{0};
    std::uint64_t size = 0;
    for (std::size_t bin = 0; bin < num_bins(); ++bin) {
      if (size > 0 && size + bin_sizes_[bin] > max_records) {
        passes.push_back(bin);
        size = 0;
      }
      size += bin_sizes_[bin];
    }
    passes.push_back(num_bins());
    return passes;
  }

  // Writes the records of the bins [begin, end), bin after bin. Each slice of the text has its own place in each bin,
  // so the outcome does not depend on threads.
  void scatter(std::size_t begin, std::size_t end, Records records) {
    std::vector<std::vector<std::uint64_t>> next(num_slices_, std::vector<std::uint64_t>(end - begin + 1));
    std::uint64_t place = 0;
    for (std::size_t bin = begin; bin < end; ++bin)
      for (std::size_t slice = 0; slice < num_slices_; ++slice) {
        next[slice][bin - begin] = place;
        place += slice_bin_sizes_[slice][bin];
      }
    const Symbol smallest = std::max<Symbol>(1, bins_->smallest_symbol(bin_entries_[begin]));
    const Symbol largest = std::min(largest_symbol_, bins_->largest_symbol(bin_entries_[end] - 1));
    run_slices([&](std::size_t slice) {
      std::uint64_t* const places = next[slice].data();
      const std::uint16_t* const bin_of = bin_of_.data();
      const std::size_t num_bins_here = end - begin;
      // Records of other passes go to a spare place behind the bins, which never moves on: no branch to mispredict.
      places[num_bins_here] = place + slice * kSpareRecords;
      for_each_key(slice, smallest, largest, [&](std::uint64_t key, Position position) {
        const std::size_t bin = std::min(bin_of[bins_->entry(key)] - begin, num_bins_here);
        const std::uint64_t to = places[bin];
        places[bin] = to + (bin < num_bins_here);
        records.keys[to] = key;
        records.positions[to] = position;
      });
    });
  }

  // The large bins come first, lest one be sorted alone at the end; all others in the order of ranks, so that what is
  // finished can be delivered while the rest is sorted.
  template <class Deliver>
  void sort_bins(std::size_t begin, std::size_t end, const Pass& pass, const Deliver& deliver) {
    std::vector<std::uint64_t> begins(end - begin + 1);
    std::partial_sum(bin_sizes_.begin() + static_cast<std::ptrdiff_t>(begin),
                     bin_sizes_.begin() + static_cast<std::ptrdiff_t>(end), begins.begin() + 1);
    std::vector<std::size_t> order(end - begin);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_partition(order.begin(), order.end(),
                          [&](std::size_t bin) { return bin_sizes_[begin + bin] > 16 * bin_size_; });
    std::vector<std::vector<Interval>> tied(end - begin);
    std::vector<std::atomic<bool>> done(end - begin);
    std::size_t delivered = 0;
    const auto deliver_done = [&](std::uint64_t fewest) {
      std::size_t ready = delivered;
      while (ready < done.size() && done[ready].load(std::memory_order_acquire)) ++ready;
      if (ready == delivered || begins[ready] - begins[delivered] < fewest) return;
      deliver_bins(pass, begins, tied, delivered, ready, deliver);
      delivered = ready;
    };
    run_parallel(order.size(), options_.threads, meter_.stop(), [&](std::size_t item) {
      constexpr std::uint64_t kFewest = std::uint64_t{1} << 16;
      const std::size_t bin = order[item];
      std::unique_ptr<TieSorter<Width>> sorter = take_sorter();
      sorter->sort({pass.records.keys + begins[bin], pass.records.positions + begins[bin]},
                   pass.shared == nullptr ? nullptr : pass.shared + begins[bin], begins[bin + 1] - begins[bin],
                   num_delivered_ + begins[bin], tied[bin]);
      return_sorter(std::move(sorter));
      done[bin].store(true, std::memory_order_release);
      if (meter_.is_owner()) deliver_done(kFewest);
    });
    deliver_done(0);
    num_delivered_ += begins.back();
  }

  template <class Deliver>
  void deliver_bins(const Pass& pass, const std::vector<std::uint64_t>& begins,
                    std::vector<std::vector<Interval>>& tied, std::size_t begin, std::size_t end,
                    const Deliver& deliver) {
    const Position* const positions = pass.records.positions;
    if (pass.shared != nullptr)
      for (std::size_t bin = begin; bin < end; ++bin) {
        const std::uint64_t first = begins[bin];
        if (first == begins[bin + 1]) continue;
        pass.shared[first] = before_ ? shared_symbols<Width>(text_, *before_, positions[first]) : std::uint8_t{0};
        before_ = positions[begins[bin + 1] - 1];
      }
    std::vector<Interval> still_tied;
    for (std::size_t bin = begin; bin < end; ++bin)
      still_tied.insert(still_tied.end(), tied[bin].begin(), tied[bin].end());
    const std::size_t size = begins[end] - begins[begin];
    SortedRun run{num_delivered_ + begins[begin], {positions + begins[begin], size}};
    if (pass.shared != nullptr) run.shared = {pass.shared + begins[begin], size};
    if (size > 0) deliver(SortedPart{run, still_tied});
  }

  std::unique_ptr<TieSorter<Width>> take_sorter() {
    const std::lock_guard lock(sorters_mutex_);
    if (idle_sorters_.empty()) {
      const RecordSort sort_records = options_.force_portable ? sort_records_portable : best_record_sort();
      return std::make_unique<TieSorter<Width>>(text_, format_, sort_records, ranks_, meter_);
    }
    auto sorter = std::move(idle_sorters_.back());
    idle_sorters_.pop_back();
    return sorter;
  }

  void return_sorter(std::unique_ptr<TieSorter<Width>> sorter) {
    const std::lock_guard lock(sorters_mutex_);
    idle_sorters_.push_back(std::move(sorter));
  }

  const std::byte* text_;
  const std::uint64_t length_;
  const Symbol largest_symbol_;
  const KeyFormat format_;
  const Source& source_;
  const SortOptions& options_;
  const AnchorRanks<Width>* ranks_;
  WorkMeter& meter_;
  const std::size_t num_slices_;
  std::optional<KeyBins> bins_;
  std::uint64_t bin_size_ = 0;  // records that a bin should have at most
  std::uint64_t num_records_ = 0;
  std::vector<std::uint16_t> bin_of_;     // of each entry
  std::vector<std::uint64_t> bin_sizes_;  // in records
  std::vector<std::size_t> bin_entries_;  // the first entry of each bin, and the number of entries
  std::vector<std::vector<std::uint32_t>> slice_bin_sizes_;
  Rank num_delivered_ = 0;          // in the passes before
  std::optional<Position> before_;  // the last suffix delivered
  std::mutex sorters_mutex_;
  std::vector<std::unique_ptr<TieSorter<Width>>> idle_sorters_;
};

}  // namespace anygram
