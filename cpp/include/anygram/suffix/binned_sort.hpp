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
#include <string>
#include <utility>
#include <vector>

#include <anygram/base/error.hpp>
#include <anygram/base/interval.hpp>
#include <anygram/base/thread_pool.hpp>
#include <anygram/suffix/key.hpp>
#include <anygram/suffix/key_bins.hpp>
#include <anygram/suffix/symbol_filter.hpp>
#include <anygram/suffix/tie_sort.hpp>
#include <anygram/suffix/work_array.hpp>

namespace anygram {

// What is left of a bound when so much is taken, at least 1; 0 is no bound.
constexpr std::uint64_t memory_left(std::uint64_t memory, std::uint64_t taken) {
  return memory == 0 ? 0 : memory - std::min(taken, memory - 1);
}

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

  // Counts the suffixes and plans the bins; there are about `num_expected`. A pass may use `memory` bytes (0: no
  // bound). Counts length units on the meter.
  void plan(std::uint64_t num_expected, std::uint64_t memory) {
    constexpr std::uint64_t kNumBins = 16384, kSmallestBin = 2048;
    choose_pass_size(num_expected, memory);
    bin_size_ = std::min(std::max(num_expected / kNumBins, kSmallestBin), std::max<std::uint64_t>(1, pass_size_ / 4));
    const std::vector<std::uint64_t> sample = sample_keys();
    bins_ = KeyBins(format_, largest_symbol_, sample, num_expected, std::max<std::uint64_t>(1, bin_size_ / 4));
    std::vector<std::vector<std::uint32_t>> counts(num_slices_);
    run_slices([&](std::size_t slice) {
      std::vector<std::uint32_t>& entries = counts[slice];
      entries.resize(bins_.num_entries());
      for_each_key(slice, 1, largest_symbol_, [&](std::uint64_t key, Position) { ++entries[bins_.entry(key)]; });
    });
    assign_bins(counts);
    plan_passes();
  }

  std::uint64_t num_records() const { return num_records_; }
  std::size_t num_passes() const { return passes_.size(); }

  // Sorts all suffixes in some passes over the text and calls deliver(part) in the order of ranks, on the calling
  // thread, while others sort on. Counts length units for each pass, and one for each record.
  template <class Deliver>
  void sort(SortStatistics& statistics, const Deliver& deliver) {
    std::uint64_t largest_pass = 0;
    for (const Pass& pass : passes_) largest_pass = std::max(largest_pass, pass.size());
    WorkArray<std::uint64_t> keys(largest_pass + num_slices_ * kSpareRecords);
    WorkArray<Position> positions(largest_pass + num_slices_ * kSpareRecords);
    WorkArray<std::uint8_t> shared(options_.shared ? largest_pass : 0);
    const Arrays arrays{{keys.data(), positions.data()}, options_.shared ? shared.data() : nullptr};
    for (const Pass& pass : passes_) {
      scatter(pass, arrays.records);
      sort_bins(pass, arrays, deliver);
    }
    statistics.records_moved += num_records_;
    for (const auto& sorter : idle_sorters_) statistics += sorter->statistics();
    statistics.passes += passes_.size();
  }

 private:
  // For each slice, behind the records of a pass: a cache line of its own.
  static constexpr std::uint64_t kSpareRecords = 16;
  static constexpr std::uint64_t kBlock = 4096;  // positions collected at once

  struct Arrays {
    Records records;
    std::uint8_t* shared;
  };

  // Bins [begin, end); if there is one only, perhaps not all of its keys.
  struct Pass {
    std::size_t begin;
    std::size_t end;
    std::uint64_t smallest_key = 0;
    std::uint64_t largest_key = ~std::uint64_t{0};
    std::vector<std::vector<std::uint64_t>> begins = {};  // of each bin and slice, and the end of the last

    std::uint64_t size() const { return begins.back().front(); }
    bool is_whole() const { return smallest_key == 0 && largest_key == ~std::uint64_t{0}; }
  };

