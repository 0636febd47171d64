#include <anygram/scan/gram_table.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <map>
#include <utility>

#include <anygram/base/error.hpp>

namespace anygram {
namespace {

constexpr std::size_t kMaxLengths = 4;  // so many lengths are looked for each as they are
constexpr std::size_t kBatch = 64;      // samples whose filter words are asked for together
constexpr std::size_t kMaxStride = 32;
constexpr std::size_t kWhole = 0;  // in place of a block's size: the whole beginning of a gram is hashed at each word
constexpr std::size_t kFew = 4096;
constexpr std::size_t kNearFilter = 1024;              // words of a filter that is always in the nearest cache
constexpr std::size_t kAtOnce = std::size_t{1} << 16;  // samples, until it is asked whether to stop

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

std::size_t count_units(Units units, std::span<const char> gram) {
  if (units == Units::kCharacters) {
    return static_cast<std::size_t>(
        std::count_if(gram.begin(), gram.end(), [](char byte) { return !continues(byte); }));
  }
  return static_cast<std::size_t>(std::count(gram.begin(), gram.end(), kWordEnd)) + 1;
}

// The hash of a block. May read 7 bytes past it.
template <std::size_t Block>
std::uint64_t block_hash(const char* bytes) {
  constexpr std::array<std::uint64_t, 4> kMultipliers{0x9E3779B97F4A7C15U, 0xC2B2AE3D27D4EB4FU, 0x165667B19E3779F9U,
                                                      0xD6E8FEB86659FD93U};
  constexpr std::size_t kWords = (Block + 7) / 8;
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < kWords; ++i) {
    std::uint64_t eight;
    std::memcpy(&eight, bytes + 8 * i, 8);
    if (Block % 8 != 0 && i + 1 == kWords) eight &= (std::uint64_t{1} << (8 * (Block % 8))) - 1;
    eight *= kMultipliers[i];
    hash ^= eight ^ (eight >> 29);
  }
  hash *= kMultipliers[3];
  return hash ^ (hash >> 32);
}

// Calls with_block(block as a constant).
template <class WithBlock>
void with_block_of(std::size_t block, WithBlock with_block) {
  const auto call = [&]<std::size_t Block>() { with_block.template operator()<Block>(); };
  switch (block) {
    case 1:
      return call.template operator()<1>();
    case 2:
      return call.template operator()<2>();
    case 4:
      return call.template operator()<4>();
    case 8:
      return call.template operator()<8>();
    case 12:
      return call.template operator()<12>();
    case 16:
      return call.template operator()<16>();
    case 24:
      return call.template operator()<24>();
    case 32:
      return call.template operator()<32>();
    default:
      throw Error(ErrorCode::kInvalidArgument, "no block of this size");
  }
}

}  // namespace

GramTable::GramTable(Units units, std::string bytes, std::vector<std::uint64_t> begins, std::vector<std::uint64_t> ends)
    : units_(units), bytes_(std::move(bytes)), begins_(std::move(begins)), ends_(std::move(ends)) {
  const std::uint64_t size_of_bytes = bytes_.size();
  bytes_.append(NormalisedText::kRoom, '\0');  // hashes may read past a gram
  const std::size_t number = size();
  if (ends_.size() != number) throw Error(ErrorCode::kInvalidArgument, "grams have as many ends as begins");
  lengths_.resize(number);
  firsts_.resize(number);
  next_.assign(number, kNone);
  std::map<std::size_t, std::size_t> lengths;
  for (std::size_t i = 0; i < number; ++i) {
    if (begins_[i] >= ends_[i] || ends_[i] > size_of_bytes) {
      throw Error(ErrorCode::kInvalidArgument, "a gram has at least one unit, and lies within the bytes");
    }
    lengths_[i] = static_cast<std::uint32_t>(count_units(units, gram(static_cast<std::uint32_t>(i))));
    ++lengths[lengths_[i]];
  }
  // Few lengths are found as they are; many by beginnings whose lengths are powers of two.
  const auto looked_for = [&](std::size_t length) {
    return lengths.size() <= kMaxLengths ? length : std::bit_floor(length);
  };
  std::map<std::size_t, std::size_t> sizes;
  for (const auto& [length, grams] : lengths) sizes[looked_for(length)] += grams;
  std::map<std::pair<std::size_t, Sampling>, std::vector<std::uint32_t>> by_class;
  for (std::uint32_t i = 0; i < number; ++i) {
    const std::size_t length = looked_for(lengths_[i]);
    by_class[{length, sampling_of(i, length, sizes[length] <= kFew)}].push_back(i);
  }
  for (const auto& [kind, grams] : by_class) add_class(kind.first, kind.second, grams);
}

