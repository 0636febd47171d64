// A token stream as a plain span, which is all that sorting and searching need to know of it.
#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include <anygram/base/error.hpp>
#include <anygram/base/little_endian.hpp>
#include <anygram/base/types.hpp>

namespace anygram {

// `length` symbols of `width` bytes each, document ends included. At least kStreamPadding readable zero bytes follow
// `bytes`. A stream that is not empty ends with a document end.
struct TokenText {
  std::span<const std::byte> bytes;
  int width = 1;
  std::uint64_t length = 0;
};

// Calls body.operator()<Width>() with the width as a constant, so that inner loops are compiled for it.
template <class Body>
decltype(auto) with_width(int width, Body&& body) {
  switch (width) {
    case 1:
      return std::forward<Body>(body).template operator()<1>();
    case 2:
      return std::forward<Body>(body).template operator()<2>();
    case 3:
      return std::forward<Body>(body).template operator()<3>();
    case 4:
      return std::forward<Body>(body).template operator()<4>();
    default:
      throw Error(ErrorCode::kInvalidArgument, "a symbol is 1 to 4 bytes wide");
  }
}

// The symbol at `position`.
template <int Width>
inline Symbol symbol_at(const std::byte* text, std::uint64_t position) {
  return load_symbol<Width>(text + position * Width);
}

}  // namespace anygram
