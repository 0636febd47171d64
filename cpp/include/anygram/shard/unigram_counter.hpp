// How often each symbol of a token stream occurs.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <unordered_map>
#include <vector>

#include <anygram/base/stop_signal.hpp>
#include <anygram/base/types.hpp>

namespace anygram {

// Counts in a table for each thread: 4 bytes for each symbol up to 2^22, a map for larger ones.
class UnigramCounter {
 public:
  // `vocab_size` is the largest symbol that may occur.
  UnigramCounter(std::uint64_t vocab_size, unsigned threads);

  // Counts packed symbols of `width` bytes, behind which one more byte can be read. Throws kInvalidArgument for a
  // symbol that is too large.
  void add(std::span<const std::byte> symbols, int width, StopSignal& stop);

  // Calls `receive` with each symbol that occurs, ascending, document ends left out.
  void for_each(const std::function<void(Symbol symbol, std::uint64_t count)>& receive) const;

 private:
  struct Counts {
    std::vector<std::uint32_t> table;  // of fewer than 2^32 symbols
    std::unordered_map<Symbol, std::uint64_t> rare;
  };

  template <int Width>
  void count(std::span<const std::byte> symbols, Counts& counts) const;

  std::uint64_t vocab_size_;
  std::vector<Counts> of_thread_;
};

}  // namespace anygram
