// Which of many grams, runs of a normalised text's units, stand in a text.
//
// Most places of a text begin none of them. So a text is sampled: every few bytes (or words) a block of it is looked up
// in a filter of all blocks that a gram could have there, and only where that is passed are the beginnings before it
// hashed and looked for. Bytes are compared in the end: what is reported is there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <anygram/scan/normalise.hpp>
#include <anygram/suffix/work_array.hpp>

namespace anygram {

// A gram, and how often it was found one time after the other.
struct GramHit {
  std::uint32_t gram = 0;
  std::uint32_t times = 0;
};

// Grams of one normalisation.
class GramTable {
 public:
  // Gram i is bytes [begins[i], ends[i]): its units, words with kWordEnd between them. They may overlap. Throws
  // kInvalidArgument for an empty one.
  GramTable(Units units, std::string bytes, std::vector<std::uint64_t> begins, std::vector<std::uint64_t> ends);

  std::size_t size() const { return begins_.size(); }
  // By gram: the first that is equal. Only that one is reported.
  std::span<const std::uint32_t> firsts() const { return firsts_; }

  // The bytes of a gram.
  std::span<const char> gram(std::uint32_t number) const {
    return {bytes_.data() + begins_[number], ends_[number] - begins_[number]};
  }
  // How many units a gram has.
  std::size_t length(std::uint32_t number) const { return lengths_[number]; }

  // Adds each distinct gram that stands in the text, for each place, in no stated order; gram i as first + i.
  // A long text asks `stop` now and then, if there is one.
  void find(const NormalisedText& text, std::uint32_t first, std::vector<GramHit>& hits,
            StopSignal* stop = nullptr) const;

 private:
  struct Slot {
    std::uint32_t fingerprint = 0;
    std::uint32_t gram = kNone;
  };

  // How a text is sampled for grams: at every `stride`-th byte, or word, a block of so many bytes. A gram has a whole
  // block from each of its first `stride` bytes, or words, on.
  struct Sampling {
    std::size_t stride = 1;
    std::size_t block = 1;
    bool operator==(const Sampling&) const = default;
    auto operator<=>(const Sampling&) const = default;
  };

  // A set of hashes that may hold others too: two bits each, in one word.
  class Filter {
   public:
    explicit Filter(std::span<const std::uint64_t> hashes);

    std::uint64_t num_words() const { return words_.size(); }
    void prefetch(std::uint64_t hash) const { __builtin_prefetch(&words_[hash >> shift_]); }
    bool may_hold(std::uint64_t hash) const { return (words_[hash >> shift_] & bits(hash)) == bits(hash); }

   private:
    static std::uint64_t bits(std::uint64_t hash) {
      return (std::uint64_t{1} << (hash & 63)) | (std::uint64_t{1} << ((hash >> 6) & 63));
    }

    WorkArray<std::uint64_t> words_;
    int shift_ = 0;
  };

  // Grams that are looked for by their first `length` units.
  struct Class {
    std::size_t length = 0;
    Sampling sampling;
    Filter blocks;
    Filter beginnings;
    WorkArray<Slot> slots;
    int slot_shift = 0;
  };

  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  // The bytes of a gram's first units.
  std::span<const char> beginning(std::uint32_t number, std::size_t length) const;
  Sampling sampling_of(std::uint32_t number, std::size_t length, bool few) const;
  void add_class(std::size_t length, Sampling sampling, std::span<const std::uint32_t> grams);
  void fill_slots(Class& made, std::span<const std::uint32_t> grams, std::span<const std::uint64_t> hashes);
  std::vector<std::uint64_t> hashes_of_beginnings(std::size_t length, std::span<const std::uint32_t> grams) const;
  std::vector<std::uint64_t> hashes_of_blocks(Sampling sampling, std::span<const std::uint32_t> grams) const;

  template <std::size_t Block>
  void sample(const Class& grams, const NormalisedText& text, std::uint32_t first, std::vector<GramHit>& hits,
              StopSignal* stop) const;
  void look_up(const Class& grams, const NormalisedText& text, std::span<const std::uint64_t> begins,
               std::span<const std::uint64_t> ends, std::uint32_t first, std::vector<GramHit>& hits) const;
  void look_before_byte(const Class& grams, const NormalisedText& text, std::size_t place, std::uint32_t first,
                        std::vector<GramHit>& hits) const;
  void look_before_word(const Class& grams, const NormalisedText& text, std::size_t word, std::uint32_t first,
                        std::vector<GramHit>& hits) const;
  void look_everywhere(const Class& grams, const NormalisedText& text, std::uint32_t first, std::vector<GramHit>& hits,
                       StopSignal* stop) const;
  bool stands_at(std::uint32_t number, const NormalisedText& text, std::size_t begin) const;

  Units units_;
  std::string bytes_;
  std::vector<std::uint64_t> begins_;
  std::vector<std::uint64_t> ends_;
  std::vector<std::uint32_t> lengths_;  // in units
  std::vector<std::uint32_t> firsts_;
  std::vector<std::uint32_t> next_;  // another distinct gram with the same beginning
  std::vector<Class> classes_;
};

}  // namespace anygram
