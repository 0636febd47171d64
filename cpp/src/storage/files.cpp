#include <anygram/storage/files.hpp>

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include <anygram/base/error.hpp>

namespace anygram {

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    if (is_open()) ::close(number_);
    number_ = std::exchange(other.number_, -1);
  }
  return *this;
}

FileDescriptor::~FileDescriptor() {
  if (is_open()) ::close(number_);
}

FileDescriptor open_for_reading(const std::string& path) {
  // O_NONBLOCK, so that a pipe that stands there cannot hang us; regular files ignore it.
  int number = -1;
  do {
    number = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  } while (number < 0 && errno == EINTR);
  if (number >= 0) return FileDescriptor(number);
  if (errno == ENOENT || errno == ENOTDIR) {
    throw Error(ErrorCode::kIndexNotFound, "cannot open " + path + ": there is no such file", path, {}, errno);
  }
  throw_system_error("open", path, errno);
}

void throw_system_error(const std::string& action, const std::string& path, int error_number) {
  const std::string message = "cannot " + action + " " + path + ": " + std::generic_category().message(error_number);
  if (error_number != ENOSPC && error_number != EDQUOT) throw Error(ErrorCode::kIo, message, path, {}, error_number);
  struct statvfs disk{};
  std::string free;
  if (::statvfs(path.c_str(), &disk) == 0) {
    free = " (" + std::to_string(std::uint64_t{disk.f_bavail} * disk.f_frsize) + " bytes are free)";
  }
  throw Error(ErrorCode::kDiskFull, message + free + "; make room or choose another disk", path, {}, error_number);
}

void fsync_file(int descriptor, const std::string& path) {
#ifdef __APPLE__
  // fsync there leaves the bytes in the drive's own memory. Not every file system knows the stronger call.
  if (::fcntl(descriptor, F_FULLFSYNC) == 0) return;
#endif
  while (::fsync(descriptor) != 0) {
    if (errno != EINTR) throw_system_error("sync", path, errno);
  }
}

void fsync_folder(const std::string& path) {
  const FileDescriptor folder = open_for_reading(path);
  fsync_file(folder.number(), path);
}

std::string join_path(const std::string& folder, const std::string& name) {
  return folder.empty() || folder.back() == '/' ? folder + name : folder + "/" + name;
}

}  // namespace anygram
