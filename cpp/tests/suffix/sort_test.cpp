#include <anygram/suffix/sort.hpp>

#include <doctest/doctest.h>

#include <map>
#include <stdexcept>

#include "suffix/test_texts.hpp"

namespace anygram {
namespace {

using namespace anygram::testing;

// Sanitizers make each trial ten times slower; they look for other faults than a wrong order.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kTrials = 150;
#else
constexpr int kTrials = 2000;
#endif

SortOptions options_for(SortMethod method, unsigned threads, std::uint64_t pass_size, bool force_portable) {
  SortOptions options;
  options.method = method;
  options.threads = threads;
  options.pass_size = pass_size;
  options.force_portable = force_portable;
  options.shared = true;
  return options;
}

// A few documents over a few symbols; later ones repeat pieces of earlier ones, so that ties outlast the anchors.
std::vector<Symbol> small_text(Random& random) {
  const Symbol alphabet = static_cast<Symbol>(1 + below(random, 4));
  const std::size_t longest = std::size_t{1} << below(random, 9);
  std::vector<Symbol> symbols;
  for (std::uint64_t documents = 1 + below(random, 8); documents > 0; --documents) {
    for (std::uint64_t left = below(random, longest + 1); left > 0;) {
      const std::uint64_t piece = 1 + below(random, left);
      const std::size_t from = symbols.empty() ? 0 : below(random, symbols.size());
      const bool copy = below(random, 2) == 0;
      for (std::uint64_t i = 0; i < piece; ++i) {
        Symbol symbol = static_cast<Symbol>(below(random, alphabet) + 1);
        if (copy && from + i < symbols.size() && symbols[from + i] != kDocumentEnd) symbol = symbols[from + i];
        symbols.push_back(symbol);
      }
      left -= piece;
    }
    symbols.push_back(kDocumentEnd);
  }
  return symbols;
}

// Spreads symbols over the whole range of a width, so that keys have all their layouts.
void spread(std::vector<Symbol>& symbols, int width, Random& random) {
  std::map<Symbol, Symbol> images;
  for (Symbol& symbol : symbols) {
    if (symbol == kDocumentEnd) continue;
    const auto [image, added] = images.try_emplace(symbol, 0);
    const int bits = static_cast<int>(1 + below(random, static_cast<std::uint64_t>(8 * width)));
    if (added) image->second = std::max<Symbol>(1, static_cast<Symbol>(random() >> (64 - bits)));
    symbol = image->second;
  }
}

void check_all_ways(const std::vector<Symbol>& symbols, int width, Random& random) {
  const std::vector<Position> expected = sort_by_definition(symbols);
  const Text text(symbols, width);
  const auto pass_size = [&] { return below(random, 2) == 0 ? 0 : 1 + below(random, symbols.size()); };
  const auto threads = [&] { return static_cast<unsigned>(1 + below(random, 3)); };
  REQUIRE(sorted_suffixes(text.text(), options_for(SortMethod::kAnchors, threads(), pass_size(), true)) == expected);
  REQUIRE(sorted_suffixes(text.text(), options_for(SortMethod::kAnchors, threads(), pass_size(), false)) == expected);
  REQUIRE(sorted_suffixes(text.text(), options_for(SortMethod::kInduced, 1, 0, true)) == expected);
  REQUIRE(sorted_suffixes(text.text(), options_for(SortMethod::kAutomatic, threads(), pass_size(), false)) == expected);
}

TEST_CASE("small texts are sorted by the definition") {
  Random random(1);
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<Symbol> symbols = small_text(random);
    const int width = static_cast<int>(1 + below(random, 4));
    if (below(random, 2) == 0) spread(symbols, width, random);
    CAPTURE(trial);
    CAPTURE(width);
    check_all_ways(symbols, width, random);
  }
}

TEST_CASE("all texts of up to six symbols are sorted by the definition") {
  for (std::uint32_t length = 1; length <= 6; ++length) {
    std::uint32_t texts = 1;
    for (std::uint32_t i = 1; i < length; ++i) texts *= 3;
    for (std::uint32_t number = 0; number < texts; ++number) {
      std::vector<Symbol> symbols;
      for (std::uint32_t i = 1, rest = number; i < length; ++i, rest /= 3) symbols.push_back(rest % 3);
      symbols.push_back(kDocumentEnd);
      const Text text(symbols, 1);
      const std::vector<Position> expected = sort_by_definition(symbols);
      REQUIRE(sorted_suffixes(text.text(), options_for(SortMethod::kAnchors, 1, 0, false)) == expected);
      REQUIRE(sorted_suffixes(text.text(), options_for(SortMethod::kInduced, 1, 0, false)) == expected);
    }
  }
}

TEST_CASE("anchors and induction give the same array") {
  for (const NamedText& sample : adversarial_texts(100000)) {
    CAPTURE(sample.name);
    const Text text(sample.symbols, 2);
    const auto induced = sorted_suffixes(text.text(), options_for(SortMethod::kInduced, 1, 0, false));
    SortStatistics statistics;
    const auto anchors = sorted_suffixes(text.text(), options_for(SortMethod::kAnchors, 2, 0, false), &statistics);
    CHECK(statistics.method == SortMethod::kAnchors);
    CHECK(statistics.passes == 1);
    CHECK(anchors == induced);
    // Whether the deepest comparisons were reached at all.
    if (sample.name == "copies of a document" || sample.name == "fibonacci") CHECK(statistics.doubling_rounds > 2);
    const auto passes =
        sorted_suffixes(text.text(), options_for(SortMethod::kAnchors, 1, sample.symbols.size() / 5, true));
    CHECK(passes == induced);
    CHECK(sorted_suffixes(text.text(), options_for(SortMethod::kAutomatic, 2, 0, false)) == induced);
  }
}

TEST_CASE("a small memory means more passes over the text") {
  const Text text(like_prose(200000, 5000, 3), 2);
  SortStatistics statistics;
  SortOptions options;
  options.threads = 2;
  options.memory = least_sort_memory(200000);
  CHECK(sorted_suffixes(text.text(), options, &statistics) == sorted_suffixes(text.text(), SortOptions{}));
  const auto in_passes =
      sorted_suffixes(text.text(), options_for(SortMethod::kAutomatic, 2, 30000, false), &statistics);
  CHECK(statistics.passes > 6);
  CHECK(statistics.samples > 5000);
  CHECK(in_passes == sorted_suffixes(text.text(), SortOptions{}));
}

TEST_CASE("the counted work does not depend on threads") {
  const Text text(like_prose(100000, 5000, 4), 2);
  SortStatistics one, two;
  sorted_suffixes(text.text(), options_for(SortMethod::kAutomatic, 1, 0, false), &one);
  sorted_suffixes(text.text(), options_for(SortMethod::kAutomatic, 2, 0, false), &two);
  CHECK(one.total_work() == two.total_work());
  CHECK(one.total_work() > 0);
}

TEST_CASE("twice the text is about twice the work, whatever the text") {
  const auto smaller = adversarial_texts(60000), larger = adversarial_texts(120000);
  for (std::size_t i = 0; i < smaller.size(); ++i) {
    CAPTURE(smaller[i].name);
    const auto statistics_of = [](const std::vector<Symbol>& symbols, SortMethod method) {
      SortStatistics statistics;
      const Text text(symbols, 2);
      sorted_suffixes(text.text(), options_for(method, 1, 0, true), &statistics);
      return statistics;
    };
    const double growth =
        static_cast<double>(larger[i].symbols.size()) / static_cast<double>(smaller[i].symbols.size());
    for (const SortMethod method : {SortMethod::kAutomatic, SortMethod::kInduced}) {
      const SortStatistics less = statistics_of(smaller[i].symbols, method);
      const SortStatistics more = statistics_of(larger[i].symbols, method);
      if (less.method != more.method) continue;  // their units differ
      CHECK(static_cast<double>(more.total_work()) <= 1.15 * growth * static_cast<double>(less.total_work()) + 1000);
    }
  }
}

TEST_CASE("texts without anchors cost induced sorting, ordinary ones do not") {
  const auto method_for = [](const std::vector<Symbol>& symbols) {
    SortStatistics statistics;
    const Text text(symbols, 2);
    sorted_suffixes(text.text(), SortOptions{}, &statistics);
    return statistics.method;
  };
  CHECK(method_for(periodic(10000, 1)) == SortMethod::kInduced);
  CHECK(method_for(periodic(10000, 5)) == SortMethod::kInduced);
  CHECK(method_for(fibonacci(200000)) == SortMethod::kInduced);
  CHECK(method_for(like_prose(10000, 1000, 5)) == SortMethod::kAnchors);
}

TEST_CASE("sorting refuses to use more memory than it may") {
  const auto sort_in = [](const std::vector<Symbol>& symbols, std::uint64_t memory) {
    const Text text(symbols, 2);
    SortOptions options;
    options.memory = memory;
    sort_suffixes(text.text(), options, [](const SortedRun&) {});
  };
  // So large that the tables, which are always allowed for, are not all of it.
  const std::vector<Symbol> prose = like_prose(10000000, 30000, 9), equal = periodic(10000000, 1);
  CHECK_NOTHROW(sort_in(prose, least_sort_memory(prose.size())));
  CHECK_THROWS_AS(sort_in(prose, prose.size() / 2), Error);
  CHECK_THROWS_AS(sort_in(equal, least_sort_memory(equal.size())), Error);
  // One key that is too frequent for a pass of the usual size, and not for the memory.
  std::vector<Symbol> documents(10000000);
  for (std::size_t i = 0; i < documents.size(); i += 2) documents[i] = 1;
  CHECK_NOTHROW(sort_in(documents, documents.size() * 8));
  CHECK_THROWS_AS(sort_in(documents, least_sort_memory(documents.size())), Error);
}

TEST_CASE("an empty text has no suffixes") {
  const Text text({}, 2);
  CHECK(sorted_suffixes(text.text(), SortOptions{}).empty());
  const Text ends({0, 0, 0}, 3);
  CHECK(sorted_suffixes(ends.text(), SortOptions{}).empty());
}

TEST_CASE("what is no token stream is refused") {
  const SuffixSink nowhere = [](const SortedRun&) {};
  const Text no_end({1, 2, 3}, 2);
  CHECK_THROWS_AS(sort_suffixes(no_end.text(), {}, nowhere), Error);
  TokenText wrong = no_end.text();
  wrong.width = 5;
  CHECK_THROWS_AS(sort_suffixes(wrong, {}, nowhere), Error);
  const Text good({1, 2, 0}, 2);
  TokenText too_long = good.text();
  too_long.length = 4;
  CHECK_THROWS_AS(sort_suffixes(too_long, {}, nowhere), Error);
}

TEST_CASE("progress grows to the total, and the sink's exception reaches the caller") {
  const Text text(like_prose(300000, 5000, 6), 2);
  for (const SortMethod method : {SortMethod::kAnchors, SortMethod::kInduced}) {
    std::uint64_t last = 0, total = 0;
    SortOptions options = options_for(method, 2, 0, false);
    options.progress = [&](std::uint64_t done, std::uint64_t of) {
      CHECK(done >= last);
      CHECK(done <= of);
      last = done;
      total = of;
    };
    sorted_suffixes(text.text(), options);
    CHECK(total == text.text().length);
    CHECK(last == total);
    options.progress = {};
    CHECK_THROWS_AS(sort_suffixes(text.text(), options, [](const SortedRun&) { throw std::out_of_range("sink"); }),
                    std::out_of_range);
  }
}

TEST_CASE("a poll that throws stops the sort soon") {
  const Text text(like_prose(3000000, 30000, 8), 2);
  for (const SortMethod method : {SortMethod::kAnchors, SortMethod::kInduced}) {
    int polls = 0;
    StopSignal stop([&] {
      if (++polls == 3) throw std::runtime_error("enough");
    });
    SortOptions options = options_for(method, 2, 0, false);
    options.stop = &stop;
    CHECK_THROWS_AS(sorted_suffixes(text.text(), options), std::runtime_error);
    CHECK(stop.stopped());
  }
}

}  // namespace
}  // namespace anygram
