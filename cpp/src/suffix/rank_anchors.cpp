#include <algorithm>
#include <utility>
#include <vector>

#include <anygram/base/thread_pool.hpp>
#include <anygram/suffix/anchors.hpp>
#include <anygram/suffix/binned_sort.hpp>
#include <anygram/suffix/match.hpp>

namespace anygram {
namespace {

// Marks of an entry of the order. A group of ties is an entry and the tied ones that follow it.
constexpr std::uint32_t kTied = std::uint32_t{1} << 31;       // with the entry before
constexpr std::uint32_t kSeparated = std::uint32_t{1} << 30;  // from the entry before, in this round
constexpr std::uint32_t kNumber = kSeparated - 1;
static_assert(kMaxSamples <= kSeparated);

constexpr std::uint64_t kAhead = 24;  // how far to prefetch

template <class Body>
void for_blocks(std::uint64_t size, const SortOptions& options, WorkMeter& meter, const Body& body) {
  constexpr std::uint64_t kBlock = std::uint64_t{1} << 17;
  run_parallel((size + kBlock - 1) / kBlock, options.threads, meter.stop(), [&](std::size_t block) {
    body(block * kBlock, std::min(size, (block + 1) * kBlock));
    meter.add(0);
  });
}

// Prefix doubling along the anchors: the next sample of a sample p is the anchor of p + 1, the same distance away for
// samples that are tied. (Not the next sample in the text, which may depend on what comes before.) Each round compares
// tied samples by the rank of the sample that ends what they are known to share, and then doubles all steps. All is
// done in three arrays, for this is when sorting takes most memory.
class Doubling {
 public:
  // `order`: the samples' numbers in sorted order, marked where they are tied. Counts tied samples on the meter.
  Doubling(WorkArray<std::uint32_t> order, const SortOptions& options, WorkMeter& meter)
      : order_(std::move(order)), ranks_(order_.size()), options_(options), meter_(meter) {
    for_items([&](std::size_t, std::uint64_t begin, std::uint64_t end) {
      std::uint64_t rank = begin;
      for (std::uint64_t i = begin; i < end; ++i) {
        if (i + kAhead < end) __builtin_prefetch(&ranks_[order_[i + kAhead] & kNumber], 1);
        rank = (order_[i] & kTied) != 0 ? rank : i;
        ranks_[order_[i] & kNumber] = static_cast<std::uint32_t>(rank);
      }
    });
  }

  // `steps`: the next sample of each sample that is tied; anything that exists for the others, but none before it.
  WorkArray<std::uint32_t> run(WorkArray<std::uint32_t> steps, SortStatistics& statistics) {
    const RecordSort sort_records = options_.force_portable ? sort_records_portable : best_record_sort();
    while (round(steps, sort_records, statistics)) double_steps(steps, statistics);
    return std::move(ranks_);
  }

 private:
  // Calls body(item, begin, end) for stretches of the order that no group goes beyond.
  template <class Body>
  std::size_t for_items(const Body& body) {
    constexpr std::uint64_t kItem = std::uint64_t{1} << 15;
    std::vector<std::uint64_t> bounds{0};
    while (bounds.back() < order_.size()) {
      std::uint64_t bound = std::min(bounds.back() + kItem, order_.size());
      while (bound < order_.size() && (order_[bound] & kTied) != 0) ++bound;
      bounds.push_back(bound);
    }
    run_parallel(bounds.size() - 1, options_.threads, meter_.stop(),
                 [&](std::size_t item) { body(item, bounds[item], bounds[item + 1]); });
    return bounds.size() - 1;
  }

  // Splits every group by the ranks one step on; false if none is left. All ranks are read before any is changed.
  bool round(const WorkArray<std::uint32_t>& steps, RecordSort sort_records, SortStatistics& statistics) {
    std::vector<SortStatistics> counted(order_.size() / (std::uint64_t{1} << 15) + 1);
    for_items([&](std::size_t item, std::uint64_t begin, std::uint64_t end) {
      std::vector<std::uint64_t> keys;
      for (std::uint64_t i = begin, next; i < end; i = next) {
        for (next = i + 1; next < end && (order_[next] & kTied) != 0;) ++next;
        if (next - i > 1) split(i, next, steps, keys, sort_records, counted[item]);
      }
      meter_.add(0);
    });
    std::uint64_t num_loaded = 0;
    for (const SortStatistics& of_item : counted) {
      statistics += of_item;
      num_loaded += of_item.ranks_loaded;
    }
    statistics.doubling_rounds += num_loaded > 0;
    std::vector<std::uint64_t> tied(counted.size());
    for_items([&](std::size_t item, std::uint64_t begin, std::uint64_t end) {
      tied[item] = update_ranks(begin, end);
      meter_.add(0);
    });
    std::uint64_t num_tied = 0;
    for (const std::uint64_t of_item : tied) num_tied += of_item;
    meter_.add(num_loaded > num_tied ? num_loaded - num_tied : 0);
    return num_tied > 0;
  }

