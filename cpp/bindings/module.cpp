#include "families.hpp"

PYBIND11_MODULE(_core, module) {
  using namespace anygram::bindings;
  module.doc() = "The compiled core of anygram. Private: only anygram.index, build, convert and verify call it.";
  bind_errors();
  bind_results(module);
  bind_tokens(module);
  bind_building(module);
  bind_verifying(module);
  bind_shards(module);
  IndexClass index(module, "Index");
  bind_counting(index);
  bind_texts(index);
  bind_occurrences(index);
  bind_searching(index);
  bind_scanning(module, index);
}
