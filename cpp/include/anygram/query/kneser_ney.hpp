// Interpolated modified Kneser-Ney smoothing (Chen and Goodman 1998; Heafield et al. 2013) over an index, as lmplz
// defines it without pruning: documents are its sentences, <s> stands before a document and </s> is its end.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <anygram/base/stop_signal.hpp>
#include <anygram/query/kneser_ney_counts.hpp>
#include <anygram/query/ngrams.hpp>
#include <anygram/query/query.hpp>

namespace anygram {

// What is taken off an adjusted count of 1, 2, and 3 or more; [0] is 0.
struct Discounts {
  std::array<double, 4> amounts{0, 0.5, 1, 1.5};
  bool estimated = false;  // false: the counts of counts give none, these are the usual ones instead
};

class KneserNey {
 public:
  // The shards must be those that the counts were found in, and `order` at least 1.
  KneserNey(Shards shards, KneserNeyCounts counts);
  // Scans the whole index in order, once.
  KneserNey(Shards shards, std::uint64_t order, const Execution& execution, const Progress& progress)
      : KneserNey(shards, KneserNeyCounts::scan(shards, order, execution, progress)) {}

  std::uint64_t order() const { return order_; }
  const KneserNeyCounts& counts() const { return counts_; }
  // Of n-grams of order k, k from 1; [0] is not used.
  std::span<const Discounts> discounts() const { return discounts_; }

  // The probability of each symbol of a text given all before it, and of the end of the document if it is asked for.
  // At a document's beginning, <s> is part of the prompts that reach it. In lockstep, on all threads.
  std::vector<double> probs(Ngram text, bool at_start, bool end, const Execution& execution) const;
  // probs() of each; short texts together, in lockstep.
  std::vector<std::vector<double>> probs_batch(const NgramList& texts, bool at_start, bool end,
                                               const Execution& execution) const;

  // The probability of every symbol after a prompt: [0] of the end, [i] of symbol i, and as many as vocab_size + 1. A
  // symbol that does not occur has the probability of an unknown word, which has to be shared by all of them: the sum
  // over those that occur, the end and one unknown symbol is 1. O(vocab_size + distinct continuations).
  std::vector<double> distribution(Ngram prompt, bool at_start) const;

  double unknown_prob() const { return unigram(0); }

 private:
  class RowProbs;
  // What smoothing asks of an n-gram that is shorter than the order. As a context it stands for itself, and, at a
  // document's beginning, for itself with <s> before it.
  struct NgramFacts {
    std::uint64_t preceding = 0;  // distinct symbols before it, <s> being one
    std::uint64_t starts = 0;     // how often it begins a document
    ContextCounts after;
    ContextCounts after_start;
  };

  // An occurrence of an n-gram: what stands before it and behind it.
  struct Neighbours {
    Symbol after;
    Symbol before;
    auto operator<=>(const Neighbours&) const = default;
  };

  // Of an n-gram of that length with these occurrences, all there are; sorts them.
  NgramFacts facts_of(std::uint64_t length, std::vector<Neighbours>& occurrences) const;
  // Of one that stands there; nothing if it does not occur.
  NgramFacts facts(std::uint64_t length, std::span<const Interval> intervals) const;
  NgramFacts read_facts(std::uint64_t length, std::span<const Interval> intervals) const;
  bool is_kept(std::uint64_t length, std::uint64_t count) const { return length == 1 || count > counts_.totals().few; }

  std::vector<double> stream_probs(Ngram stream, bool at_start, bool ends, const Execution& execution) const;
  void add_continuations(std::vector<double>& probs, std::uint64_t length, std::span<const Interval> intervals,
                         bool from_start, std::uint64_t sum) const;
  double discounted(std::uint64_t order, std::uint64_t count) const;
  double backoff(std::uint64_t order, const ContextCounts& counts) const;
  double unigram(std::uint64_t count) const;

  std::vector<std::shared_ptr<const Shard>> shards_;
  KneserNeyCounts counts_;
  std::uint64_t order_;
  std::uint64_t vocab_size_;
  std::vector<Discounts> discounts_;  // by order, from 1
  double unigram_sum_ = 0;            // 0 without any count
  double unigram_rest_ = 0;           // what discounting leaves to each of them
};

}  // namespace anygram
