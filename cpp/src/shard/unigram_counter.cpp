#include <anygram/shard/unigram_counter.hpp>

#include <algorithm>
#include <map>
#include <string>

#include <anygram/base/error.hpp>
#include <anygram/base/little_endian.hpp>
#include <anygram/base/thread_pool.hpp>
#include <anygram/suffix/token_text.hpp>

namespace anygram {
namespace {

constexpr std::uint64_t kCountedInTable = std::uint64_t{1} << 22;

// More threads than this would wait for memory, and each has its table.
constexpr unsigned kMostThreads = 8;

}  // namespace

UnigramCounter::UnigramCounter(std::uint64_t vocab_size, unsigned threads)
    : vocab_size_(vocab_size), of_thread_(std::clamp(threads, 1U, kMostThreads)) {
  for (Counts& counts : of_thread_) counts.table.resize(std::min(vocab_size + 1, kCountedInTable));
}

void UnigramCounter::add(std::span<const std::byte> symbols, int width, StopSignal& stop) {
  const std::uint64_t length = symbols.size() / static_cast<std::uint64_t>(width);
  const auto slices = static_cast<unsigned>(of_thread_.size());
  const auto bound = [&](std::uint64_t slice) { return length * slice / slices * static_cast<std::uint64_t>(width); };
  run_parallel(slices, slices, stop, [&](std::size_t slice) {
    const auto part = symbols.subspan(bound(slice), bound(slice + 1) - bound(slice));
    with_width(width, [&]<int Width>() { count<Width>(part, of_thread_[slice]); });
  });
}

template <int Width>
void UnigramCounter::count(std::span<const std::byte> symbols, Counts& counts) const {
  const std::uint64_t length = symbols.size() / Width;
  const std::uint64_t table_size = counts.table.size();
  for (std::uint64_t i = 0; i < length; ++i) {
    const Symbol symbol = symbol_at<Width>(symbols.data(), i);
    if (symbol < table_size) [[likely]] {
      ++counts.table[symbol];
    } else if (symbol <= vocab_size_) {
      ++counts.rare[symbol];
    } else {
      throw Error(ErrorCode::kInvalidArgument,
                  "token id " + std::to_string(symbol - 1) + " is not below vocab_size " + std::to_string(vocab_size_));
    }
  }
}

void UnigramCounter::for_each(const std::function<void(Symbol symbol, std::uint64_t count)>& receive) const {
  for (std::size_t symbol = 1; symbol < of_thread_[0].table.size(); ++symbol) {
    std::uint64_t count = 0;
    for (const Counts& counts : of_thread_) count += counts.table[symbol];
    if (count > 0) receive(static_cast<Symbol>(symbol), count);
  }
  std::map<Symbol, std::uint64_t> rare;
  for (const Counts& counts : of_thread_)
    for (const auto& [symbol, count] : counts.rare) rare[symbol] += count;
  for (const auto& [symbol, count] : rare) receive(symbol, count);
}

}  // namespace anygram
