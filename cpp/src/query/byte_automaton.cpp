#include <anygram/query/byte_automaton.hpp>

#include <anygram/base/error.hpp>

namespace anygram {

ByteAutomaton::State ByteAutomaton::add_state() {
  next_.emplace_back().fill(kDead);
  return static_cast<State>(next_.size() - 1);
}

ByteAutomaton::ByteAutomaton(std::span<const std::vector<std::string>> characters) {
  State begin = add_state();
  if (characters.empty()) throw Error(ErrorCode::kInvalidQuery, "a string to find has at least one character");
  for (const std::vector<std::string>& ways : characters) {
    const State end = add_state();
    for (const std::string& way : ways) {
      State state = begin;
      for (std::size_t i = 0; i < way.size(); ++i) {
        const auto byte = static_cast<unsigned char>(way[i]);
        const bool is_last = i + 1 == way.size();
        State target = next_[static_cast<std::size_t>(state)][byte];
        if (target == kDead) target = is_last ? end : add_state();
        if (is_last != (target == end)) throw Error(ErrorCode::kInvalidQuery, "one way to write begins with another");
        next_[static_cast<std::size_t>(state)][byte] = target;
        state = target;
      }
    }
    begin = end;
  }
  accepting_ = begin;
}

}  // namespace anygram
