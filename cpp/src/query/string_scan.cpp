#include "string_scan.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>

#include <anygram/base/interval.hpp>
#include <anygram/base/thread_pool.hpp>

namespace anygram {
namespace {

using State = ByteAutomaton::State;

// The stream is read so many symbols at a time.
constexpr std::uint64_t kBlock = std::uint64_t{1} << 14;

// What a thread takes at a time, about.
constexpr std::uint64_t kSymbolsPerItem = std::uint64_t{1} << 20;

// A table of what tokens do may take so many entries; then it begins anew.
constexpr std::size_t kMaxEntries = std::size_t{1} << 22;

// What a token does to the matches that are under way: which states they are in behind it, and how many ended in it.
// Which matches are under way is one of few sets of states, so that a token costs one look into a table, which is
// filled as it is used.
class TokenSteps {
 public:
  TokenSteps(const TokenBytes& tokens, const ByteAutomaton& string) : tokens_(tokens), string_(string) { clear(); }

  static constexpr std::size_t kNothing = 0;  // the set without any

  struct Step {
    std::uint32_t set = kUnknown;
    std::uint32_t matches = 0;
  };

  Step step(std::size_t set, Symbol symbol) {
    if (symbol > tokens_.num_tokens()) return {kNothing, 0};
    const Step known = rows_[set][symbol];
    if (known.set != kUnknown) return known;
    const std::size_t beginnings = beginnings_;
    const Step found = compute(set, tokens_.of(symbol));
    if (beginnings == beginnings_) rows_[set][symbol] = found;
    return found;
  }

  // The step of bytes that are no whole token.
  Step compute(std::size_t set, std::string_view bytes) {
    std::vector<State> behind;
    std::uint32_t matches = 0;
    const auto follow = [&](State state, std::string_view rest) {
      const auto [end, used] = string_.run(state, rest);
      if (end == string_.accepting()) {
        ++matches;
      } else if (end != ByteAutomaton::kDead) {
        behind.push_back(end);
      }
    };
    for (const State state : std::vector<State>(sets_[set])) follow(state, bytes);
    for (std::size_t i = 0; i < bytes.size(); ++i) follow(ByteAutomaton::kStart, bytes.substr(i));
    std::ranges::sort(behind);
    return {number(behind), matches};
  }

 private:
  static constexpr std::uint32_t kUnknown = ~std::uint32_t{0};

  void clear() {
    ++beginnings_;
    numbers_.clear();
    sets_.clear();
    rows_.clear();
    number({});
  }

  std::uint32_t number(const std::vector<State>& set) {
    const auto found = numbers_.find(set);
    if (found != numbers_.end()) return found->second;
    if ((rows_.size() + 1) * (tokens_.num_tokens() + 1) > kMaxEntries && rows_.size() > 1) {
      clear();
      return number(set);
    }
    const auto added = static_cast<std::uint32_t>(sets_.size());
    numbers_.emplace(set, added);
    sets_.push_back(set);
    rows_.emplace_back(tokens_.num_tokens() + 1);
    return added;
  }

