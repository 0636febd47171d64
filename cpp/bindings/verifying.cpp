#include <string>
#include <vector>

#include <pybind11/stl.h>

#include <anygram/shard/verify.hpp>
#include <anygram/storage/section.hpp>
#include <anygram/storage/shard_manifest.hpp>

#include "families.hpp"
#include "running.hpp"

namespace anygram::bindings {

namespace py = pybind11;

namespace {

py::list list_of(const std::vector<SectionProblem>& problems) {
  py::list result;
  for (const SectionProblem& problem : problems) {
    result.append(py::make_tuple(problem.path, problem.offset, problem.expected, problem.found));
  }
  return result;
}

}  // namespace

void bind_verifying(py::module_& module) {
  // A list of (path, offset, expected, found).
  module.def(
      "verify_shard",
      [](const std::string& folder, bool deep, unsigned threads, const py::object& progress) {
        const Progress report = python_progress(progress);
        return list_of(
            run_released([&](StopSignal& stop) { return verify_shard(folder, deep, threads, stop, report); }));
      },
      py::arg("folder"), py::arg("deep"), py::arg("threads"), py::arg("progress") = py::none());
  // The same of one section's file.
  module.def(
      "verify_section",
      [](const std::string& path, unsigned threads) {
        return list_of(run_released([&](StopSignal& stop) { return Section(path).verify(threads, stop); }));
      },
      py::arg("path"), py::arg("threads"));
  // What ShardBuilder.finish returned, read from the folder.
  module.def(
      "shard_checksum",
      [](const std::string& folder) {
        std::uint32_t checksum = 0;
        ShardManifest::read(folder, &checksum);
        return checksum;
      },
      py::arg("folder"));
}

}  // namespace anygram::bindings
