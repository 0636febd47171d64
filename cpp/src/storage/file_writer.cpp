#include <anygram/storage/file_writer.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace anygram {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;

}  // namespace

FileWriter::FileWriter(const std::string& path)
    : path_(path), buffer_(std::make_unique_for_overwrite<std::byte[]>(kBufferBytes)) {
  int number = -1;
  do {
    number = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  } while (number < 0 && errno == EINTR);
  if (number < 0) throw_system_error("create", path, errno);
  file_ = FileDescriptor(number);
}

void FileWriter::write(std::span<const std::byte> bytes) {
  if (bytes.size() > kBufferBytes - buffered_) flush();
  if (bytes.size() >= kBufferBytes) {
    write_out(written_, bytes);
    written_ += bytes.size();
    return;
  }
  if (bytes.empty()) return;  // memcpy may not be given the null pointer of an empty span
  std::memcpy(buffer_.get() + buffered_, bytes.data(), bytes.size());
  buffered_ += bytes.size();
}

void FileWriter::write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
  flush();
  write_out(offset, bytes);
  written_ = std::max<std::uint64_t>(written_, offset + bytes.size());
}

void FileWriter::flush() {
  const std::size_t count = buffered_;
  buffered_ = 0;  // also if writing fails: size() then counts what reached the system
  write_out(written_, {buffer_.get(), count});
  written_ += count;
}

void FileWriter::sync() {
  flush();
  fsync_file(file_.number(), path_);
}

void FileWriter::start_writeback() {
#ifdef __linux__
  // Advice: without it, all is written by sync().
  static_cast<void>(::sync_file_range(file_.number(), static_cast<off_t>(written_back_),
                                      static_cast<off_t>(written_ - written_back_), SYNC_FILE_RANGE_WRITE));
#endif
  written_back_ = written_;
}

FileDescriptor FileWriter::release() {
  flush();
  return std::move(file_);
}

void FileWriter::close() {
  flush();
  // Some file systems report a failed write only here. The number is free afterwards whatever the result.
  if (::close(file_.release()) != 0 && errno != EINTR) throw_system_error("write", path_, errno);
}

void FileWriter::write_out(std::uint64_t offset, std::span<const std::byte> bytes) {
  constexpr std::size_t kMostAtOnce = std::size_t{1} << 30;  // systems refuse or cut writes of 2 GiB and more
  while (!bytes.empty()) {
    const ssize_t count =
        ::pwrite(file_.number(), bytes.data(), std::min(bytes.size(), kMostAtOnce), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) throw_system_error("write", path_, count == 0 ? EIO : errno);
    offset += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

}  // namespace anygram
