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

constexpr std::uint64_t kBase = 0x2545F4914F6CDD1DU;  // odd, so that no unit's hash is lost
constexpr std::uint64_t kMixer = 0x9FB21C651E98DF25U;
constexpr std::size_t kMaxLengths = 4;                 // so many lengths are looked for each as they are
constexpr std::size_t kBatch = 128;                    // places whose filter words are asked for together
constexpr std::size_t kAtOnce = std::size_t{1} << 16;  // units, until it is asked whether to stop

// The hash of units [begin, begin + length), of the sums of all units before each place.
std::uint64_t window_hash(std::span<const std::uint64_t> sums, std::size_t begin, std::size_t length,
                          std::uint64_t power) {
  const std::uint64_t hash = (sums[begin + length] - sums[begin] * power) * kMixer;
  return hash ^ (hash >> 32);
}

std::uint64_t power_of(std::size_t exponent) {
  std::uint64_t power = 1;
  for (std::size_t i = 0; i < exponent; ++i) power *= kBase;
  return power;
}

std::uint64_t filter_bits(std::uint64_t hash) {
  return (std::uint64_t{1} << (hash & 63)) | (std::uint64_t{1} << ((hash >> 6) & 63));
}

// Where the unit that begins at `begin` ends.
std::size_t unit_end(Units units, std::span<const char> gram, std::size_t begin) {
  const auto ends = [&](char byte) {
    return units == Units::kCharacters ? (static_cast<unsigned char>(byte) & 0xC0) != 0x80 : byte == kWordEnd;
  };
  std::size_t end = begin + 1;
  while (end < gram.size() && !ends(gram[end])) ++end;
  return end;
}

std::size_t count_units(Units units, std::span<const char> gram) {
  std::size_t number = 0;
  const std::size_t between = units == Units::kCharacters ? 0 : 1;
  for (std::size_t begin = 0; begin < gram.size(); ++number) begin = unit_end(units, gram, begin) + between;
  return number;
}

}  // namespace

GramTable::GramTable(Units units, std::string bytes, std::vector<std::uint64_t> begins, std::vector<std::uint64_t> ends)
    : bytes_(std::move(bytes)), begins_(std::move(begins)), ends_(std::move(ends)) {
  const std::uint64_t size_of_bytes = bytes_.size();
  bytes_.append(8, '\0');  // hashes may read past a unit
  const std::size_t number = size();
  if (ends_.size() != number) throw Error(ErrorCode::kInvalidArgument, "grams have as many ends as begins");
  lengths_.resize(number);
  firsts_.resize(number);
  next_.assign(number, kNone);
  std::map<std::size_t, std::vector<std::uint32_t>> by_length;
  for (std::size_t i = 0; i < number; ++i) {
    if (begins_[i] >= ends_[i] || ends_[i] > size_of_bytes) {
      throw Error(ErrorCode::kInvalidArgument, "a gram has at least one unit, and lies within the bytes");
    }
    const auto gram_number = static_cast<std::uint32_t>(i);
    lengths_[i] = static_cast<std::uint32_t>(count_units(units, gram(gram_number)));
    by_length[lengths_[i]].push_back(gram_number);
  }
  // Few lengths are found as they are; many by beginnings whose lengths are powers of two.
  std::map<std::size_t, std::vector<std::uint32_t>> by_class;
  for (auto& [length, grams] : by_length) {
    auto& all = by_class[by_length.size() <= kMaxLengths ? length : std::bit_floor(length)];
    all.insert(all.end(), grams.begin(), grams.end());
  }
  for (auto& [length, grams] : by_class) {
    std::sort(grams.begin(), grams.end());
    add_class(units, length, grams);
  }
}

std::uint64_t GramTable::prefix_hash(Units units, std::uint32_t number, std::size_t length, std::uint64_t power) const {
  const auto bytes = gram(number);
  const std::size_t between = units == Units::kCharacters ? 0 : 1;
  std::uint64_t sum = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < length; ++i) {
    const std::size_t end = unit_end(units, bytes, begin);
    sum = sum * kBase + unit_hash(bytes.data() + begin, end - begin);
    begin = end + between;
  }
  const std::array<std::uint64_t, 2> sums{0, sum};
  return window_hash(sums, 0, 1, power);
}

