#include <anygram/query/score.hpp>

#include <algorithm>

#include <anygram/base/thread_pool.hpp>
#include <anygram/query/matches.hpp>
#include <anygram/query/texts.hpp>
#include <anygram/query/top_continuations.hpp>

namespace anygram {
namespace {

// Rows that a thread takes at a time when their continuations are listed.
constexpr std::size_t kRowsPerItem = 16;

// Rows between two looks at the stop signal.
constexpr std::size_t kRowsPerPoll = std::size_t{1} << 16;

// A row for each symbol of a text, the documents' ends in it included: there the next prompt begins anew.
class TextScorer {
 public:
  TextScorer(Shards shards, Ngram text, const ScoreOptions& options, const Execution& execution)
      : shards_(shards),
        text_(text),
        options_(options),
        execution_(execution),
        total_(total_counts(shards)),
        num_rows_(text.size()),
        matches_(shards, text, execution) {}

  TextScores scores() {
    choose_prompts();
    list_parts();
    intervals_ = matches_.find(parts_, execution_);
    TextScores scores;
    scores.prompt_counts.resize(num_rows_);
    scores.continuation_counts.resize(num_rows_);
    scores.suffix_lengths.resize(num_rows_);
    for (std::size_t row = 0; row < num_rows_; ++row) {
      poll_at(row);
      if (!is_asked(row)) continue;
      scores.suffix_lengths[row] = static_cast<std::int64_t>(prompts_[row].length);
      scores.prompt_counts[row] = static_cast<std::int64_t>(prompt_count(row));
      scores.continuation_counts[row] = static_cast<std::int64_t>(continuation_count(row));
    }
    mark_sparse(scores);
    if (options_.top_k > 0) list_most_frequent(scores);
    return scores;
  }

 private:
  void poll_at(std::size_t row) const {
    if (row % kRowsPerPoll == 0) execution_.stop.poll();
  }

  static constexpr std::size_t kNone = ~std::size_t{0};

  bool is_asked(std::size_t row) const { return options_.end || text_[row] != kDocumentEnd; }

  // The prompt of row i is the longest suffix of text[.. i) that occurs: it begins at the first position whose longest
  // match reaches i. That position never moves back.
  void choose_prompts() {
    prompts_.resize(num_rows_);
    std::uint64_t begin = 0;
    for (std::size_t row = 0; row < num_rows_; ++row) {
      poll_at(row);
      while (begin < row && begin + matches_.length(begin) < row) ++begin;
      std::uint64_t length = row - begin;
      if (options_.order) length = std::min(length, *options_.order - 1);
      prompts_[row] = {row - length, length};
    }
  }

  // Lists the parts of the text that have to be counted, each once: the prompts, and each prompt with its continuation,
  // which mostly is the next row's prompt.
  void list_parts() {
    prompt_parts_.assign(num_rows_, kNone);
    continuation_parts_.assign(num_rows_, kNone);
    for (std::size_t row = 0; row < num_rows_; ++row) {
      poll_at(row);
      if (!is_asked(row)) continue;
      const TextMatches::Part& prompt = prompts_[row];
      if (prompt.length > 0) prompt_parts_[row] = part_number(prompt);
      if (matches_.length(prompt.begin) <= prompt.length) continue;
      continuation_parts_[row] = part_number({prompt.begin, prompt.length + 1});
    }
  }

  // A part is asked for in a row or in the one before, so it is the last one listed, or new.
  std::size_t part_number(const TextMatches::Part& part) {
    if (!parts_.empty() && parts_.back().begin == part.begin && parts_.back().length == part.length) {
      return parts_.size() - 1;
    }
    parts_.push_back(part);
    return parts_.size() - 1;
  }

  std::uint64_t part_count(std::size_t number) const {
    std::uint64_t sum = 0;
    for (const auto& intervals : intervals_) sum += intervals[number].size();
    return sum;
  }

  std::uint64_t prompt_count(std::size_t row) const {
    if (prompts_[row].length == 0) return total_.num_tokens + total_.num_documents;
    return part_count(prompt_parts_[row]);
  }

  std::uint64_t continuation_count(std::size_t row) const {
    if (continuation_parts_[row] != kNone) return part_count(continuation_parts_[row]);
    if (text_[row] != kDocumentEnd) return 0;
    if (prompts_[row].length == 0) return total_.num_documents;
    std::uint64_t sum = 0;
    for (std::size_t s = 0; s < shards_.size(); ++s) {
      sum += shards_[s]->narrow(intervals_[s][prompt_parts_[row]], prompts_[row].length, kDocumentEnd).size();
    }
    return sum;
  }

