#include <anygram/base/thread_pool.hpp>

#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

namespace anygram {
namespace {

using namespace std::chrono_literals;

#if defined(__SANITIZE_THREAD__)
constexpr bool kThreadSanitizer = true;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
constexpr bool kThreadSanitizer = true;
#else
constexpr bool kThreadSanitizer = false;
#endif
#else
constexpr bool kThreadSanitizer = false;
#endif

bool each_item_once(std::size_t count, unsigned threads) {
  std::vector<std::atomic<int>> calls(count);
  StopSignal stop;
  run_parallel(count, threads, stop, [&](std::size_t item) { ++calls[item]; });
  for (const auto& called : calls) {
    if (called != 1) return false;
  }
  return true;
}

TEST_CASE("run_parallel: each item once") {
  CHECK(available_cpus() >= 1);
  for (const std::size_t count : {0U, 1U, 2U, 7U, 1000U}) {
    for (const unsigned threads : {0U, 1U, 2U, 5U, 16U}) CHECK(each_item_once(count, threads));
  }
}

TEST_CASE("run_parallel: uses the threads it may use") {
  std::atomic<int> waiting{0};
  StopSignal stop;
  // Each item waits for the other, so that one thread alone would never end.
  run_parallel(2, 2, stop, [&](std::size_t) {
    ++waiting;
    while (waiting < 2) std::this_thread::yield();
  });
  CHECK(waiting == 2);
}

TEST_CASE("run_parallel: a call from within runs serially, on the same thread") {
  std::atomic<int> wrong{0};
  std::atomic<int> items{0};
  StopSignal stop;
  run_parallel(20, 3, stop, [&](std::size_t) {
    const auto thread = std::this_thread::get_id();
    run_parallel(10, 3, stop, [&](std::size_t) {
      ++items;
      if (std::this_thread::get_id() != thread) ++wrong;
    });
  });
  CHECK(items == 200);
  CHECK(wrong == 0);
  CHECK(each_item_once(100, 3));  // not nested any more
}

TEST_CASE("run_parallel: the first exception ends the rest and comes out") {
  for (const unsigned threads : {1U, 2U, 4U}) {
    for (const bool nested : {false, true}) {
      StopSignal stop;
      std::atomic<std::size_t> items{0};
      const auto work = [&] {
        run_parallel(100'000, threads, stop, [&](std::size_t item) {
          ++items;
          if (item == 10) throw std::runtime_error("item 10");
        });
      };
      if (nested) {
        CHECK_THROWS_WITH_AS(run_parallel(1, threads, stop, [&](std::size_t) { work(); }), "item 10",
                             std::runtime_error);
      } else {
        CHECK_THROWS_WITH_AS(work(), "item 10", std::runtime_error);
      }
      CHECK(items < 100'000);
      CHECK_FALSE(stop.stopped());
      CHECK(each_item_once(100, threads));
    }
  }
}

TEST_CASE("run_parallel: the caller is asked on its own thread, and what it throws stops the others") {
  for (const unsigned threads : {1U, 2U, 4U}) {
    const auto caller = std::this_thread::get_id();
    int polls = 0;
    bool elsewhere = false;
    StopSignal stop([&] {
      elsewhere = elsewhere || std::this_thread::get_id() != caller;
      if (++polls == 3) throw std::runtime_error("interrupted");
    });
    std::atomic<std::size_t> items{0};
    CHECK_THROWS_WITH_AS(run_parallel(1'000'000, threads, stop,
                                      [&](std::size_t) {
                                        ++items;
                                        std::this_thread::sleep_for(1ms);
                                      }),
                         "interrupted", std::runtime_error);
    CHECK(items < 1'000'000);
    CHECK_FALSE(elsewhere);
    CHECK(stop.stopped());
  }
}

TEST_CASE("run_parallel: the caller is asked also while it waits for the last item") {
  int polls = 0;
  StopSignal stop([&] { ++polls; });
  std::atomic<int> begun{0};
  // The caller's own item ends as soon as the other has begun; the other takes a while.
  const auto caller = std::this_thread::get_id();
  run_parallel(2, 2, stop, [&](std::size_t) {
    ++begun;
    while (begun < 2) std::this_thread::yield();
    if (std::this_thread::get_id() != caller) std::this_thread::sleep_for(200ms);
  });
  CHECK(polls >= 1);
}

TEST_CASE("run_parallel: a stop from outside is heard by all") {
  for (const unsigned threads : {1U, 3U}) {
    StopSignal stop;
    std::atomic<std::size_t> items{0};
    std::thread outside([&] {
      while (items == 0) std::this_thread::yield();
      stop.stop();
    });
    CHECK_THROWS_AS(run_parallel(1'000'000, threads, stop,
                                 [&](std::size_t) {
                                   ++items;
                                   std::this_thread::sleep_for(1ms);
                                 }),
                    Error);
    outside.join();
    CHECK(items < 1'000'000);
  }
}

TEST_CASE("run_parallel: many callers at once") {
  std::atomic<int> wrong{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 12; ++caller) {
    callers.emplace_back([&, caller] {
      for (int call = 0; call < 100; ++call) {
        std::vector<std::size_t> results(50);
        StopSignal stop;
        try {
          run_parallel(results.size(), 4, stop, [&](std::size_t item) {
            results[item] = item + 1;
            if (caller % 3 == 0 && item == 49) throw std::runtime_error("the last");
          });
        } catch (const std::runtime_error&) {
          if (caller % 3 != 0) ++wrong;
          continue;
        }
        if (std::accumulate(results.begin(), results.end(), std::size_t{0}) != 50 * 51 / 2) ++wrong;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(wrong == 0);
}

// A thread sanitizer does not let a forked child start threads.
TEST_CASE("run_parallel: a forked child has threads of its own" * doctest::skip(kThreadSanitizer)) {
  REQUIRE(each_item_once(100, 4));
  for (int i = 0; i < 5; ++i) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      std::atomic<int> waiting{0};
      StopSignal stop;
      run_parallel(2, 2, stop, [&](std::size_t) {
        ++waiting;
        while (waiting < 2) std::this_thread::yield();
      });
      ::_exit(each_item_once(100, 3) ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
  }
  // Also from within a job, whose other threads the child does not have.
  std::atomic<int> failed{0};
  StopSignal stop;
  run_parallel(4, 2, stop, [&](std::size_t) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(each_item_once(100, 3) ? 0 : 1);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (status != 0) ++failed;
  });
  CHECK(failed == 0);
}

}  // namespace
}  // namespace anygram