bool GramTable::are_equal(std::uint32_t one, std::uint32_t other) const {
  return std::ranges::equal(gram(one), gram(other));
}

void GramTable::add_class(Units units, std::size_t length, std::span<const std::uint32_t> grams) {
  Class made;
  made.length = length;
  made.power = power_of(length);
  const std::size_t words = std::bit_ceil(std::max<std::size_t>(grams.size() / 4, 64));
  const std::size_t slots = std::bit_ceil(std::max<std::size_t>(2 * grams.size(), 64));
  made.filter.assign(words, 0);
  made.slots.assign(slots, {});
  made.filter_shift = 64 - std::countr_zero(words);
  made.slot_shift = 64 - std::countr_zero(slots);
  for (const std::uint32_t number : grams) {
    const std::uint64_t hash = prefix_hash(units, number, length, made.power);
    const auto fingerprint = static_cast<std::uint32_t>(hash);
    std::size_t slot = hash >> made.slot_shift;
    while (made.slots[slot].gram != kNone && made.slots[slot].fingerprint != fingerprint) {
      slot = (slot + 1) & (slots - 1);
    }
    std::uint32_t equal = made.slots[slot].gram;
    while (equal != kNone && !are_equal(equal, number)) equal = next_[equal];
    firsts_[number] = equal == kNone ? number : equal;
    if (equal != kNone) continue;
    made.filter[hash >> made.filter_shift] |= filter_bits(hash);
    next_[number] = made.slots[slot].gram;
    made.slots[slot] = {fingerprint, number};
  }
  classes_.push_back(std::move(made));
}

bool GramTable::stands_at(std::uint32_t number, const NormalisedText& text, std::size_t unit) const {
  if (unit + lengths_[number] > text.size()) return false;
  const auto here = text.units(unit, unit + lengths_[number]);
  const auto bytes = gram(number);
  return here.size() == bytes.size() && std::memcmp(here.data(), bytes.data(), bytes.size()) == 0;
}

void GramTable::find_class(const Class& grams, const NormalisedText& text, std::span<const std::uint64_t> sums,
                           const std::function<void(std::uint32_t, std::size_t)>& found, StopSignal* stop) const {
  if (text.size() < grams.length) return;
  const std::size_t places = text.size() - grams.length + 1;
  std::array<std::uint64_t, kBatch> hashes;
  const std::size_t last_slot = grams.slots.size() - 1;
  for (std::size_t first = 0; first < places; first += kBatch) {
    if (stop != nullptr && first % kAtOnce == 0 && first != 0) stop->look();
    const std::size_t number = std::min(kBatch, places - first);
    for (std::size_t i = 0; i < number; ++i) {
      hashes[i] = window_hash(sums, first + i, grams.length, grams.power);
      __builtin_prefetch(&grams.filter[hashes[i] >> grams.filter_shift]);
    }
    for (std::size_t i = 0; i < number; ++i) {
      const std::uint64_t hash = hashes[i];
      const std::uint64_t bits = filter_bits(hash);
      if ((grams.filter[hash >> grams.filter_shift] & bits) != bits) continue;
      const auto fingerprint = static_cast<std::uint32_t>(hash);
      for (std::size_t slot = hash >> grams.slot_shift; grams.slots[slot].gram != kNone;
           slot = (slot + 1) & last_slot) {
        if (grams.slots[slot].fingerprint != fingerprint) continue;
        for (std::uint32_t gram = grams.slots[slot].gram; gram != kNone; gram = next_[gram]) {
          if (stands_at(gram, text, first + i)) found(gram, first + i);
        }
        break;
      }
    }
  }
}

void GramTable::find(const NormalisedText& text, std::vector<std::uint64_t>& scratch,
                     const std::function<void(std::uint32_t, std::size_t)>& found, StopSignal* stop) const {
  const auto hashes = text.hashes();
  scratch.resize(text.size() + 1);
  scratch[0] = 0;
  for (std::size_t i = 0; i < text.size(); ++i) scratch[i + 1] = scratch[i] * kBase + hashes[i];
  for (const Class& grams : classes_) find_class(grams, text, scratch, found, stop);
}

}  // namespace anygram
