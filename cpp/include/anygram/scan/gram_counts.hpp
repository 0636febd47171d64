// How often grams occur and in which documents, added up by many threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace anygram {

inline constexpr std::size_t kDocumentsListed = 10;

struct GramResult {
  std::uint64_t count = 0;
  std::vector<std::uint64_t> documents;  // the first kDocumentsListed that hold it, ascending
};

class GramCounts {
  struct Found {
    std::uint32_t gram = 0;
    std::uint64_t times = 0;
    std::uint64_t document = 0;
  };

  static constexpr std::size_t kStripes = 64;

 public:
  // What a thread found and has not added yet. A document is added after those before it.
  class Part {
   public:
    void add(std::uint32_t gram, std::uint64_t times, std::uint64_t document) {
      found_[gram % kStripes].push_back({gram, times, document});
    }

   private:
    friend class GramCounts;
    std::array<std::vector<Found>, kStripes> found_;
  };

  explicit GramCounts(std::size_t num_grams) : rows_(num_grams, kNone) {}

  std::size_t size() const { return rows_.size(); }

  // Adds a part, and empties it.
  void add(Part& part);

  // Ascending: the grams that occur.
  std::vector<std::uint32_t> grams() const;
  // Of a gram that does not occur: nothing.
  const GramResult& operator[](std::uint32_t gram) const;

 private:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  // Each has its own lock, so that threads that find much wait little.
  struct Stripe {
    std::mutex mutex;
    std::vector<GramResult> results;
  };

  std::vector<std::uint32_t> rows_;  // by gram, its place in its stripe's results
  std::array<Stripe, kStripes> stripes_;
};

}  // namespace anygram
