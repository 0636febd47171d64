#include <pybind11/stl.h>

#include <anygram/shard/verify.hpp>
#include <anygram/storage/shard_manifest.hpp>

#include "families.hpp"
#include "running.hpp"

namespace anygram::bindings {

namespace py = pybind11;

void bind_verifying(py::module_& module) {
  // A list of (path, offset, expected, found).
  module.def(
      "verify_shard",
      [](const std::string& folder, bool deep, unsigned threads, const py::object& progress) {
        const Progress report = python_progress(progress);
        const auto problems =
            run_released([&](StopSignal& stop) { return verify_shard(folder, deep, threads, stop, report); });
        py::list result;
        for (const SectionProblem& problem : problems) {
          result.append(py::make_tuple(problem.path, problem.offset, problem.expected, problem.found));
        }
        return result;
      },
      py::arg("folder"), py::arg("deep"), py::arg("threads"), py::arg("progress") = py::none());
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
