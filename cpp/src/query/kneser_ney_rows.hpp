// The Kneser-Ney probabilities of a stretch of text, each of whose n-grams is looked at once.
#pragma once

#include <cstddef>
#include <vector>

#include <anygram/query/kneser_ney.hpp>

namespace anygram {

class KneserNey::RowProbs {
 public:
  // A document's end may stand anywhere in the text, and another document behind it. `begins`: the text begins with a
  // document's beginning. `at_start`: documents begin with <s>.
  RowProbs(const KneserNey& model, Ngram text, bool begins, bool at_start);

  // Of the text's symbol of that number, given those before it.
  double prob(std::size_t row) const;

 private:
  // What the rows ask of an n-gram: how often it is counted; and as a context.
  struct Facts {
    double count = 0;
    double sum = 0;      // of the counts of what follows it; 0 if it is no context
    double backoff = 0;  // the share that discounting leaves to the shorter context
  };

  void find_documents(bool begins);
  void find_records();
  void find_records(std::uint64_t length, std::size_t shard, std::size_t begin, std::size_t end);
  void read_rare();
  void set_rare(std::size_t begin, std::span<const Symbol> around);
  void count_longest();
  Facts as_context(std::uint64_t count, std::uint64_t length, const ContextCounts& after) const;

  std::uint64_t longest_context(std::size_t begin) const;
  bool has_start(std::size_t begin) const { return at_start_ && document_begins_[begin] == begin; }
  // Of what is behind the n-gram text[begin, begin + length), a document's end.
  ShardIntervals ends_of(std::size_t begin, std::uint64_t length) const;
  double count(std::size_t begin, std::uint64_t length) const;
  double start_count(std::size_t begin, std::uint64_t length) const;

  Facts& facts(std::size_t begin, std::uint64_t length) { return facts_[begin * model_.order_ + length - 1]; }
  const Facts& facts(std::size_t begin, std::uint64_t length) const {
    return facts_[begin * model_.order_ + length - 1];
  }
  // Those of <s> and text[begin, begin + length), which a document begins with; length 0 is <s>.
  Facts& start_facts(std::size_t begin, std::uint64_t length) { return start_facts_[start_places_[begin] + length]; }
  const Facts& start_facts(std::size_t begin, std::uint64_t length) const {
    return start_facts_[start_places_[begin] + length];
  }

  static constexpr std::size_t kBefore = ~std::size_t{0};

  const KneserNey& model_;
  Ngram text_;
  bool at_start_;
  std::vector<std::size_t> document_begins_;        // by row; kBefore: before the text
  std::vector<std::size_t> start_places_;           // in start_facts_, by row
  std::vector<std::vector<LongestMatch>> matches_;  // by shard; up to the order
  std::vector<std::uint64_t> longest_;              // over all shards
  std::vector<std::uint64_t> recorded_;             // up to this length they have records
  std::vector<Facts> facts_;                        // rows of `order`
  std::vector<Facts> start_facts_;                  // rows of `order`, of each document that begins here
};

}  // namespace anygram
