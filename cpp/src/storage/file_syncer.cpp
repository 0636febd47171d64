#include <anygram/storage/file_syncer.hpp>

namespace anygram {

FileSyncer::~FileSyncer() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void FileSyncer::add(FileDescriptor file, std::string path) {
  {
    const std::lock_guard lock(mutex_);
    files_.emplace_back(std::move(file), std::move(path));
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  }
  changed_.notify_all();
}

void FileSyncer::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return error_ || (files_.empty() && !busy_); });
  if (error_) std::rethrow_exception(error_);
}

void FileSyncer::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopped_ || !files_.empty(); });
    if (stopped_) return;
    const auto [file, path] = std::move(files_.front());
    files_.pop_front();
    busy_ = true;
    lock.unlock();
    std::exception_ptr error;
    try {
      fsync_file(file.number(), path);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    busy_ = false;
    if (error && !error_) error_ = error;
    changed_.notify_all();
  }
}

}  // namespace anygram
