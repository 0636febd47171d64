#include <anygram/storage/file_syncer.hpp>

#include <unistd.h>

#include <array>

#include <doctest/doctest.h>

#include <anygram/base/error.hpp>

#include "storage/temporary_folder.hpp"

namespace anygram {
namespace {

using namespace anygram::testing;

TEST_CASE("file syncer: any number of files, waited for in between or not") {
  const TemporaryFolder folder;
  FileSyncer syncer;
  syncer.wait();
  for (int i = 0; i < 20; ++i) {
    const std::string path = folder.file(std::to_string(i));
    write_file(path, std::as_bytes(std::span("text")));
    FileDescriptor file = open_for_reading(path);
    syncer.add(std::move(file), path);
    if (i % 7 == 0) syncer.wait();
  }
  syncer.wait();
  syncer.wait();
}

TEST_CASE("file syncer: what cannot be synced is told, each time") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);  // of which nothing can be on a disk
  FileSyncer syncer;
  syncer.add(FileDescriptor(ends[0]), "a pipe");
  syncer.add(FileDescriptor(ends[1]), "its other end");
  for (int i = 0; i < 2; ++i) {
    try {
      syncer.wait();
      FAIL("nothing was thrown");
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::kIo);
      CHECK(error.path() == "a pipe");
    }
  }
}

}  // namespace
}  // namespace anygram