  // In place and so on one thread, which takes little of the time: no step leads back, so what is read is not yet
  // doubled.
  void double_steps(WorkArray<std::uint32_t>& steps, SortStatistics& statistics) {
    constexpr std::uint64_t kBlock = std::uint64_t{1} << 17;
    for (std::uint64_t i = 0; i < steps.size(); ++i) {
      if (i % kBlock == 0) meter_.add(0);
      steps[i] = steps[steps[i]];
    }
    statistics.ranks_loaded += steps.size();
  }

  void split(std::uint64_t begin, std::uint64_t end, const WorkArray<std::uint32_t>& steps,
             std::vector<std::uint64_t>& keys, RecordSort sort_records, SortStatistics& counted) {
    std::uint32_t* const order = order_.data() + begin;
    const std::size_t size = end - begin;
    if (keys.size() < size) keys.resize(size);
    for (std::size_t i = 0; i < size; ++i) {
      order[i] &= kNumber;
      if (i + kAhead < size) __builtin_prefetch(&steps[order[i + kAhead] & kNumber]);
      keys[i] = steps[order[i]];
      if (i % (std::size_t{1} << 18) == 0) meter_.add(0);
    }
    for (std::size_t i = 0; i < size; ++i) {
      if (i + kAhead < size) __builtin_prefetch(&ranks_[keys[i + kAhead]]);
      keys[i] = ranks_[keys[i]];
    }
    counted.ranks_loaded += size;
    counted.records_moved += sort_records({keys.data(), order}, size, meter_);
    for (std::size_t i = 1; i < size; ++i) order[i] |= keys[i] == keys[i - 1] ? kTied : kSeparated;
  }

  // Of the samples that were separated, and of those tied with one. Returns how many are still tied.
  std::uint64_t update_ranks(std::uint64_t begin, std::uint64_t end) {
    std::uint64_t rank = begin, num_tied = 0;
    bool is_new = false;
    for (std::uint64_t i = begin; i < end; ++i) {
      const std::uint32_t entry = order_[i];
      if ((entry & kTied) == 0) {
        rank = i;
        is_new = (entry & kSeparated) != 0;
        order_[i] &= kNumber;
      } else {
        num_tied += i - rank == 1 ? 2 : 1;
      }
      if (is_new) ranks_[entry & kNumber] = static_cast<std::uint32_t>(rank);
    }
    return num_tied;
  }

