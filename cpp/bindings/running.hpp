// How the core runs when Python calls it: without the interpreter's lock, and ended by Ctrl-C.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <utility>

#include <pybind11/pybind11.h>

#include <anygram/base/stop_signal.hpp>

namespace anygram::bindings {

// A stop signal that asks Python, on the thread that called, whether a signal handler raised.
class PythonStop : public StopSignal {
 public:
  PythonStop()
      : StopSignal([] {
          const pybind11::gil_scoped_acquire lock;
          if (PyErr_CheckSignals() != 0) throw pybind11::error_already_set();
        }) {}
};

// Runs `work(stop)` without the interpreter's lock, so that other Python threads go on.
template <class Work>
auto run_released(const Work& work) {
  PythonStop stop;
  const pybind11::gil_scoped_release unlocked;
  return work(stop);
}

// Whether questions of a microsecond take one. They do while the pages they read are in memory, and then letting go of
// the interpreter's lock would cost more than it gives: another thread that computes would keep it for milliseconds.
// Pages that come from a disk take longer, and others should not wait for them.
class BriefQuestions {
 public:
  using Clock = std::chrono::steady_clock;

  bool are_brief() const { return slow_.load(std::memory_order_relaxed) == 0; }
  void took(Clock::duration time) {
    const int slow = slow_.load(std::memory_order_relaxed);
    if (time > kBrief) {
      slow_.store(kSuspicion, std::memory_order_relaxed);
    } else if (slow > 0) {
      slow_.store(slow - 1, std::memory_order_relaxed);
    }
  }

 private:
  static constexpr std::chrono::microseconds kBrief{20};
  static constexpr int kSuspicion = 64;  // brief ones after a slow one, until they are held to be brief again

  std::atomic<int> slow_{0};
};

// A question that is longer than this, or put to more shards, is not brief.
inline constexpr std::size_t kBriefTokens = 256;
inline constexpr std::size_t kBriefShards = 8;

// Runs `work()`, a question about `tokens` tokens to `shards` shards that takes microseconds: with the interpreter's
// lock if it is brief.
template <class Work>
auto run_brief(std::size_t tokens, std::size_t shards, const Work& work) {
  static BriefQuestions questions;
  if (tokens > kBriefTokens || shards > kBriefShards) {
    const pybind11::gil_scoped_release unlocked;
    return work();
  }
  const auto timed = [&] {
    const auto started = BriefQuestions::Clock::now();
    auto answer = work();
    questions.took(BriefQuestions::Clock::now() - started);
    return answer;
  };
  if (questions.are_brief()) return timed();
  const pybind11::gil_scoped_release unlocked;
  return timed();
}

// A Python function of (done, total), or None, as the core calls it.
inline Progress python_progress(const pybind11::object& function) {
  if (function.is_none()) return {};
  return [&function](std::uint64_t done, std::uint64_t total) {
    const pybind11::gil_scoped_acquire lock;
    function(done, total);
  };
}

}  // namespace anygram::bindings
