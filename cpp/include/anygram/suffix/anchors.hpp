// Anchors: a content-defined sample of positions whose ranks decide all comparisons that go deep.
//
// A position is sampled if its hash is the (leftmost) smallest of some kAnchorWindow consecutive ones. The anchor of a
// position is the sample that its own window chooses. It depends only on the kAnchorDepth - 1 symbols from the position
// on, so two suffixes that are equal for kAnchorDepth symbols have their anchors at the same offset, and compare as
// their anchors do. With all samples ranked, no comparison ever needs more than kAnchorDepth symbols.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include <anygram/base/little_endian.hpp>
#include <anygram/base/types.hpp>
#include <anygram/suffix/sort.hpp>
#include <anygram/suffix/token_text.hpp>
#include <anygram/suffix/work_array.hpp>
#include <anygram/suffix/work_meter.hpp>

namespace anygram {

inline constexpr int kAnchorWindow = 56;
inline constexpr int kAnchorHashLength = 8;
// Windows that hold a document end have no anchor: suffixes equal through an end are ordered by position instead.
// One symbol more than a window needs, so that for suffixes equal for this many symbols, the windows one further on are
// equal too.
inline constexpr int kAnchorDepth = kAnchorWindow + kAnchorHashLength;

// A hash of the kAnchorHashLength symbols at `position`.
template <int Width>
inline std::uint32_t anchor_hash(const std::byte* text, std::uint64_t position) {
  const std::byte* address = text + position * Width;
  std::uint64_t hash = load<std::uint64_t>(address);
  for (int word = 1; word < Width; ++word) hash = hash * 0x9E3779B97F4A7C15 + load<std::uint64_t>(address + 8 * word);
  hash *= 0x9E3779B97F4A7C15;
  hash ^= hash >> 32;
  hash *= 0xBF58476D1CE4E5B9;
  return static_cast<std::uint32_t>(hash >> 32);
}

// A set of positions, numbered in ascending order: 2 bits a position.
class SampleSet {
 public:
  SampleSet() = default;
  explicit SampleSet(std::uint64_t text_length);

  void insert(std::uint64_t position) { words_[position / 64].bits |= std::uint64_t{1} << (position % 64); }
  // Call once after the last insert.
  void number();

  std::uint64_t size() const { return size_; }
  std::uint64_t text_length() const { return text_length_; }
  std::uint64_t num_bytes() const { return words_.size() * sizeof(Word); }

  // The number of a sample.
  std::uint32_t index(std::uint64_t position) const {
    const Word& word = words_[position / 64];
    const std::uint64_t before = word.bits & ((std::uint64_t{1} << (position % 64)) - 1);
    return static_cast<std::uint32_t>(word.samples_before + static_cast<std::uint64_t>(std::popcount(before)));
  }
  // Bit i is set if position + i is a sample, for i < kAnchorWindow.
  std::uint64_t window(std::uint64_t position) const {
    const std::uint64_t shift = position % 64;
    const std::uint64_t low = words_[position / 64].bits >> shift;
    const std::uint64_t high = (words_[position / 64 + 1].bits << 1) << (63 - shift);
    return (low | high) & ((std::uint64_t{1} << kAnchorWindow) - 1);
  }
  void prefetch(std::uint64_t position) const { __builtin_prefetch(&words_[position / 64]); }

  // Writes the samples in [begin, end) to `to` and returns how many they are.
  std::size_t collect(std::uint64_t begin, std::uint64_t end, Symbol, Symbol, Position* to) const {
    std::size_t size = 0;
    for_each(begin, end, [&](std::uint64_t position) { to[size++] = static_cast<Position>(position); });
    return size;
  }

  // Calls visit(position) for the samples in [begin, end), ascending. Both are multiples of 64, or the end is the
  // text's.
  template <class Visit>
  void for_each(std::uint64_t begin, std::uint64_t end, const Visit& visit) const {
    for (std::uint64_t word = begin / 64; word < (end + 63) / 64; ++word)
      for (std::uint64_t bits = words_[word].bits; bits != 0; bits &= bits - 1)
        visit(word * 64 + static_cast<std::uint64_t>(std::countr_zero(bits)));
  }

 private:
  struct Word {
    std::uint64_t bits;
    std::uint64_t samples_before;
  };

