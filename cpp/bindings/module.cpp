#include "families.hpp"

PYBIND11_MODULE(_core, module) {
  using namespace anygram::bindings;
  module.doc() = "The compiled core of anygram. Private: tests/test_layers.py names the modules that call it.";
  bind_errors();
  bind_results(module);
  bind_tokens(module);
  bind_building(module);
  bind_foreign_files(module);
  bind_verifying(module);
  bind_shards(module);
  bind_infini_gram(module);
  bind_tokengrams(module);
  IndexClass index(module, "Index");
  bind_filters(module, index);
  bind_counting(index);
  bind_texts(index);
  bind_occurrences(module, index);
  bind_searching(index);
  bind_strings(module, index);
  bind_smoothing(module);
  bind_scanning(module, index);
}
