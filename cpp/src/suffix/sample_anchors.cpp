#include <algorithm>
#include <cstring>
#include <vector>

#include <anygram/base/thread_pool.hpp>
#include <anygram/suffix/anchors.hpp>

namespace anygram {

// One word more than the text needs, so that a window may reach past its end.
SampleSet::SampleSet(std::uint64_t text_length) : words_(text_length / 64 + 2), text_length_(text_length) {
  std::memset(words_.data(), 0, words_.size() * sizeof(Word));
}

void SampleSet::number() {
  size_ = 0;
  for (Word& word : words_) {
    word.samples_before = size_;
    size_ += static_cast<std::uint64_t>(std::popcount(word.bits));
  }
}

namespace {

// Chooses for all windows that begin in [begin, end) and hold no document end. Calls choose(position), ascending, at
// least once for each position chosen.
template <int Width, class Choose>
void choose_anchors(const TokenText& text, std::uint64_t begin, std::uint64_t end, const Choose& choose) {
  constexpr std::uint64_t kRing = 64;
  static_assert(kRing >= kAnchorWindow && (kRing & (kRing - 1)) == 0);
  constexpr std::uint64_t kWindowLength = kAnchorDepth - 1;  // in symbols: its hashes reach beyond its positions
  const std::byte* const bytes = text.bytes.data();
  std::uint32_t hashes[kRing];
  std::uint64_t run_begin = begin;  // no document end since
  std::uint64_t smallest = 0;       // position of the smallest hash of the window before
  const std::uint64_t last = std::min(text.length, end + kWindowLength - 1);
  for (std::uint64_t next = begin; next < last; ++next) {
    if (symbol_at<Width>(bytes, next) == kDocumentEnd) {
      run_begin = next + 1;
      continue;
    }
    const std::uint64_t run = next + 1 - run_begin;
    if (run < kAnchorHashLength) continue;
    const std::uint64_t hashed = next + 1 - kAnchorHashLength;
    const std::uint32_t hash = anchor_hash<Width>(bytes, hashed);
    hashes[hashed % kRing] = hash;
    if (run < kWindowLength) continue;
    const std::uint64_t window = next + 1 - kWindowLength;
    if (window == run_begin || smallest < window) {
      smallest = window;
      for (std::uint64_t other = window + 1; other <= hashed; ++other)
        if (hashes[other % kRing] < hashes[smallest % kRing]) smallest = other;
      choose(smallest);
    } else if (hash < hashes[smallest % kRing]) {
      smallest = hashed;
      choose(smallest);
    }
  }
}

}  // namespace

template <int Width>
SampleSet sample_anchors(const TokenText& text, unsigned threads, WorkMeter& meter) {
  constexpr std::uint64_t kSlice = std::uint64_t{1} << 18;
  SampleSet samples(text.length);
  const std::uint64_t num_slices = (text.length + kSlice - 1) / kSlice;
  // A slice's last windows may choose positions of the next one, whose words belong to another thread.
  std::vector<std::vector<std::uint64_t>> beyond(num_slices);
  run_parallel(num_slices, threads, meter.stop(), [&](std::size_t slice) {
    const std::uint64_t begin = slice * kSlice;
    const std::uint64_t end = std::min(text.length, begin + kSlice);
    choose_anchors<Width>(text, begin, end, [&](std::uint64_t position) {
      if (position < end) {
        samples.insert(position);
      } else {
        beyond[slice].push_back(position);
      }
    });
    meter.add(end - begin);
  });
  for (const auto& positions : beyond)
    for (const std::uint64_t position : positions) samples.insert(position);
  samples.number();
  return samples;
}

template SampleSet sample_anchors<1>(const TokenText&, unsigned, WorkMeter&);
template SampleSet sample_anchors<2>(const TokenText&, unsigned, WorkMeter&);
template SampleSet sample_anchors<3>(const TokenText&, unsigned, WorkMeter&);
template SampleSet sample_anchors<4>(const TokenText&, unsigned, WorkMeter&);

}  // namespace anygram