  std::uint64_t record_bytes() const { return sizeof(std::uint64_t) + sizeof(Position) + options_.shared; }
  std::size_t num_bins() const { return bin_sizes_.size(); }
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
    bin_of_.resize(bins_.num_entries());
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
  void choose_pass_size(std::uint64_t num_expected, std::uint64_t memory) {
    constexpr std::uint64_t kFew = std::uint64_t{1} << 22;
    pass_size_ = std::max(kFew, num_expected / 12);
    if (memory != 0) pass_size_ = std::min(pass_size_, std::max<std::uint64_t>(1, memory / record_bytes()));
    if (options_.pass_size != 0) pass_size_ = std::min(pass_size_, options_.pass_size);
    memory_ = memory;
  }

  void plan_passes() {
    for (std::size_t begin = 0, end; begin < num_bins(); begin = end) {
      std::uint64_t size = bin_sizes_[begin];
      for (end = begin + 1; end < num_bins() && size + bin_sizes_[end] <= pass_size_; ++end) size += bin_sizes_[end];
      if (size > pass_size_) {
        split_bin(Pass{begin, end}, size);
      } else {
        add_pass(Pass{begin, end}, [&](std::size_t bin, std::size_t slice) { return slice_bin_sizes_[slice][bin]; });
      }
    }
  }

  // Each slice of the text has its own place in each bin, so the outcome does not depend on threads.
  template <class SizeOf>
  void add_pass(Pass pass, const SizeOf& size_of) {
    std::uint64_t place = 0;
    for (std::size_t bin = pass.begin; bin < pass.end; ++bin) {
      std::vector<std::uint64_t>& begins = pass.begins.emplace_back();
      for (std::size_t slice = 0; slice < num_slices_; ++slice) {
        begins.push_back(place);
        place += size_of(bin, slice);
      }
    }
    pass.begins.push_back(std::vector<std::uint64_t>(num_slices_, place));
    passes_.push_back(std::move(pass));
  }

  // For a bin that has more records than fit a pass: passes over ranges of its keys. One key is never split.
  void split_bin(const Pass& whole, std::uint64_t size) {
    if (whole.smallest_key == whole.largest_key) {
      if (memory_ != 0 && size * record_bytes() > memory_) {
        throw Error(ErrorCode::kLimit, "the text repeats a few symbols so often that sorting them takes " +
                                           std::to_string(size * record_bytes()) + " bytes, and " +
                                           std::to_string(memory_) + " are left for it: allow more memory");
      }
      return add_pass(whole, [&, slice_sizes = count_ranges(whole, {whole.smallest_key})](
                                 std::size_t, std::size_t slice) { return slice_sizes[slice][0]; });
    }
    const std::vector<std::uint64_t> begins = choose_ranges(whole, size);
    const std::vector<std::vector<std::uint64_t>> slice_sizes = count_ranges(whole, begins);
    const auto size_of = [&](std::size_t range) {
      std::uint64_t sum = 0;
      for (const auto& sizes : slice_sizes) sum += sizes[range];
      return sum;
    };
    for (std::size_t range = 0, end; range < begins.size(); range = end) {
      std::uint64_t range_size = size_of(range);
      for (end = range + 1; end < begins.size() && range_size + size_of(end) <= pass_size_; ++end)
        range_size += size_of(end);
      Pass pass{whole.begin, whole.end, begins[range], end < begins.size() ? begins[end] - 1 : whole.largest_key};
      if (range_size > pass_size_) {
        split_bin(pass, range_size);
      } else if (range_size > 0) {
        add_pass(pass, [&](std::size_t, std::size_t slice) {
          return std::accumulate(slice_sizes[slice].begin() + static_cast<std::ptrdiff_t>(range),
                                 slice_sizes[slice].begin() + static_cast<std::ptrdiff_t>(end), std::uint64_t{0});
        });
      }
    }
  }