  WorkArray<Word> words_;
  std::uint64_t text_length_ = 0;
  std::uint64_t size_ = 0;
};

// The anchor of `position`; `window` is its window of samples, not empty. If the window holds a document end, any
// sample of it.
template <int Width>
inline std::uint64_t anchor_in_window(const std::byte* text, std::uint64_t position, std::uint64_t window) {
  std::uint64_t best = position + static_cast<std::uint64_t>(std::countr_zero(window));
  window &= window - 1;
  if (window == 0) return best;
  std::uint32_t best_hash = anchor_hash<Width>(text, best);
  for (; window != 0; window &= window - 1) {
    const std::uint64_t other = position + static_cast<std::uint64_t>(std::countr_zero(window));
    const std::uint32_t hash = anchor_hash<Width>(text, other);
    best = hash < best_hash ? other : best;
    best_hash = hash < best_hash ? hash : best_hash;
  }
  return best;
}

// The samples of a text with their ranks among each other.
template <int Width>
class AnchorRanks {
 public:
  // shared[rank]: what the samples of ranks rank - 1 and rank share, at most kMaxShared; empty if nobody asks.
  AnchorRanks(const std::byte* text, SampleSet samples, WorkArray<std::uint32_t> ranks, WorkArray<std::uint8_t> shared)
      : text_(text), samples_(std::move(samples)), ranks_(std::move(ranks)), shared_(std::move(shared)) {}

  std::uint64_t num_bytes() const {
    return samples_.num_bytes() + ranks_.size() * sizeof(std::uint32_t) + shared_.size();
  }

  // The ranks of the anchors of `size` positions, each of which starts kAnchorDepth symbols without a document end.
  // The meter is for stopping only.
  void load(const Position* positions, std::size_t size, std::uint64_t* ranks, WorkMeter& meter) const {
    constexpr std::size_t kBlock = 1024, kAhead = 16;
    for (std::size_t begin = 0; begin < size; begin += kBlock) {
      if (begin % (64 * kBlock) == 64 * kBlock - kBlock) meter.add(0);
      const std::size_t end = std::min(size, begin + kBlock);
      for (std::size_t i = begin; i < end; ++i) {
        if (i + kAhead < size) {
          samples_.prefetch(positions[i + kAhead]);
          __builtin_prefetch(text_ + std::uint64_t{positions[i + kAhead]} * Width);
        }
        ranks[i] = samples_.index(anchor(positions[i]));
        __builtin_prefetch(&ranks_[ranks[i]]);
      }
      for (std::size_t i = begin; i < end; ++i) ranks[i] = ranks_[ranks[i]];
    }
  }

  // How far the anchor of such a position is away.
  std::uint32_t offset(std::uint64_t position) const { return static_cast<std::uint32_t>(anchor(position) - position); }

  // What the samples of two ascending ranks share, or -1 if that is not quickly found.
  int shared(std::uint64_t rank, std::uint64_t greater_rank) const {
    constexpr std::uint64_t kNear = 1024;
    if (greater_rank - rank > kNear) return -1;
    std::uint8_t least = kMaxShared;
    for (std::uint64_t i = rank + 1; i <= greater_rank; ++i) least = std::min(least, shared_[i]);
    return least;
  }

 private:
  std::uint64_t anchor(std::uint64_t position) const {
    return anchor_in_window<Width>(text_, position, samples_.window(position));
  }

  const std::byte* text_;
  SampleSet samples_;
  WorkArray<std::uint32_t> ranks_;
  WorkArray<std::uint8_t> shared_;
};

// Chooses the samples. About 2 / (kAnchorWindow + 1) of the positions of an ordinary text, all of them if it is
// periodic.
template <int Width>
SampleSet sample_anchors(const TokenText& text, unsigned threads, WorkMeter& meter);

// More samples than this cannot be ranked.
inline constexpr std::uint64_t kMaxSamples = std::uint64_t{1} << 30;

// Ranks the samples by the suffixes that they begin, in kRankingBytes for each and the records to sort them. Gives up
// if `may_give_up` and the text consists of so few different windows that induced sorting is faster, as Fibonacci words
// do.
inline constexpr std::uint64_t kRankingBytes = 12;

template <int Width>
std::optional<AnchorRanks<Width>> rank_anchors(const TokenText& text, Symbol largest_symbol, SampleSet samples,
                                               bool may_give_up, const SortOptions& options, WorkMeter& meter,
                                               SortStatistics& statistics);

}  // namespace anygram
