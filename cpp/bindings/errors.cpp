#include <exception>
#include <new>
#include <string>

#include <pybind11/stl.h>

#include <anygram/base/error.hpp>

#include "families.hpp"

namespace anygram::bindings {
namespace {

namespace py = pybind11;

const char* class_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidQuery:
      return "InvalidQueryError";
    case ErrorCode::kInvalidArgument:
      return "InputError";
    case ErrorCode::kDocumentNotFound:
      return "DocumentNotFoundError";
    case ErrorCode::kIndexNotFound:
      return "IndexNotFoundError";
    case ErrorCode::kIndexFormat:
      return "IndexFormatError";
    case ErrorCode::kTruncated:
      return "TruncatedIndexError";
    case ErrorCode::kChecksum:
      return "ChecksumError";
    case ErrorCode::kUnsupportedVersion:
      return "UnsupportedVersionError";
    case ErrorCode::kIo:
      return "IndexIOError";
    case ErrorCode::kDiskFull:
      return "DiskFullError";
    case ErrorCode::kLimit:
      return "LimitError";
    case ErrorCode::kStopped:
      break;  // becomes a KeyboardInterrupt below
  }
  return "AnygramError";
}

// The arguments that a class takes: files with their place, system errors as any OSError.
py::tuple arguments(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kIndexFormat:
    case ErrorCode::kTruncated:
    case ErrorCode::kChecksum:
    case ErrorCode::kUnsupportedVersion:
      return py::make_tuple(error.what(), error.path(), error.offset());
    case ErrorCode::kIo:
    case ErrorCode::kDiskFull:
      return py::make_tuple(error.system_error(), error.what(), error.path());
    default:
      return py::make_tuple(error.what());
  }
}

void set_error(const Error& error) {
  if (error.code() == ErrorCode::kStopped) {
    PyErr_SetString(PyExc_KeyboardInterrupt, error.what());
    return;
  }
  const py::object type = py::module_::import("anygram.errors").attr(class_name(error.code()));
  PyErr_SetObject(type.ptr(), type(*arguments(error)).ptr());
}

}  // namespace

void set_python_error(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (py::error_already_set& error) {
    error.restore();
  } catch (const Error& error) {
    set_error(error);
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
}

void bind_errors() {
  // By value, as pybind11 wants it. NOLINTNEXTLINE(performance-unnecessary-value-param)
  py::register_exception_translator([](std::exception_ptr pointer) {
    try {
      if (pointer) std::rethrow_exception(pointer);
    } catch (const Error& error) {
      set_error(error);
    }
  });
}

}  // namespace anygram::bindings
