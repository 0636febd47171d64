// How the core runs when Python calls it: without the interpreter's lock, and ended by Ctrl-C.
#pragma once

#include <utility>

#include <pybind11/pybind11.h>

#include <anygram/base/stop_signal.hpp>

namespace anygram::bindings {

// A stop signal that asks Python, on the thread that called, whether a signal handler raised.
class PythonStop : public StopSignal {
 public:
  PythonStop()
      : StopSignal([] {
          const pybind11::gil_scoped_acquire lock;
          if (PyErr_CheckSignals() != 0) throw pybind11::error_already_set();
        }) {}
};

// Runs `work(stop)` without the interpreter's lock, so that other Python threads go on.
template <class Work>
auto run_released(const Work& work) {
  PythonStop stop;
  const pybind11::gil_scoped_release unlocked;
  return work(stop);
}

// A Python function of (done, total), or None, as the core calls it.
inline Progress python_progress(const pybind11::object& function) {
  if (function.is_none()) return {};
  return [&function](std::uint64_t done, std::uint64_t total) {
    const pybind11::gil_scoped_acquire lock;
    function(done, total);
  };
}

}  // namespace anygram::bindings
