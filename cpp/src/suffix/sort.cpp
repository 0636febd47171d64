#include <anygram/suffix/sort.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <anygram/base/thread_pool.hpp>
#include <anygram/suffix/anchors.hpp>
#include <anygram/suffix/binned_sort.hpp>
#include <anygram/suffix/induced_sort.hpp>
#include <anygram/suffix/match.hpp>
#include <anygram/suffix/symbol_filter.hpp>

namespace anygram {

SortStatistics& SortStatistics::operator+=(const SortStatistics& other) {
  samples += other.samples;
  passes += other.passes;
  doubling_rounds += other.doubling_rounds;
  records_moved += other.records_moved;
  keys_loaded += other.keys_loaded;
  ranks_loaded += other.ranks_loaded;
  elements_induced += other.elements_induced;
  return *this;
}

namespace {

// Shares of the work, measured on ordinary text; for the progress only.
constexpr double kSampleShare = 0.05, kPlanShare = 0.05, kSortShare = 0.76;

// Texts with more samples than one in so many symbols are sorted by induction: ordinary ones have one in 28.
constexpr std::uint64_t kDensityLimit = 8;

// For tables and what each thread needs, whatever the text.
constexpr std::uint64_t kTableBytes = std::uint64_t{16} << 20;

// The source of all suffixes, for BinnedSort.
struct AllPositions {
  const std::byte* text;
  SymbolFilter filter;

