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

std::vector<StringPlace> places_of(const Shard& shard, WalkResult&& found, StopSignal& stop) {
  std::vector<StringPlace> places = std::move(found.places);
  places.reserve(places.size() + found.count());
  std::vector<Position> positions;
  for (const StringRun& run : found.runs) {
    stop.poll();
    for (Rank begin = run.ranks.begin; begin < run.ranks.end; begin += positions.size()) {
      positions.resize(std::min<std::uint64_t>(4096, run.ranks.end - begin));
      shard.positions(begin, positions);
      for (const Position position : positions) places.push_back({position, run.byte});
    }
  }
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
