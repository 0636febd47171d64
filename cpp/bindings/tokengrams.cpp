#include <anygram/shard/tokengrams_shard.hpp>

#include "families.hpp"

namespace anygram::bindings {

namespace py = pybind11;

void bind_tokengrams(py::module_& module) {
  module.def(
      "open_tokengrams_shard",
      [](const std::string& tokens, const std::string& table, int token_width, bool in_memory) {
        const py::gil_scoped_release unlocked;
        const LoadMode load = in_memory ? LoadMode::kRam : LoadMode::kMmap;
        return std::const_pointer_cast<Shard>(open_tokengrams_shard({tokens, table, token_width}, load));
      },
      py::kw_only(), py::arg("tokens"), py::arg("table"), py::arg("token_width"), py::arg("in_memory"));
}

}  // namespace anygram::bindings
