// Methods that Python calls without pybind11's dispatch, which takes 0.2 us: for questions that take not much more
// themselves.
#pragma once

#include <exception>
#include <span>

#include <pybind11/pybind11.h>

#include <anygram/base/error.hpp>

#include "families.hpp"

namespace anygram::bindings {

// The arguments of a call, by position.
using Arguments = std::span<PyObject* const>;

// The index of a Python object, whose type the method's descriptor has checked.
inline const Index& index_of(PyObject* self) {
  auto* instance = reinterpret_cast<pybind11::detail::instance*>(self);
  const auto* index = static_cast<const Index*>(instance->get_value_and_holder().value_ptr());
  if (index == nullptr) throw Error(ErrorCode::kInvalidQuery, "the index was never opened");
  return *index;
}

// Calls Answer(index, arguments); what it throws becomes Python's error.
template <auto Answer, Py_ssize_t NumArguments>
PyObject* call_directly(PyObject* self, PyObject* const* arguments, Py_ssize_t number) noexcept {
  try {
    if (number != NumArguments) {
      PyErr_Format(PyExc_TypeError, "expected %zd arguments, found %zd", NumArguments, number);
      return nullptr;
    }
    pybind11::object answer = Answer(index_of(self), Arguments(arguments, NumArguments));
    return answer.release().ptr();
  } catch (...) {
    set_python_error(std::current_exception());
    return nullptr;
  }
}

// Makes Answer a method of the class.
template <auto Answer, Py_ssize_t NumArguments>
void add_direct_method(IndexClass& index, const char* name) {
  static PyMethodDef definition{
      name, reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&call_directly<Answer, NumArguments>)),
      METH_FASTCALL, nullptr};
  const auto method = pybind11::reinterpret_steal<pybind11::object>(
      PyDescr_NewMethod(reinterpret_cast<PyTypeObject*>(index.ptr()), &definition));
  if (!method) throw pybind11::error_already_set();
  index.attr(name) = method;
}

// A number that Python gave, or None for no number.
inline std::optional<std::uint64_t> optional_number(PyObject* object) {
  if (object == Py_None) return {};
  const unsigned long long number = PyLong_AsUnsignedLongLong(object);
  if (PyErr_Occurred() != nullptr) throw pybind11::error_already_set();
  return number;
}

inline bool is_true(PyObject* object) {
  const int truth = PyObject_IsTrue(object);
  if (truth < 0) throw pybind11::error_already_set();
  return truth != 0;
}

inline pybind11::object python_int(std::uint64_t number) {
  return pybind11::reinterpret_steal<pybind11::object>(PyLong_FromUnsignedLongLong(number));
}

// A tuple of new references.
template <class... Objects>
pybind11::object tuple_from(Objects&&... objects) {
  auto tuple = pybind11::reinterpret_steal<pybind11::object>(PyTuple_New(sizeof...(objects)));
  if (!tuple) throw pybind11::error_already_set();
  Py_ssize_t place = 0;
  (PyTuple_SET_ITEM(tuple.ptr(), place++, std::forward<Objects>(objects).release().ptr()), ...);
  return tuple;
}

}  // namespace anygram::bindings