  // Where to begin ranges of keys, ascending, so that each has about half a pass or a single key.
  std::vector<std::uint64_t> choose_ranges(const Pass& pass, std::uint64_t size) {
    constexpr std::uint64_t kMostSampled = std::uint64_t{1} << 14;
    const std::uint64_t step = size / kMostSampled + 1;
    std::vector<std::vector<std::uint64_t>> sampled(num_slices_);
    run_slices([&](std::size_t slice) {
      std::uint64_t number = 0;
      for_each_key(slice, pass, [&](std::uint64_t key) {
        if (number++ % step == 0) sampled[slice].push_back(key);
      });
    });
    std::vector<std::uint64_t> sample;
    for (const auto& of_slice : sampled) sample.insert(sample.end(), of_slice.begin(), of_slice.end());
    std::sort(sample.begin(), sample.end());
    const std::size_t share = std::max<std::size_t>(1, static_cast<std::size_t>(pass_size_ / step / 2));
    std::vector<std::uint64_t> begins{pass.smallest_key};
    for (std::size_t i = 0; i < sample.size(); i += share)
      for (const std::uint64_t begin : {sample[i], sample[i] + 1})
        if (begin > begins.back() && begin <= pass.largest_key) begins.push_back(begin);
    return begins;
  }

  // How many keys of the pass are in each range, for each slice of the text.
  std::vector<std::vector<std::uint64_t>> count_ranges(const Pass& pass, const std::vector<std::uint64_t>& begins) {
    std::vector<std::vector<std::uint64_t>> counts(num_slices_, std::vector<std::uint64_t>(begins.size()));
    run_slices([&](std::size_t slice) {
      for_each_key(slice, pass, [&](std::uint64_t key) {
        const auto next = std::upper_bound(begins.begin(), begins.end(), key);
        ++counts[slice][static_cast<std::size_t>(next - begins.begin()) - 1];
      });
    });
    return counts;
  }

  Symbol smallest_symbol(const Pass& pass) const {
    return std::max<Symbol>(1, bins_.smallest_symbol(bin_entries_[pass.begin]));
  }
  Symbol largest_symbol(const Pass& pass) const {
    return std::min(largest_symbol_, bins_.largest_symbol(bin_entries_[pass.end] - 1));
  }

  // The keys of a pass over one bin.
  template <class Visit>
  void for_each_key(std::size_t slice, const Pass& pass, const Visit& visit) {
    for_each_key(slice, smallest_symbol(pass), largest_symbol(pass), [&](std::uint64_t key, Position) {
      if (bin_of_[bins_.entry(key)] == pass.begin && key >= pass.smallest_key && key <= pass.largest_key) visit(key);
    });
  }

  // Writes the records of a pass, bin after bin.
  void scatter(const Pass& pass, Records records) {
    run_slices([&](std::size_t slice) {
      const std::size_t num_bins_here = pass.end - pass.begin;
      std::vector<std::uint64_t> next(num_bins_here + 1);
      for (std::size_t bin = 0; bin < num_bins_here; ++bin) next[bin] = pass.begins[bin][slice];
      // Records of other passes go to a spare place behind the bins, which never moves on: no branch to mispredict.
      next[num_bins_here] = pass.size() + slice * kSpareRecords;
      std::uint64_t* const places = next.data();
      const auto place = [&](std::uint64_t key, Position position, std::size_t bin) {
        const std::uint64_t to = places[bin];
        places[bin] = to + (bin < num_bins_here);
        __builtin_prefetch(records.keys + to + 8, 1);  // the bin's next cache lines
        __builtin_prefetch(records.positions + to + 16, 1);
        records.keys[to] = key;
        records.positions[to] = position;
      };
      const auto bin_for = [&, bin_of = bin_of_.data()](std::uint64_t key) {
        return std::min(bin_of[bins_.entry(key)] - pass.begin, num_bins_here);
      };
      if (pass.is_whole()) {
        for_each_key(slice, smallest_symbol(pass), largest_symbol(pass),
                     [&](std::uint64_t key, Position position) { place(key, position, bin_for(key)); });
      } else {
        for_each_key(slice, smallest_symbol(pass), largest_symbol(pass), [&](std::uint64_t key, Position position) {
          const bool is_outside = key < pass.smallest_key || key > pass.largest_key;
          place(key, position, is_outside ? num_bins_here : bin_for(key));
        });
      }
    });
  }

