#include <optional>

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <anygram/base/error.hpp>

#include "families.hpp"
#include "running.hpp"
#include "tokens.hpp"

namespace anygram::bindings {
namespace {

namespace py = pybind11;

// (prompt_count, continuation_count, suffix_length)
py::tuple probability_of(const Index& index, const py::object& prompt, const py::object& token, bool backoff) {
  const std::vector<Symbol> symbols = symbols_of(prompt);
  const Symbol continuation = continuation_of(token);
  const ProbabilityCounts counts =
      run_released([&](StopSignal&) { return probability(index.shards(), symbols, continuation, backoff); });
  return py::make_tuple(counts.prompt_count, counts.continuation_count, counts.suffix_length);
}

// The same as three arrays.
py::tuple probabilities_of(const Index& index, const Ngrams& prompts, const py::iterable& tokens, bool backoff) {
  std::vector<Symbol> continuations;
  for (const py::handle token : tokens) continuations.push_back(continuation_of(token));
  const std::size_t size = prompts.list().size();
  if (continuations.size() != size) {
    throw Error(ErrorCode::kInvalidQuery, "expected a token for each of " + std::to_string(size) + " prompts, found " +
                                              std::to_string(continuations.size()));
  }
  std::vector<ProbabilityCounts> counts(size);
  run_released([&](StopSignal& stop) {
    probability_batch(index.shards(), prompts.list(), continuations, backoff, index.execution(stop), counts);
  });
  const auto column = [&](std::uint64_t ProbabilityCounts::* field) {
    std::vector<std::int64_t> values(size);
    for (std::size_t i = 0; i < size; ++i) values[i] = static_cast<std::int64_t>(counts[i].*field);
    return to_array(std::move(values));
  };
  return py::make_tuple(column(&ProbabilityCounts::prompt_count), column(&ProbabilityCounts::continuation_count),
                        column(&ProbabilityCounts::suffix_length));
}

// (tokens, counts, prompt_count, suffix_length, num_distinct)
py::tuple tuple_of(const Continuations& found) {
  std::vector<std::int64_t> tokens;
  std::vector<std::int64_t> counts;
  tokens.reserve(found.continuations.size());
  counts.reserve(found.continuations.size());
  for (const Continuation& continuation : found.continuations) {
    tokens.push_back(token_of(continuation.symbol));
    counts.push_back(static_cast<std::int64_t>(continuation.count));
  }
  return py::make_tuple(to_array(std::move(tokens)), to_array(std::move(counts)), found.prompt_count,
                        found.suffix_length, found.num_distinct);
}

}  // namespace

void bind_counting(IndexClass& index) {
  index
      .def(py::init([](const std::vector<std::shared_ptr<Shard>>& shards, unsigned threads) {
             return std::make_shared<Index>(std::vector<std::shared_ptr<const Shard>>(shards.begin(), shards.end()),
                                            threads);
           }),
           py::arg("shards"), py::arg("threads"))
      .def(
          "count",
          [](const Index& self, const py::object& ngram) {
            const std::vector<Symbol> symbols = symbols_of(ngram);
            return run_released([&](StopSignal&) { return count(self.shards(), symbols); });
          },
          py::arg("ngram"))
      .def(
          "count_batch",
          [](const Index& self, const Ngrams& ngrams) {
            std::vector<std::int64_t> counts(ngrams.list().size());
            run_released(
                [&](StopSignal& stop) { count_batch(self.shards(), ngrams.list(), self.execution(stop), counts); });
            return to_array(std::move(counts));
          },
          py::arg("ngrams"))
      .def("probability", &probability_of, py::arg("prompt"), py::arg("token"), py::arg("backoff"))
      .def("probability_batch", &probabilities_of, py::arg("prompts"), py::arg("tokens"), py::arg("backoff"))
      .def(
          "continuations",
          [](const Index& self, const py::object& prompt, bool backoff, std::optional<std::uint64_t> top_k) {
            const std::vector<Symbol> symbols = symbols_of(prompt);
            return tuple_of(
                run_released([&](StopSignal&) { return continuations(self.shards(), symbols, backoff, top_k); }));
          },
          py::arg("prompt"), py::arg("backoff"), py::arg("top_k"))
      .def(
          "continuations_batch",
          [](const Index& self, const Ngrams& prompts, bool backoff, std::optional<std::uint64_t> top_k) {
            const NgramList list = prompts.list();
            std::vector<Continuations> found(list.size());
            run_released([&](StopSignal& stop) {
              run_parallel(list.size(), self.execution(stop).threads, stop,
                           [&](std::size_t i) { found[i] = continuations(self.shards(), list[i], backoff, top_k); });
            });
            py::list result;
            for (const Continuations& one : found) result.append(tuple_of(one));
            return result;
          },
          py::arg("prompts"), py::arg("backoff"), py::arg("top_k"));
}

}  // namespace anygram::bindings
