#include "tokens.hpp"

#include <string>

#include <anygram/base/error.hpp>

#include "families.hpp"

namespace anygram::bindings {
namespace {

namespace py = pybind11;

constexpr std::int64_t kDocumentEndToken = 0xFFFFFFFF;
constexpr std::int64_t kLargestToken = kDocumentEndToken - 1;

[[noreturn]] void refuse(const std::string& what) { throw Error(ErrorCode::kInvalidQuery, what); }

std::string shown(py::handle object) {
  std::string text = py::repr(object).cast<std::string>();
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text + " (" + Py_TYPE(object.ptr())->tp_name + ")";
}

// The number of a Python int or numpy integer; -1 stands for any that is no token id.
std::int64_t integer_of(py::handle object) {
  if (PyBool_Check(object.ptr()) || !PyIndex_Check(object.ptr()) || py::isinstance<py::array>(object)) {
    refuse("token ids are integers, found " + shown(object));
  }
  int overflow = 0;
  long long value = -1;
  if (PyLong_CheckExact(object.ptr())) {
    value = PyLong_AsLongLongAndOverflow(object.ptr(), &overflow);
  } else {
    const auto integer = py::reinterpret_steal<py::object>(PyNumber_Index(object.ptr()));
    if (!integer) throw py::error_already_set();
    value = PyLong_AsLongLongAndOverflow(integer.ptr(), &overflow);
  }
  return overflow == 0 && value >= 0 && value <= kDocumentEndToken ? value : -1;
}

Symbol symbol_in_ngram(std::int64_t token, py::handle object) {
  if (token >= 0 && token <= kLargestToken) return static_cast<Symbol>(token + 1);
  if (token == kDocumentEndToken) {
    refuse(
        "a document's end (DOCUMENT_END) cannot stand inside an n-gram or a prompt, only be a prompt's continuation");
  }
  refuse("token ids go from 0 to " + std::to_string(kLargestToken) + ", found " + shown(object));
}

template <class Integer>
void append_array(const py::array& array, std::vector<Symbol>& symbols) {
  const auto values = array.cast<py::array_t<Integer>>();
  const auto view = values.template unchecked<1>();
  const auto size = static_cast<std::size_t>(view.shape(0));
  symbols.resize(size);
  for (std::size_t i = 0; i < size; ++i) {
    const Integer value = view(static_cast<py::ssize_t>(i));
    if (value < Integer{0} || static_cast<std::uint64_t>(value) > static_cast<std::uint64_t>(kLargestToken)) {
      const bool is_end = value > Integer{0} && static_cast<std::uint64_t>(value) == std::uint64_t{kDocumentEndToken};
      symbol_in_ngram(is_end ? kDocumentEndToken : -1, py::int_(value));
    }
    symbols[i] = static_cast<Symbol>(value) + 1;
  }
}

std::vector<Symbol> symbols_of_array(const py::array& array) {
  if (array.ndim() != 1) {
    refuse("one n-gram is a 1-D array, found " + std::to_string(array.ndim()) +
           " dimensions; many n-grams are asked for with the _batch form");
  }
  std::vector<Symbol> symbols;
  const char kind = array.dtype().kind();
  if (array.size() == 0) return symbols;
  if (kind == 'i') {
    append_array<std::int64_t>(array, symbols);
  } else if (kind == 'u') {
    append_array<std::uint64_t>(array, symbols);
  } else {
    refuse("token ids are integers, found an array of " + py::str(array.dtype()).cast<std::string>());
  }
  return symbols;
}

}  // namespace

std::vector<Symbol> symbols_of(py::handle tokens) {
  PyObject* object = tokens.ptr();
  if (PyList_Check(object) || PyTuple_Check(object)) {
    const Py_ssize_t size = PySequence_Fast_GET_SIZE(object);
    std::vector<Symbol> symbols(static_cast<std::size_t>(size));
    for (Py_ssize_t i = 0; i < size; ++i) {
      const py::handle item = PySequence_Fast_GET_ITEM(object, i);
      symbols[static_cast<std::size_t>(i)] = symbol_in_ngram(integer_of(item), item);
    }
    return symbols;
  }
  if (py::isinstance<py::array>(tokens)) return symbols_of_array(py::reinterpret_borrow<py::array>(tokens));
  if (PyUnicode_Check(object) || PyBytes_Check(object))
    refuse("an n-gram is a sequence of token ids, found " + shown(tokens));
  if (py::hasattr(tokens, "__array__")) return symbols_of_array(py::array::ensure(tokens));
  if (!PySequence_Check(object)) refuse("an n-gram is a sequence of token ids, found " + shown(tokens));
  const auto items = py::reinterpret_steal<py::object>(PySequence_List(object));
  if (!items) throw py::error_already_set();
  return symbols_of(items);
}

Symbol continuation_of(py::handle token) {
  const std::int64_t value = integer_of(token);
  return value == kDocumentEndToken ? kDocumentEnd : symbol_in_ngram(value, token);
}

void bind_tokens(py::module_& module) {
  py::class_<Ngrams>(module, "Ngrams")
      .def_static("from_sequences",
                  [](const py::iterable& sequences) {
                    Ngrams ngrams;
                    for (const py::handle sequence : sequences) {
                      const std::vector<Symbol> symbols = symbols_of(sequence);
                      ngrams.symbols.insert(ngrams.symbols.end(), symbols.begin(), symbols.end());
                      ngrams.offsets.push_back(static_cast<std::int64_t>(ngrams.symbols.size()));
                    }
                    return ngrams;
                  })
      .def_static("from_arrays", [](const py::array& values, const py::array_t<std::int64_t>& offsets) {
        Ngrams ngrams{symbols_of_array(values), {}};
        ngrams.offsets.assign(offsets.data(), offsets.data() + offsets.size());
        return ngrams;
      });
}

}  // namespace anygram::bindings