  const TokenBytes& tokens_;
  const ByteAutomaton& string_;
  std::size_t beginnings_ = 0;
  std::map<std::vector<State>, std::uint32_t> numbers_;
  std::vector<std::vector<State>> sets_;  // ascending
  std::vector<std::vector<Step>> rows_;   // by set, then by symbol
};

// Runs of whole documents of about equal size, as stream positions.
std::vector<Interval> cut_at_documents(const Shard& shard) {
  std::vector<Interval> runs;
  std::uint64_t begin = 0;
  const std::uint64_t length = shard.stream_length();
  while (begin < length) {
    std::uint64_t end = length;
    if (length - begin > kSymbolsPerItem) {
      const auto inside = static_cast<Position>(begin + kSymbolsPerItem);
      std::uint32_t document = 0;
      shard.documents_at({&inside, 1}, {&document, 1});
      end = shard.document_span(document).end + 1;
    }
    runs.push_back({begin, end});
    begin = end;
  }
  return runs;
}

// Calls body(document, symbols) for each document of a run: where it begins, and its symbols.
template <class Body>
void for_documents(const Shard& shard, const Interval& run, const Execution& execution, const Body& body) {
  std::vector<Symbol> block;
  std::vector<Symbol> document;
  std::uint64_t begin = run.begin;
  for (std::uint64_t position = run.begin; position < run.end; position += block.size()) {
    execution.stop.check();
    block.resize(std::min(kBlock, run.end - position));
    shard.symbols(position, block);
    for (std::size_t i = 0; i < block.size();) {
      const auto end = std::find(block.begin() + static_cast<std::ptrdiff_t>(i), block.end(), kDocumentEnd);
      const auto stop = static_cast<std::size_t>(end - block.begin());
      if (document.empty() && end != block.end()) {
        body(begin, Ngram(block).subspan(i, stop - i));
      } else {
        document.insert(document.end(), block.begin() + static_cast<std::ptrdiff_t>(i), end);
        if (end == block.end()) break;
        body(begin, Ngram(document));
        document.clear();
      }
      i = stop + 1;
      begin = position + i;
    }
  }
  if (!document.empty()) body(begin, Ngram(document));
}

std::uint64_t count_in(TokenSteps& steps, const TokenBytes& tokens, Ngram document) {
  std::uint64_t matches = 0;
  std::size_t set = TokenSteps::kNothing;
  std::size_t i = 0;
  if (tokens.drops_first_byte() && !document.empty()) {
    const auto step = steps.compute(set, tokens.first(document[i++]));
    set = step.set;
    matches += step.matches;
  }
  for (; i < document.size(); ++i) {
    const auto step = steps.step(set, document[i]);
    set = step.set;
    matches += step.matches;
  }
  return matches;
}

// The places of a document, one match under way after another.
void list_in(const TokenBytes& tokens, const ByteAutomaton& string, std::uint64_t begin, Ngram document,
             std::vector<StringPlace>& places) {
  struct Match {
    StringPlace place;
    State state;
  };
  std::vector<Match> under_way;
  const std::size_t first = places.size();
  for (std::size_t i = 0; i < document.size(); ++i) {
    const std::string_view bytes = i == 0 ? tokens.first(document[i]) : tokens.of(document[i]);
    const std::uint32_t dropped = i == 0 && tokens.drops_first_byte() ? 1 : 0;
    const std::size_t before = under_way.size();
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      const StringPlace place{static_cast<Position>(begin + i), static_cast<std::uint32_t>(at) + dropped};
      const auto [state, used] = string.run(ByteAutomaton::kStart, bytes.substr(at));
      if (state == string.accepting()) {
        places.push_back(place);
      } else if (state != ByteAutomaton::kDead) {
        under_way.push_back({place, state});
      }
    }
    for (std::size_t k = 0; k < before; ++k) {
      under_way[k].state = string.run(under_way[k].state, bytes).state;
      if (under_way[k].state == string.accepting()) places.push_back(under_way[k].place);
    }
    std::erase_if(under_way, [&](const Match& match) {
      return match.state == ByteAutomaton::kDead || match.state == string.accepting();
    });
  }
  std::sort(places.begin() + static_cast<std::ptrdiff_t>(first), places.end());
}

// Calls body(run number, steps) for all runs; a table of steps is used by one thread at a time, and kept for the next.
template <class Body>
void for_runs(const TokenBytes& tokens, const ByteAutomaton& string, const Execution& execution, std::size_t num_runs,
              const Body& body) {
  std::mutex mutex;
  std::vector<std::unique_ptr<TokenSteps>> idle;
  run_parallel(num_runs, execution.threads, execution.stop, [&](std::size_t i) {
    std::unique_ptr<TokenSteps> steps;
    {
      const std::lock_guard lock(mutex);
      if (!idle.empty()) {
        steps = std::move(idle.back());
        idle.pop_back();
      }
    }
    if (!steps) steps = std::make_unique<TokenSteps>(tokens, string);
    body(i, *steps);
    const std::lock_guard lock(mutex);
    idle.push_back(std::move(steps));
  });
}

}  // namespace

std::uint64_t scan_count(const Shard& shard, const TokenBytes& tokens, const ByteAutomaton& string,
                         const Execution& execution) {
  const std::vector<Interval> runs = cut_at_documents(shard);
  std::vector<std::uint64_t> counts(runs.size(), 0);
  for_runs(tokens, string, execution, runs.size(), [&](std::size_t i, TokenSteps& steps) {
    for_documents(shard, runs[i], execution,
                  [&](std::uint64_t, Ngram document) { counts[i] += count_in(steps, tokens, document); });
  });
  std::uint64_t sum = 0;
  for (const std::uint64_t count : counts) sum += count;
  return sum;
}

std::vector<std::pair<Position, std::uint64_t>> scan_documents(const Shard& shard, const TokenBytes& tokens,
                                                               const ByteAutomaton& string,
                                                               const Execution& execution) {
  using Documents = std::vector<std::pair<Position, std::uint64_t>>;
  const std::vector<Interval> runs = cut_at_documents(shard);
  std::vector<Documents> parts(runs.size());
  for_runs(tokens, string, execution, runs.size(), [&](std::size_t i, TokenSteps& steps) {
    for_documents(shard, runs[i], execution, [&](std::uint64_t begin, Ngram document) {
      const std::uint64_t matches = count_in(steps, tokens, document);
      if (matches > 0) parts[i].emplace_back(static_cast<Position>(begin), matches);
    });
  });
  Documents documents;
  for (const Documents& part : parts) documents.insert(documents.end(), part.begin(), part.end());
  return documents;
}

std::vector<StringPlace> scan_places(const Shard& shard, const TokenBytes& tokens, const ByteAutomaton& string,
                                     const Execution& execution) {
  const std::vector<Interval> runs = cut_at_documents(shard);
  std::vector<std::vector<StringPlace>> parts(runs.size());
  for_runs(tokens, string, execution, runs.size(), [&](std::size_t i, TokenSteps& steps) {
    for_documents(shard, runs[i], execution, [&](std::uint64_t begin, Ngram document) {
      if (count_in(steps, tokens, document) > 0) list_in(tokens, string, begin, document, parts[i]);
    });
  });
  std::vector<StringPlace> places;
  for (const auto& part : parts) places.insert(places.end(), part.begin(), part.end());
  return places;
}

}  // namespace anygram
