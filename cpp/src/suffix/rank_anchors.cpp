#include <algorithm>
#include <utility>
#include <vector>

#include <anygram/base/thread_pool.hpp>
#include <anygram/suffix/anchors.hpp>
#include <anygram/suffix/binned_sort.hpp>

namespace anygram {
namespace {

// Samples that are tied: the ranks [begin, end) of `order`.
struct Group {
  std::uint32_t begin;
  std::uint32_t end;
};

// Marks an entry of `order` whose sample is greater than the one before it.
constexpr std::uint32_t kGreater = std::uint32_t{1} << 31;
static_assert(kMaxSamples <= kGreater);

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
// tied samples by the rank of the sample that ends what they are known to share, and then doubles all steps.
class Doubling {
 public:
  // `order` holds the samples' numbers in sorted order, `groups` those that are still tied.
  Doubling(WorkArray<std::uint32_t> order, std::vector<Group> groups, const SortOptions& options, WorkMeter& meter)
      : order_(std::move(order)), ranks_(order_.size()), groups_(std::move(groups)), options_(options), meter_(meter) {
    for_blocks(order_.size(), options_, meter_, [&](std::uint64_t begin, std::uint64_t end) {
      for (std::uint64_t i = begin; i < end; ++i) {
        if (i + kAhead < end) __builtin_prefetch(&ranks_[order_[i + kAhead]], 1);
        ranks_[order_[i]] = static_cast<std::uint32_t>(i);
      }
    });
    const std::vector<std::size_t> items = even_items();
    run_parallel(items.size() - 1, options.threads, meter.stop(), [&](std::size_t item) {
      for (std::size_t group = items[item]; group < items[item + 1]; ++group) update_ranks(groups_[group]);
      meter_.add(0);
    });
  }

  // `steps`: the next sample of each sample that is tied; anything that exists for the others.
  WorkArray<std::uint32_t> run(WorkArray<std::uint32_t> steps, SortStatistics& statistics) {
    const RecordSort sort_records = options_.force_portable ? sort_records_portable : best_record_sort();
    while (!groups_.empty()) {
      ++statistics.doubling_rounds;
      round(steps, sort_records, statistics);
      if (groups_.empty()) break;
      double_steps(steps);
      statistics.ranks_loaded += steps.size();
    }
    return std::move(ranks_);
  }

 private:
  // In place and so on one thread, which takes little of the time: no step leads back, so what is read is not yet
  // doubled.
  void double_steps(WorkArray<std::uint32_t>& steps) {
    constexpr std::uint64_t kBlock = std::uint64_t{1} << 17;
    for (std::uint64_t i = 0; i < steps.size(); ++i) {
      if (i % kBlock == 0) meter_.add(0);
      steps[i] = steps[steps[i]];
    }
  }

  // Splits every group by the ranks one step on. All ranks are read before any is changed.
  void round(const WorkArray<std::uint32_t>& steps, RecordSort sort_records, SortStatistics& statistics) {
    const std::vector<std::size_t> items = even_items();
    std::vector<std::vector<Group>> next(items.size() - 1);
    std::vector<std::uint64_t> moved(items.size() - 1), loaded(items.size() - 1);
    run_parallel(items.size() - 1, options_.threads, meter_.stop(), [&](std::size_t item) {
      std::vector<std::uint64_t> keys;
      for (std::size_t group = items[item]; group < items[item + 1]; ++group) {
        loaded[item] += groups_[group].end - groups_[group].begin;
        moved[item] += split(groups_[group], steps, keys, sort_records, next[item]);
      }
      meter_.add(0);
    });
    run_parallel(items.size() - 1, options_.threads, meter_.stop(), [&](std::size_t item) {
      for (std::size_t group = items[item]; group < items[item + 1]; ++group) update_ranks(groups_[group]);
      meter_.add(0);
    });
    groups_.clear();
    for (const auto& of_item : next) groups_.insert(groups_.end(), of_item.begin(), of_item.end());
    for (const std::uint64_t count : moved) statistics.records_moved += count;
    for (const std::uint64_t count : loaded) statistics.ranks_loaded += count;
  }

  // Bounds of runs of groups with about as many samples each.
  std::vector<std::size_t> even_items() const {
    constexpr std::uint64_t kItem = std::uint64_t{1} << 15;
    std::vector<std::size_t> items{0};
    std::uint64_t size = 0;
    for (std::size_t group = 0; group < groups_.size(); ++group) {
      size += groups_[group].end - groups_[group].begin;
      if (size < kItem) continue;
      items.push_back(group + 1);
      size = 0;
    }
    if (items.back() != groups_.size()) items.push_back(groups_.size());
    return items;
  }

