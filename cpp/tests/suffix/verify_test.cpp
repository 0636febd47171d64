#include <anygram/suffix/verify.hpp>

#include <doctest/doctest.h>

#include "suffix/test_texts.hpp"

namespace anygram {
namespace {

using namespace anygram::testing;

TEST_CASE("a right array has no problems") {
  for (const NamedText& sample : adversarial_texts(20000)) {
    CAPTURE(sample.name);
    const Text text(sample.symbols, 3);
    VerifyOptions options;
    options.threads = 2;
    CHECK(check_order(text.text(), sorted_suffixes(text.text(), {}), options).empty());
  }
}

TEST_CASE("any two ranks exchanged are found") {
  Random random(1);
  for (int trial = 0; trial < 300; ++trial) {
    const std::vector<Symbol> symbols = like_prose(300, 3, static_cast<std::uint64_t>(trial));
    const Text text(symbols, 1);
    std::vector<Position> order = sorted_suffixes(text.text(), {});
    const std::size_t a = below(random, order.size()), b = below(random, order.size());
    if (a == b) continue;
    std::swap(order[a], order[b]);
    const auto problems = check_order(text.text(), order, {});
    REQUIRE_FALSE(problems.empty());
    CHECK(problems[0].fault == OrderFault::kWrongOrder);
  }
}

TEST_CASE("each fault is named, with its rank") {
  const Text text({2, 1, 0, 1, 0}, 2);
  const auto check = [&](std::vector<Position> order) { return check_order(text.text(), order, {}); };
  using Problems = std::vector<OrderProblem>;
  CHECK(check({1, 3, 0}).empty());
  CHECK(check({1, 3}) == Problems{{2, 3, OrderFault::kWrongSize}});
  CHECK(check({1, 3, 9}) == Problems{{2, 9, OrderFault::kOutOfRange}});
  CHECK(check({1, 2, 0}) == Problems{{1, 2, OrderFault::kNoSuffix}});
  CHECK(check({1, 3, 3}) == Problems{{2, 3, OrderFault::kRepeated}});
  CHECK(check({3, 1, 0}) == Problems{{0, 3, OrderFault::kWrongOrder}});
  CHECK(check({1, 0, 3}) == Problems{{1, 0, OrderFault::kWrongOrder}});
}

TEST_CASE("only the first problems are reported") {
  const Text text(like_prose(10000, 100, 1), 2);
  std::vector<Position> order = sorted_suffixes(text.text(), {});
  std::reverse(order.begin(), order.end());
  VerifyOptions options;
  options.threads = 2;
  options.max_problems = order.size();
  const auto all = check_order(text.text(), order, options);
  REQUIRE(all.size() > 3);
  options.max_problems = 3;
  const auto first = check_order(text.text(), order, options);
  CHECK(first == std::vector<OrderProblem>(all.begin(), all.begin() + 3));
}

}  // namespace
}  // namespace anygram
