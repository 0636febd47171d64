#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <pybind11/stl.h>

#include "arrays.hpp"
#include "families.hpp"
#include "running.hpp"
#include "tokens.hpp"

namespace anygram::bindings {
namespace {

namespace py = pybind11;

// A model, and the index that it reads.
struct SmoothedIndex {
  std::shared_ptr<Index> index;
  KneserNey model;
};

std::shared_ptr<SmoothedIndex> smooth(const std::shared_ptr<Index>& index, std::uint64_t order,
                                      const py::object& progress) {
  return run_released([&](StopSignal& stop) {
    return std::make_shared<SmoothedIndex>(
        index, KneserNey(index->shards(), order, index->execution(stop), python_progress(progress)));
  });
}

IndexId index_id_of(const py::bytes& bytes) {
  const std::string_view view = bytes;
  IndexId id;
  if (view.size() != id.size()) throw Error(ErrorCode::kInvalidArgument, "the id of an index has 16 bytes");
  std::ranges::copy(std::as_bytes(std::span(view)), id.begin());
  return id;
}

// Opens what save() wrote.
std::shared_ptr<SmoothedIndex> open_smoothed(const std::shared_ptr<Index>& index, const std::string& path,
                                             std::uint64_t order, const py::bytes& id, bool in_memory) {
  const IndexId expected = index_id_of(id);
  return run_released([&](StopSignal&) {
    const LoadMode load = in_memory ? LoadMode::kRam : LoadMode::kMmap;
    return std::make_shared<SmoothedIndex>(
        index, KneserNey(index->shards(), KneserNeyCounts::open(path, index->shards(), order, expected, load)));
  });
}

// By order, from 1: (estimated, D1, D2, D3+).
py::list discounts_of(const SmoothedIndex& self) {
  py::list result;
  for (const Discounts& discounts : self.model.discounts().subspan(1)) {
    const auto& amounts = discounts.amounts;
    result.append(py::make_tuple(discounts.estimated, amounts[1], amounts[2], amounts[3]));
  }
  return result;
}

}  // namespace

void bind_smoothing(py::module_& module) {
  py::class_<SmoothedIndex, std::shared_ptr<SmoothedIndex>>(module, "KneserNey")
      .def(py::init(&smooth), py::arg("index"), py::arg("order"), py::arg("progress") = py::none())
      .def_static("open", &open_smoothed, py::arg("index"), py::arg("path"), py::arg("order"), py::arg("index_id"),
                  py::arg("in_memory"))
      .def(
          "save",
          [](const SmoothedIndex& self, const std::string& path, const py::bytes& id) {
            const IndexId own = index_id_of(id);
            run_released([&](StopSignal&) { self.model.counts().save(path, own, true); });
          },
          py::arg("path"), py::arg("index_id"))
      .def_property_readonly("discounts", &discounts_of)
      .def_property_readonly("unknown_prob", [](const SmoothedIndex& self) { return self.model.unknown_prob(); })
      // The probability of each token, and of the document's end if it is asked for.
      .def(
          "probs",
          [](const SmoothedIndex& self, const py::object& tokens, bool at_start, bool end) {
            const Symbols text(tokens);
            return array_of(run_released(
                [&](StopSignal& stop) { return self.model.probs(text, at_start, end, self.index->execution(stop)); }));
          },
          py::arg("tokens"), py::arg("at_start"), py::arg("end"))
      // The same of each text: sequences of ids, or str, which `encode` turns into them.
      .def(
          "probs_batch",
          [](const SmoothedIndex& self, const py::iterable& texts, const py::object& encode, bool at_start, bool end) {
            const Ngrams ngrams = Ngrams::from_sequences(texts, encode);
            const NgramList list = ngrams.list();
            const auto probs = run_released([&](StopSignal& stop) {
              return self.model.probs_batch(list, at_start, end, self.index->execution(stop));
            });
            py::list result(probs.size());
            for (std::size_t i = 0; i < probs.size(); ++i) result[i] = array_of(probs[i]);
            return result;
          },
          py::arg("texts"), py::arg("encode"), py::arg("at_start"), py::arg("end"))
      // The probability of each id, and at last of the document's end.
      .def(
          "distribution",
          [](const SmoothedIndex& self, const py::object& prompt, bool at_start) {
            const Symbols symbols(prompt);
            const auto probs = run_released([&](StopSignal&) { return self.model.distribution(symbols, at_start); });
            return array_of<double>(probs.size(), [&](std::size_t i) { return probs[(i + 1) % probs.size()]; });
          },
          py::arg("prompt"), py::arg("at_start"));
}

}  // namespace anygram::bindings
