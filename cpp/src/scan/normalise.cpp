#include <anygram/scan/normalise.hpp>

#include <algorithm>
#include <cstring>

#include <anygram/base/error.hpp>

namespace anygram {
namespace {

constexpr std::size_t kRoom = 64;  // bytes that are free behind the last, for one expansion and for wide loads

}  // namespace

void Normalisation::check() const {
  const auto refuse = [](const char* message) { throw Error(ErrorCode::kInvalidArgument, message); };
  if (mapping.size() != kCodePointEnd) refuse("a normalisation maps every code point");
  if (units == Units::kUnicodeWords && classes.size() != kCodePointEnd) refuse("word boundaries need every class");
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

void NormalisedText::reserve() {
  if (bytes_.size() < used_ + kRoom) bytes_.resize(std::max<std::size_t>(2 * bytes_.size(), used_ + 4096));
}

void NormalisedText::put(CodePoint c) {
  used_ = static_cast<std::size_t>(write_utf8(c, bytes_.data() + used_) - bytes_.data());
}

void NormalisedText::end_word() {
  if (used_ == word_begin_) return;
  hashes_.push_back(unit_hash(bytes_.data() + word_begin_, used_ - word_begin_));
  reserve();
  bytes_[used_++] = kWordEnd;
  word_begin_ = used_;
  begins_.push_back(used_);
}

void NormalisedText::end_character() {
  hashes_.push_back(unit_hash(bytes_.data() + word_begin_, used_ - word_begin_));
  word_begin_ = used_;
  begins_.push_back(used_);
}

void NormalisedText::add_mapped(const Normalisation& normalisation, CodePoint c) {
  const bool characters = normalisation.units == Units::kCharacters;
  const auto add = [&](std::int32_t value) {
    if (value >= 0) {
      put(static_cast<CodePoint>(value));
      if (characters) end_character();
    } else if (value == Normalisation::kSeparator) {
      end_word();
    }
  };
  reserve();
  const std::int32_t value = normalisation.mapping[c];
  if (value > Normalisation::kFirstExpansion) return add(value);
  const auto expansion = static_cast<std::size_t>(Normalisation::kFirstExpansion - value);
  for (std::uint32_t i = normalisation.expansion_offsets[expansion]; i < normalisation.expansion_offsets[expansion + 1];
       ++i) {
    add(normalisation.expansions[i]);
  }
}

void NormalisedText::add_separated(const Normalisation& normalisation, std::span<const CodePoint> text) {
  for (const CodePoint c : text) {
    const std::int32_t value = normalisation.mapping[c];
    if (value >= 0 && value < 0x80) {
      if (bytes_.size() < used_ + kRoom) reserve();
      bytes_[used_++] = static_cast<char>(value);
    } else {
      add_mapped(normalisation, c);
    }
  }
  end_word();
}

void NormalisedText::add_characters(const Normalisation& normalisation, std::span<const CodePoint> text) {
  for (const CodePoint c : text) add_mapped(normalisation, c);
}

void NormalisedText::add_unicode_words(const Normalisation& normalisation, std::span<const CodePoint> text) {
  classes_.resize(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) classes_[i] = normalisation.classes[text[i]];
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = segment_end(classes_, begin);
    std::uint8_t any = 0;
    for (std::size_t i = begin; i < end; ++i) any |= classes_[i];
    if ((any & kAlphanumericBit) != 0) {
      for (const CodePoint c : text.subspan(begin, end - begin)) add_mapped(normalisation, c);
      end_word();
    }
    begin = end;
  }
}

void NormalisedText::assign(const Normalisation& normalisation, std::span<const CodePoint> text) {
  used_ = word_begin_ = 0;
  begins_.assign(1, 0);
  hashes_.clear();
  between_ = normalisation.units == Units::kCharacters ? 0 : 1;
  reserve();
  switch (normalisation.units) {
    case Units::kCharacters:
      return add_characters(normalisation, text);
    case Units::kWords:
      return add_separated(normalisation, text);
    case Units::kUnicodeWords:
      return add_unicode_words(normalisation, text);
  }
}

}  // namespace anygram
