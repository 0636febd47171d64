// Brings files to the disk while other work goes on.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include <anygram/storage/files.hpp>

namespace anygram {

// Has a thread of its own make files durable and close them, in the order in which they come. The thread starts with
// the first of them. For one caller.
class FileSyncer {
 public:
  FileSyncer() = default;
  FileSyncer(const FileSyncer&) = delete;
  FileSyncer& operator=(const FileSyncer&) = delete;
  // Closes what is left without syncing it.
  ~FileSyncer();

  // Takes a file that is written; `path` is for the error.
  void add(FileDescriptor file, std::string path);
  // Returns when all files are on the disk. Throws kIo or kDiskFull if one of them is not.
  void wait();

 private:
  void run();

  std::thread thread_;
  std::mutex mutex_;  // of all that follows
  std::condition_variable changed_;
  std::deque<std::pair<FileDescriptor, std::string>> files_;
  bool busy_ = false;
  bool stopped_ = false;
  std::exception_ptr error_;
};

}  // namespace anygram