  WorkArray<std::uint32_t> order_;
  WorkArray<std::uint32_t> ranks_;
  const SortOptions& options_;
  WorkMeter& meter_;
};

// The samples' numbers in the order of their first kAnchorDepth symbols, with marks.
template <int Width>
WorkArray<std::uint32_t> order_samples(const TokenText& text, Symbol largest_symbol, const SampleSet& samples,
                                       const SortOptions& options, WorkMeter& meter, SortStatistics& statistics) {
  WorkArray<std::uint32_t> order(samples.size());
  SortOptions sort_options = options;
  sort_options.shared = false;
  BinnedSort<Width, SampleSet> sorter(text, largest_symbol, samples, sort_options, nullptr, meter);
  const std::uint64_t taken = samples.num_bytes() + order.size() * sizeof(std::uint32_t);
  sorter.plan(samples.size(), memory_left(options.memory, taken));
  SortStatistics sorting;
  sorter.sort(sorting, [&](const SortedPart& part) {
    const std::span<const Position> positions = part.run.positions;
    for (std::size_t i = 0; i < positions.size(); ++i) {
      if (i + kAhead < positions.size()) samples.prefetch(positions[i + kAhead]);
      order[part.run.first + i] = samples.index(positions[i]);
    }
    for (const Interval& interval : part.still_tied)
      for (Rank rank = interval.begin + 1; rank < interval.end; ++rank) order[rank] |= kTied;
  });
  sorting.passes = 0;
  statistics += sorting;
  return order;
}

template <int Width>
WorkArray<std::uint32_t> next_samples(const TokenText& text, const SampleSet& samples, const SortOptions& options,
                                      WorkMeter& meter) {
  const std::byte* const bytes = text.bytes.data();
  WorkArray<std::uint32_t> steps(samples.size());
  for_blocks(text.length, options, meter, [&](std::uint64_t begin, std::uint64_t end) {
    std::uint32_t number = samples.index(begin);
    samples.for_each(begin, end, [&](std::uint64_t position) {
      const std::uint64_t window = samples.window(position + 1);
      steps[number] = window == 0 ? number : samples.index(anchor_in_window<Width>(bytes, position + 1, window));
      ++number;
    });
  });
  return steps;
}

// See AnchorRanks.
template <int Width>
WorkArray<std::uint8_t> shared_of_ranks(const TokenText& text, const SampleSet& samples,
                                        const WorkArray<std::uint32_t>& ranks, const SortOptions& options,
                                        WorkMeter& meter) {
  const std::byte* const bytes = text.bytes.data();
  WorkArray<Position> positions(samples.size());
  for_blocks(text.length, options, meter, [&](std::uint64_t begin, std::uint64_t end) {
    std::uint32_t number = samples.index(begin);
    samples.for_each(begin, end, [&](std::uint64_t position) {
      if (number + kAhead < ranks.size()) __builtin_prefetch(&positions[ranks[number + kAhead]], 1);
      positions[ranks[number++]] = static_cast<Position>(position);
    });
  });
  WorkArray<std::uint8_t> shared(samples.size());
  for_blocks(samples.size(), options, meter, [&](std::uint64_t begin, std::uint64_t end) {
    for (std::uint64_t rank = begin; rank < end; ++rank) {
      if (rank + kAhead < end) __builtin_prefetch(bytes + std::uint64_t{positions[rank + kAhead]} * Width);
      shared[rank] = rank == 0 ? 0 : shared_symbols<Width>(bytes, positions[rank - 1], positions[rank]);
    }
  });
  return shared;
}

}  // namespace

template <int Width>
std::optional<AnchorRanks<Width>> rank_anchors(const TokenText& text, Symbol largest_symbol, SampleSet samples,
                                               bool may_give_up, const SortOptions& options, WorkMeter& meter,
                                               SortStatistics& statistics) {
  constexpr double kSortShare = 0.08, kDoubleShare = 0.06;
  constexpr std::uint64_t kFewCopies = 64;  // of each window, on average
  statistics.samples = samples.size();
  meter.begin_phase(kSortShare, 3 * text.length);
  WorkArray<std::uint32_t> order = order_samples<Width>(text, largest_symbol, samples, options, meter, statistics);
  if (may_give_up) {
    const auto num_windows = static_cast<std::uint64_t>(
        std::count_if(order.begin(), order.end(), [](std::uint32_t entry) { return (entry & kTied) == 0; }));
    if (num_windows * kFewCopies < samples.size()) return std::nullopt;
  }
  meter.begin_phase(kDoubleShare, samples.size());
  WorkArray<std::uint32_t> steps = next_samples<Width>(text, samples, options, meter);
  WorkArray<std::uint32_t> ranks = Doubling(std::move(order), options, meter).run(std::move(steps), statistics);
  WorkArray<std::uint8_t> shared;
  if (options.shared) shared = shared_of_ranks<Width>(text, samples, ranks, options, meter);
  return AnchorRanks<Width>(text.bytes.data(), std::move(samples), std::move(ranks), std::move(shared));
}

template std::optional<AnchorRanks<1>> rank_anchors<1>(const TokenText&, Symbol, SampleSet, bool, const SortOptions&,
                                                       WorkMeter&, SortStatistics&);
template std::optional<AnchorRanks<2>> rank_anchors<2>(const TokenText&, Symbol, SampleSet, bool, const SortOptions&,
                                                       WorkMeter&, SortStatistics&);
template std::optional<AnchorRanks<3>> rank_anchors<3>(const TokenText&, Symbol, SampleSet, bool, const SortOptions&,
                                                       WorkMeter&, SortStatistics&);
template std::optional<AnchorRanks<4>> rank_anchors<4>(const TokenText&, Symbol, SampleSet, bool, const SortOptions&,
                                                       WorkMeter&, SortStatistics&);

}  // namespace anygram
