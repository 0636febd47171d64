// Finding a string by walking suffix intervals.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>
#include <vector>

#include <anygram/query/string_search.hpp>

namespace anygram {

// A run of occurrences whose tokens are the same, and how many these are.
struct StringRun {
  Interval ranks;
  std::uint64_t length;
  std::uint32_t byte;  // of their first token, where they begin
};

struct WalkResult {
  std::vector<StringRun> runs;
  std::vector<StringPlace> places;  // those found one by one

  std::uint64_t count() const;
  void append(WalkResult&& other);
};

// Where matches may begin, known from the tokens' bytes alone.
struct StringBeginnings {
  using Token = std::pair<Symbol, std::uint32_t>;                             // and the byte where the match begins
  std::vector<Token> inside;                                                  // tokens that hold the string
  std::vector<std::pair<ByteAutomaton::State, std::vector<Token>>> crossing;  // by the state at the token's end
};

// Reads all tokens' bytes, about a millisecond for 100,000.
StringBeginnings string_beginnings(const TokenBytes& tokens, const ByteAutomaton& string);

// What may still be spent, in nanoseconds, about. Shared by threads.
class WalkBudget {
 public:
  explicit WalkBudget(std::int64_t nanoseconds) : left_(nanoseconds) {}
  // False if there is no more.
  bool spend(std::uint64_t nanoseconds) {
    return left_.fetch_sub(static_cast<std::int64_t>(nanoseconds), std::memory_order_relaxed) > 0;
  }
  bool is_spent() const { return left_.load(std::memory_order_relaxed) <= 0; }

 private:
  std::atomic<std::int64_t> left_;
};

// All occurrences in a shard, each once; incomplete if the budget is spent.
WalkResult walk_string(const Shard& shard, const TokenBytes& tokens, const ByteAutomaton& string,
                       const StringBeginnings& beginnings, WalkBudget& budget, const Execution& execution);

}  // namespace anygram
