#include <anygram/query/string_search.hpp>

#include <algorithm>
#include <limits>
#include <optional>

#include <anygram/base/error.hpp>

#include "string_scan.hpp"
#include "string_walk.hpp"

namespace anygram {
namespace {

// What a scan costs, in nanoseconds a symbol.
constexpr std::uint64_t kScanCost = 2;

// What is found in the index, unless it would cost more than a scan of the shard.
std::optional<WalkResult> try_walk(const Shard& shard, const TokenBytes& tokens, const ByteAutomaton& string,
                                   const StringBeginnings& beginnings, StringWay way, const Execution& execution) {
  if (way == StringWay::kScan) return {};
  constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();
  const auto scan_cost = static_cast<std::int64_t>(shard.stream_length() * kScanCost);
  WalkBudget budget(way == StringWay::kIndex ? kUnlimited : scan_cost);
  WalkResult result = walk_string(shard, tokens, string, beginnings, budget, execution);
  if (budget.is_spent()) return {};
  return result;
}

// Calls receive(positions, byte) for the places of all runs, a block at a time.
template <class Receive>
void for_run_positions(const Shard& shard, const WalkResult& found, StopSignal& stop, const Receive& receive) {
  std::vector<Position> positions;
  for (const StringRun& run : found.runs) {
    stop.poll();
    for (Rank begin = run.ranks.begin; begin < run.ranks.end; begin += positions.size()) {
      positions.resize(std::min<std::uint64_t>(4096, run.ranks.end - begin));
      shard.positions(begin, run.length, positions);
      receive(positions, run.byte);
    }
  }
}

// result[document] is how often the string stands in a document of the shard.
std::vector<std::uint64_t> counts_of(const Shard& shard, const WalkResult& found, StopSignal& stop) {
  std::vector<std::uint64_t> counts(shard.counts().num_documents, 0);
  std::vector<std::uint32_t> documents;
  const auto count = [&](std::span<const Position> positions) {
    documents.resize(positions.size());
    shard.documents_at(positions, documents);
    for (const std::uint32_t document : documents) ++counts[document];
  };
  for_run_positions(shard, found, stop, [&](std::span<const Position> positions, std::uint32_t) { count(positions); });
  for (const StringPlace& place : found.places) count({&place.position, 1});
  return counts;
}

std::vector<std::uint64_t> scanned_counts(const Shard& shard, const TokenBytes& tokens, const ByteAutomaton& string,
                                          const Execution& execution) {
  std::vector<std::uint64_t> counts(shard.counts().num_documents, 0);
  for (const auto& [begin, matches] : scan_documents(shard, tokens, string, execution)) {
    std::uint32_t document = 0;
    shard.documents_at({&begin, 1}, {&document, 1});
    counts[document] = matches;
  }
  return counts;
}

std::vector<StringPlace> places_of(const Shard& shard, WalkResult&& found, StopSignal& stop) {
  std::vector<StringPlace> places = std::move(found.places);
  places.reserve(places.size() + found.count());
  for_run_positions(shard, found, stop, [&](std::span<const Position> positions, std::uint32_t byte) {
    for (const Position position : positions) places.push_back({position, byte});
  });
  std::ranges::sort(places);
  return places;
}

}  // namespace

StringEnd string_end(const Shard& shard, const TokenBytes& tokens, const ByteAutomaton& string, StringPlace place) {
  ByteAutomaton::State state = ByteAutomaton::kStart;
  std::uint32_t begin = place.byte;
  for (std::uint32_t number = 0;; ++number) {
    Symbol symbol = kDocumentEnd;
    shard.symbols(std::uint64_t{place.position} + number, {&symbol, 1});
    const auto run = string.run(state, tokens.of(symbol).substr(begin));
    state = run.state;
    if (state == string.accepting()) return {number, begin + static_cast<std::uint32_t>(run.used)};
    if (state == ByteAutomaton::kDead) throw Error(ErrorCode::kInvalidQuery, "the string does not stand there");
    begin = 0;
  }
}

std::uint64_t count_string(Shards shards, const TokenBytes& tokens, const ByteAutomaton& string, StringWay way,
                           const Execution& execution) {
  const StringBeginnings beginnings = string_beginnings(tokens, string);
  std::uint64_t count = 0;
  for (const auto& shard : shards) {
    const auto found = try_walk(*shard, tokens, string, beginnings, way, execution);
    count += found ? found->count() : scan_count(*shard, tokens, string, execution);
  }
  return count;
}

std::vector<DocumentCount> list_string_documents(Shards shards, const DocumentNumbers& numbers,
                                                 const TokenBytes& tokens, const ByteAutomaton& string, StringWay way,
                                                 const Execution& execution) {
  const StringBeginnings beginnings = string_beginnings(tokens, string);
  std::vector<DocumentCount> result;
  for (std::size_t s = 0; s < shards.size(); ++s) {
    const auto found = try_walk(*shards[s], tokens, string, beginnings, way, execution);
    const std::vector<std::uint64_t> counts =
        found ? counts_of(*shards[s], *found, execution.stop) : scanned_counts(*shards[s], tokens, string, execution);
    for (std::size_t document = 0; document < counts.size(); ++document) {
      if (counts[document] > 0) result.push_back({numbers.first(s) + document, counts[document]});
    }
  }
  return result;
}

std::vector<std::vector<StringPlace>> find_string(Shards shards, const TokenBytes& tokens, const ByteAutomaton& string,
                                                  StringWay way, const Execution& execution) {
  const StringBeginnings beginnings = string_beginnings(tokens, string);
  std::vector<std::vector<StringPlace>> places;
  for (const auto& shard : shards) {
    auto found = try_walk(*shard, tokens, string, beginnings, way, execution);
    places.push_back(found ? places_of(*shard, *std::move(found), execution.stop)
                           : scan_places(*shard, tokens, string, execution));
  }
  return places;
}

}  // namespace anygram