std::span<const char> GramTable::beginning(std::uint32_t number, std::size_t length) const {
  const auto bytes = gram(number);
  if (length == lengths_[number]) return bytes;
  std::size_t end = 0;
  for (std::size_t i = 0; i < length; ++i) {
    const auto ends = [&](char byte) { return units_ == Units::kCharacters ? !continues(byte) : byte == kWordEnd; };
    end = static_cast<std::size_t>(
        std::find_if(bytes.begin() + static_cast<std::ptrdiff_t>(end) + 1, bytes.end(), ends) - bytes.begin());
  }
  return bytes.first(end);
}

// As long a stride as leaves a block that is rare; of few grams, any block is.
GramTable::Sampling GramTable::sampling_of(std::uint32_t number, std::size_t length, bool few) const {
  if (units_ == Units::kCharacters) {
    for (const Sampling sampling : {Sampling{16, 32}, Sampling{8, 16}, Sampling{4, 8}, Sampling{2, 4}}) {
      if (length + 1 >= sampling.stride + sampling.block) return sampling;
    }
    return {1, std::min<std::size_t>(std::bit_floor(length), 4)};
  }
  const auto bytes = beginning(number, length);
  const std::size_t stride = std::clamp<std::size_t>(length / 2, 1, kMaxStride);
  if (stride == 1) return {1, few ? std::min<std::size_t>(std::bit_floor(bytes.size()), 8) : kWhole};
  std::size_t last = 0;  // where the last word begins that may be sampled
  for (std::size_t i = 1; i < stride; ++i) {
    const auto end = std::find(bytes.begin() + static_cast<std::ptrdiff_t>(last), bytes.end(), kWordEnd);
    last = static_cast<std::size_t>(end - bytes.begin()) + 1;
  }
  for (const std::size_t block : {std::size_t{24}, std::size_t{16}, std::size_t{12}, std::size_t{8}}) {
    if ((!few || block == 8) && bytes.size() - last >= block) return {stride, block};
  }
  return {stride, 4};  // three words are longer
}

GramTable::Filter::Filter(std::span<const std::uint64_t> hashes) {
  const std::size_t number = std::bit_ceil(std::max<std::size_t>(hashes.size() / 4, 64));
  words_ = WorkArray<std::uint64_t>(number);
  std::fill(words_.begin(), words_.end(), 0);
  shift_ = 64 - std::countr_zero(number);
  for (const std::uint64_t hash : hashes) words_[hash >> shift_] |= bits(hash);
}

void GramTable::add_class(std::size_t length, Sampling sampling, std::span<const std::uint32_t> grams) {
  const auto hashes = hashes_of_beginnings(length, grams);
  Class made{length, sampling, Filter(hashes_of_blocks(sampling, grams)), Filter(hashes), {}, 0};
  fill_slots(made, grams, hashes);
  classes_.push_back(std::move(made));
}

std::vector<std::uint64_t> GramTable::hashes_of_beginnings(std::size_t length,
                                                           std::span<const std::uint32_t> grams) const {
  std::vector<std::uint64_t> hashes;
  hashes.reserve(grams.size());
  for (const std::uint32_t number : grams) {
    const auto bytes = beginning(number, length);
    hashes.push_back(bytes_hash(bytes.data(), bytes.size()));
  }
  return hashes;
}

std::vector<std::uint64_t> GramTable::hashes_of_blocks(Sampling sampling, std::span<const std::uint32_t> grams) const {
  std::vector<std::uint64_t> hashes;
  if (sampling.block == kWhole) return hashes;
  with_block_of(sampling.block, [&]<std::size_t Block>() {
    // Grams that are windows of one text share most of their blocks: those of [from, to) are there.
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    for (const std::uint32_t number : grams) {
      std::uint64_t place = begins_[number];
      if (place < from || place > to) from = to = place;
      for (std::size_t i = 0; i < sampling.stride; ++i) {
        std::uint64_t following = place + 1;
        if (units_ != Units::kCharacters && i + 1 < sampling.stride) {
          const auto end = std::find(bytes_.begin() + static_cast<std::ptrdiff_t>(place), bytes_.end(), kWordEnd);
          following = static_cast<std::uint64_t>(end - bytes_.begin()) + 1;
        }
        if (place >= to) {
          hashes.push_back(block_hash<Block>(bytes_.data() + place));
          to = following;
        }
        place = following;
      }
    }
  });
  return hashes;
}

