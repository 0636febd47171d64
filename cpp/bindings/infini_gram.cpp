#include <anygram/shard/infini_gram_shard.hpp>

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <anygram/base/error.hpp>

#include "arrays.hpp"
#include "families.hpp"
#include "running.hpp"
#include "tokens.hpp"

namespace anygram::bindings {
namespace {

namespace py = pybind11;

void check_range(std::uint64_t begin, std::uint64_t end, std::uint64_t limit, const char* what) {
  if (begin <= end && end <= limit) return;
  throw Error(ErrorCode::kInvalidQuery, std::string(what) + " [" + std::to_string(begin) + ", " + std::to_string(end) +
                                            ") are not all below " + std::to_string(limit));
}

// Ids of which the separator is one: it becomes the document's end.
std::vector<Symbol> raw_symbols(const InfiniGramShard& shard, const py::object& tokens) {
  const std::uint64_t separator = (std::uint64_t{1} << (8 * shard.token_width())) - 1;
  std::vector<Symbol> symbols;
  for (const py::handle token : tokens) {
    const auto id = token.cast<std::uint64_t>();
    if (id > separator) throw Error(ErrorCode::kInvalidQuery, "no token id: " + std::to_string(id));
    symbols.push_back(id == separator ? kDocumentEnd : static_cast<Symbol>(id + 1));
  }
  return symbols;
}

}  // namespace

void bind_infini_gram(py::module_& module) {
  module.def(
      "open_infini_gram_shard",
      [](const std::string& tokens, const std::string& table, const std::string& offsets, int token_width,
         bool backwards, bool in_memory) {
        const py::gil_scoped_release unlocked;
        const InfiniGramFiles files{tokens, table, offsets, token_width, backwards};
        return std::const_pointer_cast<InfiniGramShard>(
            open_infini_gram_shard(files, in_memory ? LoadMode::kRam : LoadMode::kMmap));
      },
      py::kw_only(), py::arg("tokens"), py::arg("table"), py::arg("offsets"), py::arg("token_width"),
      py::arg("backwards"), py::arg("in_memory"));
  py::class_<InfiniGramShard, Shard, std::shared_ptr<InfiniGramShard>>(module, "InfiniGramShard")
      .def_property_readonly("stream_length", &InfiniGramShard::stream_length)
      .def_property_readonly("backwards", &InfiniGramShard::backwards)
      .def(
          "raw_interval",
          [](const InfiniGramShard& shard, const py::object& tokens) {
            const Interval found = shard.find_raw(raw_symbols(shard, tokens));
            return std::pair(found.begin, found.end);
          },
          py::arg("tokens"))
      .def(
          "positions",
          [](const InfiniGramShard& shard, std::uint64_t begin, std::uint64_t end) {
            check_range(begin, end, shard.stream_length(), "ranks");
            std::vector<Position> found(end - begin);
            shard.raw_positions(begin, found);
            return array_of<std::int64_t>(found.size(), [&](std::size_t i) { return std::int64_t{found[i]}; });
          },
          py::arg("begin"), py::arg("end"))
      .def(
          "documents_at",
          [](const InfiniGramShard& shard, const py::array_t<std::int64_t, py::array::c_style>& positions) {
            std::vector<Position> places(static_cast<std::size_t>(positions.size()));
            for (std::size_t i = 0; i < places.size(); ++i) {
              const std::int64_t position = positions.data()[i];
              check_range(static_cast<std::uint64_t>(position), static_cast<std::uint64_t>(position) + 1,
                          shard.stream_length(), "positions");
              places[i] = static_cast<Position>(position);
            }
            std::vector<std::uint32_t> found(places.size());
            shard.documents_at(places, found);
            return array_of<std::int64_t>(found.size(), [&](std::size_t i) { return std::int64_t{found[i]}; });
          },
          py::arg("positions"))
      .def(
          "document_span",
          [](const InfiniGramShard& shard, std::uint64_t document) {
            check_range(document, document + 1, shard.counts().num_documents, "documents");
            const Interval span = shard.document_span(document);
            return std::pair(span.begin, span.end);
          },
          py::arg("document"))
      .def(
          "tokens",
          [](const InfiniGramShard& shard, std::uint64_t begin, std::uint64_t end) {
            check_range(begin, end, shard.stream_length(), "positions");
            std::vector<Symbol> found(end - begin);
            shard.raw_symbols(begin, found);
            const std::int64_t separator = (std::int64_t{1} << (8 * shard.token_width())) - 1;
            return array_of<std::int64_t>(found.size(), [&](std::size_t i) {
              return found[i] == kDocumentEnd ? separator : std::int64_t{found[i]} - 1;
            });
          },
          py::arg("begin"), py::arg("end"));
}

}  // namespace anygram::bindings
