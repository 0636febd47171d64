// A string as an automaton over bytes, each of whose characters may be written in several ways.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace anygram {

class ByteAutomaton {
 public:
  using State = std::int32_t;
  static constexpr State kStart = 0;
  static constexpr State kDead = -1;

  // characters[i] are the ways to write the i-th character: byte strings none of which begins with another, as the
  // UTF-8 forms of different characters are. There is at least one character, and a way to write each. 1 KB a byte.
  explicit ByteAutomaton(std::span<const std::vector<std::string>> characters);

  State accepting() const { return accepting_; }
  State next(State state, char byte) const {
    return next_[static_cast<std::size_t>(state)][static_cast<unsigned char>(byte)];
  }

  struct Run {
    State state;       // kDead, accepting(), or where the bytes end
    std::size_t used;  // bytes read until then
  };
  // From a state that is neither, as far as it goes.
  Run run(State state, std::string_view bytes) const {
    std::size_t used = 0;
    while (used < bytes.size() && state != accepting_) {
      state = next(state, bytes[used++]);
      if (state == kDead) break;
    }
    return {state, used};
  }

 private:
  State add_state();

  std::vector<std::array<State, 256>> next_;
  State accepting_ = kDead;
};

}  // namespace anygram
