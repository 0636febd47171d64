#include <optional>

#include <pybind11/stl.h>

#include <anygram/base/error.hpp>

#include "arrays.hpp"
#include "direct_call.hpp"
#include "families.hpp"
#include "running.hpp"
#include "tokens.hpp"

namespace anygram::bindings {
namespace {

namespace py = pybind11;

// (ngram) -> count
py::object count_of(const Index& index, Arguments arguments) {
  const Symbols ngram(arguments[0]);
  const Shards shards = index.shards();
  return python_int(run_brief(ngram.size(), shards.size(), [&] { return count(shards, ngram); }));
}

py::object counts_of(const Index& index, const Ngrams& ngrams) {
  NewArray<std::int64_t> counts(ngrams.size());
  run_released(
      [&](StopSignal& stop) { count_batch(index.shards(), ngrams.list(), index.execution(stop), counts.elements()); });
  return std::move(counts).frozen();
}

// (prompt, token, backoff) -> (prob, prompt_count, continuation_count, suffix_length)
py::object probability_of(const Index& index, Arguments arguments) {
  const Symbols prompt(arguments[0]);
  const Symbol continuation = continuation_of(arguments[1]);
  const bool backoff = is_true(arguments[2]);
  const Shards shards = index.shards();
  const ProbabilityCounts counts =
      run_brief(prompt.size(), shards.size(), [&] { return probability(shards, prompt, continuation, backoff); });
  return tuple_from(py::float_(ratio(counts.continuation_count, counts.prompt_count)), python_int(counts.prompt_count),
                    python_int(counts.continuation_count), python_int(counts.suffix_length));
}

// (probs, prompt_counts, continuation_counts, suffix_lengths)
py::object probabilities_of(const Index& index, const Ngrams& prompts, const py::iterable& tokens, bool backoff) {
  std::vector<Symbol> continuations;
  for (const py::handle token : tokens) continuations.push_back(continuation_of(token));
  const std::size_t size = prompts.size();
  if (continuations.size() != size) {
    throw Error(ErrorCode::kInvalidQuery, "expected a token for each of " + std::to_string(size) + " prompts, found " +
                                              std::to_string(continuations.size()));
  }
  std::vector<ProbabilityCounts> counts(size);
  run_released([&](StopSignal& stop) {
    probability_batch(index.shards(), prompts.list(), continuations, backoff, index.execution(stop), counts);
  });
  const auto column = [&](std::uint64_t ProbabilityCounts::* field) {
    return array_of<std::int64_t>(size, [&](std::size_t i) { return static_cast<std::int64_t>(counts[i].*field); });
  };
  return tuple_from(
      array_of<double>(size,
                       [&](std::size_t i) { return ratio(counts[i].continuation_count, counts[i].prompt_count); }),
      column(&ProbabilityCounts::prompt_count), column(&ProbabilityCounts::continuation_count),
      column(&ProbabilityCounts::suffix_length));
}

// (tokens, counts, probs, prompt_count, suffix_length, num_distinct)
py::object tuple_of(const Continuations& found) {
  const std::vector<Continuation>& rows = found.continuations;
  return tuple_from(
      array_of<std::int64_t>(rows.size(), [&](std::size_t i) { return token_of(rows[i].symbol); }),
      array_of<std::int64_t>(rows.size(), [&](std::size_t i) { return static_cast<std::int64_t>(rows[i].count); }),
      array_of<double>(rows.size(), [&](std::size_t i) { return ratio(rows[i].count, found.prompt_count); }),
      python_int(found.prompt_count), python_int(found.suffix_length), python_int(found.num_distinct));
}

// (prompt, backoff, top_k) -> the same
py::object continuations_of(const Index& index, Arguments arguments) {
  const Symbols prompt(arguments[0]);
  const bool backoff = is_true(arguments[1]);
  const std::optional<std::uint64_t> top_k = optional_number(arguments[2]);
  const Shards shards = index.shards();
  return tuple_of(run_released([&](StopSignal&) { return continuations(shards, prompt, backoff, top_k); }));
}

}  // namespace

void bind_counting(IndexClass& index) {
  index.def(py::init([](const std::vector<std::shared_ptr<Shard>>& shards, unsigned threads) {
              return std::make_shared<Index>(std::vector<std::shared_ptr<const Shard>>(shards.begin(), shards.end()),
                                             threads);
            }),
            py::arg("shards"), py::arg("threads"));
  add_direct_method<&count_of, 1>(index, "count");
  index.def("count_batch", &counts_of, py::arg("ngrams"));
  add_direct_method<&probability_of, 3>(index, "probability");
  index.def("probability_batch", &probabilities_of, py::arg("prompts"), py::arg("tokens"), py::arg("backoff"));
  add_direct_method<&continuations_of, 3>(index, "continuations");
  index.def(
      "continuations_batch",
      [](const Index& self, const Ngrams& prompts, bool backoff, std::optional<std::uint64_t> top_k) {
        const auto found = run_released([&](StopSignal& stop) {
          return continuations_batch(self.shards(), prompts.list(), backoff, top_k, self.execution(stop));
        });
        py::list result(found.size());
        for (std::size_t i = 0; i < found.size(); ++i) result[i] = tuple_of(found[i]);
        return result;
      },
      py::arg("prompts"), py::arg("backoff"), py::arg("top_k"));
}

}  // namespace anygram::bindings
