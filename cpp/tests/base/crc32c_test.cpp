#include <doctest/doctest.h>

#include <random>
#include <string_view>
#include <vector>

#include <anygram/base/crc32c.hpp>

namespace anygram {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

TEST_CASE("crc32c: published values") {
  // RFC 3720, B.4, and the usual check value.
  std::vector<std::byte> ascending(32);
  for (std::size_t i = 0; i < ascending.size(); ++i) ascending[i] = static_cast<std::byte>(i);
  const std::vector<std::byte> zeros(32);
  const std::vector<std::byte> ones(32, std::byte{0xFF});
  for (const auto checksum : {crc32c, crc32c_portable}) {
    CHECK(checksum(bytes_of("123456789"), 0) == 0xE3069283);
    CHECK(checksum(zeros, 0) == 0x8A9136AA);
    CHECK(checksum(ones, 0) == 0x62A8AB43);
    CHECK(checksum(ascending, 0) == 0x46DD794E);
    CHECK(checksum({}, 0) == 0);
  }
}

TEST_CASE("crc32c: the processor's and the portable one agree at any length and alignment") {
  std::mt19937 random(1);
  std::vector<std::byte> bytes(20000);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  for (int i = 0; i < 2000; ++i) {
    const std::size_t begin = random() % 64;
    const std::size_t length = i % 2 == 0 ? random() % 100 : random() % (bytes.size() - begin);
    const std::uint32_t seed = i % 3 == 0 ? 0 : static_cast<std::uint32_t>(random());
    const auto part = std::span<const std::byte>(bytes).subspan(begin, length);
    REQUIRE(crc32c(part, seed) == crc32c_portable(part, seed));
    const std::size_t cut = length == 0 ? 0 : random() % length;
    REQUIRE(crc32c(part.subspan(cut), crc32c(part.first(cut), seed)) == crc32c(part, seed));
  }
}

}  // namespace
}  // namespace anygram