  // The counts settle most rows; in the others, the first and the last continuation of each shard are compared, or all
  // if they are in no order.
  void mark_sparse(TextScores& scores) const {
    scores.sparse.assign(num_rows_, 0);
    std::vector<std::size_t> open;
    for (std::size_t row = 0; row < num_rows_; ++row) {
      poll_at(row);
      if (!is_asked(row)) continue;
      const bool is_certain =
          scores.prompt_counts[row] == 1 || scores.prompt_counts[row] == scores.continuation_counts[row];
      if (is_certain) {
        scores.sparse[row] = 1;
      } else if (scores.continuation_counts[row] == 0 && prompts_[row].length > 0) {
        open.push_back(row);
      } else if (prompts_[row].length == 0) {
        scores.sparse[row] = total_.num_tokens == 0 ? 1 : 0;
      }
    }
    std::vector<Symbol> only(open.size());
    std::vector<bool> has_one(open.size(), false);
    std::vector<bool> has_two(open.size(), false);
    std::vector<Rank> ranks;
    std::vector<std::uint64_t> depths;
    std::vector<std::size_t> owners;
    std::vector<Symbol> symbols;
    std::vector<Continuation> listed;
    const auto take = [&](std::size_t k, Symbol symbol) {
      if (has_one[k] && only[k] != symbol) has_two[k] = true;
      has_one[k] = true;
      only[k] = symbol;
    };
    for (std::size_t s = 0; s < shards_.size(); ++s) {
      ranks.clear();
      depths.clear();
      owners.clear();
      for (std::size_t k = 0; k < open.size(); ++k) {
        const Interval& interval = intervals_[s][prompt_parts_[open[k]]];
        if (interval.empty()) continue;
        const std::uint64_t depth = prompts_[open[k]].length;
        if (!shards_[s]->has_ordered_continuations(interval, depth)) {
          execution_.stop.poll();
          listed.clear();
          if (!has_two[k]) shards_[s]->continuations(interval, depth, listed);
          for (const Continuation& continuation : listed) take(k, continuation.symbol);
          continue;
        }
        for (const Rank rank : {interval.begin, interval.end - 1}) {
          ranks.push_back(rank);
          depths.push_back(depth);
          owners.push_back(k);
        }
      }
      symbols.resize(ranks.size());
      shards_[s]->symbols_after(ranks, depths, symbols);
      for (std::size_t i = 0; i < symbols.size(); ++i) take(owners[i], symbols[i]);
    }
    for (std::size_t k = 0; k < open.size(); ++k) scores.sparse[open[k]] = has_two[k] ? 0 : 1;
  }

  void list_most_frequent(TextScores& scores) const {
    scores.top.assign(num_rows_ * options_.top_k, Continuation{});
    const std::vector<Continuation> unigrams = most_frequent_continuations(shards_, {}, 0, options_.top_k);
    run_parallel((num_rows_ + kRowsPerItem - 1) / kRowsPerItem, execution_.threads, execution_.stop,
                 [&](std::size_t item) {
                   const std::size_t end = std::min(num_rows_, (item + 1) * kRowsPerItem);
                   ShardIntervals intervals(shards_.size());
                   for (std::size_t row = item * kRowsPerItem; row < end; ++row) {
                     if (!is_asked(row)) continue;
                     std::vector<Continuation> found;
                     if (prompts_[row].length > 0) {
                       for (std::size_t s = 0; s < shards_.size(); ++s) {
                         intervals[s] = intervals_[s][prompt_parts_[row]];
                       }
                       found = most_frequent_continuations(shards_, intervals, prompts_[row].length, options_.top_k);
                     }
                     const auto& top = prompts_[row].length > 0 ? found : unigrams;
                     std::ranges::copy(top, scores.top.begin() + static_cast<std::ptrdiff_t>(row * options_.top_k));
                   }
                 });
  }

  Shards shards_;
  Ngram text_;
  ScoreOptions options_;
  Execution execution_;
  ShardCounts total_;
  std::size_t num_rows_;
  TextMatches matches_;
  std::vector<TextMatches::Part> prompts_;
  std::vector<TextMatches::Part> parts_;
  std::vector<std::size_t> prompt_parts_;         // by row; kNone for the empty prompt
  std::vector<std::size_t> continuation_parts_;   // by row; kNone where it does not occur
  std::vector<std::vector<Interval>> intervals_;  // by shard, then by part
};

TextScores rows_of(const TextScores& scores, std::size_t first, std::size_t size, std::uint64_t top_k) {
  const auto part = [](const auto& column, std::size_t begin, std::size_t length) {
    const auto from = column.begin() + static_cast<std::ptrdiff_t>(begin);
    return std::decay_t<decltype(column)>(from, from + static_cast<std::ptrdiff_t>(length));
  };
  return {.prompt_counts = part(scores.prompt_counts, first, size),
          .continuation_counts = part(scores.continuation_counts, first, size),
          .suffix_lengths = part(scores.suffix_lengths, first, size),
          .sparse = part(scores.sparse, first, size),
          .top = part(scores.top, first * top_k, size * top_k)};
}

}  // namespace

TextScores score(Shards shards, Ngram text, const ScoreOptions& options, const Execution& execution) {
  if (!options.end) return TextScorer(shards, text, options, execution).scores();
  const JoinedTexts joined({&text, 1});
  return TextScorer(shards, joined.symbols(), options, execution).scores();
}

std::vector<TextScores> score_batch(Shards shards, const NgramList& texts, const ScoreOptions& options,
                                    const Execution& execution) {
  std::vector<TextScores> results(texts.size());
  for_joined_texts(texts, execution, [&](std::size_t first, const JoinedTexts& joined, const Execution& own) {
    const TextScores scores = TextScorer(shards, joined.symbols(), options, own).scores();
    for (std::size_t i = 0; i < joined.size(); ++i) {
      results[first + i] = rows_of(scores, joined.begin(i), joined.length(i) + (options.end ? 1 : 0), options.top_k);
    }
  });
  return results;
}

}  // namespace anygram
