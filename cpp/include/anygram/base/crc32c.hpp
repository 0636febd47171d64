// CRC-32C (Castagnoli), the checksum of index files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace anygram {

// The CRC-32C of the bytes. `seed` is the checksum of what stands before them, so that a text may come in pieces:
// crc32c(b, crc32c(a)) is the checksum of a followed by b. Uses the processor's instruction where it has one.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t seed = 0);

// The same by tables, on any processor. Here so that tests can hold the two against each other.
std::uint32_t crc32c_portable(std::span<const std::byte> bytes, std::uint32_t seed = 0);

}  // namespace anygram
