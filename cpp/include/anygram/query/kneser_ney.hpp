// Interpolated modified Kneser-Ney smoothing (Chen and Goodman 1998; Heafield et al. 2013) over an index, as lmplz
// defines it without pruning: documents are its sentences, <s> stands before a document and </s> is its end.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include <anygram/base/stop_signal.hpp>
#include <anygram/query/query.hpp>

namespace anygram {

// What is taken off an adjusted count of 1, 2, and 3 or more; [0] is 0.
struct Discounts {
  std::array<double, 4> amounts{0, 0.5, 1, 1.5};
  bool estimated = false;  // false: the counts of counts give none, these are the usual ones instead
};

// The adjusted counts of what follows a context: their sum, and how many of them are 1, 2, and 3 or more.
struct ContextCounts {
  std::uint64_t sum = 0;
  std::array<std::uint64_t, 3> sizes{};

  void add(std::uint64_t count);
};

// What smoothing asks of an n-gram that is shorter than the order. As a context it stands for itself, and, at a
// document's beginning, for itself with <s> before it.
struct NgramFacts {
  std::uint64_t preceding = 0;  // distinct symbols before it, <s> being one
  std::uint64_t starts = 0;     // how often it begins a document
  ContextCounts after;
  ContextCounts after_start;
};

class KneserNey {
 public:
  // Scans the whole index in order, once. Keeps what is needed of n-grams that occur often (that of others is read from
  // the index when it is asked for), 120 bytes for each: at most order / kFewOccurrences n-grams a token, in fact far
  // fewer. `order` is at least 1.
  KneserNey(Shards shards, std::uint64_t order, const Execution& execution, const Progress& progress);

  std::uint64_t order() const { return order_; }
  // Of n-grams of order k, k from 1; [0] is not used.
  std::span<const Discounts> discounts() const { return discounts_; }

  // The probability of each symbol of a text given all before it, and of the end of the document if it is asked for.
  // At a document's beginning, <s> is part of the prompts that reach it. Cost: O(order * (log n + kFewOccurrences)).
  std::vector<double> probs(Ngram text, bool at_start, bool end, const Execution& execution) const;

  // The probability of every symbol after a prompt: [0] of the end, [i] of symbol i, and as many as vocab_size + 1. A
  // symbol that does not occur has the probability of an unknown word, which has to be shared by all of them: the sum
  // over those that occur, the end and one unknown symbol is 1. O(vocab_size + distinct continuations * log n).
  std::vector<double> distribution(Ngram prompt, bool at_start) const;

  double unknown_prob() const { return unknown_prob_; }

 private:
  // Facts of n-grams of one length that occur more than kFewOccurrences times: by shard, the first rank of each (that
  // occurs there), ascending, and its number in `facts`.
  struct Table {
    std::vector<std::vector<Rank>> ranks;
    std::vector<std::vector<std::uint32_t>> numbers;
    std::vector<NgramFacts> facts;
  };
  struct Part;
  class PartScan;
  class PieceProbs;

  void merge(const Part& part);
  void finish(std::span<const std::array<std::uint64_t, 5>> counts_of_counts);
  std::uint64_t adjusted(std::uint64_t length, std::span<const Interval> intervals, bool ends) const;
  ShardIntervals narrow(std::uint64_t length, std::span<const Interval> intervals, Symbol symbol) const;
  NgramFacts facts(std::uint64_t length, std::span<const Interval> intervals, bool ends) const;
  NgramFacts read_facts(std::uint64_t length, std::span<const Interval> intervals, bool ends) const;
  std::vector<Symbol> symbols_after(std::uint64_t length, std::span<const Interval> intervals) const;
  double discounted(std::uint64_t order, std::uint64_t count) const;
  double backoff(std::uint64_t order, const ContextCounts& counts) const;
  double unigram(std::uint64_t count) const;

  std::vector<std::shared_ptr<const Shard>> shards_;
  std::uint64_t order_;
  ShardCounts total_;
  std::vector<Table> tables_;            // by length, from 1 to order - 1
  std::vector<Discounts> discounts_;     // by order, from 1
  std::vector<std::uint64_t> unigrams_;  // adjusted counts by symbol, that of the end first
  NgramFacts root_;                      // of the empty n-gram
  std::uint64_t empty_documents_ = 0;
  std::uint64_t num_types_ = 0;  // distinct symbols, the end included
  double unknown_prob_ = 0;
};

}  // namespace anygram
