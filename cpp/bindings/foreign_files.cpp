#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <anygram/shard/infini_gram_tokens.hpp>
#include <anygram/shard/suffix_table.hpp>

#include "families.hpp"
#include "running.hpp"

namespace anygram::bindings {
namespace {

namespace py = pybind11;

template <class Element>
using Array = py::array_t<Element, py::array::c_style>;

template <class Element>
std::span<const Element> as_span(const Array<Element>& array) {
  return {array.data(), static_cast<std::size_t>(array.size())};
}

TableFormat format_named(const std::string& name) {
  if (name == "infini-gram") return TableFormat::kInfiniGram;
  if (name == "tokengrams") return TableFormat::kTokengrams;
  throw Error(ErrorCode::kInvalidArgument, "the format is 'infini-gram' or 'tokengrams', not '" + name + "'");
}

std::vector<std::pair<std::uint32_t, std::uint64_t>> write_table(const std::string& tokens, const std::string& table,
                                                                 const std::string& format, int token_bytes,
                                                                 unsigned threads, std::uint64_t memory, bool sync,
                                                                 const py::object& progress) {
  const Progress report = python_progress(progress);
  const SuffixTableOptions options{format_named(format), token_bytes, threads, memory, sync};
  const std::vector<TokenCount> counts =
      run_released([&](StopSignal& stop) { return write_suffix_table(tokens, table, options, stop, report); });
  std::vector<std::pair<std::uint32_t, std::uint64_t>> pairs;
  pairs.reserve(counts.size());
  for (const TokenCount& entry : counts) pairs.emplace_back(entry.token, entry.count);
  return pairs;
}

}  // namespace

void bind_foreign_files(py::module_& module) {
  py::class_<InfiniGramTokens>(module, "InfiniGramTokens")
      .def(py::init<const std::string&, const std::string&, int, bool>(), py::arg("tokens_path"),
           py::arg("offsets_path"), py::arg("token_bytes"), py::arg("is_reversed"))
      .def(
          "append",
          [](InfiniGramTokens& tokens, const Array<std::uint32_t>& ids, const Array<std::int64_t>& lengths) {
            const auto id_span = as_span(ids);
            const auto length_span = as_span(lengths);
            const py::gil_scoped_release unlocked;
            tokens.append(id_span, length_span);
          },
          py::arg("ids"), py::arg("lengths"))
      .def("close", &InfiniGramTokens::close, py::arg("sync"), py::call_guard<py::gil_scoped_release>())
      .def_property_readonly("num_documents", &InfiniGramTokens::num_documents)
      .def_property_readonly("num_tokens", &InfiniGramTokens::num_tokens);
  module.def("write_suffix_table", &write_table, py::arg("tokens_path"), py::arg("table_path"), py::kw_only(),
             py::arg("table_format"), py::arg("token_bytes"), py::arg("threads"), py::arg("memory"), py::arg("sync"),
             py::arg("progress") = py::none());
  module.def("least_table_memory", &least_table_memory, py::arg("num_tokens"), py::arg("num_distinct"));
}

}  // namespace anygram::bindings
