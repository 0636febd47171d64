#include "string_walk.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <span>

#include <anygram/base/thread_pool.hpp>

namespace anygram {
namespace {

using State = ByteAutomaton::State;
using Token = StringBeginnings::Token;

// Fewer occurrences are read one by one.
constexpr std::uint64_t kFewOccurrences = 24;

// From so few tokens that may hold the beginning, each is followed; from more, what follows them is found first, and
// then what stands before it.
constexpr std::size_t kFewBeginnings = 48;

// Intervals between two looks at the stop signal.
constexpr std::uint64_t kFollowedPerLook = 4096;

// Occurrences that are read between two looks.
constexpr std::uint64_t kReadBlock = 16384;

// What things cost, in nanoseconds, about: warm, and by one thread.
constexpr std::uint64_t kNarrowCost = 250;
constexpr std::uint64_t kListCost = 60;   // a continuation
constexpr std::uint64_t kReadCost = 100;  // an occurrence

// Which tokens go on from a state: those that end before the string does, and runs of sorted tokens that hold its end.
struct Steps {
  std::vector<std::pair<Symbol, State>> within;
  std::vector<std::span<const Symbol>> last;
  std::size_t num_last = 0;
};

class StepFinder {
 public:
  StepFinder(const TokenBytes& tokens, const ByteAutomaton& string) : tokens_(tokens), string_(string) {}

  const Steps& from(State state) {
    const auto [found, is_new] = known_.try_emplace(state);
    if (is_new) descend(state, tokens_.sorted(), 0, found->second);
    return found->second;
  }

 private:
  // `run` are the sorted tokens that share the first `depth` bytes, which lead to the state.
  void descend(State state, std::span<const Symbol> run, std::size_t depth, Steps& steps) const {
    if (state == string_.accepting()) {
      steps.last.push_back(run);
      steps.num_last += run.size();
      return;
    }
    while (!run.empty() && tokens_.of(run.front()).size() == depth) {
      steps.within.emplace_back(run.front(), state);
      run = run.subspan(1);
    }
    while (!run.empty()) {
      const char byte = tokens_.of(run.front())[depth];
      const auto size = static_cast<std::size_t>(
          std::ranges::partition_point(run, [&](Symbol symbol) { return tokens_.of(symbol)[depth] == byte; }) -
          run.begin());
      const State next = string_.next(state, byte);
      if (next != ByteAutomaton::kDead) descend(next, run.first(size), depth + 1, steps);
      run = run.subspan(size);
    }
  }

  const TokenBytes& tokens_;
  const ByteAutomaton& string_;
  std::map<State, Steps> known_;
};

// Follows what stands behind one interval's suffixes until the string ends.
class Walk {
 public:
  Walk(const Shard& shard, const TokenBytes& tokens, const ByteAutomaton& string, WalkBudget& budget, StopSignal& stop)
      : shard_(shard), tokens_(tokens), string_(string), budget_(budget), stop_(stop), steps_(tokens, string) {}

  // From the first token on, whose matches begin at a byte.
  void follow(Interval interval, std::uint64_t depth, State state, std::uint32_t byte, WalkResult& result) {
    if (++num_followed_ % kFollowedPerLook == 0) stop_.look();
    if (interval.empty() || budget_.is_spent()) return;
    if (state == string_.accepting()) {
      result.runs.push_back({interval, depth, byte});
      return;
    }
    if (interval.size() <= kFewOccurrences) {
      read(interval, depth, state, byte, result);
      return;
    }
    const Steps& steps = steps_.from(state);
    const std::size_t candidates = steps.within.size() + steps.num_last;
    const std::uint64_t most_listed = std::min<std::uint64_t>(interval.size(), tokens_.num_tokens());
    if (candidates * kNarrowCost <= most_listed * kListCost) {
      narrow(interval, depth, steps, byte, result);
    } else {
      list(interval, depth, state, byte, result);
    }
  }

  // Everywhere where the rest of the string begins with a token.
  void follow_anywhere(State state, WalkResult& result) {
    const Steps& steps = steps_.from(state);
    std::vector<std::pair<Symbol, State>> first;
    for (const auto& step : steps.within) {
      if (!tokens_.of(step.first).empty()) first.push_back(step);
    }
    for (const auto run : steps.last) {
      for (const Symbol symbol : run) first.emplace_back(symbol, string_.accepting());
    }
    std::vector<Interval> intervals(first.size());
    find_unigrams(first, intervals);
    for (std::size_t i = 0; i < first.size(); ++i) follow(intervals[i], 1, first[i].second, 0, result);
  }

