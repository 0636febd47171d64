// Suffix sorting: from a token stream to the order of all its suffixes.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include <anygram/base/stop_signal.hpp>
#include <anygram/base/types.hpp>
#include <anygram/suffix/token_text.hpp>

namespace anygram {

// Both give the same array, always.
enum class SortMethod {
  kAutomatic,  // kAnchors, or kInduced for a text that has too many anchors (long periodic stretches)
  kAnchors,    // parallel, within a given memory; the worst case costs O(n log n)
  kInduced,    // one thread, 4 to 8 bytes a symbol; O(n) for any text
};

struct SortOptions {
  unsigned threads = 1;
  // Bytes to use beyond the text at most; 0: no bound. About 1.5 a symbol are used if there are many, for that is
  // fastest. See least_sort_memory().
  std::uint64_t memory = 0;
  StopSignal* stop = nullptr;
  Progress progress = {};  // in symbols
  SortMethod method = SortMethod::kAutomatic;
  bool shared = false;          // also tell what neighbours share
  bool force_portable = false;  // no vector instructions: for tests
  std::uint64_t pass_size = 0;  // suffixes sorted in one pass at most, 0: as many as is fastest: for tests
};

// What the work was, in counted units: the same for the same text, options and machine.
struct SortStatistics {
  SortMethod method = SortMethod::kAutomatic;
  std::uint64_t samples = 0;           // positions chosen as anchors
  std::uint64_t passes = 0;            // over the text, to scatter its suffixes
  std::uint64_t doubling_rounds = 0;   // until all anchors were ranked
  std::uint64_t records_moved = 0;     // by scattering and by partitioning
  std::uint64_t keys_loaded = 0;       // from the text, beyond each suffix's first
  std::uint64_t ranks_loaded = 0;      // of anchors, for ties and while doubling
  std::uint64_t elements_induced = 0;  // array slots and symbols visited by induced sorting

  std::uint64_t total_work() const { return records_moved + keys_loaded + ranks_loaded + elements_induced; }
  SortStatistics& operator+=(const SortStatistics& other);
};

// A part of the suffix array.
struct SortedRun {
  Rank first = 0;
  std::span<const Position> positions;
  // How many symbols each suffix shares with that of the rank before, at most kMaxShared; an end that both reach at the
  // same length counts as one of them. Rank 0 has 0. Empty unless the options ask for it.
  std::span<const std::uint8_t> shared = {};
};

inline constexpr int kMaxShared = 255;

// Receives runs in rank order, on the calling thread. The spans are valid during the call only.
using SuffixSink = std::function<void(const SortedRun& run)>;

// A bound on memory that is enough to sort any ordinary text of `length` symbols, in bytes beyond the text: 1 a symbol
// and some megabytes for tables. Texts that are periodic for long stretches may need up to 8 a symbol.
std::uint64_t least_sort_memory(std::uint64_t length);

// Sorts all suffixes that do not begin at a document end: by unsigned symbols up to and including the first document
// end; equal ones by position. Throws kInvalidArgument for a text that is not a token stream, kLimit if the memory
// that the options allow is not enough, kStopped, and what the sink throws.
SortStatistics sort_suffixes(const TokenText& text, const SortOptions& options, const SuffixSink& sink);

}  // namespace anygram
