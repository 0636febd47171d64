#include <anygram/base/thread_pool.hpp>

#include <pthread.h>
#ifdef __linux__
#include <sched.h>
#endif

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace anygram {
namespace {

thread_local bool inside_job = false;

constexpr std::chrono::milliseconds kBetweenPolls{20};

// One call of run_parallel. Threads take items by a shared counter until it runs out or something fails.
class Job {
 public:
  Job(std::size_t count, StopSignal& stop, const std::function<void(std::size_t)>& body)
      : count_(count), stop_(stop), body_(body) {}

  template <class BetweenItems>
  void work(const BetweenItems& between_items) {
    inside_job = true;
    try {
      for (std::size_t item; !failed_.load(std::memory_order_relaxed) && (item = next_.fetch_add(1)) < count_;) {
        body_(item);
        between_items();
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!failed_.exchange(true)) failure_ = std::current_exception();
    }
    inside_job = false;
  }

  void helper_work() {
    work([this] { stop_.check(); });
    leave();
  }

  void add_helper() {
    const std::lock_guard lock(mutex_);
    ++helpers_;
  }

  void leave() {
    const std::lock_guard lock(mutex_);
    if (--helpers_ == 0) done_.notify_all();
  }

  // Waits for the helpers, polling; a poll that throws stops them and is thrown after they have left.
  void wait() {
    std::unique_lock lock(mutex_);
    while (!done_.wait_for(lock, kBetweenPolls, [this] { return helpers_ == 0; })) {
      if (failed_.load(std::memory_order_relaxed)) continue;
      lock.unlock();
      try {
        stop_.poll();
      } catch (...) {
        const std::lock_guard failure_lock(mutex_);
        if (!failed_.exchange(true)) failure_ = std::current_exception();
      }
      lock.lock();
    }
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  const std::size_t count_;
  StopSignal& stop_;
  const std::function<void(std::size_t)>& body_;
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  std::condition_variable done_;
  unsigned helpers_ = 0;
  std::exception_ptr failure_;
};

class Pool {
 public:
  // Asks up to `helpers` threads to join the job; starts those that do not exist yet.
  void invite(Job& job, unsigned helpers) {
    const std::lock_guard lock(mutex_);
    while (num_threads_ < helpers) {
      std::thread([this] { serve(); }).detach();
      ++num_threads_;
    }
    for (unsigned i = 0; i < helpers; ++i) {
      job.add_helper();
      invitations_.push_back(&job);
    }
    wake_.notify_all();
  }

  // Takes back the invitations that no thread has accepted, so that a busy pool never delays a job that is done.
  void withdraw(Job& job) {
    const std::lock_guard lock(mutex_);
    const auto withdrawn = std::erase(invitations_, &job);
    for (std::size_t i = 0; i < withdrawn; ++i) job.leave();
  }

 private:
  [[noreturn]] void serve() {
    for (;;) {
      Job* job = nullptr;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return !invitations_.empty(); });
        job = invitations_.front();
        invitations_.pop_front();
      }
      job->helper_work();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job*> invitations_;
  unsigned num_threads_ = 0;
};

// Never destroyed: its threads wait in it until the process ends. A forked child has none of those threads, so it gets
// a pool of its own.
std::atomic<Pool*> current_pool{nullptr};

Pool& pool() {
  static const bool registered = [] {
    current_pool = new Pool;
    pthread_atfork(nullptr, nullptr, [] {
      current_pool = new Pool;
      inside_job = false;
    });
    return true;
  }();
  static_cast<void>(registered);
  return *current_pool;
}

}  // namespace

unsigned available_cpus() {
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1U, static_cast<unsigned>(CPU_COUNT(&set)));
#endif
  return std::max(1U, std::thread::hardware_concurrency());
}

void run_parallel(std::size_t count, unsigned threads, StopSignal& stop, const std::function<void(std::size_t)>& body) {
  if (count == 0) return;
  const bool nested = inside_job;
  const auto helpers = nested ? 0U : static_cast<unsigned>(std::min<std::size_t>(count, std::max(1U, threads)) - 1);
  if (nested) {
    // The item of the job around this one may be long: the caller is asked as if each of these were its own.
    auto last_look = std::chrono::steady_clock::now();
    for (std::size_t item = 0; item < count; ++item) {
      stop.check();
      const auto now = std::chrono::steady_clock::now();
      if (now - last_look >= kBetweenPolls) {
        last_look = now;
        stop.look();
      }
      body(item);
    }
    return;
  }
  Job job(count, stop, body);
  if (helpers > 0) pool().invite(job, helpers);
  auto last_poll = std::chrono::steady_clock::now();
  job.work([&] {
    const auto now = std::chrono::steady_clock::now();
    if (now - last_poll < kBetweenPolls) return;
    last_poll = now;
    stop.poll();
  });
  if (helpers > 0) pool().withdraw(job);
  job.wait();
}

}  // namespace anygram
