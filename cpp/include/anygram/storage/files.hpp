// The few calls on files that both readers and writers need.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace anygram {

// An open file's number, closed when it goes out of scope.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int number) : number_(number) {}
  FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor();

  int number() const { return number_; }
  bool is_open() const { return number_ >= 0; }
  // Gives the number away; the caller closes it.
  int release() { return std::exchange(number_, -1); }

 private:
  int number_ = -1;
};

// Opens a file to read it. Throws kIndexNotFound if nothing stands there, kIo otherwise.
FileDescriptor open_for_reading(const std::string& path);

// Throws the Error for a system call that failed: kDiskFull (the message says how much is free), kIndexNotFound or kIo.
// `action` completes "cannot ...", as in "write".
[[noreturn]] void throw_system_error(const std::string& action, const std::string& path, int error_number);

// Makes the names in a folder durable: files created, renamed or removed there survive a power cut after it returns.
void fsync_folder(const std::string& path);

// Makes an open file's bytes durable.
void fsync_file(int descriptor, const std::string& path);

std::string join_path(const std::string& folder, const std::string& name);

}  // namespace anygram
