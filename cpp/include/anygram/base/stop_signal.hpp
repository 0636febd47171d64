// How a caller ends long work early.
#pragma once

#include <atomic>
#include <functional>
#include <thread>
#include <utility>

#include <anygram/base/error.hpp>

namespace anygram {

// Long work calls check() every few milliseconds at most. `poll` is called only on the thread that started the work
// (see ThreadPool) and may throw; what it throws stops the other threads and reaches the caller.
class StopSignal {
 public:
  StopSignal() = default;
  explicit StopSignal(std::function<void()> poll) : poll_(std::move(poll)) {}

  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  void stop() { stopped_.store(true, std::memory_order_relaxed); }
  bool stopped() const { return stopped_.load(std::memory_order_relaxed); }

  // Asks the caller, then throws kStopped if someone asked to stop. For the calling thread only.
  void poll() {
    if (poll_) {
      try {
        poll_();
      } catch (...) {
        stop();
        throw;
      }
    }
    check();
  }

  // The same from any thread: asks the caller on the thread that made this, where work runs that takes long between
  // two polls.
  void look() {
    if (std::this_thread::get_id() == owner_) {
      poll();
    } else {
      check();
    }
  }

  // Throws kStopped if someone asked to stop. For any thread; one relaxed load.
  void check() const {
    if (stopped()) throw Error(ErrorCode::kStopped, "stopped");
  }

 private:
  std::function<void()> poll_;
  std::thread::id owner_ = std::this_thread::get_id();
  std::atomic<bool> stopped_{false};
};

// Called with what is done and what there is to do, in the caller's unit; on the calling thread only.
using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

}  // namespace anygram
