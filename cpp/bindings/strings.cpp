#include <string>
#include <vector>

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include "arrays.hpp"
#include "families.hpp"
#include "running.hpp"

namespace anygram::bindings {
namespace {

namespace py = pybind11;

constexpr std::size_t kPlacesPerPoll = std::size_t{1} << 16;

// For each character, the ways to write it.
using Characters = std::vector<std::vector<py::bytes>>;

ByteAutomaton automaton_of(const Characters& characters) {
  std::vector<std::vector<std::string>> ways;
  for (const auto& character : characters) ways.emplace_back(character.begin(), character.end());
  return ByteAutomaton(ways);
}

StringWay way_of(const std::string& name) {
  if (name == "index") return StringWay::kIndex;
  if (name == "scan") return StringWay::kScan;
  return StringWay::kBest;
}

std::shared_ptr<TokenBytes> make_token_bytes(const py::array_t<std::int64_t, py::array::c_style>& offsets,
                                             const py::bytes& bytes, bool drops_first_byte) {
  const std::string_view all = bytes;
  std::vector<std::uint64_t> unsigned_offsets(offsets.data(), offsets.data() + offsets.size());
  return std::make_shared<TokenBytes>(std::move(unsigned_offsets), std::vector<char>(all.begin(), all.end()),
                                      drops_first_byte);
}

struct PlaceColumns {
  std::vector<std::int64_t> documents, offsets, shards, positions, begins, lengths, ends;
};

// (documents, offsets, shards, positions, begins, lengths, ends), in the order of the documents: offsets are in tokens,
// begins are bytes of the first token, ends bytes of the last, and lengths how many tokens there are.
py::tuple place_columns(const Index& index, const TokenBytes& tokens, const ByteAutomaton& string, StringWay way) {
  PlaceColumns column;
  run_released([&](StopSignal& stop) {
    const auto found = find_string(index.shards(), tokens, string, way, index.execution(stop));
    std::vector<Position> positions;
    std::vector<std::uint32_t> documents;
    for (std::size_t s = 0; s < found.size(); ++s) {
      const Shard& shard = *index.shards()[s];
      positions.clear();
      for (const StringPlace& place : found[s]) positions.push_back(place.position);
      documents.resize(positions.size());
      shard.documents_at(positions, documents);
      for (std::size_t i = 0; i < positions.size(); ++i) {
        if (i % kPlacesPerPoll == 0) stop.poll();
        const std::uint64_t begin = shard.document_span(documents[i]).begin;
        column.documents.push_back(static_cast<std::int64_t>(index.documents().first(s) + documents[i]));
        column.offsets.push_back(static_cast<std::int64_t>(positions[i] - begin));
        column.shards.push_back(static_cast<std::int64_t>(s));
        column.positions.push_back(positions[i]);
        const StringEnd end = string_end(shard, tokens, string, found[s][i]);
        column.begins.push_back(found[s][i].byte);
        column.lengths.push_back(end.tokens + 1);
        column.ends.push_back(end.byte);
      }
    }
    return 0;
  });
  return py::make_tuple(array_of(column.documents), array_of(column.offsets), array_of(column.shards),
                        array_of(column.positions), array_of(column.begins), array_of(column.lengths),
                        array_of(column.ends));
}

}  // namespace

void bind_strings(py::module_& module, IndexClass& index) {
  py::class_<TokenBytes, std::shared_ptr<TokenBytes>>(module, "TokenBytes")
      .def(py::init(&make_token_bytes), py::arg("offsets"), py::arg("data"), py::arg("drops_first_byte"));
  index
      .def(
          "count_string",
          [](const Index& self, const TokenBytes& tokens, const Characters& characters, const std::string& way) {
            const ByteAutomaton string = automaton_of(characters);
            return run_released([&](StopSignal& stop) {
              return count_string(self.shards(), tokens, string, way_of(way), self.execution(stop));
            });
          },
          py::arg("tokens"), py::arg("characters"), py::arg("way") = "best")
      .def(
          "list_string_documents",
          [](const Index& self, const TokenBytes& tokens, const Characters& characters, const std::string& way) {
            const ByteAutomaton string = automaton_of(characters);
            const auto found = run_released([&](StopSignal& stop) {
              return list_string_documents(self.shards(), self.documents(), tokens, string, way_of(way),
                                           self.execution(stop));
            });
            const auto column = [&](std::uint64_t DocumentCount::* field) {
              return array_of<std::int64_t>(found.size(),
                                            [&](std::size_t i) { return static_cast<std::int64_t>(found[i].*field); });
            };
            return py::make_tuple(column(&DocumentCount::document), column(&DocumentCount::count));
          },
          py::arg("tokens"), py::arg("characters"), py::arg("way") = "best")
      .def(
          "find_string",
          [](const Index& self, const TokenBytes& tokens, const Characters& characters, const std::string& way) {
            return place_columns(self, tokens, automaton_of(characters), way_of(way));
          },
          py::arg("tokens"), py::arg("characters"), py::arg("way") = "best");
}

}  // namespace anygram::bindings
