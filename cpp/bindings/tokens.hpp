// N-grams from Python objects, arrays to Python.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <anygram/query/query.hpp>

namespace anygram::bindings {

// The symbols of one n-gram: a sequence of ints or a 1-D integer array. Throws kInvalidQuery for what is no token id:
// negative, too large, a float, a bool, nested, or the end of a document.
std::vector<Symbol> symbols_of(pybind11::handle tokens);

// The symbol of a continuation: a token id, or DOCUMENT_END.
Symbol continuation_of(pybind11::handle token);

// Many n-grams, as the core takes them.
struct Ngrams {
  std::vector<Symbol> symbols;
  std::vector<std::int64_t> offsets{0};

  NgramList list() const { return {symbols, offsets}; }
};

// The id that Python knows a symbol by: the end of a document is DOCUMENT_END, 2^32 - 1, which this makes of symbol 0.
inline std::int64_t token_of(Symbol symbol) { return std::int64_t{static_cast<Symbol>(symbol - 1)}; }

// Hands a vector to numpy without copying it.
template <class Element>
pybind11::array_t<Element> to_array(std::vector<Element>&& values) {
  auto owner = std::make_unique<std::vector<Element>>(std::move(values));
  const auto* data = owner->data();
  const auto size = static_cast<pybind11::ssize_t>(owner->size());
  const pybind11::capsule base(owner.release(),
                               [](void* pointer) { delete static_cast<std::vector<Element>*>(pointer); });
  return pybind11::array_t<Element>(size, data, base);
}

}  // namespace anygram::bindings
