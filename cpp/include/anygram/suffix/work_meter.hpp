// Progress and stopping for long work on many threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include <anygram/base/stop_signal.hpp>

namespace anygram {

// Made on the thread that started the work, which alone polls and reports. Work is a row of phases; each has a share of
// the total and its own unit.
class WorkMeter {
 public:
  WorkMeter(StopSignal& stop, const Progress& progress, std::uint64_t total)
      : stop_(stop), progress_(progress), total_(total) {}

  WorkMeter(const WorkMeter&) = delete;
  WorkMeter& operator=(const WorkMeter&) = delete;

  StopSignal& stop() { return stop_; }

  // Ends the phase before. `share` is a fraction of the total that the caller was told of. Starting thread only.
  void begin_phase(double share, std::uint64_t units) {
    begin_ += share_;
    share_ = share;
    units_ = std::max<std::uint64_t>(1, units);
    done_.store(0, std::memory_order_relaxed);
    report();
  }

  // Whether this is the thread that started the work.
  bool is_owner() const { return std::this_thread::get_id() == owner_; }

  // For any thread: counts work done; call it every few milliseconds, add(0) if there is nothing to count. Throws what
  // the caller's poll throws, and kStopped.
  void add(std::uint64_t units) {
    done_.fetch_add(units, std::memory_order_relaxed);
    if (!is_owner()) return stop_.check();
    const auto now = std::chrono::steady_clock::now();
    if (now - last_report_ < std::chrono::milliseconds(20)) return stop_.check();
    last_report_ = now;
    stop_.poll();
    report();
  }

  void finish() {
    begin_ = 1;
    share_ = 0;
    report();
  }

 private:
  void report() {
    if (!progress_) return;
    const double part =
        std::min(1.0, static_cast<double>(done_.load(std::memory_order_relaxed)) / static_cast<double>(units_));
    const double fraction = std::min(1.0, begin_ + share_ * part);
    reported_ = std::max(reported_, static_cast<std::uint64_t>(fraction * static_cast<double>(total_)));
    progress_(begin_ == 1 ? total_ : std::min(reported_, total_), total_);
  }

  StopSignal& stop_;
  const Progress& progress_;
  const std::uint64_t total_;
  const std::thread::id owner_ = std::this_thread::get_id();
  double begin_ = 0;
  double share_ = 0;
  std::uint64_t units_ = 1;
  std::uint64_t reported_ = 0;
  std::atomic<std::uint64_t> done_{0};
  std::chrono::steady_clock::time_point last_report_ = std::chrono::steady_clock::now();
};

}  // namespace anygram
