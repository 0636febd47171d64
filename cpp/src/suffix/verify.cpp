#include <anygram/suffix/verify.hpp>

#include <algorithm>
#include <atomic>
#include <mutex>

#include <anygram/base/thread_pool.hpp>
#include <anygram/suffix/work_array.hpp>
#include <anygram/suffix/work_meter.hpp>

namespace anygram {
namespace {

constexpr std::uint64_t kBlock = std::uint64_t{1} << 16;

template <int Width>
class OrderCheck {
 public:
  OrderCheck(const TokenText& text, std::uint64_t num_ranks, const PositionReader& read, const VerifyOptions& options,
             WorkMeter& meter)
      : text_(text), num_ranks_(num_ranks), read_(read), options_(options), meter_(meter) {}

  std::vector<OrderProblem> run() {
    meter_.begin_phase(0.1, text_.length);
    const std::uint64_t num_tokens = count_tokens();
    if (num_ranks_ != num_tokens) return {{num_ranks_, num_tokens, OrderFault::kWrongSize}};
    meter_.begin_phase(0.4, num_ranks_);
    invert();
    if (problems_.empty()) {
      meter_.begin_phase(0.5, num_ranks_);
      check_neighbours();
    }
    return std::move(problems_);
  }

 private:
  Symbol symbol(std::uint64_t position) const { return symbol_at<Width>(text_.bytes.data(), position); }

  template <class Body>
  void for_blocks(std::uint64_t size, const Body& body) {
    run_parallel((size + kBlock - 1) / kBlock, options_.threads, meter_.stop(), [&](std::size_t block) {
      const std::uint64_t begin = block * kBlock, end = std::min(size, begin + kBlock);
      body(begin, end);
      meter_.add(end - begin);
    });
  }

  std::uint64_t count_tokens() {
    std::atomic<std::uint64_t> num_tokens{0};
    for_blocks(text_.length, [&](std::uint64_t begin, std::uint64_t end) {
      std::uint64_t tokens = 0;
      for (std::uint64_t position = begin; position < end; ++position) tokens += symbol(position) != kDocumentEnd;
      num_tokens += tokens;
    });
    return num_tokens;
  }

  // Finds the rank of each position, and positions that are no suffix's or stand twice. As many different suffixes as
  // there are tokens are all suffixes.
  void invert() {
    ranks_ = WorkArray<std::uint32_t>(text_.length);
    std::vector<std::atomic<std::uint64_t>> seen(text_.length / 64 + 1);
    for_blocks(num_ranks_, [&](std::uint64_t begin, std::uint64_t end) {
      std::vector<Position> positions(end - begin);
      read_(begin, positions);
      for (Rank rank = begin; rank < end; ++rank) {
        const Position position = positions[rank - begin];
        if (position >= text_.length) {
          report({rank, position, OrderFault::kOutOfRange});
          continue;
        }
        if (symbol(position) == kDocumentEnd) report({rank, position, OrderFault::kNoSuffix});
        const std::uint64_t bit = std::uint64_t{1} << (position % 64);
        const std::uint64_t before = seen[position / 64].fetch_or(bit, std::memory_order_relaxed);
        if ((before & bit) != 0) {
          report({rank, position, OrderFault::kRepeated});
          continue;
        }
        ranks_[position] = static_cast<std::uint32_t>(rank);
      }
    });
  }

  // Every suffix must be smaller than its neighbour. Where the first symbols are equal, the suffixes that follow them
  // decide; that those stand in the right order is what their own neighbours show.
  void check_neighbours() {
    for_blocks(num_ranks_ == 0 ? 0 : num_ranks_ - 1, [&](std::uint64_t begin, std::uint64_t end) {
      std::vector<Position> positions(end - begin + 1);
      read_(begin, positions);
      for (Rank rank = begin; rank < end; ++rank) {
        const Position here = positions[rank - begin], next = positions[rank - begin + 1];
        if (!is_smaller(here, next)) report({rank, here, OrderFault::kWrongOrder});
      }
    });
  }

  bool is_smaller(std::uint64_t a, std::uint64_t b) const {
    const Symbol symbol_a = symbol(a), symbol_b = symbol(b);
    if (symbol_a != symbol_b) return symbol_a < symbol_b;
    const bool a_ends = symbol(a + 1) == kDocumentEnd, b_ends = symbol(b + 1) == kDocumentEnd;
    if (a_ends && b_ends) return a < b;
    if (a_ends || b_ends) return a_ends;
    return ranks_[a + 1] < ranks_[b + 1];
  }

  // Keeps the problems of lowest rank, so that the report does not depend on threads.
  void report(const OrderProblem& problem) {
    const std::lock_guard lock(mutex_);
    const auto place = std::upper_bound(problems_.begin(), problems_.end(), problem,
                                        [](const auto& a, const auto& b) { return a.rank < b.rank; });
    problems_.insert(place, problem);
    if (problems_.size() > std::max<std::size_t>(1, options_.max_problems)) problems_.pop_back();
  }

  const TokenText text_;
  const std::uint64_t num_ranks_;
  const PositionReader& read_;
  const VerifyOptions& options_;
  WorkMeter& meter_;
  WorkArray<std::uint32_t> ranks_;
  std::mutex mutex_;
  std::vector<OrderProblem> problems_;
};

}  // namespace

std::vector<OrderProblem> check_order(const TokenText& text, std::uint64_t num_ranks, const PositionReader& read,
                                      const VerifyOptions& options) {
  StopSignal never;
  WorkMeter meter(options.stop == nullptr ? never : *options.stop, options.progress, text.length);
  if (text.length > kMaxStreamLength) throw Error(ErrorCode::kLimit, "a token stream holds at most 2^32 symbols");
  auto problems = with_width(
      text.width, [&]<int Width>() { return OrderCheck<Width>(text, num_ranks, read, options, meter).run(); });
  meter.finish();
  return problems;
}

std::vector<OrderProblem> check_order(const TokenText& text, std::span<const Position> positions,
                                      const VerifyOptions& options) {
  const PositionReader read = [positions](Rank first, std::span<Position> to) {
    std::copy_n(positions.begin() + static_cast<std::ptrdiff_t>(first), to.size(), to.begin());
  };
  return check_order(text, positions.size(), read, options);
}

}  // namespace anygram
