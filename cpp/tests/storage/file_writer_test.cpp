#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include <anygram/base/error.hpp>
#include <anygram/storage/file_writer.hpp>
#include <anygram/storage/mapped_file.hpp>

#include "temporary_folder.hpp"

namespace anygram {
namespace {

using testing::read_file;
using testing::TemporaryFolder;
using testing::write_file;

std::vector<std::byte> random_bytes(std::size_t size) {
  std::mt19937 random(7);
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

template <class Body>
ErrorCode code_of(const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.code();
  }
  FAIL("nothing was thrown");
  return ErrorCode::kStopped;
}

TEST_CASE("file writer: pieces of any size arrive in order") {
  const TemporaryFolder folder;
  const std::vector<std::byte> bytes = random_bytes(5'000'000);
  FileWriter writer(folder.file("a"));
  std::mt19937 random(3);
  for (std::size_t begin = 0; begin < bytes.size();) {
    const std::size_t most = random() % 4 == 0 ? 2'500'000 : 3000;
    const std::size_t count = std::min<std::size_t>(random() % most, bytes.size() - begin);
    writer.write(std::span(bytes).subspan(begin, count));
    begin += count;
    REQUIRE(writer.size() == begin);
  }
  writer.sync();
  writer.close();
  CHECK(read_file(folder.file("a")) == bytes);
}

TEST_CASE("file writer: earlier bytes can be overwritten, and holes are zeros") {
  const TemporaryFolder folder;
  std::vector<std::byte> bytes = random_bytes(100);
  FileWriter writer(folder.file("a"));
  writer.write(bytes);
  writer.write_at(10, std::span(bytes).first(5));
  writer.write_at(200, std::span(bytes).first(1));
  CHECK(writer.size() == 201);
  writer.write(std::span(bytes).first(2));
  writer.close();
  std::copy_n(bytes.begin(), 5, bytes.begin() + 10);
  bytes.resize(200);
  bytes.insert(bytes.end(), {bytes[0], bytes[0], bytes[1]});
  CHECK(read_file(folder.file("a")) == bytes);
}

TEST_CASE("file writer: a full disk and a missing folder are told apart") {
  const std::vector<std::byte> bytes(100);
  if (std::filesystem::exists("/dev/full")) {
    FileWriter writer("/dev/full");
    writer.write(bytes);
    CHECK(code_of([&] { writer.flush(); }) == ErrorCode::kDiskFull);
    const std::vector<std::byte> many(std::size_t{3} << 20);
    CHECK(code_of([&] { writer.write(many); }) == ErrorCode::kDiskFull);
    writer.write(bytes);
    CHECK(code_of([&] { writer.close(); }) == ErrorCode::kDiskFull);
  }
  CHECK(code_of([] { FileWriter("/nonexistent/folder/file"); }) == ErrorCode::kIo);
}

TEST_CASE("mapped file: both modes give the bytes, and zeros after them") {
  const TemporaryFolder folder;
  for (const LoadMode mode : {LoadMode::kMmap, LoadMode::kRam}) {
    for (const std::size_t size : {0U, 1U, 4032U, 4033U, 4095U, 4096U, 4097U, 65536U, 5'000'000U}) {
      const std::vector<std::byte> bytes = random_bytes(size);
      write_file(folder.file("a"), bytes);
      MappedFile opened(folder.file("a"), mode);
      std::filesystem::remove(folder.file("a"));  // what is mapped stays
      opened.advise_random();
      const MappedFile file = std::move(opened);
      CHECK(file.path() == folder.file("a"));
      REQUIRE(file.bytes().size() == size);
      REQUIRE(std::ranges::equal(file.bytes(), bytes));
      for (std::size_t i = 0; i < kStreamPadding; ++i) REQUIRE(file.bytes().data()[size + i] == std::byte{0});
    }
  }
}

TEST_CASE("mapped file: what is no file is refused") {
  const TemporaryFolder folder;
  CHECK(code_of([&] { MappedFile(folder.file("missing")); }) == ErrorCode::kIndexNotFound);
  CHECK(code_of([&] { MappedFile(folder.file("missing/file")); }) == ErrorCode::kIndexNotFound);
  CHECK(code_of([&] { MappedFile(folder.path(), LoadMode::kMmap); }) == ErrorCode::kIndexFormat);
  CHECK(code_of([&] { MappedFile(folder.path(), LoadMode::kRam); }) == ErrorCode::kIndexFormat);
}

TEST_CASE("files: folders can be synced") {
  const TemporaryFolder folder;
  fsync_folder(folder.path());
  CHECK(code_of([&] { fsync_folder(folder.file("missing")); }) == ErrorCode::kIndexNotFound);
  CHECK(join_path("a", "b") == "a/b");
  CHECK(join_path("a/", "b") == "a/b");
}

}  // namespace
}  // namespace anygram
