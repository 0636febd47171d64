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

// Core exceptions become classes of anygram.errors.
void bind_errors();
// The objects that answers are.
void bind_results(pybind11::module_& module);
// N-grams as Python has them.
void bind_tokens(pybind11::module_& module);
// Documents in, shards out.
void bind_building(pybind11::module_& module);
// Documents in, other projects' files out.
void bind_foreign_files(pybind11::module_& module);
// Checksums and order.
void bind_verifying(pybind11::module_& module);
// One shard.
void bind_shards(pybind11::module_& module);
// A shard in infini-gram's files.
void bind_infini_gram(pybind11::module_& module);
// A shard in tokengrams' files.
void bind_tokengrams(pybind11::module_& module);
// Counts and probabilities.
void bind_counting(IndexClass& index);
// Questions about each position of a text.
void bind_texts(IndexClass& index);
// Where n-grams stand.
void bind_occurrences(pybind11::module_& module, IndexClass& index);
// Documents that a question is about.
void bind_filters(pybind11::module_& module, IndexClass& index);
// Boolean and proximity search.
void bind_searching(IndexClass& index);
// Strings whatever their tokenization.
void bind_strings(pybind11::module_& module, IndexClass& index);
// Language models that smooth the counts.
void bind_smoothing(pybind11::module_& module);
// A scan of all documents for grams, and near matches.
void bind_scanning(pybind11::module_& module, IndexClass& index);

}  // namespace anygram::bindings
