#include <anygram/scan/code_points.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

#include <anygram/base/error.hpp>

namespace anygram {
namespace {

constexpr std::ptrdiff_t kBytesAtOnce = std::ptrdiff_t{1} << 20;  // of a text, until it is asked whether to stop

// What the bytes after the first may be, by the first byte of a character.
struct Lead {
  int length = 1;  // 1: not the first of a longer one
  unsigned char second_begin = 0x80;
  unsigned char second_end = 0xC0;
};

Lead lead_of(unsigned char byte) {
  if (byte >= 0xC2 && byte <= 0xDF) return {2, 0x80, 0xC0};
  if (byte == 0xE0) return {3, 0xA0, 0xC0};
  if (byte == 0xED) return {3, 0x80, 0xA0};
  if (byte >= 0xE1 && byte <= 0xEF) return {3, 0x80, 0xC0};
  if (byte == 0xF0) return {4, 0x90, 0xC0};
  if (byte >= 0xF1 && byte <= 0xF3) return {4, 0x80, 0xC0};
  if (byte == 0xF4) return {4, 0x80, 0x90};
  return {};
}

// Reads one character that is not ASCII; returns how many bytes it took.
std::size_t read_character(const unsigned char* bytes, std::size_t size, CodePoint& result) {
  const Lead lead = lead_of(bytes[0]);
  result = kReplacement;
  if (lead.length == 1) return 1;
  CodePoint c = bytes[0] & (0xFFU >> (lead.length + 1));
  for (int i = 1; i < lead.length; ++i) {
    const auto place = static_cast<std::size_t>(i);
    if (place >= size) return place;
    const unsigned char byte = bytes[place];
    const bool fits = i == 1 ? byte >= lead.second_begin && byte < lead.second_end : (byte & 0xC0) == 0x80;
    if (!fits) return place;
    c = (c << 6) | (byte & 0x3FU);
  }
  result = c;
  return static_cast<std::size_t>(lead.length);
}

}  // namespace

std::size_t first_code_point(std::span<const char> bytes, CodePoint& result) {
  const auto* const from = reinterpret_cast<const unsigned char*>(bytes.data());
  if (*from >= 0x80) return read_character(from, bytes.size(), result);
  result = *from;
  return 1;
}

void append_code_points(std::span<const char> bytes, std::vector<CodePoint>& result, StopSignal* stop) {
  const std::size_t before = result.size();
  result.resize(before + bytes.size());
  CodePoint* to = result.data() + before;
  const auto* from = reinterpret_cast<const unsigned char*>(bytes.data());
  const auto* const end = from + bytes.size();
  const auto* asked = from;
  while (from != end) {
    if (stop != nullptr && from - asked >= kBytesAtOnce) {
      stop->look();
      asked = from;
    }
    const auto* const last = from + std::min(end - from, kBytesAtOnce);
    while (last - from >= 8) {
      std::uint64_t eight;
      std::memcpy(&eight, from, 8);
      if ((eight & 0x8080808080808080U) != 0) break;
      for (int i = 0; i < 8; ++i) to[i] = from[i];
      from += 8;
      to += 8;
    }
    if (from == end) break;
    if (*from < 0x80) {
      *to++ = *from++;
    } else {
      from += read_character(from, static_cast<std::size_t>(end - from), *to++);
    }
  }
  result.resize(static_cast<std::size_t>(to - result.data()));
}

TokenTexts::TokenTexts(std::string bytes, std::vector<std::uint64_t> offsets, std::string between)
    : bytes_(std::move(bytes)), offsets_(std::move(offsets)), between_(std::move(between)) {
  bool fits = !offsets_.empty() && offsets_.back() <= bytes_.size();
  for (std::size_t i = 1; fits && i < offsets_.size(); ++i) fits = offsets_[i - 1] <= offsets_[i];
  if (!fits) throw Error(ErrorCode::kInvalidArgument, "the offsets of token texts descend, or leave the bytes");
  bytes_.append(16, '\0');  // for wide loads
}

void TokenTexts::append(std::span<const Symbol> symbols, std::vector<char>& result) const {
  static constexpr char kUnknown[] = "\xEF\xBF\xBD";
  // Short pieces are copied by a wide store, for which there is room.
  constexpr std::size_t kWide = 16;
  std::size_t used = result.size();
  const auto put = [&](const char* bytes, std::size_t size, bool wide) {
    if (result.size() < used + size + kWide) result.resize(std::max(2 * result.size(), used + size + 4096));
    if (wide && size <= kWide) {
      std::memcpy(result.data() + used, bytes, kWide);
    } else {
      std::memcpy(result.data() + used, bytes, size);
    }
    used += size;
  };
  bool first = true;
  for (const Symbol symbol : symbols) {
    if (!first && !between_.empty()) put(between_.data(), between_.size(), false);
    first = false;
    const std::uint64_t token = std::uint64_t{symbol} - 1;
    if (token + 1 < offsets_.size()) {
      put(bytes_.data() + offsets_[token], offsets_[token + 1] - offsets_[token], true);
    } else {
      put(kUnknown, 3, false);
    }
  }
  result.resize(used);
}

}  // namespace anygram
