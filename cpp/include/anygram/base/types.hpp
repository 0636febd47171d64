// The few integer types that everything is made of.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace anygram {

static_assert(std::endian::native == std::endian::little, "index files are little-endian and mapped as they are");

// What the token stream stores: a token's id + 1. The smallest symbol, 0, ends a document, so plain unsigned order is
// the order of suffixes, the shorter first.
using Symbol = std::uint32_t;
inline constexpr Symbol kDocumentEnd = 0;

// Offset into one shard's token stream, in symbols (document ends included).
using Position = std::uint32_t;

// Index into one shard's suffix array.
using Rank = std::uint64_t;

inline constexpr std::uint64_t kMaxStreamLength = std::uint64_t{1} << 32;

// Bytes that may be read past the end of any token stream, so that wide loads need no bounds check. They are zero.
inline constexpr std::size_t kStreamPadding = 64;

}  // namespace anygram
