#include <optional>

#include <pybind11/stl.h>

#include "arrays.hpp"
#include "direct_call.hpp"
#include "families.hpp"
#include "running.hpp"
#include "tokens.hpp"

namespace anygram::bindings {
namespace {

namespace py = pybind11;

// The symbols as the ids that Python knows, and one more for the end if there is to be one.
py::object tokens_of(Ngram text, bool end) {
  return array_of<std::int64_t>(text.size() + (end ? 1 : 0),
                                [&](std::size_t i) { return token_of(i < text.size() ? text[i] : kDocumentEnd); });
}

// (tokens, probs, prompt_counts, continuation_counts, suffix_lengths, sparse, top_tokens, top_probs); the last two are
// None if they were not asked for.
py::object answer_of(Ngram text, const TextScores& scores, const ScoreOptions& options) {
  const std::size_t rows = scores.prompt_counts.size();
  const std::size_t top_k = options.top_k;
  py::object top_tokens = py::none();
  py::object top_probs = py::none();
  if (top_k > 0) {
    top_tokens =
        array_of<std::int64_t>(scores.top.size(), [&](std::size_t i) { return token_of(scores.top[i].symbol); }, top_k);
    top_probs = array_of<double>(
        scores.top.size(),
        [&](std::size_t i) {
          return ratio(scores.top[i].count, static_cast<std::uint64_t>(scores.prompt_counts[i / top_k]));
        },
        top_k);
  }
  const auto prob = [&](std::size_t i) {
    return ratio(static_cast<std::uint64_t>(scores.continuation_counts[i]),
                 static_cast<std::uint64_t>(scores.prompt_counts[i]));
  };
  return tuple_from(tokens_of(text, options.end), array_of<double>(rows, prob), array_of(scores.prompt_counts),
                    array_of(scores.continuation_counts), array_of(scores.suffix_lengths),
                    array_of<bool>(rows, [&](std::size_t i) { return scores.sparse[i] != 0; }), std::move(top_tokens),
                    std::move(top_probs));
}

// (lengths, counts, tokens)
py::object answer_of(Ngram text, const MatchLengths& matches) {
  return tuple_from(array_of(matches.lengths), array_of(matches.counts), tokens_of(text, false));
}

// (begins, ends, counts, tokens)
py::object answer_of(Ngram text, const std::vector<Span>& spans) {
  const auto column = [&](std::int64_t Span::* field) {
    return array_of<std::int64_t>(spans.size(), [&](std::size_t i) { return spans[i].*field; });
  };
  return tuple_from(column(&Span::begin), column(&Span::end), column(&Span::count), tokens_of(text, false));
}

// Puts a question to one text, all threads at its service. The last arguments are those of answer_of after the answer.
template <class Ask, class... Options>
py::object ask(const Index& index, const py::object& tokens, const Ask& question, const Options&... options) {
  const Symbols text(tokens);
  const auto answer = run_released([&](StopSignal& stop) { return question(Ngram(text), index.execution(stop)); });
  return answer_of(text, answer, options...);
}

// Puts it to many texts.
template <class Ask, class... Options>
py::list ask_batch(const Index& index, const Ngrams& texts, const Ask& question, const Options&... options) {
  const auto answers = run_released([&](StopSignal& stop) { return question(texts.list(), index.execution(stop)); });
  py::list result(answers.size());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const NgramBlock text(texts.list(), i, 1);
    result[i] = answer_of(text.ngrams()[0], answers[i], options...);
  }
  return result;
}

}  // namespace

void bind_texts(IndexClass& index) {
  index
      .def(
          "score",
          [](const Index& self, const py::object& tokens, std::optional<std::uint64_t> order, std::uint64_t top_k,
             bool end) {
            const ScoreOptions options{.order = order, .top_k = top_k, .end = end};
            return ask(
                self, tokens,
                [&](Ngram text, const Execution& execution) { return score(self.shards(), text, options, execution); },
                options);
          },
          py::arg("tokens"), py::arg("order"), py::arg("top_k"), py::arg("end"))
      .def(
          "score_batch",
          [](const Index& self, const Ngrams& texts, std::optional<std::uint64_t> order, std::uint64_t top_k,
             bool end) {
            const ScoreOptions options{.order = order, .top_k = top_k, .end = end};
            return ask_batch(
                self, texts,
                [&](const NgramList& list, const Execution& execution) {
                  return score_batch(self.shards(), list, options, execution);
                },
                options);
          },
          py::arg("texts"), py::arg("order"), py::arg("top_k"), py::arg("end"))
      .def(
          "longest_matches",
          [](const Index& self, const py::object& tokens, std::uint64_t min_count) {
            return ask(self, tokens, [&](Ngram text, const Execution& execution) {
              return longest_matches(self.shards(), text, min_count, execution);
            });
          },
          py::arg("tokens"), py::arg("min_count"))
      .def(
          "longest_matches_batch",
          [](const Index& self, const Ngrams& texts, std::uint64_t min_count) {
            return ask_batch(self, texts, [&](const NgramList& list, const Execution& execution) {
              return longest_matches_batch(self.shards(), list, min_count, execution);
            });
          },
          py::arg("texts"), py::arg("min_count"))
      .def(
          "spans",
          [](const Index& self, const py::object& tokens, std::uint64_t min_length,
             std::optional<std::uint64_t> max_count) {
            const SpanBounds bounds{.min_length = min_length, .max_count = max_count};
            return ask(self, tokens, [&](Ngram text, const Execution& execution) {
              return maximal_spans(self.shards(), text, bounds, execution);
            });
          },
          py::arg("tokens"), py::arg("min_length"), py::arg("max_count"))
      .def(
          "spans_batch",
          [](const Index& self, const Ngrams& texts, std::uint64_t min_length, std::optional<std::uint64_t> max_count) {
            const SpanBounds bounds{.min_length = min_length, .max_count = max_count};
            return ask_batch(self, texts, [&](const NgramList& list, const Execution& execution) {
              return maximal_spans_batch(self.shards(), list, bounds, execution);
            });
          },
          py::arg("texts"), py::arg("min_length"), py::arg("max_count"));
}

}  // namespace anygram::bindings