  std::size_t collect(std::uint64_t begin, std::uint64_t end, Symbol smallest, Symbol largest, Position* to) const {
    return filter(text, begin, end, smallest, largest, to);
  }
};

template <int Width>
void check(const TokenText& text) {
  if (text.length > kMaxStreamLength) throw Error(ErrorCode::kLimit, "a token stream holds at most 2^32 symbols");
  if (text.bytes.size() < text.length * Width)
    throw Error(ErrorCode::kInvalidArgument, "the token stream is shorter than its length says");
  if (text.length > 0 && symbol_at<Width>(text.bytes.data(), text.length - 1) != kDocumentEnd)
    throw Error(ErrorCode::kInvalidArgument, "the token stream does not end with a document end");
}

// At least 1, so that there always is an alphabet.
template <int Width>
Symbol largest_symbol_of(const TokenText& text, unsigned threads, WorkMeter& meter) {
  constexpr std::uint64_t kSlice = std::uint64_t{1} << 20;
  std::vector<Symbol> largest((text.length + kSlice - 1) / kSlice, 1);
  run_parallel(largest.size(), threads, meter.stop(), [&](std::size_t slice) {
    const std::uint64_t end = std::min(text.length, (slice + 1) * kSlice);
    Symbol symbol = 1;
    for (std::uint64_t position = slice * kSlice; position < end; ++position)
      symbol = std::max(symbol, symbol_at<Width>(text.bytes.data(), position));
    largest[slice] = symbol;
    meter.add(0);
  });
  return *std::max_element(largest.begin(), largest.end());
}

// Nothing if the text is better sorted by induction, which it tells only if `may_give_up`.
template <int Width>
std::optional<SortStatistics> anchor_sort(const TokenText& text, Symbol largest_symbol, SampleSet samples,
                                          bool may_give_up, const SortOptions& options, WorkMeter& meter,
                                          const SuffixSink& sink) {
  SortStatistics statistics;
  statistics.method = SortMethod::kAnchors;
  const std::optional<AnchorRanks<Width>> ranks =
      rank_anchors<Width>(text, largest_symbol, std::move(samples), may_give_up, options, meter, statistics);
  if (!ranks) return std::nullopt;
  meter.begin_phase(kPlanShare, text.length);
  const SymbolFilter filter = options.force_portable ? filter_symbols_portable<Width> : best_symbol_filter<Width>();
  const AllPositions all{text.bytes.data(), filter};
  BinnedSort<Width, AllPositions> sorter(text, largest_symbol, all, options, &*ranks, meter);
  sorter.plan(text.length, memory_left(options.memory, ranks->num_bytes() + kTableBytes));
  meter.begin_phase(kSortShare, sorter.num_passes() * text.length + 4 * sorter.num_records());
  sorter.sort(statistics, [&](const SortedPart& part) { sink(part.run); });
  return statistics;
}

// Adds what neighbours share to the one run of a sorter that does not know it. In the order of the text, in which what
// a suffix and the one ranked before it share is never more than 1 less than for the suffix before; so nothing is
// compared twice. Takes 5 bytes a symbol.
template <int Width>
SuffixSink with_shared(const TokenText& text, const SortOptions& options, WorkMeter& meter, const SuffixSink& sink) {
  return [&](const SortedRun& run) {
    constexpr std::uint64_t kBlock = std::uint64_t{1} << 16, kAhead = 16;
    const std::byte* const bytes = text.bytes.data();
    const auto for_blocks = [&](std::uint64_t size, const auto& body) {
      run_parallel((size + kBlock - 1) / kBlock, options.threads, meter.stop(), [&](std::size_t block) {
        body(block * kBlock, std::min(size, (block + 1) * kBlock));
        meter.add(0);
      });
    };
    WorkArray<Position> before(
        text.length);  // the suffix ranked before that of each position; its own if there is none
    for_blocks(run.positions.size(), [&](std::uint64_t begin, std::uint64_t end) {
      for (std::uint64_t rank = begin; rank < end; ++rank)
        before[run.positions[rank]] = run.positions[rank == 0 ? rank : rank - 1];
    });
    WorkArray<std::uint8_t> shared_at(text.length);
    for_blocks(text.length, [&](std::uint64_t begin, std::uint64_t end) {
      std::uint8_t shared = 0;
      for (std::uint64_t position = begin; position < end; ++position) {
        if (symbol_at<Width>(bytes, position) == kDocumentEnd) {
          shared = 0;
          continue;
        }
        // One less again, as the last symbol shared may be an end.
        const std::uint32_t known = shared > 2 ? shared - 2U : 0;
        shared = before[position] == position ? std::uint8_t{0}
                                              : shared_symbols<Width>(bytes, position, before[position], known);
        shared_at[position] = shared;
      }
    });
    std::vector<std::uint8_t> shared;
    for (std::size_t begin = 0; begin < run.positions.size(); begin += kBlock) {
      const auto positions = run.positions.subspan(begin, std::min<std::size_t>(kBlock, run.positions.size() - begin));
      shared.resize(positions.size());
      for (std::size_t i = 0; i < positions.size(); ++i) {
        if (i + kAhead < positions.size()) __builtin_prefetch(&shared_at[positions[i + kAhead]]);
        shared[i] = shared_at[positions[i]];
      }
      sink({run.first + begin, positions, shared});
    }
  };
}

std::uint64_t induced_bytes(const TokenText& text, const SortOptions& options) {
  return (options.shared ? 9 : 8) * text.length + kTableBytes;
}

bool can_induce(const TokenText& text, const SortOptions& options) {
  return options.memory == 0 || induced_bytes(text, options) <= options.memory;
}

void check_memory(std::uint64_t needed, const SortOptions& options) {
  if (options.memory == 0 || needed <= options.memory) return;
  throw Error(ErrorCode::kLimit, "sorting this text takes " + std::to_string(needed) +
                                     " bytes of memory beside it, and may use " + std::to_string(options.memory));
}

// Whether to sort by anchors, given how many there are. Throws if there is not memory enough.
bool choose_anchors(const TokenText& text, const SampleSet& samples, const SortOptions& options) {
  if (samples.size() > kMaxSamples) return false;
  const std::uint64_t needed = samples.num_bytes() + samples.size() * kRankingBytes + kTableBytes;
  const bool are_few = samples.size() <= text.length / kDensityLimit;
  if (options.method == SortMethod::kAutomatic && !are_few && can_induce(text, options)) return false;
  check_memory(needed, options);
  return true;
}

template <int Width>
SortStatistics sort_any(const TokenText& text, const SortOptions& options, WorkMeter& meter, const SuffixSink& sink) {
  check<Width>(text);
  if (text.length == 0) return {};
  const Symbol largest_symbol = largest_symbol_of<Width>(text, options.threads, meter);
  if (options.method != SortMethod::kInduced) {
    meter.begin_phase(kSampleShare, text.length);
    SampleSet samples = sample_anchors<Width>(text, options.threads, meter);
    if (choose_anchors(text, samples, options)) {
      const bool may_give_up = options.method == SortMethod::kAutomatic && can_induce(text, options);
      const auto statistics =
          anchor_sort<Width>(text, largest_symbol, std::move(samples), may_give_up, options, meter, sink);
      if (statistics) return *statistics;
    }
  }
  check_memory(induced_bytes(text, options), options);
  meter.begin_phase(1, 12 * text.length);
  return induced_sort(text, largest_symbol, meter,
                      options.shared ? with_shared<Width>(text, options, meter, sink) : sink);
}

}  // namespace

std::uint64_t least_sort_memory(std::uint64_t length) { return length + 2 * kTableBytes; }

SortStatistics sort_suffixes(const TokenText& text, const SortOptions& options, const SuffixSink& sink) {
  StopSignal never;
  WorkMeter meter(options.stop == nullptr ? never : *options.stop, options.progress, text.length);
  const SortStatistics statistics =
      with_width(text.width, [&]<int Width>() { return sort_any<Width>(text, options, meter, sink); });
  meter.finish();
  return statistics;
}

}  // namespace anygram
