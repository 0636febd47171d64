#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <anygram/query/near_matches.hpp>
#include <anygram/scan/gram_finder.hpp>
#include <anygram/scan/gram_scan.hpp>

#include "arrays.hpp"
#include "families.hpp"
#include "running.hpp"
#include "tokens.hpp"

namespace anygram::bindings {
namespace {

namespace py = pybind11;

template <class Element>
using Column = py::array_t<Element, py::array::c_style | py::array::forcecast>;

template <class Element, class As = Element>
std::vector<As> vector_of(const Column<Element>& column) {
  return {column.data(), column.data() + column.size()};
}

Units units_named(const std::string& name) {
  if (name == "characters") return Units::kCharacters;
  if (name == "words") return Units::kWords;
  if (name == "unicode words") return Units::kUnicodeWords;
  if (name == "segments") return Units::kSegments;
  throw Error(ErrorCode::kInvalidArgument, "units are characters, words, unicode words or segments, not " + name);
}

// (units, mapping, expansions, expansion_offsets, classes)
Normalisation normalisation_of(const py::tuple& given) {
  return {units_named(given[0].cast<std::string>()), vector_of(given[1].cast<Column<std::int32_t>>()),
          vector_of(given[2].cast<Column<std::int32_t>>()), vector_of(given[3].cast<Column<std::uint32_t>>()),
          vector_of(given[4].cast<Column<std::uint8_t>>())};
}

// (normalisation, bytes of the grams, begins, ends)
GramScan::Family family_of(const py::tuple& given) {
  Normalisation normalisation = normalisation_of(given[0].cast<py::tuple>());
  const Units units = normalisation.units();
  return {std::move(normalisation),
          GramTable(units, given[1].cast<std::string>(), vector_of(given[2].cast<Column<std::uint64_t>>()),
                    vector_of(given[3].cast<Column<std::uint64_t>>()))};
}

std::unique_ptr<GramFinder> finder_of(const py::tuple& given) {
  GramScan::Family family = family_of(given);
  return std::make_unique<GramFinder>(std::move(family.normalisation), std::move(family.grams));
}

// (texts, units, grams, num_units, num_bytes)
py::tuple tuple_of(const GramPlaces& found) {
  const auto& places = found.places;
  const auto column = [&](auto GramPlace::* field) {
    return array_of<std::int64_t>(places.size(),
                                  [&](std::size_t i) { return static_cast<std::int64_t>(places[i].*field); });
  };
  const auto by_text = [&](const std::vector<std::uint64_t>& values) {
    return array_of<std::int64_t>(values.size(), [&](std::size_t i) { return static_cast<std::int64_t>(values[i]); });
  };
  return py::make_tuple(column(&GramPlace::text), column(&GramPlace::unit), column(&GramPlace::gram),
                        by_text(found.num_units), by_text(found.num_bytes));
}

// The UTF-8 of each str, which Python keeps with it; `texts` keeps them.
std::vector<std::string_view> views_of(const py::list& texts) {
  std::vector<std::string_view> views;
  views.reserve(texts.size());
  for (const py::handle text : texts) {
    Py_ssize_t size = 0;
    const char* const bytes = PyUnicode_AsUTF8AndSize(text.ptr(), &size);
    if (bytes == nullptr) throw py::error_already_set();
    views.emplace_back(bytes, static_cast<std::size_t>(size));
  }
  return views;
}

GramPlaces places_in_documents(const GramFinder& finder, const Index& index, const Column<std::int64_t>& documents,
                               const TokenTexts& texts, std::optional<unsigned> threads) {
  std::vector<ShardDocument> chosen;
  chosen.reserve(static_cast<std::size_t>(documents.size()));
  for (py::ssize_t i = 0; i < documents.size(); ++i) {
    const auto number = static_cast<std::uint64_t>(documents.data()[i]);
    const std::size_t shard = index.documents().shard_of(number);
    chosen.push_back({shard, number - index.documents().first(shard)});
  }
  return run_released([&](StopSignal& stop) {
    const Execution execution = index.execution(stop);
    return finder.find(index.shards(), chosen, texts, threads.value_or(execution.threads), stop);
  });
}

// (part_lengths, grams, parts, begins, ends, minimum)
GramGroup group_of(const py::tuple& given) {
  GramGroup group{.part_lengths = vector_of(given[0].cast<Column<double>>()), .minimum = given[5].cast<double>()};
  const auto grams = given[1].cast<Column<std::uint32_t>>();
  const auto parts = given[2].cast<Column<std::uint32_t>>();
  const auto begins = given[3].cast<Column<double>>();
  const auto ends = given[4].cast<Column<double>>();
  if (grams.size() != parts.size() || grams.size() != begins.size() || grams.size() != ends.size()) {
    throw Error(ErrorCode::kInvalidArgument, "the columns of a group's pieces differ in length");
  }
  for (py::ssize_t i = 0; i < grams.size(); ++i) {
    group.pieces.push_back({grams.data()[i], parts.data()[i], begins.data()[i], ends.data()[i]});
  }
  return group;
}

// (grams, counts, documents, document_offsets)
py::tuple grams_of(const GramScan& scan) {
  const std::vector<std::uint32_t> keys = scan.grams().grams();
  std::vector<std::int64_t> counts;
  std::vector<std::int64_t> documents;
  std::vector<std::int64_t> offsets{0};
  for (const std::uint32_t key : keys) {
    const GramResult& result = scan.grams()[key];
    counts.push_back(static_cast<std::int64_t>(result.count));
    for (const std::uint64_t document : result.documents) documents.push_back(static_cast<std::int64_t>(document));
    offsets.push_back(static_cast<std::int64_t>(documents.size()));
  }
  return py::make_tuple(array_of<std::int64_t>(keys.size(), [&](std::size_t i) { return std::int64_t{keys[i]}; }),
                        array_of(counts), array_of(documents), array_of(offsets));
}

// (group, score, document, pieces, documents, scores) of each
py::list groups_of(const GramScan& scan) {
  std::vector<std::uint32_t> keys;
  for (const auto& [key, unused] : scan.groups()) keys.push_back(key);
  std::sort(keys.begin(), keys.end());
  py::list list;
  for (const std::uint32_t key : keys) {
    const GroupResult& result = scan.groups().at(key);
    const auto& documents = result.documents;
    list.append(py::make_tuple(
        key, result.score, result.document,
        array_of<std::int64_t>(result.pieces.size(), [&](std::size_t i) { return std::int64_t{result.pieces[i]}; }),
        array_of<std::int64_t>(documents.size(),
                               [&](std::size_t i) { return static_cast<std::int64_t>(documents[i].document); }),
        array_of<double>(documents.size(), [&](std::size_t i) { return documents[i].score; })));
  }
  return list;
}

std::unique_ptr<GramScan> scan_of(const py::list& families, const py::list& groups) {
  std::vector<GramScan::Family> made;
  for (const py::handle family : families) made.push_back(family_of(family.cast<py::tuple>()));
  std::vector<GramGroup> judged;
  for (const py::handle group : groups) judged.push_back(group_of(group.cast<py::tuple>()));
  return std::make_unique<GramScan>(std::move(made), std::move(judged));
}

// (matched, longest, begins, ends, substitutions, documents)
py::tuple tuple_of(const NearSpans& found) {
  const auto column = [&](std::uint64_t NearSpan::* field) {
    return array_of<std::int64_t>(found.spans.size(),
                                  [&](std::size_t i) { return static_cast<std::int64_t>(found.spans[i].*field); });
  };
  return py::make_tuple(array_of<bool>(found.matched.size(), [&](std::size_t i) { return found.matched[i] != 0; }),
                        found.longest, column(&NearSpan::begin), column(&NearSpan::end),
                        column(&NearSpan::substitutions), column(&NearSpan::document));
}

py::list near_spans(const Index& index, const Ngrams& texts, const NearSpanRule& rule) {
  const auto all = run_released([&](StopSignal& stop) {
    return near_spans_batch(index.shards(), index.documents(), texts.list(), rule, index.execution(stop));
  });
  py::list list;
  for (const NearSpans& found : all) list.append(tuple_of(found));
  return list;
}

// (documents, offsets, substitutions)
py::tuple near_match_columns(const Index& index, const py::object& ngram, std::uint64_t max_substitutions) {
  const Symbols symbols(ngram);
  const auto found = run_released([&](StopSignal& stop) {
    return near_matches(index.shards(), index.documents(), symbols, max_substitutions, index.execution(stop));
  });
  const auto column = [&](std::uint64_t NearMatch::* field) {
    return array_of<std::int64_t>(found.size(),
                                  [&](std::size_t i) { return static_cast<std::int64_t>(found[i].*field); });
  };
  return py::make_tuple(column(&NearMatch::document), column(&NearMatch::offset), column(&NearMatch::substitutions));
}

}  // namespace

void bind_scanning(py::module_& module, IndexClass& index) {
  py::class_<TokenTexts>(module, "TokenTexts")
      .def(py::init([](const py::bytes& bytes, const Column<std::uint64_t>& offsets, const py::bytes& between) {
             return TokenTexts(bytes, vector_of(offsets), between);
           }),
           py::arg("encoded"), py::arg("offsets"), py::arg("between"));
  py::class_<GramScan>(module, "GramScan")
      .def(py::init(&scan_of), py::arg("families"), py::arg("groups"))
      .def(
          "scan_texts",
          [](GramScan& self, const std::vector<std::string>& texts, std::uint64_t first, unsigned threads) {
            run_released([&](StopSignal& stop) {
              self.scan_texts(texts, first, threads, stop);
              return 0;
            });
          },
          py::arg("texts"), py::arg("first"), py::arg("threads"))
      .def("grams", &grams_of)
      .def("first_equal",
           [](const GramScan& self) {
             return array_of<std::int64_t>(self.num_grams(), [&](std::size_t i) {
               return std::int64_t{self.first_equal(static_cast<std::uint32_t>(i))};
             });
           })
      .def("groups", &groups_of)
      .def_property_readonly("num_bytes", &GramScan::num_bytes);
  py::class_<GramFinder>(module, "GramFinder")
      .def(py::init(&finder_of), py::arg("family"))
      .def("first_equal",
           [](const GramFinder& self) {
             return array_of<std::int64_t>(self.firsts().size(),
                                           [&](std::size_t i) { return std::int64_t{self.firsts()[i]}; });
           })
      .def(
          "find",
          [](const GramFinder& self, const py::list& texts, unsigned threads) {
            const std::vector<std::string_view> views = views_of(texts);
            return tuple_of(run_released([&](StopSignal& stop) { return self.find(views, threads, stop); }));
          },
          py::arg("texts"), py::arg("threads"));
  index
      .def(
          "scan_grams",
          [](const Index& self, GramScan& scan, const TokenTexts& texts, std::optional<unsigned> threads,
             const py::object& progress) {
            const Progress report = python_progress(progress);
            run_released([&](StopSignal& stop) {
              const Execution execution = self.execution(stop);
              scan.scan_shards(self.shards(), texts, threads.value_or(execution.threads), stop, report);
              return 0;
            });
          },
          py::arg("scan"), py::arg("texts"), py::arg("threads"), py::arg("progress"))
      .def(
          "find_grams",
          [](const Index& self, const GramFinder& finder, const Column<std::int64_t>& documents,
             const TokenTexts& texts, std::optional<unsigned> threads) {
            return tuple_of(places_in_documents(finder, self, documents, texts, threads));
          },
          py::arg("finder"), py::arg("documents"), py::arg("texts"), py::arg("threads"));
  index.def("near_matches", &near_match_columns, py::arg("ngram"), py::arg("max_substitutions"))
      .def(
          "near_spans_batch",
          [](const Index& self, const Ngrams& texts, std::uint64_t min_length, std::uint64_t exact_prefix,
             std::uint64_t max_substitutions, std::uint64_t min_count) {
            return near_spans(self, texts,
                              {.min_length = min_length,
                               .exact_prefix = exact_prefix,
                               .max_substitutions = max_substitutions,
                               .min_count = min_count});
          },
          py::arg("texts"), py::arg("min_length"), py::arg("exact_prefix"), py::arg("max_substitutions"),
          py::arg("min_count"));
}

}  // namespace anygram::bindings
