// Sorts a set of suffixes: scattered into bins by the first bits of their keys, each bin sorted on its own.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <numeric>
#include <span>
#include <vector>

#include <anygram/base/interval.hpp>
#include <anygram/base/thread_pool.hpp>
#include <anygram/suffix/key.hpp>
#include <anygram/suffix/tie_sort.hpp>
#include <anygram/suffix/work_array.hpp>

namespace anygram {

// Source::for_each(begin, end, visit) calls visit(position) for the suffixes of the set that begin in [begin, end); the
// bounds are multiples of 64 or the text's end. Those that begin at a document end are skipped.
template <int Width, class Source>
class BinnedSort {
 public:
  static constexpr std::uint64_t kRecordBytes = sizeof(std::uint64_t) + sizeof(Position);

  BinnedSort(const TokenText& text, Symbol largest_symbol, const Source& source, const SortOptions& options,
             const AnchorRanks<Width>* ranks, WorkMeter& meter)
      : text_(text.bytes.data()),
        length_(text.length),
        format_(KeyFormat::for_largest(largest_symbol)),
        source_(source),
        options_(options),
        ranks_(ranks),
        meter_(meter) {
    // The first field may be wider than any symbol needs: its leading zeros would waste table entries.
    const int significant = format_.key_bits() - format_.bits + static_cast<int>(std::bit_width(largest_symbol));
    const int table_bits = std::bit_width(largest_symbol) <= 16 ? 16 : 20;
    shift_ = std::max(0, significant - table_bits);
    num_entries_ = std::size_t{1} << std::min(table_bits, significant);
    num_slices_ = std::max<std::size_t>(1, options.threads);
  }

  // Counts the suffixes and plans the bins. Counts length units on the meter.
  void plan() {
    std::vector<std::vector<std::uint32_t>> counts(num_slices_);
    run_slices([&](std::size_t slice) {
      std::vector<std::uint32_t>& entries = counts[slice];
      entries.resize(num_entries_);
      for_each_key(slice, [&](std::uint64_t key, std::uint64_t) { ++entries[key >> shift_]; });
    });
    assign_bins(counts);
  }

  std::uint64_t num_records() const { return num_records_; }
  // What a pass needs besides its records.
  std::uint64_t num_bytes() const {
    return num_entries_ * sizeof(std::uint16_t) +
           num_slices_ * num_bins() * (sizeof(std::uint32_t) + sizeof(std::uint64_t));
  }

