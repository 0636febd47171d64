// The families of bindings, each in a file of its own; module.cpp is their table of contents.
#pragma once

#include <exception>
#include <memory>

#include <pybind11/pybind11.h>

#include <anygram/index.hpp>

namespace anygram::bindings {

using IndexClass = pybind11::class_<Index, std::shared_ptr<Index>>;

// Sets Python's error to what the exception stands for.
void set_python_error(const std::exception_ptr& exception);

void bind_errors();                              // core exceptions become classes of anygram.errors
void bind_results(pybind11::module_& module);    // the objects that answers are
void bind_tokens(pybind11::module_& module);     // n-grams as Python has them
void bind_building(pybind11::module_& module);   // documents in, shards out
void bind_verifying(pybind11::module_& module);  // checksums and order
void bind_shards(pybind11::module_& module);     // one shard
void bind_counting(IndexClass& index);           // counts and probabilities
void bind_texts(IndexClass& index);              // questions about each position of a text
void bind_occurrences(IndexClass& index);        // where n-grams stand
void bind_searching(IndexClass& index);          // boolean and proximity search
// Scans of all documents, and near matches.
void bind_scanning(pybind11::module_& module, IndexClass& index);

}  // namespace anygram::bindings