void GramTable::fill_slots(Class& made, std::span<const std::uint32_t> grams, std::span<const std::uint64_t> hashes) {
  const std::size_t slots = std::bit_ceil(std::max<std::size_t>(2 * grams.size(), 64));
  made.slots = WorkArray<Slot>(slots);
  std::fill(made.slots.begin(), made.slots.end(), Slot{});
  made.slot_shift = 64 - std::countr_zero(slots);
  for (std::size_t i = 0; i < grams.size(); ++i) {
    const std::uint32_t number = grams[i];
    const auto fingerprint = static_cast<std::uint32_t>(hashes[i]);
    std::size_t slot = hashes[i] >> made.slot_shift;
    while (made.slots[slot].gram != kNone && made.slots[slot].fingerprint != fingerprint) {
      slot = (slot + 1) & (slots - 1);
    }
    std::uint32_t equal = made.slots[slot].gram;
    while (equal != kNone && !std::ranges::equal(gram(equal), gram(number))) equal = next_[equal];
    firsts_[number] = equal == kNone ? number : equal;
    if (equal != kNone) continue;
    next_[number] = made.slots[slot].gram;
    made.slots[slot] = {fingerprint, number};
  }
}

bool GramTable::stands_at(std::uint32_t number, const NormalisedText& text, std::size_t begin) const {
  const auto bytes = gram(number);
  const std::size_t end = begin + bytes.size();
  if (end > text.bytes().size() || std::memcmp(text.bytes().data() + begin, bytes.data(), bytes.size()) != 0) {
    return false;
  }
  return units_ == Units::kCharacters || text.bytes()[end] == kWordEnd;
}

void GramTable::look_up(const Class& grams, const NormalisedText& text, std::span<const std::uint64_t> begins,
                        std::span<const std::uint64_t> ends, std::uint32_t first, std::vector<GramHit>& hits) const {
  std::array<std::uint64_t, kMaxStride> hashes;
  const std::size_t last_slot = grams.slots.size() - 1;
  for (std::size_t i = 0; i < begins.size(); ++i) {
    hashes[i] = bytes_hash(text.bytes().data() + begins[i], ends[i] - begins[i]);
    grams.beginnings.prefetch(hashes[i]);
  }
  for (std::size_t i = 0; i < begins.size(); ++i) {
    if (!grams.beginnings.may_hold(hashes[i])) continue;
    const auto fingerprint = static_cast<std::uint32_t>(hashes[i]);
    std::size_t slot = hashes[i] >> grams.slot_shift;
    while (grams.slots[slot].gram != kNone && grams.slots[slot].fingerprint != fingerprint) {
      slot = (slot + 1) & last_slot;
    }
    for (std::uint32_t gram = grams.slots[slot].gram; gram != kNone; gram = next_[gram]) {
      if (!stands_at(gram, text, begins[i])) continue;
      if (!hits.empty() && hits.back().gram == first + gram) {
        ++hits.back().times;
      } else {
        hits.push_back({first + gram, 1});
      }
    }
  }
}

void GramTable::look_before_byte(const Class& grams, const NormalisedText& text, std::size_t place, std::uint32_t first,
                                 std::vector<GramHit>& hits) const {
  std::array<std::uint64_t, kMaxStride> begins;
  std::array<std::uint64_t, kMaxStride> ends;
  const auto bytes = text.bytes();
  const std::size_t stride = grams.sampling.stride;
  std::size_t begin = place + 1 < stride ? 0 : place + 1 - stride;
  while (begin <= place && continues(bytes[begin])) ++begin;
  if (begin > place) return;
  // The end goes along with the begin, character by character.
  std::size_t end = begin + grams.length;
  if (!text.is_ascii()) {
    std::size_t length = 0;
    for (end = begin; length < grams.length && end < bytes.size(); ++length) {
      do ++end;
      while (end < bytes.size() && continues(bytes[end]));
    }
    if (length < grams.length) return;
  }
  std::size_t number = 0;
  while (begin <= place && end <= bytes.size()) {
    begins[number] = begin;
    ends[number++] = end;
    do ++begin;
    while (begin <= place && continues(bytes[begin]));
    do ++end;
    while (end < bytes.size() && continues(bytes[end]));
  }
  look_up(grams, text, std::span(begins).first(number), std::span(ends).first(number), first, hits);
}

