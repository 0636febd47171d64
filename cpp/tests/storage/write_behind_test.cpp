#include <anygram/storage/write_behind.hpp>

#include <atomic>
#include <stdexcept>

#include <doctest/doctest.h>

namespace anygram {
namespace {

std::vector<std::byte> counting(std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 2654435761U >> 13);
  return bytes;
}

TEST_CASE("write behind: all bytes arrive, in order, cut at blocks, whatever the pieces") {
  constexpr std::size_t kBlock = WriteBehind::kBlockBytes;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kBlock - 1, kBlock, kBlock + 1, 12 * kBlock + 7}) {
    for (const std::size_t piece : {std::size_t{4096}, std::size_t{100'003}, kBlock, 3 * kBlock + 5, 20 * kBlock}) {
      const std::vector<std::byte> bytes = counting(size);
      std::vector<std::byte> arrived;
      WriteBehind behind([&](std::span<const std::byte> block) {
        CHECK(arrived.size() % kBlock == 0);  // only the last one may be short
        arrived.insert(arrived.end(), block.begin(), block.end());
      });
      for (std::size_t begin = 0; begin < size; begin += piece)
        behind.append(std::span(bytes).subspan(begin, std::min(piece, size - begin)));
      behind.drain();
      CHECK(arrived == bytes);
    }
  }
}

TEST_CASE("write behind: an error reaches the producer, at once or when it drains, and nothing follows it") {
  const std::vector<std::byte> bytes = counting(WriteBehind::kBlockBytes);
  std::atomic<int> calls = 0;
  {
    WriteBehind behind([&](std::span<const std::byte>) {
      if (++calls == 2) throw std::runtime_error("the disk is gone");
    });
    CHECK_THROWS_WITH(
        [&] {
          for (int i = 0; i < 100; ++i) behind.append(bytes);
        }(),
        "the disk is gone");
    CHECK_THROWS_WITH(behind.drain(), "the disk is gone");
  }
  CHECK(calls == 2);
}

TEST_CASE("write behind: what was not drained is dropped when it goes") {
  const std::vector<std::byte> bytes = counting(WriteBehind::kBlockBytes);
  std::atomic<int> calls = 0;
  {
    WriteBehind behind([&](std::span<const std::byte>) { ++calls; });
    for (int i = 0; i < 5; ++i) behind.append(bytes);
    behind.append(std::span(bytes).first(10));
  }
  CHECK(calls <= 5);
}

}  // namespace
}  // namespace anygram
