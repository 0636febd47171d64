#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <anygram/base/error.hpp>
#include <anygram/shard/shard.hpp>

#include "families.hpp"
#include "running.hpp"
#include "tokens.hpp"

namespace anygram::bindings {
namespace {

namespace py = pybind11;

void check_below(std::uint64_t value, std::uint64_t limit, const char* what) {
  if (value < limit) return;
  throw Error(ErrorCode::kInvalidQuery,
              std::string(what) + " " + std::to_string(value) + " is not below " + std::to_string(limit));
}

LoadMode load_mode_named(const std::string& name) {
  if (name == "mmap") return LoadMode::kMmap;
  if (name == "ram") return LoadMode::kRam;
  throw Error(ErrorCode::kInvalidArgument, "load is 'mmap' or 'ram', not '" + name + "'");
}

// Bytes of a shard, which they keep alive.
py::object memory_view(const std::shared_ptr<const Shard>& shard, std::span<const std::byte> bytes) {
  auto owner = std::make_unique<std::shared_ptr<const Shard>>(shard);
  const py::capsule base(owner.release(),
                         [](void* pointer) { delete static_cast<std::shared_ptr<const Shard>*>(pointer); });
  const auto size = static_cast<py::ssize_t>(bytes.size());
  const py::array_t<std::uint8_t> array(size, reinterpret_cast<const std::uint8_t*>(bytes.data()), base);
  const auto view = py::reinterpret_steal<py::object>(PyMemoryView_FromObject(array.ptr()));
  return view.attr("toreadonly")();
}

}  // namespace

void bind_shards(py::module_& module) {
  module.def(
      "open_shard",
      [](const std::string& folder, const std::string& load) {
        const LoadMode mode = load_mode_named(load);
        const py::gil_scoped_release unlocked;
        return std::const_pointer_cast<Shard>(open_shard(folder, mode));
      },
      py::arg("folder"), py::arg("load"));
  py::class_<Shard, std::shared_ptr<Shard>>(module, "Shard")
      .def_property_readonly("num_tokens", [](const Shard& shard) { return shard.counts().num_tokens; })
      .def_property_readonly("num_documents", [](const Shard& shard) { return shard.counts().num_documents; })
      .def_property_readonly("vocab_size", [](const Shard& shard) { return shard.counts().vocab_size; })
      .def_property_readonly("token_width", &Shard::token_width)
      .def_property_readonly("num_bytes", &Shard::num_bytes)
      .def_property_readonly("path", &Shard::path)
      .def(
          "interval",
          [](const Shard& shard, const py::object& ngram) {
            const Symbols symbols(ngram);
            const Ngram one = symbols;
            Interval interval;
            const py::gil_scoped_release unlocked;
            shard.find({&one, 1}, {&interval, 1});
            return std::pair(interval.begin, interval.end);
          },
          py::arg("ngram"))
      .def(
          "position",
          [](const Shard& shard, std::uint64_t rank) {
            check_below(rank, shard.counts().num_tokens, "rank");
            Position position = 0;
            shard.positions(rank, 1, {&position, 1});
            return position;
          },
          py::arg("rank"))
      .def(
          "document_at",
          [](const Shard& shard, std::uint64_t position) {
            check_below(position, shard.stream_length(), "position");
            const auto narrowed = static_cast<Position>(position);
            std::uint32_t document = 0;
            shard.documents_at({&narrowed, 1}, {&document, 1});
            return document;
          },
          py::arg("position"))
      .def(
          "section_bytes",
          [](const std::shared_ptr<Shard>& shard, const std::string& name) {
            return memory_view(shard, shard->section_bytes(name));
          },
          py::arg("name"))
      // Pages of 4 KB that were read since it was opened, by section.
      .def("pages_touched",
           [](const Shard& shard) {
             py::dict pages;
             for (const SectionPages& section : shard.pages_touched()) pages[py::str(section.name)] = section.pages;
             return pages;
           })
      // A list of (name, bytes).
      .def("files", [](const std::shared_ptr<Shard>& shard) {
        py::list files;
        for (const ShardFile& file : shard->files())
          files.append(py::make_tuple(file.name, memory_view(shard, file.bytes)));
        return files;
      });
}

}  // namespace anygram::bindings