void GramTable::look_before_word(const Class& grams, const NormalisedText& text, std::size_t word, std::uint32_t first,
                                 std::vector<GramHit>& hits) const {
  std::array<std::uint64_t, kMaxStride> begins;
  std::array<std::uint64_t, kMaxStride> ends;
  const auto starts = text.starts();
  const std::size_t stride = grams.sampling.stride;
  std::size_t number = 0;
  for (std::size_t i = word + 1 < stride ? 0 : word + 1 - stride; i <= word && i + grams.length < starts.size(); ++i) {
    begins[number] = starts[i];
    ends[number++] = starts[i + grams.length] - 1;
  }
  look_up(grams, text, std::span(begins).first(number), std::span(ends).first(number), first, hits);
}

void GramTable::look_everywhere(const Class& grams, const NormalisedText& text, std::uint32_t first,
                                std::vector<GramHit>& hits, StopSignal* stop) const {
  std::array<std::uint64_t, kMaxStride> begins;
  std::array<std::uint64_t, kMaxStride> ends;
  const auto starts = text.starts();
  for (std::size_t word = 0; word + grams.length < starts.size();) {
    if (stop != nullptr && word % kAtOnce == kAtOnce - kMaxStride) stop->look();
    std::size_t number = 0;
    for (; number < kMaxStride && word + grams.length < starts.size(); ++word, ++number) {
      begins[number] = starts[word];
      ends[number] = starts[word + grams.length] - 1;
    }
    look_up(grams, text, std::span(begins).first(number), std::span(ends).first(number), first, hits);
  }
}

template <std::size_t Block>
void GramTable::sample(const Class& grams, const NormalisedText& text, std::uint32_t first, std::vector<GramHit>& hits,
                       StopSignal* stop) const {
  const auto bytes = text.bytes();
  const auto starts = text.starts();
  const std::size_t stride = grams.sampling.stride;
  const bool by_byte = units_ == Units::kCharacters;
  if (bytes.size() < Block) return;
  const std::size_t last_place = bytes.size() - Block;
  // Samples end before the first word whose block would leave the text.
  const std::size_t units =
      by_byte ? last_place + 1
              : static_cast<std::size_t>(std::upper_bound(starts.begin(), starts.end(), last_place) - starts.begin());
  const std::size_t samples = (units + stride - 1) / stride;
  const auto hash_of = [&](std::size_t number) {
    const std::size_t unit = number * stride;
    return block_hash<Block>(bytes.data() + (by_byte ? unit : starts[unit]));
  };
  const auto try_sample = [&](std::size_t number, std::uint64_t hash) {
    if (stop != nullptr && number % kAtOnce == kAtOnce - 1) stop->look();
    if (!grams.blocks.may_hold(hash)) return;
    if (by_byte) {
      look_before_byte(grams, text, number * stride, first, hits);
    } else {
      look_before_word(grams, text, number * stride, first, hits);
    }
  };
  if (grams.blocks.num_words() <= kNearFilter) {
    for (std::size_t number = 0; number < samples; ++number) try_sample(number, hash_of(number));
    return;
  }
  std::array<std::uint64_t, kBatch> hashes;
  for (std::size_t begin = 0; begin < samples; begin += kBatch) {
    const std::size_t number = std::min(kBatch, samples - begin);
    for (std::size_t i = 0; i < number; ++i) {
      hashes[i] = hash_of(begin + i);
      grams.blocks.prefetch(hashes[i]);
    }
    for (std::size_t i = 0; i < number; ++i) try_sample(begin + i, hashes[i]);
  }
}

void GramTable::find(const NormalisedText& text, std::uint32_t first, std::vector<GramHit>& hits,
                     StopSignal* stop) const {
  for (const Class& grams : classes_) {
    if (grams.sampling.block == kWhole) {
      look_everywhere(grams, text, first, hits, stop);
      continue;
    }
    with_block_of(grams.sampling.block, [&]<std::size_t Block>() { sample<Block>(grams, text, first, hits, stop); });
  }
}

}  // namespace anygram
