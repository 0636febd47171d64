// Bytes that are dealt with behind their producer's back.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <span>
#include <thread>
#include <utility>
#include <vector>

namespace anygram {

// Cuts what is appended into blocks and has a thread of its own call `consume` with one after another, in order, so
// that checksums and writing take no time of the producer's while a processor is idle. At most kMostBlocks exist; a
// producer that is faster waits. The thread starts with the first full block: little data is consumed where it is
// produced. Not copied, not moved; for one producer.
class WriteBehind {
 public:
  static constexpr std::size_t kBlockBytes = std::size_t{1} << 20;
  static constexpr std::size_t kMostBlocks = 8;

  explicit WriteBehind(std::function<void(std::span<const std::byte>)> consume) : consume_(std::move(consume)) {}
  WriteBehind(const WriteBehind&) = delete;
  WriteBehind& operator=(const WriteBehind&) = delete;
  // Drops what was not consumed yet.
  ~WriteBehind();

  // Throws what `consume` threw for an earlier block.
  void append(std::span<const std::byte> bytes);
  // Returns when all is consumed, the last and partly filled block included. Throws as append does.
  void drain();

 private:
  using Block = std::vector<std::byte>;

  void hand_over();
  void run();

  std::function<void(std::span<const std::byte>)> consume_;
  Block filling_;
  std::thread thread_;
  std::mutex mutex_;  // of all that follows
  std::condition_variable changed_;
  std::deque<Block> full_;
  std::vector<Block> empty_;
  std::size_t num_blocks_ = 0;  // handed over and not consumed
  std::exception_ptr error_;
  bool stopped_ = false;
};

}  // namespace anygram
