#include <memory>
#include <optional>
#include <string>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <anygram/shard/convert.hpp>
#include <anygram/shard/shard.hpp>
#include <anygram/shard/shard_builder.hpp>
#include <anygram/shard/token_spool.hpp>

#include "families.hpp"
#include "running.hpp"

namespace anygram::bindings {
namespace {

namespace py = pybind11;

Profile profile_named(const std::string& name) {
  if (name == "fast") return Profile::kFast;
  if (name == "lean") return Profile::kLean;
  throw Error(ErrorCode::kInvalidArgument, "the profile is 'fast' or 'lean', not '" + name + "'");
}

template <class Element>
std::span<const Element> as_span(const py::array_t<Element, py::array::c_style>& array) {
  return {array.data(), static_cast<std::size_t>(array.size())};
}

// Pulls the pieces of a section from a Python iterator of bytes.
class Pieces {
 public:
  explicit Pieces(const py::iterable& pieces) : iterator_(py::iter(pieces)) {}

  std::optional<std::span<const std::byte>> next() {
    if (iterator_ == py::iterator::sentinel()) return {};
    piece_ = py::reinterpret_borrow<py::bytes>(*iterator_);
    ++iterator_;
    char* data = nullptr;
    Py_ssize_t size = 0;
    if (PyBytes_AsStringAndSize(piece_.ptr(), &data, &size) != 0) throw py::error_already_set();
    return std::as_bytes(std::span(data, static_cast<std::size_t>(size)));
  }

 private:
  py::iterator iterator_;
  py::bytes piece_;
};

template <class Id>
void append(TokenSpool& spool, const py::array_t<Id, py::array::c_style>& ids,
            const py::array_t<std::int64_t, py::array::c_style>& lengths, bool separated) {
  const auto id_span = as_span(ids);
  const auto length_span = as_span(lengths);
  const py::gil_scoped_release unlocked;
  spool.append(id_span, length_span, separated);
}

void bind_spool(py::module_& module) {
  py::class_<DocumentRun>(module, "DocumentRun")
      .def_readonly("first_document", &DocumentRun::first_document)
      .def_readonly("num_documents", &DocumentRun::num_documents)
      .def_readonly("num_tokens", &DocumentRun::num_tokens)
      .def_readonly("stream_begin", &DocumentRun::stream_begin);
  py::class_<TokenSpool>(module, "TokenSpool")
      .def(py::init<const std::string&, int>(), py::arg("folder"), py::arg("width"))
      .def("append", &append<std::uint16_t>, py::arg("ids").noconvert(), py::arg("lengths"),
           py::arg("separated") = false)
      .def("append", &append<std::uint32_t>, py::arg("ids"), py::arg("lengths"), py::arg("separated") = false)
      .def("close", &TokenSpool::close, py::call_guard<py::gil_scoped_release>())
      .def("cut", &TokenSpool::cut, py::arg("num_shards"), py::arg("max_stream_length") = kMaxStreamLength,
           py::call_guard<py::gil_scoped_release>())
      .def_property_readonly("num_tokens", &TokenSpool::num_tokens)
      .def_property_readonly("num_documents", &TokenSpool::num_documents)
      .def_property_readonly("max_token", &TokenSpool::max_token);
}

}  // namespace

void bind_building(py::module_& module) {
  bind_spool(module);
  module.def(
      "content_checksums",
      [](const std::string& folder) {
        const std::vector<std::byte> checksums = content_checksums(folder);
        return py::bytes(reinterpret_cast<const char*>(checksums.data()), checksums.size());
      },
      py::arg("folder"));
  module.def("width_for", &width_for, py::arg("vocab_size"));
  module.def(
      "convert_shard",
      [](const std::string& source, const std::string& folder, const std::string& profile, unsigned threads,
         std::uint64_t memory, bool sync, const py::object& progress) {
        const Progress report = python_progress(progress);
        const ConvertOptions options{profile_named(profile), threads, memory, sync};
        return run_released([&](StopSignal& stop) { return convert_shard(source, folder, options, stop, report); });
      },
      py::arg("source"), py::arg("folder"), py::kw_only(), py::arg("profile"), py::arg("threads"), py::arg("memory"),
      py::arg("sync"), py::arg("progress") = py::none());
  module.def(
      "least_memory",
      [](std::uint64_t stream_length, int width, const std::string& profile) {
        return ShardBuilder::least_memory(stream_length, width, profile_named(profile));
      },
      py::arg("stream_length"), py::arg("width"), py::arg("profile"));
  // What was freed goes back to the system, where the library otherwise keeps it.
  module.def("release_memory", [] {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
  });
  py::class_<ShardBuilder>(module, "ShardBuilder")
      .def(py::init([](std::string folder, std::uint64_t vocab_size, const std::string& profile, unsigned threads,
                       std::uint64_t memory, bool sync) {
             return std::make_unique<ShardBuilder>(
                 std::move(folder), ShardBuilderOptions{vocab_size, profile_named(profile), threads, memory, sync});
           }),
           py::arg("folder"), py::kw_only(), py::arg("vocab_size"), py::arg("profile"), py::arg("threads"),
           py::arg("memory"), py::arg("sync"))
      .def(
          "write_tokens",
          [](ShardBuilder& builder, TokenSpool& spool, const DocumentRun& run, const py::object& progress) {
            const Progress report = python_progress(progress);
            run_released([&](StopSignal& stop) { builder.write_tokens(spool, run, stop, report); });
          },
          py::arg("spool"), py::arg("run"), py::arg("progress") = py::none())
      .def(
          "sort",
          [](ShardBuilder& builder, const py::object& progress) {
            const Progress report = python_progress(progress);
            run_released([&](StopSignal& stop) { builder.sort(stop, report); });
          },
          py::arg("progress") = py::none())
      .def(
          "write_metadata",
          [](ShardBuilder& builder, const py::iterable& pieces) {
            Pieces reader(pieces);
            builder.write_section(SectionKind::kMetadata, [&reader] { return reader.next(); });
          },
          py::arg("pieces"))
      .def("finish", &ShardBuilder::finish, py::call_guard<py::gil_scoped_release>());
}

}  // namespace anygram::bindings
