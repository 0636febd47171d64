#include <algorithm>

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

// Intervals as Python holds them: a list of (begin, end), one for each shard.
using IntervalPairs = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

ShardIntervals intervals_of(const IntervalPairs& pairs) {
  ShardIntervals intervals;
  intervals.reserve(pairs.size());
  for (const auto& [begin, end] : pairs) intervals.push_back({begin, end});
  return intervals;
}

py::list list_of(std::span<const Interval> intervals) {
  py::list pairs(intervals.size());
  for (std::size_t s = 0; s < intervals.size(); ++s) {
    pairs[s] = tuple_from(python_int(intervals[s].begin), python_int(intervals[s].end));
  }
  return pairs;
}

py::tuple tuple_of(const Occurrence& occurrence) {
  return py::make_tuple(occurrence.document, occurrence.offset, occurrence.shard, occurrence.rank, occurrence.position);
}

py::list list_of(const std::vector<Occurrence>& occurrences) {
  py::list result(occurrences.size());
  for (std::size_t i = 0; i < occurrences.size(); ++i) result[i] = tuple_of(occurrences[i]);
  return result;
}

// Counts of many n-grams, from the core's function.
template <auto CountBatch>
py::object counts_of(const Index& index, const Ngrams& ngrams, const DocumentFilter* filter) {
  NewArray<std::int64_t> counts(ngrams.size());
  run_released([&](StopSignal& stop) {
    CountBatch(index.shards(), ngrams.list(), filter, index.execution(stop), counts.elements());
  });
  return std::move(counts).frozen();
}

// The count of one, from the core's function.
template <auto Count>
std::uint64_t count_of(const Index& index, const py::object& ngram, const DocumentFilter* filter) {
  const Symbols symbols(ngram);
  return run_released([&](StopSignal& stop) {
    return Count(index.shards(), find(index.shards(), symbols), filter, index.execution(stop));
  });
}

using Int64Array = py::array_t<std::int64_t, py::array::c_style | py::array::forcecast>;

// (tokens, offsets) of the tokens [begins[i], ends[i]) of the documents numbers[i], cut where they end.
py::object tokens_of_spans(const Index& index, const Int64Array& numbers, const Int64Array& begins,
                           const Int64Array& ends) {
  const auto size = static_cast<std::size_t>(numbers.size());
  if (static_cast<std::size_t>(begins.size()) != size || static_cast<std::size_t>(ends.size()) != size) {
    throw Error(ErrorCode::kInvalidQuery, "as many begins and ends as numbers of documents");
  }
  std::vector<DocumentSpan> spans(size);
  const auto number = [](std::int64_t value) { return static_cast<std::uint64_t>(std::max<std::int64_t>(0, value)); };
  for (std::size_t i = 0; i < size; ++i) {
    // A negative number of a document is none that exists.
    spans[i] = {static_cast<std::uint64_t>(numbers.data()[i]), number(begins.data()[i]), number(ends.data()[i])};
  }
  const SpanSymbols found = run_released(
      [&](StopSignal& stop) { return span_symbols(index.shards(), index.documents(), spans, index.execution(stop)); });
  return tuple_from(
      array_of<std::int64_t>(found.symbols.size(), [&](std::size_t i) { return token_of(found.symbols[i]); }),
      array_of<std::int64_t>(found.begins.size(),
                             [&](std::size_t i) { return static_cast<std::int64_t>(found.begins[i]); }));
}

}  // namespace

