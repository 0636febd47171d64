// The objects that questions are answered with. They are frozen dataclasses, which set their fields one by one by name
// and check them: that takes longer than many a question, and what the core gives needs no check.
#include <pybind11/pybind11.h>

#include "families.hpp"

namespace anygram::bindings {
namespace {

namespace py = pybind11;

// make(first, *rest): `first` is a tuple of fields, and `rest` are those after them. `self` is a tuple of the class and
// the descriptor of each of its fields.
PyObject* make_result(PyObject* self, PyObject* const* arguments, Py_ssize_t number) {
  const Py_ssize_t num_fields = PyTuple_GET_SIZE(self) - 1;
  if (number == 0 || !PyTuple_Check(arguments[0]) || PyTuple_GET_SIZE(arguments[0]) + number - 1 != num_fields) {
    return PyErr_Format(PyExc_TypeError, "expected a tuple of fields and others, %zd in all", num_fields);
  }
  auto* type = reinterpret_cast<PyTypeObject*>(PyTuple_GET_ITEM(self, 0));
  auto result = py::reinterpret_steal<py::object>(type->tp_alloc(type, 0));
  if (!result) return nullptr;
  const Py_ssize_t num_first = PyTuple_GET_SIZE(arguments[0]);
  for (Py_ssize_t i = 0; i < num_fields; ++i) {
    PyObject* value = i < num_first ? PyTuple_GET_ITEM(arguments[0], i) : arguments[i - num_first + 1];
    PyObject* field = PyTuple_GET_ITEM(self, i + 1);
    if (Py_TYPE(field)->tp_descr_set(field, result.ptr(), value) != 0) return nullptr;
  }
  return result.release().ptr();
}

// Python's own kind of function, which is called without pybind11's dispatch.
py::object result_maker(const py::type& kind, const py::tuple& names) {
  static PyMethodDef definition{
      "make_result", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&make_result)), METH_FASTCALL, nullptr};
  py::tuple self(1 + names.size());
  self[0] = kind;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const py::object field = kind.attr(names[i]);
    if (Py_TYPE(field.ptr())->tp_descr_set == nullptr) throw py::type_error("a result's fields are slots");
    self[i + 1] = field;
  }
  return py::reinterpret_steal<py::object>(PyCFunction_New(&definition, self.ptr()));
}

}  // namespace

void bind_results(py::module_& module) { module.def("result_maker", &result_maker, py::arg("kind"), py::arg("names")); }

}  // namespace anygram::bindings