  template <class Firsts>
  void find_unigrams(const std::vector<Firsts>& tokens, std::span<Interval> intervals) {
    budget_.spend(tokens.size() * kNarrowCost);
    std::vector<Symbol> symbols;
    symbols.reserve(tokens.size());
    for (const auto& token : tokens) symbols.push_back(token.first);
    std::vector<Ngram> ngrams;
    ngrams.reserve(tokens.size());
    for (const Symbol& symbol : symbols) ngrams.emplace_back(&symbol, 1);
    shard_.find(ngrams, intervals);
  }

 private:
  void narrow(Interval interval, std::uint64_t depth, const Steps& steps, std::uint32_t byte, WalkResult& result) {
    budget_.spend((steps.within.size() + steps.num_last) * kNarrowCost);
    for (const auto run : steps.last) {
      for (const Symbol symbol : run) {
        follow(shard_.narrow(interval, depth, symbol), depth + 1, string_.accepting(), byte, result);
      }
    }
    for (const auto& [symbol, next] : steps.within) {
      follow(shard_.narrow(interval, depth, symbol), depth + 1, next, byte, result);
    }
  }

  void list(Interval interval, std::uint64_t depth, State state, std::uint32_t byte, WalkResult& result) {
    std::vector<Continuation> continuations;
    shard_.continuations(interval, depth, continuations);
    budget_.spend(continuations.size() * kListCost);
    for (const Continuation& continuation : continuations) {
      const auto [next, used] = string_.run(state, tokens_.of(continuation.symbol));
      if (next == ByteAutomaton::kDead) continue;
      budget_.spend(kNarrowCost);
      follow(shard_.narrow(interval, depth, continuation.symbol), depth + 1, next, byte, result);
    }
  }

  void read(Interval interval, std::uint64_t depth, State begin, std::uint32_t byte, WalkResult& result) {
    budget_.spend(interval.size() * kReadCost);
    std::array<Position, kFewOccurrences> positions;
    shard_.positions(interval.begin, depth, {positions.data(), interval.size()});
    for (const Position position : std::span(positions).first(interval.size())) {
      State state = begin;
      std::uint64_t after = position + depth;
      while (state != string_.accepting() && state != ByteAutomaton::kDead) {
        Symbol symbol = kDocumentEnd;
        shard_.symbols(after, {&symbol, 1});
        state = symbol == kDocumentEnd ? ByteAutomaton::kDead : string_.run(state, tokens_.of(symbol)).state;
        ++after;
      }
      if (state == string_.accepting()) result.places.push_back({position, byte});
    }
  }

  const Shard& shard_;
  const TokenBytes& tokens_;
  const ByteAutomaton& string_;
  WalkBudget& budget_;
  StopSignal& stop_;
  StepFinder steps_;
  std::uint64_t num_followed_ = 0;
};

// Those of the occurrences of the rest of a string before which a token stands that holds its beginning.
class BackwardRead {
 public:
  BackwardRead(const Shard& shard, const TokenBytes& tokens, const std::vector<Token>& beginnings, StopSignal& stop)
      : shard_(shard), tokens_(tokens), bytes_(beginnings.begin(), beginnings.end()), stop_(stop) {
    std::ranges::sort(bytes_);
  }

  void read(const WalkResult& rest, WalkBudget& budget, WalkResult& result) const {
    std::vector<Position> positions;
    for (const StringRun& run : rest.runs) {
      for (Rank begin = run.ranks.begin; begin < run.ranks.end && !budget.is_spent(); begin += positions.size()) {
        stop_.look();
        positions.resize(std::min<std::uint64_t>(kReadBlock, run.ranks.end - begin));
        shard_.positions(begin, run.length, positions);
        budget.spend(positions.size() * kReadCost);
        for (const Position position : positions) look_before(position, result);
      }
    }
    for (const StringPlace& place : rest.places) look_before(place.position, result);
  }

 private:
  void look_before(Position position, WalkResult& result) const {
    Symbol symbol = kDocumentEnd;
    do {
      if (position == 0) return;
      shard_.symbols(--position, {&symbol, 1});
      if (symbol == kDocumentEnd) return;
    } while (tokens_.of(symbol).empty());
    const auto found = std::ranges::lower_bound(bytes_, symbol, {}, &Token::first);
    if (found != bytes_.end() && found->first == symbol) result.places.push_back({position, found->second});
  }

