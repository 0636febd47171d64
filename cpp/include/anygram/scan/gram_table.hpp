// Which of many grams, runs of a normalised text's units, begin at each place of a text. Hashes find the candidates,
// and bytes are compared: what is reported is there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <anygram/scan/normalise.hpp>

namespace anygram {

// Grams of one normalisation.
class GramTable {
 public:
  // Gram i is bytes [begins[i], ends[i]): its units, words with kWordEnd between them. They may overlap. Throws
  // kInvalidArgument for an empty one.
  GramTable(Units units, std::string bytes, std::vector<std::uint64_t> begins, std::vector<std::uint64_t> ends);

  std::size_t size() const { return begins_.size(); }
  // By gram: the first that is equal. Only that one is reported.
  std::span<const std::uint32_t> firsts() const { return firsts_; }

  // Calls found(gram, unit) for each distinct gram that stands at each unit of the text. `scratch` is memory to be used
  // again. A long text asks `stop` now and then, if there is one.
  void find(const NormalisedText& text, std::vector<std::uint64_t>& scratch,
            const std::function<void(std::uint32_t gram, std::size_t unit)>& found, StopSignal* stop = nullptr) const;

 private:
  struct Slot {
    std::uint32_t fingerprint = 0;
    std::uint32_t gram = kNone;
  };

  // Grams that are looked for by their first `length` units.
  struct Class {
    std::size_t length = 0;
    std::uint64_t power = 0;  // of the hash's base
    int filter_shift = 0;
    int slot_shift = 0;
    std::vector<std::uint64_t> filter;  // two bits a gram: most places end here
    std::vector<Slot> slots;
  };

  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  std::span<const char> gram(std::uint32_t number) const {
    return {bytes_.data() + begins_[number], ends_[number] - begins_[number]};
  }
  bool are_equal(std::uint32_t one, std::uint32_t other) const;
  void add_class(Units units, std::size_t length, std::span<const std::uint32_t> grams);
  // The hash of a gram's first units.
  std::uint64_t prefix_hash(Units units, std::uint32_t number, std::size_t length, std::uint64_t power) const;
  void find_class(const Class& grams, const NormalisedText& text, std::span<const std::uint64_t> sums,
                  const std::function<void(std::uint32_t, std::size_t)>& found, StopSignal* stop) const;
  bool stands_at(std::uint32_t number, const NormalisedText& text, std::size_t unit) const;

  std::string bytes_;
  std::vector<std::uint64_t> begins_;
  std::vector<std::uint64_t> ends_;
  std::vector<std::uint32_t> lengths_;  // in units
  std::vector<std::uint32_t> firsts_;
  std::vector<std::uint32_t> next_;  // another distinct gram with the same beginning
  std::vector<Class> classes_;
};

}  // namespace anygram
