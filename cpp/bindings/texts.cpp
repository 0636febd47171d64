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

// (prompt_counts, continuation_counts, suffix_lengths, sparse, top_tokens, top_counts); the last two are flat.
py::tuple tuple_of(TextScores&& scores) {
  std::vector<std::int64_t> top_tokens;
  std::vector<std::int64_t> top_counts;
  for (const Continuation& continuation : scores.top) {
    top_tokens.push_back(token_of(continuation.symbol));
    top_counts.push_back(static_cast<std::int64_t>(continuation.count));
  }
  return py::make_tuple(to_array(std::move(scores.prompt_counts)), to_array(std::move(scores.continuation_counts)),
                        to_array(std::move(scores.suffix_lengths)), to_array(std::move(scores.sparse)),
                        to_array(std::move(top_tokens)), to_array(std::move(top_counts)));
}

// (lengths, counts)
py::tuple tuple_of(MatchLengths&& matches) {
  return py::make_tuple(to_array(std::move(matches.lengths)), to_array(std::move(matches.counts)));
}

// (begins, ends, counts) of the spans within the bounds.
py::tuple tuple_of(const std::vector<Span>& spans, std::int64_t min_length, std::optional<std::int64_t> max_count) {
  std::vector<std::int64_t> begins;
  std::vector<std::int64_t> ends;
  std::vector<std::int64_t> counts;
  for (const Span& span : spans) {
    if (span.end - span.begin < min_length || (max_count && span.count > *max_count)) continue;
    begins.push_back(span.begin);
    ends.push_back(span.end);
    counts.push_back(span.count);
  }
  return py::make_tuple(to_array(std::move(begins)), to_array(std::move(ends)), to_array(std::move(counts)));
}

// Puts a question to one text, all threads at its service.
template <class Ask>
auto ask(const Index& index, const py::object& tokens, const Ask& question) {
  const std::vector<Symbol> text = symbols_of(tokens);
  return run_released([&](StopSignal& stop) { return question(Ngram(text), index.execution(stop)); });
}

// Puts it to many texts, which the threads share out among them.
template <class Ask>
auto ask_batch(const Index& index, const Ngrams& texts, const Ask& question) {
  const NgramList list = texts.list();
  std::vector<decltype(question(Ngram{}, std::declval<const Execution&>()))> answers(list.size());
  run_released([&](StopSignal& stop) {
    run_parallel(list.size(), index.execution(stop).threads, stop,
                 [&](std::size_t i) { answers[i] = question(list[i], Execution{1, stop}); });
  });
  return answers;
}

template <class Answers, class Convert>
py::list list_of(Answers&& answers, const Convert& convert) {
  py::list result;
  for (auto& answer : answers) result.append(convert(std::move(answer)));
  return result;
}

auto scoring(const Index& index, std::optional<std::uint64_t> order, std::uint64_t top_k, bool end) {
  if (order && *order == 0)
    throw Error(ErrorCode::kInvalidQuery, "the order of an n-gram model is at least 1, found 0");
  return [&index, options = ScoreOptions{.order = order, .top_k = top_k, .end = end}](
             Ngram text, const Execution& execution) { return score(index.shards(), text, options, execution); };
}

auto matching(const Index& index, std::uint64_t min_count) {
  if (min_count == 0) throw Error(ErrorCode::kInvalidQuery, "min_count is at least 1, found 0");
  return [&index, min_count](Ngram text, const Execution& execution) {
    return longest_matches(index.shards(), text, min_count, execution);
  };
}

auto spanning(const Index& index) {
  return [&index](Ngram text, const Execution& execution) {
    return maximal_spans(longest_matches(index.shards(), text, 1, execution));
  };
}

}  // namespace

void bind_texts(IndexClass& index) {
  index
      .def(
          "score",
          [](const Index& self, const py::object& tokens, std::optional<std::uint64_t> order, std::uint64_t top_k,
             bool end) { return tuple_of(ask(self, tokens, scoring(self, order, top_k, end))); },
          py::arg("tokens"), py::arg("order"), py::arg("top_k"), py::arg("end"))
      .def(
          "score_batch",
          [](const Index& self, const Ngrams& texts, std::optional<std::uint64_t> order, std::uint64_t top_k,
             bool end) {
            return list_of(ask_batch(self, texts, scoring(self, order, top_k, end)),
                           [](TextScores&& scores) { return tuple_of(std::move(scores)); });
          },
          py::arg("texts"), py::arg("order"), py::arg("top_k"), py::arg("end"))
      .def(
          "longest_matches",
          [](const Index& self, const py::object& tokens, std::uint64_t min_count) {
            return tuple_of(ask(self, tokens, matching(self, min_count)));
          },
          py::arg("tokens"), py::arg("min_count"))
      .def(
          "longest_matches_batch",
          [](const Index& self, const Ngrams& texts, std::uint64_t min_count) {
            return list_of(ask_batch(self, texts, matching(self, min_count)),
                           [](MatchLengths&& matches) { return tuple_of(std::move(matches)); });
          },
          py::arg("texts"), py::arg("min_count"))
      .def(
          "spans",
          [](const Index& self, const py::object& tokens, std::int64_t min_length,
             std::optional<std::int64_t> max_count) {
            return tuple_of(ask(self, tokens, spanning(self)), min_length, max_count);
          },
          py::arg("tokens"), py::arg("min_length"), py::arg("max_count"))
      .def(
          "spans_batch",
          [](const Index& self, const Ngrams& texts, std::int64_t min_length, std::optional<std::int64_t> max_count) {
            return list_of(ask_batch(self, texts, spanning(self)),
                           [&](const std::vector<Span>& spans) { return tuple_of(spans, min_length, max_count); });
          },
          py::arg("texts"), py::arg("min_length"), py::arg("max_count"));
}

}  // namespace anygram::bindings
