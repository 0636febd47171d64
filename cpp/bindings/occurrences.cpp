#include <pybind11/stl.h>

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

}  // namespace

void bind_occurrences(IndexClass& index) {
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
          [](const Index& self, std::uint64_t shard, std::uint64_t rank) {
            return tuple_of(
                run_released([&](StopSignal&) { return locate(self.shards(), self.documents(), shard, rank); }));
          },
          py::arg("shard"), py::arg("rank"))
      .def(
          "document_count",
          [](const Index& self, const py::object& ngram) {
            const Symbols symbols(ngram);
            return run_released([&](StopSignal& stop) {
              return count_documents(self.shards(), find(self.shards(), symbols), self.execution(stop));
            });
          },
          py::arg("ngram"))
      .def(
          "document_count_batch",
          [](const Index& self, const Ngrams& ngrams) {
            NewArray<std::int64_t> counts(ngrams.size());
            run_released([&](StopSignal& stop) {
              count_documents_batch(self.shards(), ngrams.list(), self.execution(stop), counts.elements());
            });
            return std::move(counts).frozen();
          },
          py::arg("ngrams"))
      .def(
          "list_documents",
          [](const Index& self, const IntervalPairs& pairs) {
            const auto found = run_released([&](StopSignal& stop) {
              return list_documents(self.shards(), self.documents(), intervals_of(pairs), self.execution(stop));
            });
            const auto column = [&](std::uint64_t DocumentCount::* field) {
              return array_of<std::int64_t>(found.size(),
                                            [&](std::size_t i) { return static_cast<std::int64_t>(found[i].*field); });
            };
            return py::make_tuple(column(&DocumentCount::document), column(&DocumentCount::count));
          },
          py::arg("intervals"))
      .def(
          "sample",
          [](const Index& self, const IntervalPairs& pairs, std::uint64_t size, std::uint64_t seed) {
            const auto drawn = run_released([&](StopSignal& stop) {
              return sample(self.shards(), self.documents(), intervals_of(pairs), size, seed, self.execution(stop));
            });
            py::list result;
            for (const Occurrence& occurrence : drawn) result.append(tuple_of(occurrence));
            return result;
          },
          py::arg("intervals"), py::arg("size"), py::arg("seed"))
      .def(
          "document_tokens",
          [](const Index& self, std::uint64_t number, std::uint64_t begin, std::uint64_t end) {
            const std::vector<Symbol> symbols = run_released(
                [&](StopSignal&) { return document_symbols(self.shards(), self.documents(), number, begin, end); });
            return array_of<std::int64_t>(symbols.size(), [&](std::size_t i) { return token_of(symbols[i]); });
          },
          py::arg("number"), py::arg("begin"), py::arg("end"))
      .def("shard_of", [](const Index& self, std::uint64_t number) {
        const std::size_t shard = self.documents().shard_of(number);
        return std::pair(shard, number - self.documents().first(shard));
      });
}

}  // namespace anygram::bindings