  const Shard& shard_;
  const TokenBytes& tokens_;
  std::vector<Token> bytes_;
  StopSignal& stop_;
};

// Where tokens lose their first byte at a document's beginning, a match of that byte is none there.
void drop_beginnings(const Shard& shard, WalkBudget& budget, WalkResult& result, StopSignal& stop) {
  const auto begins_document = [&](Position position) {
    if (position == 0) return true;
    Symbol before = kDocumentEnd;
    shard.symbols(position - 1, {&before, 1});
    return before == kDocumentEnd;
  };
  std::vector<StringRun> kept;
  std::vector<Position> positions;
  for (const StringRun& run : result.runs) {
    if (run.byte > 0) {
      kept.push_back(run);
      continue;
    }
    for (Rank begin = run.ranks.begin; begin < run.ranks.end && !budget.is_spent(); begin += positions.size()) {
      stop.look();
      positions.resize(std::min<std::uint64_t>(kReadBlock, run.ranks.end - begin));
      shard.positions(begin, run.length, positions);
      budget.spend(positions.size() * kReadCost);
      for (const Position position : positions) result.places.push_back({position, 0});
    }
  }
  result.runs = std::move(kept);
  std::erase_if(result.places,
                [&](const StringPlace& place) { return place.byte == 0 && begins_document(place.position); });
}

void follow_crossing(const Shard& shard, const TokenBytes& tokens, const ByteAutomaton& string, State state,
                     const std::vector<Token>& beginnings, WalkBudget& budget, WalkResult& result, StopSignal& stop) {
  Walk walk(shard, tokens, string, budget, stop);
  const auto follow_each = [&] {
    std::vector<Interval> intervals(beginnings.size());
    walk.find_unigrams(beginnings, intervals);
    for (std::size_t i = 0; i < beginnings.size(); ++i) {
      walk.follow(intervals[i], 1, state, beginnings[i].second, result);
    }
  };
  if (beginnings.size() <= kFewBeginnings) {
    follow_each();
    return;
  }
  WalkResult rest;
  walk.follow_anywhere(state, rest);
  if (rest.count() * kReadCost > beginnings.size() * 4 * kNarrowCost) {
    follow_each();
  } else {
    BackwardRead(shard, tokens, beginnings, stop).read(rest, budget, result);
  }
}

}  // namespace

std::uint64_t WalkResult::count() const {
  std::uint64_t count = places.size();
  for (const StringRun& run : runs) count += run.ranks.size();
  return count;
}

void WalkResult::append(WalkResult&& other) {
  runs.insert(runs.end(), other.runs.begin(), other.runs.end());
  places.insert(places.end(), other.places.begin(), other.places.end());
}

StringBeginnings string_beginnings(const TokenBytes& tokens, const ByteAutomaton& string) {
  StringBeginnings result;
  std::map<State, std::vector<Token>> crossing;
  for (std::size_t number = 0; number < tokens.num_tokens(); ++number) {
    const auto symbol = static_cast<Symbol>(number + 1);
    const std::string_view bytes = tokens.of(symbol);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (string.next(ByteAutomaton::kStart, bytes[i]) == ByteAutomaton::kDead) continue;
      const auto [state, used] = string.run(ByteAutomaton::kStart, bytes.substr(i));
      const Token token{symbol, static_cast<std::uint32_t>(i)};
      if (state == string.accepting()) {
        result.inside.push_back(token);
      } else if (state != ByteAutomaton::kDead) {
        crossing[state].push_back(token);
      }
    }
  }
  for (auto& [state, beginnings] : crossing) result.crossing.emplace_back(state, std::move(beginnings));
  return result;
}

WalkResult walk_string(const Shard& shard, const TokenBytes& tokens, const ByteAutomaton& string,
                       const StringBeginnings& beginnings, WalkBudget& budget, const Execution& execution) {
  std::vector<WalkResult> parts(beginnings.crossing.size() + 1);
  run_parallel(parts.size(), execution.threads, execution.stop, [&](std::size_t i) {
    if (budget.is_spent()) return;
    if (i < beginnings.crossing.size()) {
      const auto& [state, first] = beginnings.crossing[i];
      follow_crossing(shard, tokens, string, state, first, budget, parts[i], execution.stop);
      return;
    }
    std::vector<Interval> intervals(beginnings.inside.size());
    Walk(shard, tokens, string, budget, execution.stop).find_unigrams(beginnings.inside, intervals);
    for (std::size_t k = 0; k < intervals.size(); ++k) {
      if (!intervals[k].empty()) parts[i].runs.push_back({intervals[k], 1, beginnings.inside[k].second});
    }
  });
  WalkResult result;
  for (WalkResult& part : parts) result.append(std::move(part));
  if (tokens.drops_first_byte()) drop_beginnings(shard, budget, result, execution.stop);
  return result;
}

}  // namespace anygram
