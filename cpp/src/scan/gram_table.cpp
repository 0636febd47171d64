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

constexpr std::uint64_t kBase = 0x2545F4914F6CDD1DU;   // odd, so that no unit's hash is lost
constexpr std::uint64_t kMixer = 0x9FB21C651E98DF25U;
constexpr std::size_t kMaxLengths = 4;  // so many lengths are looked for each as they are
constexpr std::size_t kBatch = 128;     // places whose filter words are asked for together

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

// Where the units of a gram end, and their hashes.
void units_of(Units units, std::span<const char> gram, std::vector<std::uint64_t>& hashes) {
  hashes.clear();
  std::array<char, 16> few{};
  std::vector<char> padded(gram.begin(), gram.end());
  padded.insert(padded.end(), few.begin(), few.end());
  std::size_t begin = 0;
  for (std::size_t i = 1; i <= gram.size(); ++i) {
    const bool ends = i == gram.size() || (units == Units::kCharacters ? (static_cast<unsigned char>(gram[i]) & 0xC0) != 0x80
                                                                      : gram[i] == kWordEnd);
    if (!ends) continue;
    hashes.push_back(unit_hash(padded.data() + begin, i - begin));
    begin = units == Units::kCharacters ? i : i + 1;
  }
}

}  // namespace

GramTable::GramTable(Units units, std::string bytes, std::span<const std::uint64_t> offsets)
    : bytes_(std::move(bytes)), offsets_(offsets.begin(), offsets.end()) {
  if (offsets_.empty() || offsets_.back() > bytes_.size()) {
    throw Error(ErrorCode::kInvalidArgument, "the offsets of grams leave their bytes");
  }
  const std::size_t number = size();
  lengths_.resize(number);
  next_.assign(number, kNone);
  std::vector<std::uint64_t> hashes;
  std::map<std::size_t, std::vector<std::uint32_t>> by_length;
  for (std::size_t i = 0; i < number; ++i) {
    if (offsets_[i] >= offsets_[i + 1]) throw Error(ErrorCode::kInvalidArgument, "a gram has at least one unit");
    units_of(units, gram(static_cast<std::uint32_t>(i)), hashes);
    lengths_[i] = static_cast<std::uint32_t>(hashes.size());
    by_length[hashes.size()].push_back(static_cast<std::uint32_t>(i));
  }
  // Few lengths are found as they are; many by beginnings whose lengths are powers of two.
  std::map<std::size_t, std::vector<std::uint32_t>> by_class;
  for (auto& [length, grams] : by_length) {
    auto& all = by_class[by_length.size() <= kMaxLengths ? length : std::bit_floor(length)];
    all.insert(all.end(), grams.begin(), grams.end());
  }
  for (const auto& [length, grams] : by_class) {
    std::vector<std::uint64_t> prefixes(grams.size());
    const std::uint64_t power = power_of(length);
    for (std::size_t k = 0; k < grams.size(); ++k) {
      units_of(units, gram(grams[k]), hashes);
      std::uint64_t sum = 0;
      for (std::size_t i = 0; i < length; ++i) sum = sum * kBase + hashes[i];
      const std::array<std::uint64_t, 2> ends{0, sum};
      prefixes[k] = window_hash(ends, 0, 1, power);
    }
    add_class(length, grams, prefixes);
  }
}

void GramTable::add_class(std::size_t length, std::span<const std::uint32_t> grams,
                          const std::vector<std::uint64_t>& prefix_hashes) {
  Class made;
  made.length = length;
  made.power = power_of(length);
  const std::size_t words = std::bit_ceil(std::max<std::size_t>(grams.size() / 4, 64));
  const std::size_t slots = std::bit_ceil(std::max<std::size_t>(2 * grams.size(), 64));
  made.filter.assign(words, 0);
  made.slots.assign(slots, {});
  made.filter_shift = 64 - std::countr_zero(words);
  made.slot_shift = 64 - std::countr_zero(slots);
  for (std::size_t k = 0; k < grams.size(); ++k) {
    const std::uint64_t hash = prefix_hashes[k];
    made.filter[hash >> made.filter_shift] |= filter_bits(hash);
    const auto fingerprint = static_cast<std::uint32_t>(hash);
    std::size_t slot = hash >> made.slot_shift;
    while (made.slots[slot].gram != kNone && made.slots[slot].fingerprint != fingerprint) {
      slot = (slot + 1) & (slots - 1);
    }
    next_[grams[k]] = made.slots[slot].gram;
    made.slots[slot] = {fingerprint, grams[k]};
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
                           const std::function<void(std::uint32_t, std::size_t)>& found) const {
  if (text.size() < grams.length) return;
  const std::size_t places = text.size() - grams.length + 1;
  std::array<std::uint64_t, kBatch> hashes;
  const std::size_t last_slot = grams.slots.size() - 1;
  for (std::size_t first = 0; first < places; first += kBatch) {
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
      for (std::size_t slot = hash >> grams.slot_shift; grams.slots[slot].gram != kNone; slot = (slot + 1) & last_slot) {
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
                     const std::function<void(std::uint32_t, std::size_t)>& found) const {
  const auto hashes = text.hashes();
  scratch.resize(text.size() + 1);
  scratch[0] = 0;
  for (std::size_t i = 0; i < text.size(); ++i) scratch[i + 1] = scratch[i] * kBase + hashes[i];
  for (const Class& grams : classes_) find_class(grams, text, scratch, found);
}

}  // namespace anygram
