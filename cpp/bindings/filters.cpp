#include <pybind11/numpy.h>

#include "arrays.hpp"
#include "families.hpp"
#include "running.hpp"

namespace anygram::bindings {
namespace {

namespace py = pybind11;

using BoolArray = py::array_t<bool, py::array::c_style>;

// The array's memory as bytes that are 0 or 1.
std::span<const std::uint8_t> bytes_of(const BoolArray& array) {
  return {reinterpret_cast<const std::uint8_t*>(array.data()), static_cast<std::size_t>(array.size())};
}

}  // namespace

void bind_filters(py::module_& module, IndexClass& index) {
  py::class_<DocumentFilter>(module, "DocumentFilter")
      .def(py::init([](const Index& its_index, const BoolArray& chosen) {
             return DocumentFilter(its_index.documents(), bytes_of(chosen));
           }),
           py::arg("index"), py::arg("chosen"))
      .def("__len__", &DocumentFilter::num_chosen)
      // Whether it chooses the document of that number, which must be one.
      .def(
          "__contains__",
          [](const DocumentFilter& self, std::uint64_t document) {
            return document < self.numbers().size() && self.contains(document);
          },
          py::arg("document"))
      // bool (num_documents,): whether it chooses each document.
      .def("mask", [](const DocumentFilter& self) {
        return array_of<bool>(self.numbers().size(), [&](std::size_t document) { return self.contains(document); });
      });
  index.def("document_lengths", [](const Index& self) {
    NewArray<std::int64_t> lengths(self.documents().size());
    run_released([&](StopSignal& stop) {
      document_lengths(self.shards(), self.documents(), self.execution(stop), lengths.elements());
    });
    return std::move(lengths).frozen();
  });
}

}  // namespace anygram::bindings
