#include <anygram/storage/write_behind.hpp>

#include <algorithm>
#include <utility>

namespace anygram {

WriteBehind::~WriteBehind() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void WriteBehind::append(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto count = std::min(bytes.size(), kBlockBytes - filling_.size());
    if (filling_.capacity() == 0 && count < bytes.size()) filling_.reserve(kBlockBytes);
    filling_.insert(filling_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
    bytes = bytes.subspan(count);
    if (filling_.size() == kBlockBytes) hand_over();
  }
}

void WriteBehind::hand_over() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return num_blocks_ < kMostBlocks - 1 || error_; });
  if (error_) std::rethrow_exception(error_);
  ++num_blocks_;
  full_.push_back(std::move(filling_));
  filling_.clear();
  if (!empty_.empty()) {
    filling_ = std::move(empty_.back());
    empty_.pop_back();
  } else {
    filling_.reserve(kBlockBytes);
  }
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  lock.unlock();
  changed_.notify_all();
}

void WriteBehind::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopped_ || !full_.empty(); });
    if (stopped_) return;
    Block block = std::move(full_.front());
    full_.pop_front();
    lock.unlock();
    std::exception_ptr error;
    try {
      consume_(block);
    } catch (...) {
      error = std::current_exception();
    }
    block.clear();
    lock.lock();
    --num_blocks_;
    empty_.push_back(std::move(block));
    if (error && !error_) error_ = error;
    if (error_) full_.clear();
    changed_.notify_all();
    if (error_) return;
  }
}

void WriteBehind::drain() {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return num_blocks_ == 0 || error_; });
    if (error_) std::rethrow_exception(error_);
  }
  // The thread waits for blocks and touches nothing, so the rest can be dealt with here.
  consume_(filling_);
  filling_.clear();
}

}  // namespace anygram