  std::uint64_t split(const Group& group, const WorkArray<std::uint32_t>& steps, std::vector<std::uint64_t>& keys,
                      RecordSort sort_records, std::vector<Group>& next) {
    std::uint32_t* const order = order_.data() + group.begin;
    const std::size_t size = group.end - group.begin;
    if (keys.size() < size) keys.resize(size);
    for (std::size_t i = 0; i < size; ++i) {
      if (i + kAhead < size) __builtin_prefetch(&steps[order[i + kAhead]]);
      keys[i] = steps[order[i]];
      if (i % (std::size_t{1} << 18) == 0) meter_.add(0);
    }
    for (std::size_t i = 0; i < size; ++i) {
      if (i + kAhead < size) __builtin_prefetch(&ranks_[keys[i + kAhead]]);
      keys[i] = ranks_[keys[i]];
    }
    const std::uint64_t moved = sort_records({keys.data(), order}, size, meter_);
    std::size_t begin = 0;
    for (std::size_t i = 1; i <= size; ++i) {
      if (i < size && keys[i] == keys[i - 1]) continue;
      if (i - begin > 1)
        next.push_back({group.begin + static_cast<std::uint32_t>(begin), group.begin + static_cast<std::uint32_t>(i)});
      begin = i;
      if (i < size) order[i] |= kGreater;
    }
    return moved;
  }

  void update_ranks(const Group& group) {
    std::uint32_t rank = group.begin;
    for (std::uint32_t i = group.begin; i < group.end; ++i) {
      if ((order_[i] & kGreater) != 0) {
        order_[i] &= ~kGreater;
        rank = i;
      }
      ranks_[order_[i]] = rank;
    }
  }

  WorkArray<std::uint32_t> order_;
  WorkArray<std::uint32_t> ranks_;
  std::vector<Group> groups_;
  const SortOptions& options_;
  WorkMeter& meter_;
};

// See AnchorRanks.
template <int Width>
WorkArray<std::uint8_t> shared_of_ranks(const TokenText& text, const SampleSet& samples,
                                        const WorkArray<std::uint32_t>& ranks, const SortOptions& options,
                                        WorkMeter& meter) {
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
      if (rank + kAhead < end) __builtin_prefetch(text.bytes.data() + std::uint64_t{positions[rank + kAhead]} * Width);
      shared[rank] = rank == 0 ? 0 : shared_symbols<Width>(text.bytes.data(), positions[rank - 1], positions[rank]);
    }
  });
  return shared;
}

}  // namespace

template <int Width>
AnchorRanks<Width> rank_anchors(const TokenText& text, Symbol largest_symbol, SampleSet samples,
                                const SortOptions& options, WorkMeter& meter, SortStatistics& statistics) {
  const std::byte* const bytes = text.bytes.data();
  statistics.samples = samples.size();
  WorkArray<std::uint32_t> order(samples.size());
  std::vector<Group> groups;
  {
    SortOptions sort_options = options;
    sort_options.shared = false;
    BinnedSort<Width, SampleSet> sorter(text, largest_symbol, samples, sort_options, nullptr, meter);
    sorter.plan(samples.size());
    SortStatistics sorting;
    sorter.sort(0, sorting, [&](const SortedPart& part) {
      for (std::size_t i = 0; i < part.run.positions.size(); ++i) {
        if (i + kAhead < part.run.positions.size()) samples.prefetch(part.run.positions[i + kAhead]);
        order[part.run.first + i] = samples.index(part.run.positions[i]);
      }
      for (const Interval& interval : part.still_tied)
        groups.push_back({static_cast<std::uint32_t>(interval.begin), static_cast<std::uint32_t>(interval.end)});
    });
    sorting.passes = 0;
    statistics += sorting;
  }
  WorkArray<std::uint32_t> steps(samples.size());
  for_blocks(text.length, options, meter, [&](std::uint64_t begin, std::uint64_t end) {
    std::uint32_t number = samples.index(begin);
    samples.for_each(begin, end, [&](std::uint64_t position) {
      const std::uint64_t window = samples.window(position + 1);
      steps[number] = window == 0 ? number : samples.index(anchor_in_window<Width>(bytes, position + 1, window));
      ++number;
    });
  });
  WorkArray<std::uint32_t> ranks =
      Doubling(std::move(order), std::move(groups), options, meter).run(std::move(steps), statistics);
  WorkArray<std::uint8_t> shared;
  if (options.shared) shared = shared_of_ranks<Width>(text, samples, ranks, options, meter);
  return {bytes, std::move(samples), std::move(ranks), std::move(shared)};
}

template AnchorRanks<1> rank_anchors<1>(const TokenText&, Symbol, SampleSet, const SortOptions&, WorkMeter&,
                                        SortStatistics&);
template AnchorRanks<2> rank_anchors<2>(const TokenText&, Symbol, SampleSet, const SortOptions&, WorkMeter&,
                                        SortStatistics&);
template AnchorRanks<3> rank_anchors<3>(const TokenText&, Symbol, SampleSet, const SortOptions&, WorkMeter&,
                                        SortStatistics&);
template AnchorRanks<4> rank_anchors<4>(const TokenText&, Symbol, SampleSet, const SortOptions&, WorkMeter&,
                                        SortStatistics&);

}  // namespace anygram
