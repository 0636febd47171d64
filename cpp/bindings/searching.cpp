#include <optional>

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include "families.hpp"
#include "running.hpp"
#include "tokens.hpp"

namespace anygram::bindings {
namespace {

namespace py = pybind11;

SearchQuery::Clause clause_of(const py::iterable& ngrams) {
  SearchQuery::Clause clause;
  for (const py::handle ngram : ngrams) clause.push_back(symbols_of(ngram));
  return clause;
}

// (documents, begins, ends, num_candidates, num_examined)
py::tuple tuple_of(const SearchResult& found) {
  const auto column = [&](std::uint64_t Window::* field) {
    std::vector<std::int64_t> values;
    values.reserve(found.windows.size());
    for (const Window& window : found.windows) values.push_back(static_cast<std::int64_t>(window.*field));
    return to_array(std::move(values));
  };
  return py::make_tuple(column(&Window::document), column(&Window::begin), column(&Window::end), found.num_candidates,
                        found.num_examined);
}

}  // namespace

void bind_searching(IndexClass& index) {
  index.def(
      "search",
      [](const Index& self, const py::iterable& clauses, const py::iterable& excluded,
         std::optional<std::uint64_t> within, bool ordered, std::optional<std::uint64_t> limit) {
        SearchQuery query{.excluded = clause_of(excluded), .within = within, .ordered = ordered, .limit = limit};
        for (const py::handle clause : clauses) query.clauses.push_back(clause_of(clause.cast<py::iterable>()));
        return tuple_of(
            run_released([&](StopSignal& stop) { return search(self.shards(), query, self.execution(stop)); }));
      },
      py::arg("clauses"), py::arg("excluded"), py::arg("within"), py::arg("ordered"), py::arg("limit"));
}

}  // namespace anygram::bindings