  // The large bins come first, lest one be sorted alone at the end; all others in the order of ranks, so that what is
  // finished can be delivered while the rest is sorted.
  template <class Deliver>
  void sort_bins(const Pass& pass, const Arrays& arrays, const Deliver& deliver) {
    const std::size_t size = pass.end - pass.begin;
    const auto begin_of = [&](std::size_t bin) { return pass.begins[bin].front(); };
    std::vector<std::size_t> order(size);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_partition(order.begin(), order.end(),
                          [&](std::size_t bin) { return begin_of(bin + 1) - begin_of(bin) > 16 * bin_size_; });
    std::vector<std::vector<Interval>> tied(size);
    std::vector<std::atomic<bool>> done(size);
    std::size_t delivered = 0;
    const auto deliver_done = [&](std::uint64_t fewest) {
      std::size_t ready = delivered;
      while (ready < size && done[ready].load(std::memory_order_acquire)) ++ready;
      if (ready == delivered || begin_of(ready) - begin_of(delivered) < fewest) return;
      deliver_bins(pass, arrays, tied, delivered, ready, deliver);
      delivered = ready;
    };
    run_parallel(size, options_.threads, meter_.stop(), [&](std::size_t item) {
      constexpr std::uint64_t kFewest = std::uint64_t{1} << 16;
      const std::size_t bin = order[item];
      const std::uint64_t first = begin_of(bin);
      std::unique_ptr<TieSorter<Width>> sorter = take_sorter();
      sorter->sort({arrays.records.keys + first, arrays.records.positions + first},
                   arrays.shared == nullptr ? nullptr : arrays.shared + first, begin_of(bin + 1) - first,
                   num_delivered_ + first, tied[bin]);
      return_sorter(std::move(sorter));
      done[bin].store(true, std::memory_order_release);
      if (meter_.is_owner()) deliver_done(kFewest);
    });
    deliver_done(0);
    num_delivered_ += pass.size();
  }

  template <class Deliver>
  void deliver_bins(const Pass& pass, const Arrays& arrays, const std::vector<std::vector<Interval>>& tied,
                    std::size_t begin, std::size_t end, const Deliver& deliver) {
    const Position* const positions = arrays.records.positions;
    const std::uint64_t first = pass.begins[begin].front(), size = pass.begins[end].front() - first;
    if (size == 0) return;
    SortedRun run{num_delivered_ + first, {positions + first, size}};
    if (arrays.shared != nullptr) {
      for (std::size_t bin = begin; bin < end; ++bin) {
        const std::uint64_t bin_begin = pass.begins[bin].front(), bin_end = pass.begins[bin + 1].front();
        if (bin_begin == bin_end) continue;
        arrays.shared[bin_begin] =
            before_ ? shared_symbols<Width>(text_, *before_, positions[bin_begin]) : std::uint8_t{0};
        before_ = positions[bin_end - 1];
      }
      run.shared = {arrays.shared + first, size};
    }
    std::vector<Interval> still_tied;
    for (std::size_t bin = begin; bin < end; ++bin)
      still_tied.insert(still_tied.end(), tied[bin].begin(), tied[bin].end());
    deliver(SortedPart{run, still_tied});
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
  KeyBins bins_;                 // once plan() has run
  std::uint64_t pass_size_ = 0;  // records that a pass has at most
  std::uint64_t memory_ = 0;     // bytes for the records of a pass at most; 0: no bound
  std::uint64_t bin_size_ = 0;   // records that a bin should have at most
  std::uint64_t num_records_ = 0;
  std::vector<std::uint16_t> bin_of_;     // of each entry
  std::vector<std::uint64_t> bin_sizes_;  // in records
  std::vector<std::size_t> bin_entries_;  // the first entry of each bin, and the number of entries
  std::vector<std::vector<std::uint32_t>> slice_bin_sizes_;
  std::vector<Pass> passes_;
  Rank num_delivered_ = 0;          // in the passes before
  std::optional<Position> before_;  // the last suffix delivered
  std::mutex sorters_mutex_;
  std::vector<std::unique_ptr<TieSorter<Width>>> idle_sorters_;
};

}  // namespace anygram
