#include <anygram/query/occurrences.hpp>

#include <algorithm>
#include <array>
#include <string>

#include <anygram/base/error.hpp>

namespace anygram {
namespace {

// Ranks that are looked up together.
constexpr std::size_t kRanksAtOnce = 4096;

// Calls receive(positions, documents) with the interval's occurrences in one shard, in rank order.
template <class Receive>
void for_each_block(const Shard& shard, const Interval& interval, StopSignal& stop, const Receive& receive) {
  std::array<Position, kRanksAtOnce> positions;
  std::array<std::uint32_t, kRanksAtOnce> documents;
  std::size_t blocks = 0;
  for (Rank first = interval.begin; first < interval.end; first += kRanksAtOnce) {
    const auto size = static_cast<std::size_t>(std::min<Rank>(kRanksAtOnce, interval.end - first));
    shard.positions(first, std::span(positions).first(size));
    shard.documents_at(std::span(positions).first(size), std::span(documents).first(size));
    receive(first, std::span<const Position>(positions).first(size),
            std::span<const std::uint32_t>(documents).first(size));
    if (++blocks % 16 == 0) stop.poll();
  }
}

// A well-mixed function of three numbers, fixed for ever: samples depend on it. (The finalizer of SplitMix64, Steele,
// Lea and Flood, OOPSLA 2014.)
std::uint64_t hash(std::uint64_t seed, std::uint64_t document, std::uint64_t offset) {
  const auto mix = [](std::uint64_t value) {
    value += 0x9E3779B97F4A7C15;
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
    return value ^ (value >> 31);
  };
  return mix(mix(mix(seed) ^ document) ^ offset);
}

}  // namespace

DocumentNumbers::DocumentNumbers(Shards shards) : firsts_{0} {
  for (const auto& shard : shards) firsts_.push_back(firsts_.back() + shard->counts().num_documents);
}

std::size_t DocumentNumbers::shard_of(std::uint64_t document) const {
  if (document >= size()) {
    throw Error(ErrorCode::kDocumentNotFound,
                "document " + std::to_string(document) + " does not exist: there are " + std::to_string(size()));
  }
  return static_cast<std::size_t>(std::ranges::upper_bound(firsts_, document) - firsts_.begin()) - 1;
}

Occurrence locate(Shards shards, const DocumentNumbers& numbers, std::uint64_t shard, Rank rank) {
  Position position = 0;
  std::uint32_t document = 0;
  shards[shard]->positions(rank, {&position, 1});
  shards[shard]->documents_at({&position, 1}, {&document, 1});
  const std::uint64_t begin = shards[shard]->document_span(document).begin;
  return {numbers.first(shard) + document, position - begin, shard, rank, position};
}

std::uint64_t count_documents(Shards shards, std::span<const Interval> intervals, const Execution& execution) {
  std::uint64_t count = 0;
  for (std::size_t s = 0; s < shards.size(); ++s) {
    // A list for few occurrences, a bit for each document for many.
    const std::uint64_t num_documents = shards[s]->counts().num_documents;
    if (intervals[s].size() < num_documents / 64) {
      std::vector<std::uint32_t> held;
      for_each_block(*shards[s], intervals[s], execution.stop,
                     [&](Rank, std::span<const Position>, std::span<const std::uint32_t> documents) {
                       held.insert(held.end(), documents.begin(), documents.end());
                     });
      std::ranges::sort(held);
      count += static_cast<std::uint64_t>(std::ranges::unique(held).begin() - held.begin());
      continue;
    }
    std::vector<bool> held(num_documents, false);
    for_each_block(*shards[s], intervals[s], execution.stop,
                   [&](Rank, std::span<const Position>, std::span<const std::uint32_t> documents) {
                     for (const std::uint32_t document : documents) {
                       count += held[document] ? 0 : 1;
                       held[document] = true;
                     }
                   });
  }
  return count;
}

std::vector<DocumentCount> list_documents(Shards shards, const DocumentNumbers& numbers,
                                          std::span<const Interval> intervals, const Execution& execution) {
  std::vector<DocumentCount> result;
  for (std::size_t s = 0; s < shards.size(); ++s) {
    std::vector<std::uint32_t> held;
    held.reserve(intervals[s].size());
    for_each_block(*shards[s], intervals[s], execution.stop,
                   [&](Rank, std::span<const Position>, std::span<const std::uint32_t> documents) {
                     held.insert(held.end(), documents.begin(), documents.end());
                   });
    std::ranges::sort(held);
    for (const std::uint32_t document : held) {
      const std::uint64_t number = numbers.first(s) + document;
      if (result.empty() || result.back().document != number) result.push_back({number, 0});
      ++result.back().count;
    }
  }
  return result;
}

std::vector<Occurrence> sample(Shards shards, const DocumentNumbers& numbers, std::span<const Interval> intervals,
                               std::uint64_t size, std::uint64_t seed, const Execution& execution) {
  struct Drawn {
    std::uint64_t hash;
    Occurrence occurrence;
  };
  const auto smaller = [](const Drawn& a, const Drawn& b) {
    if (a.hash != b.hash) return a.hash < b.hash;
    if (a.occurrence.document != b.occurrence.document) return a.occurrence.document < b.occurrence.document;
    return a.occurrence.offset < b.occurrence.offset;
  };
  std::vector<Drawn> drawn;  // a heap, the largest hash first
  if (size == 0) return {};
  for (std::size_t s = 0; s < shards.size(); ++s) {
    const Shard& shard = *shards[s];
    for_each_block(shard, intervals[s], execution.stop,
                   [&](Rank first, std::span<const Position> positions, std::span<const std::uint32_t> documents) {
                     for (std::size_t i = 0; i < positions.size(); ++i) {
                       const std::uint64_t offset = positions[i] - shard.document_span(documents[i]).begin;
                       const std::uint64_t document = numbers.first(s) + documents[i];
                       const Drawn candidate{hash(seed, document, offset),
                                             {document, offset, s, first + i, positions[i]}};
                       if (drawn.size() == size) {
                         if (!smaller(candidate, drawn.front())) continue;
                         std::ranges::pop_heap(drawn, smaller);
                         drawn.pop_back();
                       }
                       drawn.push_back(candidate);
                       std::ranges::push_heap(drawn, smaller);
                     }
                   });
  }
  std::ranges::sort_heap(drawn, smaller);
  std::vector<Occurrence> result;
  result.reserve(drawn.size());
  for (const Drawn& one : drawn) result.push_back(one.occurrence);
  return result;
}

std::vector<Symbol> document_symbols(Shards shards, const DocumentNumbers& numbers, std::uint64_t document,
                                     std::uint64_t begin, std::uint64_t end) {
  const std::size_t shard = numbers.shard_of(document);
  const Interval span = shards[shard]->document_span(document - numbers.first(shard));
  end = std::min(end, span.size());
  std::vector<Symbol> symbols(begin < end ? end - begin : 0);
  shards[shard]->symbols(span.begin + begin, symbols);
  return symbols;
}

}  // namespace anygram