void bind_occurrences(py::module_& module, IndexClass& index) {
  py::class_<SelectedOccurrences>(module, "SelectedOccurrences")
      .def("__len__", &SelectedOccurrences::size)
      .def(
          "list",
          [](const SelectedOccurrences& self, std::uint64_t begin, std::uint64_t end) {
            return list_of(run_released([&](StopSignal& stop) { return self.list(begin, end, stop); }));
          },
          py::arg("begin"), py::arg("end"));
  index
      .def(
          "find",
          [](const Index& self, const py::object& ngram) {
            const Symbols symbols(ngram);
            return list_of(
                run_brief(symbols.size(), self.shards().size(), [&] { return find(self.shards(), symbols); }));
          },
          py::arg("ngram"))
      .def(
          "find_batch",
          [](const Index& self, const Ngrams& ngrams) {
            const std::vector<Interval> intervals = run_released(
                [&](StopSignal& stop) { return find_batch(self.shards(), ngrams.list(), self.execution(stop)); });
            const std::size_t num_shards = self.shards().size();
            py::list result(ngrams.size());
            for (std::size_t i = 0; i < result.size(); ++i) {
              result[i] = list_of(std::span(intervals).subspan(i * num_shards, num_shards));
            }
            return result;
          },
          py::arg("ngrams"))
      .def(
          "locate",
          [](const Index& self, std::uint64_t shard, std::uint64_t rank, std::uint64_t length) {
            return tuple_of(run_released(
                [&](StopSignal&) { return locate(self.shards(), self.documents(), shard, rank, length); }));
          },
          py::arg("shard"), py::arg("rank"), py::arg("length"))
      .def("count_filtered", &count_of<&count_occurrences>, py::arg("ngram"), py::arg("chosen"))
      .def("count_filtered_batch", &counts_of<&count_occurrences_batch>, py::arg("ngrams"), py::arg("chosen"))
      .def("document_count", &count_of<&count_documents>, py::arg("ngram"), py::arg("chosen"))
      .def("document_count_batch", &counts_of<&count_documents_batch>, py::arg("ngrams"), py::arg("chosen"))
      .def(
          "list_documents",
          [](const Index& self, const IntervalPairs& pairs, const DocumentFilter* filter) {
            const auto found = run_released([&](StopSignal& stop) {
              return list_documents(self.shards(), self.documents(), intervals_of(pairs), filter, self.execution(stop));
            });
            const auto column = [&](std::uint64_t DocumentCount::* field) {
              return array_of<std::int64_t>(found.size(),
                                            [&](std::size_t i) { return static_cast<std::int64_t>(found[i].*field); });
            };
            return py::make_tuple(column(&DocumentCount::document), column(&DocumentCount::count));
          },
          py::arg("intervals"), py::arg("chosen"))
      .def(
          "select",
          [](const Index& self, const IntervalPairs& pairs, std::uint64_t length, const DocumentFilter* filter) {
            return run_released([&](StopSignal& stop) {
              return SelectedOccurrences(self.shards(), self.documents(), intervals_of(pairs), length, filter,
                                         self.execution(stop));
            });
          },
          py::arg("intervals"), py::arg("length"), py::arg("chosen"), py::keep_alive<0, 1>(), py::keep_alive<0, 4>())
      .def(
          "sample",
          [](const Index& self, const IntervalPairs& pairs, std::uint64_t length, std::uint64_t size,
             std::uint64_t seed, const DocumentFilter* filter) {
            return list_of(run_released([&](StopSignal& stop) {
              return sample(self.shards(), self.documents(), intervals_of(pairs), length, size, seed, filter,
                            self.execution(stop));
            }));
          },
          py::arg("intervals"), py::arg("length"), py::arg("size"), py::arg("seed"), py::arg("chosen"))
      .def(
          "document_tokens",
          [](const Index& self, std::uint64_t number, std::uint64_t begin, std::uint64_t end) {
            const std::vector<Symbol> symbols = run_released(
                [&](StopSignal&) { return document_symbols(self.shards(), self.documents(), number, begin, end); });
            return array_of<std::int64_t>(symbols.size(), [&](std::size_t i) { return token_of(symbols[i]); });
          },
          py::arg("number"), py::arg("begin"), py::arg("end"))
      .def("document_spans", &tokens_of_spans, py::arg("numbers"), py::arg("begins"), py::arg("ends"))
      .def("shard_of", [](const Index& self, std::uint64_t number) {
        const std::size_t shard = self.documents().shard_of(number);
        return std::pair(shard, number - self.documents().first(shard));
      });
}

}  // namespace anygram::bindings
