#include <anygram/shard/shard.hpp>

#include <doctest/doctest.h>

#include "shard/test_corpus.hpp"

namespace anygram {
namespace {

using namespace anygram::testing;

// One shard, and its suffixes in order by definition.
class Checked {
 public:
  explicit Checked(const Corpus& corpus, const ShardBuilderOptions& options = BuiltShards::small())
      : oracle_(corpus), built_(corpus, 1, options), order_(sort_by_definition(oracle_.stream())) {}

  const Shard& shard() const { return built_[0]; }
  const Oracle& oracle() const { return oracle_; }

  bool starts_with(Rank rank, Ngram ngram) const {
    const Position position = order_[rank];
    for (std::size_t i = 0; i < ngram.size(); ++i) {
      if (oracle_.stream()[position + i] != ngram[i]) return false;
    }
    return true;
  }

  // The ranks that start with the n-gram; {0, 0} if none does.
  Interval interval(Ngram ngram) const {
    Rank begin = 0;
    while (begin < order_.size() && !starts_with(begin, ngram)) ++begin;
    if (begin == order_.size()) return {0, 0};
    Rank end = begin;
    while (end < order_.size() && starts_with(end, ngram)) ++end;
    return {begin, end};
  }

  Interval found(Ngram ngram) const {
    Interval interval;
    shard().find({&ngram, 1}, {&interval, 1});
    return interval;
  }

