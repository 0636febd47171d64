// N-grams from Python objects.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include <pybind11/pybind11.h>

#include <anygram/query/ngrams.hpp>

namespace anygram::bindings {

// The symbols of one n-gram: a sequence of ints or a 1-D integer array. Those of a short one are held without asking
// for memory.
class Symbols {
 public:
  // Throws kInvalidQuery for what is no token id: negative, too large, a float, a bool, nested, or a document's end.
  explicit Symbols(pybind11::handle tokens);
  Symbols(const Symbols&) = delete;
  Symbols& operator=(const Symbols&) = delete;

  operator Ngram() const { return symbols_; }  // NOLINT(google-explicit-constructor): it is one
  std::size_t size() const { return symbols_.size(); }

 private:
  std::array<Symbol, 64> few_;
  std::vector<Symbol> many_;
  std::span<Symbol> symbols_;
};

// The symbol of a continuation: a token id, or DOCUMENT_END.
Symbol continuation_of(pybind11::handle token);

// Many n-grams, as the core takes them: symbols made of Python's ints, or the memory of arrays that it keeps alive.
class Ngrams {
 public:
  Ngrams(Ngrams&&) = default;
  Ngrams& operator=(Ngrams&&) = default;
  // Each a sequence as above, or a str, which `encode` turns into one.
  static Ngrams from_sequences(const pybind11::iterable& sequences, const pybind11::object& encode);
  // A 1-D integer array, and where the n-grams begin in it.
  static Ngrams from_arrays(const pybind11::object& values, const pybind11::object& offsets);
  // A 2-D integer array.
  static Ngrams from_rows(const pybind11::object& rows);

  NgramList list() const { return {tokens_, offsets_}; }
  std::size_t size() const { return list().size(); }
  // How many tokens each has.
  std::vector<std::int64_t> lengths() const;

 private:
  Ngrams() = default;

  std::vector<Symbol> symbols_;
  std::vector<std::int64_t> own_offsets_;
  pybind11::object values_;  // arrays whose memory is used
  pybind11::object offset_values_;
  TokenArray tokens_;
  std::span<const std::int64_t> offsets_;
};

}  // namespace anygram::bindings
