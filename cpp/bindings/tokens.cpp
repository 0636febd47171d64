#include "tokens.hpp"

#include <optional>
#include <string>

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <anygram/base/error.hpp>

#include "arrays.hpp"
#include "families.hpp"

namespace anygram::bindings {
namespace {

namespace py = pybind11;

constexpr std::int64_t kDocumentEndToken = 0xFFFFFFFF;

// Ints that are read between two looks at Ctrl-C: some milliseconds' work.
constexpr std::size_t kIntsPerPoll = std::size_t{1} << 20;

[[noreturn]] void refuse(const std::string& what) { throw Error(ErrorCode::kInvalidQuery, what); }

std::string shown(py::handle object) {
  std::string text = py::repr(object).cast<std::string>();
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text + " (" + Py_TYPE(object.ptr())->tp_name + ")";
}

void poll() {
  if (PyErr_CheckSignals() != 0) throw py::error_already_set();
}

// The value of an int of Python's own that is not negative and below 2^30, as nearly all ids are; -1 for whatever else.
std::int64_t small_int(PyObject* object) {
  if (!PyLong_CheckExact(object)) return -1;
#if PY_VERSION_HEX >= 0x030C0000
  const auto* number = reinterpret_cast<PyLongObject*>(object);
  return PyUnstable_Long_IsCompact(number) != 0 ? PyUnstable_Long_CompactValue(number) : -1;
#else
  const Py_ssize_t size = Py_SIZE(object);
  if (size == 1) return static_cast<std::int64_t>(reinterpret_cast<PyLongObject*>(object)->ob_digit[0]);
  return size == 0 ? 0 : -1;
#endif
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

Symbol symbol_in_ngram(py::handle object) {
  const std::int64_t token = integer_of(object);
  if (token == kDocumentEndToken) refuse_token(token);
  if (token < 0) refuse("token ids go from 0 to " + std::to_string(kLargestToken) + ", found " + shown(object));
  return static_cast<Symbol>(token + 1);
}

bool is_list(PyObject* object) { return PyList_Check(object) || PyTuple_Check(object); }

// The ints of a list or tuple. An object that stands for an int may run code of its own, and that may change the list.
void read_list(PyObject* list, std::span<Symbol> symbols) {
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    if (static_cast<std::size_t>(PySequence_Fast_GET_SIZE(list)) != symbols.size()) {
      refuse("an n-gram was changed while it was read");
    }
    PyObject* item = PySequence_Fast_GET_ITEM(list, static_cast<Py_ssize_t>(i));
    const std::int64_t token = small_int(item);
    symbols[i] =
        token >= 0 ? static_cast<Symbol>(token + 1) : symbol_in_ngram(py::reinterpret_borrow<py::object>(item));
    if ((i + 1) % kIntsPerPoll == 0) poll();
  }
}

// What the elements of an array are, if they can be read where they are.
std::optional<TokenType> token_type(const py::array& array) {
  const py::dtype type = array.dtype();
  const char order = type.byteorder();
  if ((order != '=' && order != '|') || (array.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_) == 0 ||
      (array.flags() & py::array::c_style) == 0) {
    return {};
  }
  const bool is_signed = type.kind() == 'i';
  switch (type.itemsize()) {
    case 1:
      return is_signed ? TokenType::kInt8 : TokenType::kUint8;
    case 2:
      return is_signed ? TokenType::kInt16 : TokenType::kUint16;
    case 4:
      return is_signed ? TokenType::kInt32 : TokenType::kUint32;
    case 8:
      return is_signed ? TokenType::kInt64 : TokenType::kUint64;
    default:
      return {};
  }
}

// An array of integers as the core reads it; `array` becomes a copy if it must.
TokenArray tokens_of(py::array& array) {
  const char kind = array.dtype().kind();
  if (array.size() == 0) return {};
  if (kind != 'i' && kind != 'u') {
    refuse("token ids are integers, found an array of " + py::str(array.dtype()).cast<std::string>());
  }
  auto type = token_type(array);
  if (!type && kind == 'i') {
    array = py::array_t<std::int64_t, py::array::c_style | py::array::forcecast>(array);
    type = TokenType::kInt64;
  } else if (!type) {
    array = py::array_t<std::uint64_t, py::array::c_style | py::array::forcecast>(array);
    type = TokenType::kUint64;
  }
  return {array.data(), static_cast<std::uint64_t>(array.size()), *type};
}

// Gives the symbols of whatever is an n-gram to `hold`, which makes room for a number of them.
template <class Hold>
void read_sequence(py::handle tokens, const Hold& hold) {
  PyObject* object = tokens.ptr();
  if (is_list(object)) {
    read_list(object, hold(static_cast<std::size_t>(PySequence_Fast_GET_SIZE(object))));
    return;
  }
  const bool is_array = py::isinstance<py::array>(tokens);
  if (!is_array && (PyUnicode_Check(object) || PyBytes_Check(object))) {
    refuse("an n-gram is a sequence of token ids, found " + shown(tokens));
  }
  if (is_array || py::hasattr(tokens, "__array__")) {
    auto array = is_array ? py::reinterpret_borrow<py::array>(tokens) : py::array::ensure(tokens);
    if (!array) throw py::error_already_set();
    if (array.ndim() != 1) {
      refuse("one n-gram is a 1-D array, found " + std::to_string(array.ndim()) +
             " dimensions; many n-grams are asked for with the _batch form");
    }
    const TokenArray values = tokens_of(array);
    read_symbols(values, 0, hold(values.size));
    return;
  }
  if (!PySequence_Check(object)) refuse("an n-gram is a sequence of token ids, found " + shown(tokens));
  const auto items = py::reinterpret_steal<py::object>(PySequence_List(object));
  if (!items) throw py::error_already_set();
  read_list(items.ptr(), hold(static_cast<std::size_t>(PyList_GET_SIZE(items.ptr()))));
}

}  // namespace

Symbols::Symbols(py::handle tokens) {
  read_sequence(tokens, [this](std::size_t size) {
    if (size > few_.size()) many_.resize(size);
    symbols_ = size > few_.size() ? std::span(many_) : std::span(few_).first(size);
    return symbols_;
  });
}

Symbol continuation_of(py::handle token) {
  const std::int64_t small = small_int(token.ptr());
  if (small >= 0) return static_cast<Symbol>(small + 1);
  return integer_of(token) == kDocumentEndToken ? kDocumentEnd : symbol_in_ngram(token);
}

Ngrams Ngrams::from_sequences(const py::iterable& sequences, const py::object& encode) {
  Ngrams ngrams;
  ngrams.own_offsets_.push_back(0);
  const auto hold = [&](std::size_t size) {
    const std::size_t before = ngrams.symbols_.size();
    ngrams.symbols_.resize(before + size);
    return std::span(ngrams.symbols_).subspan(before);
  };
  for (const py::handle sequence : sequences) {
    if (PyUnicode_Check(sequence.ptr())) {
      read_sequence(encode(sequence), hold);
    } else {
      read_sequence(sequence, hold);
    }
    ngrams.own_offsets_.push_back(static_cast<std::int64_t>(ngrams.symbols_.size()));
    if (ngrams.own_offsets_.size() % 4096 == 0) poll();
  }
  ngrams.tokens_ = {ngrams.symbols_.data(), ngrams.symbols_.size(), TokenType::kSymbol};
  ngrams.offsets_ = ngrams.own_offsets_;
  return ngrams;
}

Ngrams Ngrams::from_arrays(const py::object& values, const py::object& offsets) {
  Ngrams ngrams;
  auto array = py::array::ensure(values);
  if (!array || array.ndim() != 1) refuse("the tokens of many n-grams are a 1-D array");
  ngrams.tokens_ = tokens_of(array);
  ngrams.values_ = std::move(array);
  const auto begins = py::array_t<std::int64_t, py::array::c_style | py::array::forcecast>::ensure(offsets);
  if (!begins || begins.ndim() != 1) refuse("the offsets of many n-grams are a 1-D array");
  ngrams.offsets_ = {begins.data(), static_cast<std::size_t>(begins.size())};
  ngrams.offset_values_ = begins;
  return ngrams;
}

Ngrams Ngrams::from_rows(const py::object& rows) {
  Ngrams ngrams;
  auto array = py::array::ensure(rows);
  if (!array || array.ndim() != 2) refuse("many n-grams are a 2-D array");
  const auto size = static_cast<std::size_t>(array.shape(0));
  const auto length = static_cast<std::int64_t>(array.shape(1));
  ngrams.own_offsets_.resize(size + 1);
  for (std::size_t i = 0; i <= size; ++i) ngrams.own_offsets_[i] = static_cast<std::int64_t>(i) * length;
  ngrams.offsets_ = ngrams.own_offsets_;
  ngrams.tokens_ = tokens_of(array);
  ngrams.values_ = std::move(array);
  return ngrams;
}

std::vector<std::int64_t> Ngrams::lengths() const {
  std::vector<std::int64_t> lengths(size());
  for (std::size_t i = 0; i < lengths.size(); ++i) lengths[i] = offsets_[i + 1] - offsets_[i];
  return lengths;
}

void bind_tokens(py::module_& module) {
  py::class_<Ngrams>(module, "Ngrams")
      .def_static("from_sequences", &Ngrams::from_sequences, py::arg("sequences"), py::arg("encode"))
      .def_static("from_arrays", &Ngrams::from_arrays, py::arg("values"), py::arg("offsets"))
      .def_static("from_rows", &Ngrams::from_rows, py::arg("rows"))
      .def_property_readonly("lengths", &Ngrams::lengths)
      .def(
          "ngram",
          [](const Ngrams& self, std::size_t number) {
            if (number >= self.size()) refuse("there are " + std::to_string(self.size()) + " n-grams");
            const NgramBlock block(self.list(), number, 1);
            const Ngram symbols = block.ngrams().front();
            return array_of<std::int64_t>(symbols.size(), [&](std::size_t i) { return token_of(symbols[i]); });
          },
          py::arg("number"));
}

}  // namespace anygram::bindings
