#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <anygram/base/error.hpp>

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

py::tuple tuple_of(const Occurrence& occurrence) {
  return py::make_tuple(occurrence.document, occurrence.offset, occurrence.shard, occurrence.rank, occurrence.position);
}

}  // namespace

void bind_occurrences(IndexClass& index) {
  index
      .def(
          "find",
          [](const Index& self, const py::object& ngram) {
            const std::vector<Symbol> symbols = symbols_of(ngram);
            const ShardIntervals intervals = run_released([&](StopSignal&) { return find(self.shards(), symbols); });
            IntervalPairs pairs;
            for (const Interval& interval : intervals) pairs.emplace_back(interval.begin, interval.end);
            return pairs;
          },
          py::arg("ngram"))
      .def(
          "locate",
          [](const Index& self, std::uint64_t shard, std::uint64_t rank) {
            return tuple_of(
                run_released([&](StopSignal&) { return locate(self.shards(), self.documents(), shard, rank); }));
          },
          py::arg("shard"), py::arg("rank"))
      .def(
          "count_documents",
          [](const Index& self, const IntervalPairs& pairs) {
            return run_released([&](StopSignal& stop) {
              return count_documents(self.shards(), intervals_of(pairs), self.execution(stop));
            });
          },
          py::arg("intervals"))
      .def(
          "list_documents",
          [](const Index& self, const IntervalPairs& pairs) {
            const auto found = run_released([&](StopSignal& stop) {
              return list_documents(self.shards(), self.documents(), intervals_of(pairs), self.execution(stop));
            });
            std::vector<std::int64_t> documents;
            std::vector<std::int64_t> counts;
            for (const DocumentCount& one : found) {
              documents.push_back(static_cast<std::int64_t>(one.document));
              counts.push_back(static_cast<std::int64_t>(one.count));
            }
            return py::make_tuple(to_array(std::move(documents)), to_array(std::move(counts)));
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
            std::vector<std::int64_t> tokens;
            tokens.reserve(symbols.size());
            for (const Symbol symbol : symbols) tokens.push_back(token_of(symbol));
            return to_array(std::move(tokens));
          },
          py::arg("number"), py::arg("begin"), py::arg("end"))
      .def("shard_of", [](const Index& self, std::uint64_t number) {
        const std::size_t shard = self.documents().shard_of(number);
        return std::pair(shard, number - self.documents().first(shard));
      });
}

}  // namespace anygram::bindings
