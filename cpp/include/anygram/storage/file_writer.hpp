// A buffered sequential writer that checks every return code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include <anygram/storage/files.hpp>

namespace anygram {

// Creates the file, or empties the one that stands there. Errors are kDiskFull and kIo; a file whose writing failed is
// left as it is, for the caller to remove. A writer that is destroyed without close() may lose what is in its buffer.
class FileWriter {
 public:
  explicit FileWriter(const std::string& path);

  // Appends the bytes. They reach the system when the buffer (1 MiB) is full.
  void write(std::span<const std::byte> bytes);
  // Overwrites bytes that were written before, or leaves a hole of zeros before them.
  void write_at(std::uint64_t offset, std::span<const std::byte> bytes);
  // Gives the buffer to the system.
  void flush();
  // Flushes, and returns when the bytes are on the disk.
  void sync();
  // Asks the system to begin to write to the disk what it was given, and does not wait for it; a later sync() is then
  // short. Does nothing where there is no such call.
  void start_writeback();
  // Flushes and closes; nothing can be written afterwards.
  void close();
  // Flushes, and gives the open file away; nothing can be written afterwards.
  FileDescriptor release();

  // Bytes appended so far.
  std::uint64_t size() const { return written_ + buffered_; }
  const std::string& path() const { return path_; }

 private:
  void write_out(std::uint64_t offset, std::span<const std::byte> bytes);

  std::string path_;
  FileDescriptor file_;
  std::unique_ptr<std::byte[]> buffer_;
  std::size_t buffered_ = 0;
  std::uint64_t written_ = 0;
  std::uint64_t written_back_ = 0;
};

}  // namespace anygram
