// Where grams of one normalisation stand in each of many texts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include <anygram/base/stop_signal.hpp>
#include <anygram/scan/gram_table.hpp>
#include <anygram/shard/shard.hpp>

namespace anygram {

struct GramPlace {
  std::uint64_t text = 0;  // its place among those that were given
  std::uint64_t unit = 0;  // of the text, at which the gram begins
  std::uint32_t gram = 0;  // the first of those that are equal
};

struct GramPlaces {
  std::vector<GramPlace> places;         // by text, then by unit, then by gram
  std::vector<std::uint64_t> num_units;  // by text
  std::vector<std::uint64_t> num_bytes;  // by text, of UTF-8
};

// A document of one of several shards.
struct ShardDocument {
  std::size_t shard = 0;
  std::uint64_t document = 0;
};

// Made once, and asked from any thread.
class GramFinder {
 public:
  GramFinder(Normalisation normalisation, GramTable grams);

  // By gram: the first that is equal. Only that one is found.
  std::span<const std::uint32_t> firsts() const { return grams_.firsts(); }

  // Finds grams in texts that are given as UTF-8. Threads share out runs of texts.
  GramPlaces find(std::span<const std::string_view> texts, unsigned threads, StopSignal& stop) const;
  // The same of documents, as their tokens spell them.
  GramPlaces find(Shards shards, std::span<const ShardDocument> documents, const TokenTexts& texts, unsigned threads,
                  StopSignal& stop) const;

 private:
  struct Scratch;
  // The bytes of a text; they may lie in the scratch.
  using Read = std::function<std::span<const char>(std::size_t text, Scratch& scratch)>;

  GramPlaces find_each(std::span<const std::uint64_t> sizes, const Read& read, unsigned threads,
                       StopSignal& stop) const;
  // Adds the places of the grams that the text is known to have.
  void add_places(std::uint64_t text, Scratch& scratch, std::vector<GramPlace>& places, StopSignal& stop) const;

  Normalisation normalisation_;
  GramTable grams_;
};

}  // namespace anygram
