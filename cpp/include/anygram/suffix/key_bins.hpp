// Where keys are cut into bins.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include <anygram/suffix/key.hpp>

namespace anygram {

// An ascending map from keys to entries, numbered from 0, that gives each about as many keys. Two steps without a
// branch: the first bits of a key (the lead) have a table of their own; a lead that many keys begin with has up to 256
// entries, by the class of the 16 bits that follow. The classes are the same for all leads.
class KeyBins {
 public:
  KeyBins() = default;  // of no keys
  // `sample`: keys as the records' will be; `num_keys`: how many those are; `entry_size`: keys that an entry should
  // have at most, about.
  KeyBins(KeyFormat format, Symbol largest_symbol, std::span<const std::uint64_t> sample, std::uint64_t num_keys,
          std::uint64_t entry_size) {
    // The first field may be wider than any symbol needs: its leading zeros would waste table entries.
    const int significant = format.key_bits() - format.bits + static_cast<int>(std::bit_width(largest_symbol));
    const int wanted = std::bit_width(largest_symbol) <= 16 ? 16 : 20;
    const int lead_bits = std::clamp(static_cast<int>(std::bit_width(num_keys)), 4, wanted);
    lead_shift_ = significant - lead_bits;
    symbol_shift_ = format.key_bits() - format.bits;
    classify(sample);
    std::vector<std::uint32_t> counts(std::size_t{1} << lead_bits);
    for (const std::uint64_t key : sample) ++counts[key >> lead_shift_];
    leads_.resize(counts.size());
    const double keys_per_sampled =
        static_cast<double>(num_keys) / static_cast<double>(std::max<std::size_t>(1, sample.size()));
    for (std::size_t lead = 0; lead < counts.size(); ++lead) {
      const double entries = keys_per_sampled * counts[lead] / static_cast<double>(entry_size);
      const int bits = std::min(kClassBits, static_cast<int>(std::bit_width(static_cast<std::uint64_t>(entries))));
      leads_[lead] = static_cast<std::uint32_t>(num_entries_ << 8) | static_cast<std::uint32_t>(kClassBits - bits);
      num_entries_ += std::size_t{1} << bits;
    }
  }

  std::size_t num_entries() const { return num_entries_; }
  std::uint64_t num_bytes() const { return leads_.size() * sizeof(std::uint32_t) + classes_.size(); }

  std::size_t entry(std::uint64_t key) const {
    const std::uint32_t lead = leads_[key >> lead_shift_];
    const std::uint32_t key_class = classes_[(key >> (lead_shift_ - kClassedBits)) & (kClassedKeys - 1)];
    return (lead >> 8) + (key_class >> (lead & 0xFF));
  }

  // The first symbols of the keys in an entry are between these.
  Symbol smallest_symbol(std::size_t entry) const {
    return static_cast<Symbol>((lead_of(entry) << lead_shift_) >> symbol_shift_);
  }
  Symbol largest_symbol(std::size_t entry) const {
    return static_cast<Symbol>((((lead_of(entry) + 1) << lead_shift_) - 1) >> symbol_shift_);
  }

 private:
  static constexpr int kClassBits = 8;
  static constexpr int kClassedBits = 16;
  static constexpr std::size_t kClassedKeys = std::size_t{1} << kClassedBits;

  void classify(std::span<const std::uint64_t> sample) {
    std::vector<std::uint32_t> counts(kClassedKeys);
    for (const std::uint64_t key : sample) ++counts[(key >> (lead_shift_ - kClassedBits)) & (kClassedKeys - 1)];
    classes_.resize(kClassedKeys);
    std::uint64_t before = 0;
    for (std::size_t value = 0; value < kClassedKeys; ++value) {
      classes_[value] = static_cast<std::uint8_t>((before << kClassBits) / (sample.size() + 1));
      before += counts[value];
    }
  }

  std::uint64_t lead_of(std::size_t entry) const {
    const auto next = std::upper_bound(leads_.begin(), leads_.end(), entry,
                                       [](std::size_t number, std::uint32_t lead) { return number < lead >> 8; });
    return static_cast<std::uint64_t>(next - leads_.begin()) - 1;
  }

  int lead_shift_ = 0;
  int symbol_shift_ = 0;
  std::size_t num_entries_ = 0;
  std::vector<std::uint32_t> leads_;   // first entry << 8 | how far to shift a class
  std::vector<std::uint8_t> classes_;  // of the 16 bits behind the lead
};

}  // namespace anygram
