#include <anygram/scan/normalise.hpp>

#include <algorithm>
#include <array>
#include <cstring>

#include <anygram/base/error.hpp>

namespace anygram {
namespace {

constexpr std::size_t kBlock = 256;                    // code points for which room is made at a time
constexpr std::size_t kMostExpanded = 8;               // code points that one becomes at most
constexpr std::size_t kMostBytes = 4;                  // of a code point
constexpr std::size_t kRoom = 16;                      // for wide loads
constexpr std::size_t kAtOnce = std::size_t{1} << 18;  // code points, until it is asked whether to stop

// The hashes of ASCII's characters as units.
std::array<std::uint64_t, 0x80> ascii_hashes() {
  std::array<std::uint64_t, 0x80> hashes{};
  for (std::size_t c = 0; c < hashes.size(); ++c) {
    const std::array<char, 8> bytes{static_cast<char>(c)};
    hashes[c] = unit_hash(bytes.data(), 1);
  }
  return hashes;
}

}  // namespace

void Normalisation::check() const {
  const auto refuse = [](const char* message) { throw Error(ErrorCode::kInvalidArgument, message); };
  if (mapping.size() != kCodePointEnd) refuse("a normalisation maps every code point");
  if ((units == Units::kUnicodeWords || units == Units::kSegments) && classes.size() != kCodePointEnd)
    refuse("word boundaries need every class");
  if (expansion_offsets.empty() || expansion_offsets.back() != expansions.size()) refuse("expansions do not end");
  for (std::size_t i = 1; i < expansion_offsets.size(); ++i) {
    if (expansion_offsets[i - 1] > expansion_offsets[i]) refuse("expansions descend");
    if (expansion_offsets[i] - expansion_offsets[i - 1] > 8) refuse("an expansion has at most 8 code points");
  }
  const auto num_expansions = static_cast<std::int64_t>(expansion_offsets.size()) - 1;
  const auto end = static_cast<std::int32_t>(kCodePointEnd);
  for (const std::int32_t value : mapping) {
    if (value >= end || std::int64_t{value} <= kFirstExpansion - num_expansions) refuse("a mapping to nowhere");
  }
  for (const std::int32_t value : expansions) {
    if (value >= end || value < kNothing) refuse("an expansion holds code points and separators");
  }
}

std::uint64_t unit_hash(const char* bytes, std::size_t size) {
  constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15U;
  std::uint64_t hash = size * kMultiplier;
  std::size_t left = size;
  for (; left > 8; left -= 8, bytes += 8) {
    std::uint64_t eight;
    std::memcpy(&eight, bytes, 8);
    hash = (hash ^ eight) * kMultiplier;
    hash ^= hash >> 29;
  }
  std::uint64_t last;
  std::memcpy(&last, bytes, 8);
  if (left < 8) last &= (std::uint64_t{1} << (8 * left)) - 1;
  hash = (hash ^ last) * kMultiplier;
  hash ^= hash >> 32;
  return hash * kMultiplier;
}

void NormalisedText::reserve(std::size_t code_points) {
  const std::size_t units = size_ + kMostExpanded * code_points + 2;
  if (begins_.size() < units) {
    begins_.resize(2 * units);
    hashes_.resize(2 * units);
  }
  // A word's end takes a byte more.
  const std::size_t bytes = used_ + (kMostBytes * kMostExpanded + 1) * code_points + kRoom;
  if (bytes_.size() < bytes) bytes_.resize(2 * bytes);
}

void NormalisedText::end_unit(std::uint64_t hash) {
  hashes_[size_++] = hash;
  begins_[size_] = word_begin_ = used_;
}

void NormalisedText::end_word() {
  if (used_ == word_begin_) return;
  const std::uint64_t hash = unit_hash(bytes_.data() + word_begin_, used_ - word_begin_);
  bytes_[used_++] = kWordEnd;
  end_unit(hash);
}

void NormalisedText::add_mapped(const Normalisation& normalisation, CodePoint c) {
  const bool characters = normalisation.units == Units::kCharacters;
  const auto add = [&](std::int32_t value) {
    if (value >= 0) {
      used_ =
          static_cast<std::size_t>(write_utf8(static_cast<CodePoint>(value), bytes_.data() + used_) - bytes_.data());
      if (characters) end_unit(unit_hash(bytes_.data() + word_begin_, used_ - word_begin_));
    } else if (value == Normalisation::kSeparator) {
      end_word();
    }
  };
  const std::int32_t value = normalisation.mapping[c];
  if (value > Normalisation::kFirstExpansion) return add(value);
  const auto expansion = static_cast<std::size_t>(Normalisation::kFirstExpansion - value);
  for (std::uint32_t i = normalisation.expansion_offsets[expansion]; i < normalisation.expansion_offsets[expansion + 1];
       ++i) {
    add(normalisation.expansions[i]);
  }
}

void NormalisedText::add_separated(const Normalisation& normalisation, std::span<const CodePoint> text) {
  const std::int32_t* const mapping = normalisation.mapping.data();
  char* to = bytes_.data() + used_;
  for (const CodePoint c : text) {
    const std::int32_t value = mapping[c];
    if (value >= 0 && value < 0x80) {
      *to++ = static_cast<char>(value);
      continue;
    }
    used_ = static_cast<std::size_t>(to - bytes_.data());
    if (value == Normalisation::kSeparator) {
      end_word();
    } else if (value != Normalisation::kNothing) {
      add_mapped(normalisation, c);
    }
    to = bytes_.data() + used_;
  }
  used_ = static_cast<std::size_t>(to - bytes_.data());
}

void NormalisedText::add_characters(const Normalisation& normalisation, std::span<const CodePoint> text) {
  static const std::array<std::uint64_t, 0x80> ascii = ascii_hashes();
  const std::int32_t* const mapping = normalisation.mapping.data();
  for (const CodePoint c : text) {
    const std::int32_t value = mapping[c];
    if (value >= 0 && value < 0x80) {
      bytes_[used_++] = static_cast<char>(value);
      end_unit(ascii[static_cast<std::size_t>(value)]);
    } else {
      add_mapped(normalisation, c);
    }
  }
}

void NormalisedText::add_segments(const Normalisation& normalisation, std::span<const CodePoint> text,
                                  StopSignal* stop) {
  classes_.resize(text.size());
  const std::uint8_t* const class_of = normalisation.classes.data();
  for (std::size_t i = 0; i < text.size(); ++i) classes_[i] = class_of[text[i]];
  const std::int32_t* const mapping = normalisation.mapping.data();
  const bool words = normalisation.units == Units::kUnicodeWords;
  std::size_t asked = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    if (stop != nullptr && begin - asked >= kAtOnce) {
      stop->look();
      asked = begin;
    }
    // White space and the like, most often alone between words.
    const std::size_t end = segment_end(classes_, begin);
    std::uint8_t any = 0;
    std::uint8_t every = 0xFF;
    for (std::size_t i = begin; i < end; ++i) {
      any |= classes_[i];
      every &= classes_[i];
    }
    if (words ? (any & kAlphanumericBit) != 0 : (every & kWhiteSpaceBit) == 0) {
      for (std::size_t first = begin; first < end; first += kBlock) {
        const std::size_t last = std::min(end, first + kBlock);
        reserve(kBlock);
        for (std::size_t i = first; i < last; ++i) {
          const std::int32_t value = mapping[text[i]];
          if (value >= 0 && value < 0x80) {
            bytes_[used_++] = static_cast<char>(value);
          } else {
            add_mapped(normalisation, text[i]);
          }
        }
      }
      end_word();
    }
    begin = end;
  }
}

void NormalisedText::assign(const Normalisation& normalisation, std::span<const CodePoint> text, StopSignal* stop) {
  used_ = word_begin_ = size_ = 0;
  between_ = normalisation.units == Units::kCharacters ? 0 : 1;
  reserve(kBlock);
  begins_[0] = 0;
  if (normalisation.units == Units::kUnicodeWords || normalisation.units == Units::kSegments) {
    return add_segments(normalisation, text, stop);
  }
  for (std::size_t first = 0; first < text.size(); first += kBlock) {
    if (stop != nullptr && first % kAtOnce == 0 && first != 0) stop->look();
    reserve(kBlock);
    const auto block = text.subspan(first, std::min(kBlock, text.size() - first));
    if (normalisation.units == Units::kCharacters) {
      add_characters(normalisation, block);
    } else {
      add_separated(normalisation, block);
    }
  }
  if (normalisation.units == Units::kWords) end_word();
}

}  // namespace anygram
