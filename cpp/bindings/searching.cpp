#include <optional>

#include <pybind11/stl.h>

#include "arrays.hpp"
#include "families.hpp"
#include "running.hpp"
#include "tokens.hpp"

namespace anygram::bindings {
namespace {

namespace py = pybind11;

SearchQuery::Clause clause_of(const py::iterable& ngrams) {
  SearchQuery::Clause clause;
  for (const py::handle ngram : ngrams) {
    const Symbols read(ngram);
    const Ngram symbols = read;
    clause.emplace_back(symbols.begin(), symbols.end());
  }
  return clause;
}

// (documents, begins, ends, num_candidates, num_examined)
py::tuple tuple_of(const SearchResult& found) {
  const auto column = [&](std::uint64_t Window::* field) {
    return array_of<std::int64_t>(found.windows.size(),
                                  [&](std::size_t i) { return static_cast<std::int64_t>(found.windows[i].*field); });
  };
  return py::make_tuple(column(&Window::document), column(&Window::begin), column(&Window::end), found.num_candidates,
                        found.num_examined);
}

}  // namespace

void bind_searching(IndexClass& index) {
  index.def(
      "search",
      [](const Index& self, const py::iterable& clauses, const py::iterable& excluded,
         std::optional<std::uint64_t> within, bool ordered, std::optional<std::uint64_t> limit,
         const DocumentFilter* filter) {
        SearchQuery query{
            .excluded = clause_of(excluded), .within = within, .ordered = ordered, .limit = limit, .filter = filter};
        for (const py::handle clause : clauses) query.clauses.push_back(clause_of(clause.cast<py::iterable>()));
        return tuple_of(
            run_released([&](StopSignal& stop) { return search(self.shards(), query, self.execution(stop)); }));
      },
      py::arg("clauses"), py::arg("excluded"), py::arg("within"), py::arg("ordered"), py::arg("limit"),
      py::arg("chosen"));
}

}  // namespace anygram::bindings