 private:
  Oracle oracle_;
  BuiltShards built_;
  std::vector<Position> order_;
};

bool same(const Interval& a, const Interval& b) { return a == b || (a.empty() && b.empty()); }

// find, expand, narrow, continuations and symbols_after for many n-grams at once.
void check_ngrams(const Checked& checked, const std::vector<Symbols>& texts) {
  const std::vector<Ngram> ngrams(texts.begin(), texts.end());
  std::vector<Interval> intervals(ngrams.size());
  checked.shard().find(ngrams, intervals);
  for (std::size_t i = 0; i < ngrams.size(); ++i) {
    const Interval expected = checked.interval(ngrams[i]);
    REQUIRE(same(intervals[i], expected));
    if (expected.empty() || ngrams[i].empty()) continue;
    const Interval& interval = intervals[i];
    const std::uint64_t depth = ngrams[i].size();

    // From each of its ends, and from the middle.
    const Symbols text = joined({1, 2}, texts[i]);
    const std::vector<Context> contexts{
        {2, depth, interval.begin}, {2, depth, interval.end - 1}, {2, depth, (interval.begin + interval.end) / 2}};
    std::vector<Interval> expanded(contexts.size());
    checked.shard().expand(text, contexts, expanded);
    for (const Interval& one : expanded) REQUIRE(one == interval);

    std::vector<Continuation> continuations;
    checked.shard().continuations(interval, depth, continuations);
    std::vector<Continuation> by_token = continuations;
    std::ranges::sort(by_token, token_less, &Continuation::symbol);
    REQUIRE(by_token == checked.oracle().continuations(ngrams[i]));
    REQUIRE(std::ranges::is_sorted(continuations, {}, &Continuation::symbol));

    Rank begin = interval.begin;
    for (const Continuation& continuation : continuations) {
      const Interval narrowed = checked.shard().narrow(interval, depth, continuation.symbol);
      REQUIRE(narrowed == Interval{begin, begin + continuation.count});
      const std::vector<Rank> ranks{narrowed.begin, narrowed.end - 1};
      const std::vector<std::uint64_t> depths{depth, depth};
      Symbols symbols(2);
      checked.shard().symbols_after(ranks, depths, symbols);
      REQUIRE(symbols == Symbols(2, continuation.symbol));
      begin = narrowed.end;
    }
    const auto none = static_cast<Symbol>(checked.shard().counts().vocab_size - 5);
    REQUIRE(checked.shard().narrow(interval, depth, none).empty());
  }
}

void check_longest_matches(const Checked& checked, const Symbols& text, std::size_t begin = 0,
                           std::size_t size = ~std::size_t{0}) {
  const std::vector<std::uint64_t> expected = checked.oracle().longest_matches(Ngram(text).subspan(begin));
  std::vector<LongestMatch> matches(std::min(size, text.size() - begin), LongestMatch{9, 9});
  checked.shard().longest_matches(text, begin, matches);
  for (std::size_t i = 0; i < matches.size(); ++i) {
    REQUIRE(matches[i].length == expected[i]);
    if (matches[i].length == 0) continue;
    REQUIRE(checked.starts_with(matches[i].rank, Ngram(text).subspan(begin + i, matches[i].length)));
  }
}

TEST_CASE("shard: n-grams of random corpora over tiny alphabets") {
  Random random(5);
  for (int trial = 0; trial < 120; ++trial) {
    const auto largest = static_cast<Symbol>(1 + below(random, 4));
    const Corpus corpus = random_corpus(random, 20, 1 + below(random, 60), largest);
    const std::uint64_t vocab_size = trial % 3 == 0 ? 20 : trial % 3 == 1 ? 300 : 100'000;
    const Checked checked(
        corpus, {.vocab_size = vocab_size, .profile = trial % 2 == 0 ? Profile::kFast : Profile::kLean, .sync = false});
    std::vector<Symbols> texts{{}};
    for (int i = 0; i < 70; ++i) {
      texts.push_back(random_excerpt(random, corpus, 12));
      texts.push_back(random_symbols(random, below(random, 6), largest + 1));
      texts.push_back(joined(random_excerpt(random, corpus, 9), random_symbols(random, 1, largest)));
    }
    check_ngrams(checked, texts);
    for (int i = 0; i < 5; ++i) {
      Symbols text = random_symbols(random, below(random, 100), largest + 1);
      text = joined(text, joined(random_excerpt(random, corpus, 60), random_excerpt(random, corpus, 60)));
      check_longest_matches(checked, text);
      if (!text.empty()) check_longest_matches(checked, text, below(random, text.size()));
    }
  }
}

TEST_CASE("shard: keys that are cut between few symbols, of each width") {
  Random random(6);
  constexpr std::array<std::uint64_t, 6> kVocabSizes{255, 60'000, 1'000'000, 3'000'000, 16'777'216, 0xFFFFFFFF};
  for (std::size_t trial = 0; trial < 4 * kVocabSizes.size(); ++trial) {
    const std::uint64_t vocab_size = kVocabSizes[trial % kVocabSizes.size()];
    Corpus corpus = random_corpus(random, 40, 100, 2);
    // The largest symbols have the largest keys, after which no key comes.
    for (Symbols& document : corpus) {
      for (Symbol& symbol : document) symbol = symbol == 1 ? 1 : static_cast<Symbol>(vocab_size - below(random, 2));
    }
    const Profile profile = below(random, 2) == 0 ? Profile::kFast : Profile::kLean;
    const Checked checked(corpus, {.vocab_size = vocab_size, .profile = profile, .sync = false});
    std::vector<Symbols> texts{Symbols(8, static_cast<Symbol>(vocab_size)), Symbols(2, 1)};
    for (int i = 0; i < 200; ++i) texts.push_back(random_excerpt(random, corpus, 10));
    check_ngrams(checked, texts);
    for (int i = 0; i < 5; ++i) {
      check_longest_matches(checked, joined(random_excerpt(random, corpus, 90), random_excerpt(random, corpus, 90)));
    }
  }
}

// Long runs of suffixes with the same keys, so that what a text is begins, ends and is missing anywhere in a page.
TEST_CASE("shard: runs of equal keys over many pages") {
  Random random(62);
  for (int trial = 0; trial < 12; ++trial) {
    const std::uint64_t vocab_size = trial % 3 == 0 ? 20 : trial % 3 == 1 ? 300 : 3'000'000;
    Corpus corpus;
    const Symbols common = random_symbols(random, 20 + below(random, 30), 3);
    for (int i = 0; i < 150; ++i) {
      Symbols document = common;
      if (trial % 2 == 0) document.resize(10 + below(random, document.size() - 10));
      for (Symbol symbol : random_symbols(random, below(random, 25), 2)) document.push_back(symbol);
      corpus.push_back(document);
    }
    corpus.push_back(Symbols(900, 2));
    corpus.push_back(periodic(700, 2));
    corpus.back().pop_back();
    const Checked checked(corpus, {.vocab_size = vocab_size, .profile = Profile::kFast, .sync = false});
    std::vector<Symbols> texts;
    for (const std::size_t length :
         {1U, 2U, 8U, 9U, 15U, 16U, 17U, 60U, 254U, 255U, 256U, 257U, 300U, 700U, 899U, 901U}) {
      texts.emplace_back(length, 2);
      texts.push_back(joined(Symbols(length, 2), {1}));
      texts.push_back(joined({1}, Symbols(length, 2)));
    }
    for (int i = 0; i < 250; ++i) {
      Symbols text = random_excerpt(random, corpus, 40);
      if (i % 3 == 1) text.push_back(static_cast<Symbol>(1 + below(random, 4)));
      if (i % 3 == 2 && !text.empty()) text[below(random, text.size())] = static_cast<Symbol>(1 + below(random, 4));
      texts.push_back(text);
    }
    check_ngrams(checked, texts);
    for (int i = 0; i < 8; ++i) {
      check_longest_matches(checked, joined(random_excerpt(random, corpus, 90), random_excerpt(random, corpus, 90)));
    }
    check_longest_matches(checked, joined(Symbols(600, 2), {1, 2}));
  }
}

TEST_CASE("shard: symbols that the vocabulary does not have match nothing") {
  // 257 is 1 when it is cut to a byte.
  const Checked checked({{1, 2, 1, 2, 1}, {2, 1}});
  for (const Symbol stranger : {21U, 255U, 256U, 257U, 258U, 0x01000001U, 0xFFFFFFFFU}) {
    for (const Symbols& text :
         {Symbols{stranger}, Symbols{1, stranger}, Symbols{stranger, 1}, Symbols{1, stranger, 1}}) {
      CHECK(checked.found(text).empty());
    }
    check_longest_matches(checked, {stranger});
    check_longest_matches(checked, {1, 2, stranger, 2, 1, stranger});
    check_longest_matches(checked, {stranger, 1, 2, 1, 2, 1, 2, stranger, stranger, 2, 1}, 3);
  }
}

TEST_CASE("shard: symbols too large for a field of a key match nothing, and spoil no match before them") {
  // Fields of 8, 9, 10, 12, 16, 21 and 32 bits, in symbols of 1 to 4 bytes.
  for (const std::uint64_t vocab_size : {20U, 256U, 300U, 1000U, 4000U, 5000U, 70'000U, 2'000'000U, 3'000'000U}) {
    for (const Profile profile : {Profile::kFast, Profile::kLean}) {
      const Symbol last = static_cast<Symbol>(vocab_size);
      const Checked checked({{8, last}, {8, 3, last}, {3, last, 8, 8}},
                            {.vocab_size = vocab_size, .profile = profile, .sync = false});
      for (int bits = 4; bits <= 32; ++bits) {
        const Symbol stranger = ~Symbol{0} >> (32 - bits);
        if (stranger <= vocab_size) continue;
        check_longest_matches(checked, {8, stranger});
        check_longest_matches(checked, {8, 3, stranger, 8, last, stranger, 3, last, 8, 8, stranger});
        check_longest_matches(checked, {3, last, 8, stranger - 1, 8, 8, stranger + 1, last});
      }
    }
  }
}

TEST_CASE("shard: n-grams longer than are compared at a time") {
  Random random(7);
  for (const std::uint64_t vocab_size : {20U, 300U, 70'000U, 20'000'000U, 21U, 301U, 70'001U, 20'000'001U}) {
    const Corpus corpus = repetitive_corpus(random, 200, 3);
    const Profile profile = vocab_size % 2 == 0 ? Profile::kFast : Profile::kLean;
    const Checked checked(corpus, {.vocab_size = vocab_size, .profile = profile, .sync = false});
    std::vector<Symbols> texts;
    for (std::size_t length = 14; length <= 140; length += 1 + below(random, 3)) {
      const Symbols& document = corpus[0];
      const std::size_t begin = below(random, document.size() - length);
      Symbols text(document.begin() + static_cast<std::ptrdiff_t>(begin),
                   document.begin() + static_cast<std::ptrdiff_t>(begin + length));
      texts.push_back(text);
      text.back() = text.back() % 3 + 1;
      texts.push_back(text);
    }
    for (const Symbols& document : corpus) texts.push_back(document);
    texts.push_back(joined(corpus[0], {1}));
    check_ngrams(checked, texts);
  }
}

TEST_CASE("shard: matches longer than are searched for in lockstep") {
  Random random(8);
  for (int trial = 0; trial < 8; ++trial) {
    const Symbol largest = trial % 2 == 0 ? 2 : 15;
    const Corpus corpus = repetitive_corpus(random, 500, largest);
    const Checked checked(corpus, {.vocab_size = trial % 4 < 2 ? 20U : 300U, .sync = false});
    check_longest_matches(checked, corpus[0]);
    check_longest_matches(checked, joined(corpus[0], random_symbols(random, 5, largest)));
    check_longest_matches(checked, joined(random_symbols(random, 5, largest), corpus[4]));
    check_longest_matches(checked, joined(corpus[1], joined(corpus[0], corpus[5])), below(random, 300));
    check_longest_matches(checked, joined(corpus[0], joined({21}, corpus[0])));
    Symbols edited = corpus[0];
    edited[below(random, 500)] = 1;
    check_longest_matches(checked, edited);
    check_longest_matches(checked, joined(edited, edited), 100);
  }
}

TEST_CASE("shard: long matches of periodic texts") {
  for (const std::size_t period : {1U, 2U, 5U, 300U}) {
    const Symbols longer = periodic(1000, period);
    const Ngram whole = Ngram(longer).first(1000);
    const Symbols document(whole.begin(), whole.begin() + 700);
    const Symbols part(whole.begin() + 1, whole.begin() + 400);
    const Checked checked({document, part, {1}, document}, {.vocab_size = 300, .sync = false});
    check_longest_matches(checked, document);
    check_longest_matches(checked, {whole.begin(), whole.end()});
    check_longest_matches(checked, joined({whole.begin(), whole.begin() + 600}, {whole.begin(), whole.end()}));
  }
}

TEST_CASE("shard: a longest match may go on elsewhere when the one before it ends") {
  // The whole copy is preceded by another symbol and goes on, so the match after the first start is longer by more.
  Random random(9);
  const Symbols common = random_symbols(random, 400, 4);
  Symbols first = joined({1}, common);
  first.push_back(5);
  Symbols second = joined({2}, common);
  second = joined(second, random_symbols(random, 300, 4));
  const Checked checked({first, second});
  Symbols text = joined({1}, {second.begin() + 1, second.end()});
  check_longest_matches(checked, text);
  // More occurrences than are looked at to see whether a match goes on.
  Corpus many(20, first);
  many.push_back(second);
  check_longest_matches(Checked(many), text);
}

TEST_CASE("shard: matches that reach far beyond the starts that are asked for") {
  Random random(61);
  const Symbols document = random_symbols(random, 1200, 9);
  const Checked checked({random_symbols(random, 100, 9), document, {document.begin() + 400, document.end()}});
  const Symbols longer = joined(document, {1, 2, 3});
  for (const std::size_t size : {1U, 5U, 300U}) {
    for (const std::size_t begin : {0U, 350U}) {
      check_longest_matches(checked, document, begin, size);
      check_longest_matches(checked, longer, begin, size);
      for (const std::size_t ahead : {0U, 1U, 254U, 255U, 256U, 257U, 258U, 511U, 512U, 513U, 514U, 800U}) {
        Symbols edited = document;
        edited[begin + size - 1 + std::min<std::size_t>(ahead, document.size() - begin - size)] = 12;
        check_longest_matches(checked, edited, begin, size);
        std::ranges::replace(edited, Symbol{12}, Symbol{21});  // which the vocabulary does not have
        check_longest_matches(checked, edited, begin, size);
      }
    }
  }
}

TEST_CASE("shard: short matches and what is around suffixes are what is asked for one by one") {
  Random random(8);
  for (const std::uint64_t vocab_size : {20U, 300U, 70000U, 20000000U}) {
    for (const Profile profile : {Profile::kLean, Profile::kFast}) {
      const Corpus corpus = repetitive_corpus(random, 300, 3);
      const BuiltShards built(corpus, 1, {.vocab_size = vocab_size, .profile = profile, .sync = false});
      const Shard& shard = built[0];
      const Symbols text = joined(random_excerpt(random, corpus, 200), random_symbols(random, 30, 4));
      for (const std::uint64_t most : {1U, 2U, 5U, 9U, 255U, 300U}) {
        std::vector<LongestMatch> found(text.size());
        std::vector<LongestMatch> expected(text.size());
        shard.short_matches(text, 0, most, found);
        shard.Shard::short_matches(text, 0, most, expected);
        for (std::size_t i = 0; i < text.size(); ++i) {
          REQUIRE(found[i].length == expected[i].length);
          if (found[i].length == 0) continue;
          std::vector<Symbol> symbols(found[i].length + 1);
          shard.Shard::symbols_around({&found[i].rank, 1}, found[i].length, symbols);
          REQUIRE(std::ranges::equal(Ngram(symbols).subspan(1), Ngram(text).subspan(i, found[i].length)));
        }
      }
      std::vector<Rank> ranks(100);
      for (Rank& rank : ranks) rank = below(random, shard.counts().num_tokens);
      for (const std::size_t size : {1U, 3U, 40U}) {
        std::vector<Symbol> found(ranks.size() * (size + 1), 9);
        std::vector<Symbol> expected(found.size());
        shard.symbols_around(ranks, size, found);
        shard.Shard::symbols_around(ranks, size, expected);
        REQUIRE(found == expected);
      }
    }
  }
}

TEST_CASE("shard: documents at positions") {
  Random random(10);
  const Corpus corpus = random_corpus(random, 300, 20, 5);
  const Checked checked(corpus);
  std::vector<Position> positions;
  std::vector<std::uint32_t> expected;
  for (std::size_t document = 0; document < corpus.size(); ++document) {
    for (std::size_t i = 0; i <= corpus[document].size(); ++i) {
      positions.push_back(static_cast<Position>(positions.size()));
      expected.push_back(static_cast<std::uint32_t>(document));
    }
  }
  std::vector<std::uint32_t> documents(positions.size());
  checked.shard().documents_at(positions, documents);
  CHECK(documents == expected);
  CHECK(refusal([&] { checked.shard().document_span(corpus.size()); }) == ErrorCode::kDocumentNotFound);
}

}  // namespace
}  // namespace anygram
