// Arrays to Python: made by numpy, filled here, and read-only from then on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <anygram/base/types.hpp>

namespace anygram::bindings {

// The id that Python knows a symbol by: the end of a document is DOCUMENT_END, 2^32 - 1, which this makes of symbol 0.
inline std::int64_t token_of(Symbol symbol) { return std::int64_t{static_cast<Symbol>(symbol - 1)}; }

// A probability: nan where nothing was counted.
inline double ratio(std::uint64_t count, std::uint64_t total) {
  return total == 0 ? std::numeric_limits<double>::quiet_NaN()
                    : static_cast<double>(count) / static_cast<double>(total);
}

// An array that is still to be filled: 1-D, or 2-D if it has columns.
template <class Element>
class NewArray {
 public:
  explicit NewArray(std::size_t size, std::size_t columns = 0) : size_(size) {
    // pybind11's own way to a new array passes through vectors and a lookup of the type; this is a question of some
    // microseconds.
    const auto& numpy = pybind11::detail::npy_api::get();
    std::array<Py_intptr_t, 2> shape{static_cast<Py_intptr_t>(columns == 0 ? size : size / columns),
                                     static_cast<Py_intptr_t>(columns)};
    PyObject* type = numpy.PyArray_DescrFromType_(type_number());
    array_ = pybind11::reinterpret_steal<pybind11::object>(numpy.PyArray_NewFromDescr_(
        numpy.PyArray_Type_, type, columns == 0 ? 1 : 2, shape.data(), nullptr, nullptr, 0, nullptr));
    if (!array_) throw pybind11::error_already_set();
  }

  std::span<Element> elements() const {
    return {reinterpret_cast<Element*>(pybind11::detail::array_proxy(array_.ptr())->data), size_};
  }

  pybind11::object frozen() && {
    pybind11::detail::array_proxy(array_.ptr())->flags &= ~pybind11::detail::npy_api::NPY_ARRAY_WRITEABLE_;
    return std::move(array_);
  }

 private:
  static constexpr int type_number() {
    using Api = pybind11::detail::npy_api;
    if constexpr (std::is_same_v<Element, bool>) return Api::NPY_BOOL_;
    if constexpr (std::is_same_v<Element, std::int64_t>) return Api::NPY_INT64_;
    if constexpr (std::is_same_v<Element, double>) return Api::NPY_DOUBLE_;
  }

  std::size_t size_;
  pybind11::object array_;
};

// A frozen array of convert(i) for i from 0 to size - 1.
template <class Element, class Convert>
pybind11::object array_of(std::size_t size, const Convert& convert, std::size_t columns = 0) {
  NewArray<Element> array(size, columns);
  const std::span<Element> elements = array.elements();
  for (std::size_t i = 0; i < size; ++i) elements[i] = convert(i);
  return std::move(array).frozen();
}

// A copy.
template <class Values>
pybind11::object array_of(const Values& values) {
  using Element = std::remove_cvref_t<decltype(values[0])>;
  return array_of<Element>(values.size(), [&](std::size_t i) { return values[i]; });
}

}  // namespace anygram::bindings
