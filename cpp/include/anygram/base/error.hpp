// The one exception of the core. The bindings map each code to a Python class.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace anygram {

enum class ErrorCode {
  kInvalidQuery,        // this index could not answer it, or none could
  kInvalidArgument,     // a caller's mistake that is no query
  kDocumentNotFound,    // no document of that number
  kIndexNotFound,       // nothing stands at the path
  kIndexFormat,         // not an index, or its parts contradict each other
  kTruncated,           // a file is shorter or longer than its header says
  kChecksum,            // a page does not have the checksum that was stored for it
  kUnsupportedVersion,  // written by a newer version
  kIo,                  // the operating system refused
  kDiskFull,            // no space is left
  kLimit,               // legal, and larger than the caller or the format allows
  kStopped,             // the caller asked to stop
};

// What went wrong, and where: `path` and `offset` (in bytes) are set when a file is to blame, `system_error` is errno.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  Error(ErrorCode code, const std::string& message, std::string path, std::optional<std::uint64_t> offset = {},
        int system_error = 0)
      : std::runtime_error(message),
        code_(code),
        path_(std::move(path)),
        offset_(offset),
        system_error_(system_error) {}

  ErrorCode code() const { return code_; }
  const std::string& path() const { return path_; }
  std::optional<std::uint64_t> offset() const { return offset_; }
  int system_error() const { return system_error_; }

 private:
  ErrorCode code_;
  std::string path_;
  std::optional<std::uint64_t> offset_;
  int system_error_ = 0;
};

}  // namespace anygram