  // Sorts all suffixes in a few passes, or as many as `memory` bytes for their records ask for (0: no bound), and calls
  // deliver(first rank, positions, intervals of ranks that are still tied) for each pass. Counts length units for each
  // pass, and one for each record.
  template <class Deliver>
  void sort(std::uint64_t memory, SortStatistics& statistics, const Deliver& deliver) {
    const std::vector<std::size_t> passes = split_into_passes(records_per_pass(memory));
    std::uint64_t largest_pass = 0;
    for (std::size_t pass = 0; pass + 1 < passes.size(); ++pass)
      largest_pass = std::max(largest_pass, records_in(passes[pass], passes[pass + 1]));
    WorkArray<std::uint64_t> keys(largest_pass + num_slices_ * kSpareRecords);
    WorkArray<Position> positions(largest_pass + num_slices_ * kSpareRecords);
    const Records records{keys.data(), positions.data()};
    Rank first = 0;
    for (std::size_t pass = 0; pass + 1 < passes.size(); ++pass) {
      const std::size_t begin = passes[pass], end = passes[pass + 1];
      scatter(begin, end, records);
      const std::vector<Interval> still_tied = sort_bins(begin, end, records, first);
      const std::uint64_t size = records_in(begin, end);
      deliver(first, std::span<const Position>(positions.data(), size), still_tied);
      first += size;
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

  std::size_t num_bins() const { return bin_sizes_.size(); }
  std::uint64_t records_in(std::size_t begin, std::size_t end) const {
    return std::accumulate(bin_sizes_.begin() + static_cast<std::ptrdiff_t>(begin),
                           bin_sizes_.begin() + static_cast<std::ptrdiff_t>(end), std::uint64_t{0});
  }

  template <class Body>
  void run_slices(const Body& body) {
    run_parallel(num_slices_, options_.threads, meter_.stop(), body);
  }

  template <class Visit>
  void for_each_key(std::size_t slice, const Visit& visit) {
    constexpr std::uint64_t kBlock = std::uint64_t{1} << 18;
    const auto bound = [&](std::size_t number) { return length_ / 64 * number / num_slices_ * 64; };
    const std::uint64_t slice_end = slice + 1 == num_slices_ ? length_ : bound(slice + 1);
    for (std::uint64_t begin = bound(slice); begin < slice_end; begin += kBlock) {
      const std::uint64_t end = std::min(begin + kBlock, slice_end);
      source_.for_each(begin, end, [&](std::uint64_t position) {
        const std::uint64_t key = load_key<Width>(text_, position, format_);
        if (key != 0) [[likely]]  // not a document end
          visit(key, position);
      });
      meter_.add(end - begin);
    }
  }

  // Consecutive table entries share a bin until it has its share of the records. About 2 to 4 thousand bins: enough for
  // a bin to fit a core's cache, few enough for the scatter's write positions to do so.
  void assign_bins(const std::vector<std::vector<std::uint32_t>>& counts) {
    constexpr std::uint64_t kNumBins = 2048, kSmallestBin = 4096;
    std::vector<std::uint64_t> totals(num_entries_);
    for (const auto& slice : counts)
      for (std::size_t entry = 0; entry < num_entries_; ++entry) totals[entry] += slice[entry];
    num_records_ = std::accumulate(totals.begin(), totals.end(), std::uint64_t{0});
    const std::uint64_t target = std::max(num_records_ / kNumBins, std::min(kSmallestBin, num_records_ / 16));
    bin_of_.resize(num_entries_);
    bin_sizes_.assign(1, 0);
    for (std::size_t entry = 0; entry < num_entries_; ++entry) {
      if (bin_sizes_.back() > 0 && bin_sizes_.back() + totals[entry] > target) bin_sizes_.push_back(0);
      bin_sizes_.back() += totals[entry];
      bin_of_[entry] = static_cast<std::uint16_t>(bin_sizes_.size() - 1);
    }
    slice_bin_sizes_.assign(num_slices_, std::vector<std::uint32_t>(num_bins()));
    for (std::size_t slice = 0; slice < num_slices_; ++slice)
      for (std::size_t entry = 0; entry < num_entries_; ++entry)
        slice_bin_sizes_[slice][bin_of_[entry]] += counts[slice][entry];
  }

  // Not all at once if they are many, whatever the bound: to touch new memory costs more than to read the text again.
  std::uint64_t records_per_pass(std::uint64_t memory) const {
    constexpr std::uint64_t kFew = std::uint64_t{1} << 23;
    const std::uint64_t enough = std::max(kFew, num_records_ / 4);
    return memory == 0 ? enough : std::min(enough, memory / kRecordBytes);
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
    run_slices([&](std::size_t slice) {
      std::uint64_t* places = next[slice].data();
      const std::uint16_t* bin_of = bin_of_.data();
      const std::size_t num_bins_here = end - begin;
      // Records of other passes go to a spare place behind the bins, which never moves on: no branch to mispredict.
      places[num_bins_here] = place + slice * kSpareRecords;
      for_each_key(slice, [&](std::uint64_t key, std::uint64_t position) {
        const std::size_t bin = std::min(bin_of[key >> shift_] - begin, num_bins_here);
        const std::uint64_t to = places[bin];
        places[bin] = to + (bin < num_bins_here);
        records.keys[to] = key;
        records.positions[to] = static_cast<Position>(position);
      });
    });
  }

  std::vector<Interval> sort_bins(std::size_t begin, std::size_t end, Records records, Rank first) {
    std::vector<std::uint64_t> begins(end - begin + 1);
    std::partial_sum(bin_sizes_.begin() + static_cast<std::ptrdiff_t>(begin),
                     bin_sizes_.begin() + static_cast<std::ptrdiff_t>(end), begins.begin() + 1);
    std::vector<std::size_t> largest_first(end - begin);
    std::iota(largest_first.begin(), largest_first.end(), std::size_t{0});
    std::sort(largest_first.begin(), largest_first.end(),
              [&](std::size_t a, std::size_t b) { return bin_sizes_[begin + a] > bin_sizes_[begin + b]; });
    std::vector<std::vector<Interval>> tied(end - begin);
    run_parallel(end - begin, options_.threads, meter_.stop(), [&](std::size_t item) {
      const std::size_t bin = largest_first[item];
      std::unique_ptr<TieSorter<Width>> sorter = take_sorter();
      sorter->sort({records.keys + begins[bin], records.positions + begins[bin]}, begins[bin + 1] - begins[bin],
                   first + begins[bin], tied[bin]);
      return_sorter(std::move(sorter));
    });
    std::vector<Interval> all_tied;
    for (const auto& of_bin : tied) all_tied.insert(all_tied.end(), of_bin.begin(), of_bin.end());
    return all_tied;
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
  const KeyFormat format_;
  const Source& source_;
  const SortOptions& options_;
  const AnchorRanks<Width>* ranks_;
  WorkMeter& meter_;
  int shift_ = 0;
  std::size_t num_entries_ = 0;
  std::size_t num_slices_ = 1;
  std::uint64_t num_records_ = 0;
  std::vector<std::uint16_t> bin_of_;     // of each table entry
  std::vector<std::uint64_t> bin_sizes_;  // in records
  std::vector<std::vector<std::uint32_t>> slice_bin_sizes_;
  std::mutex sorters_mutex_;
  std::vector<std::unique_ptr<TieSorter<Width>>> idle_sorters_;
};

}  // namespace anygram
