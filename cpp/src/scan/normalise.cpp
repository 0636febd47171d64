#include <anygram/scan/normalise.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

#include <anygram/base/error.hpp>

namespace anygram {
namespace {

constexpr std::size_t kBlock = 256;                    // bytes or code points for which room is made at a time
constexpr std::size_t kMostExpanded = 8;               // code points that one becomes at most
constexpr std::size_t kMostBytes = 4;                  // of a code point
constexpr std::size_t kAtOnce = std::size_t{1} << 18;  // bytes or code points, until it is asked whether to stop

// Asks whether to stop, now and then.
class Asking {
 public:
  explicit Asking(StopSignal* stop) : stop_(stop) {}
  void at(std::size_t place) {
    if (stop_ == nullptr || place - asked_ < kAtOnce) return;
    stop_->look();
    asked_ = place;
  }

 private:
  StopSignal* stop_;
  std::size_t asked_ = 0;
};

}  // namespace

Normalisation::Normalisation(Units units, std::vector<std::int32_t> mapping, std::vector<std::int32_t> expansions,
                             std::vector<std::uint32_t> expansion_offsets, std::vector<std::uint8_t> classes)
    : units_(units),
      mapping_(std::move(mapping)),
      expansions_(std::move(expansions)),
      expansion_offsets_(std::move(expansion_offsets)),
      classes_(std::move(classes)) {
  check();
  bytes_.fill(kSlow);
  for (std::size_t c = 0; c < 0x80; ++c) {
    const std::int32_t value = mapping_[c];
    if (value == kSeparator && units != Units::kCharacters) bytes_[c] = static_cast<std::uint8_t>(kWordEnd);
    if (value == kNothing || (value == kSeparator && units == Units::kCharacters)) bytes_[c] = kTaken;
    if (value >= 0 && value < 0x80) bytes_[c] = static_cast<std::uint8_t>(value);
    keeps_ascii_ = keeps_ascii_ && bytes_[c] == c;
  }
}

void Normalisation::check() const {
  const auto refuse = [](const char* message) { throw Error(ErrorCode::kInvalidArgument, message); };
  if (mapping_.size() != kCodePointEnd) refuse("a normalisation maps every code point");
  const bool needs_classes = units_ == Units::kUnicodeWords || units_ == Units::kSegments;
  if (needs_classes && classes_.size() != kCodePointEnd) refuse("word boundaries need every class");
  if (expansion_offsets_.empty() || expansion_offsets_.back() != expansions_.size()) refuse("expansions do not end");
  for (std::size_t i = 1; i < expansion_offsets_.size(); ++i) {
    if (expansion_offsets_[i - 1] > expansion_offsets_[i]) refuse("expansions descend");
    if (expansion_offsets_[i] - expansion_offsets_[i - 1] > kMostExpanded) {
      refuse("an expansion has at most 8 code points");
    }
  }
  const auto num_expansions = static_cast<std::int64_t>(expansion_offsets_.size()) - 1;
  const auto end = static_cast<std::int32_t>(kCodePointEnd);
  for (const std::int32_t value : mapping_) {
    if (value >= end || std::int64_t{value} <= kFirstExpansion - num_expansions) refuse("a mapping to nowhere");
  }
  for (const std::int32_t value : expansions_) {
    if (value >= end || value < kNothing) refuse("an expansion holds code points and separators");
  }
}

void NormalisedText::reserve(std::size_t code_points) {
  const std::size_t units = num_starts_ + kMostExpanded * code_points + 2;
  // A word's end takes a byte more.
  const std::size_t bytes = used_ + (kMostBytes * kMostExpanded + 1) * code_points + kRoom;
  if (starts_.size() >= units && bytes_.size() >= bytes) return;
  starts_.resize(2 * units);
  bytes_.resize(2 * bytes);
}

void NormalisedText::end_word() {
  if (after_end_) return;
  bytes_[used_++] = kWordEnd;
  starts_[num_starts_++] = used_;
  after_end_ = true;
}

void NormalisedText::add(Units units, std::int32_t value) {
  if (value >= 0) {
    const char* const end = write_utf8(static_cast<CodePoint>(value), bytes_.data() + used_);
    used_ = static_cast<std::size_t>(end - bytes_.data());
    after_end_ = false;
    is_ascii_ = is_ascii_ && value < 0x80;
  } else if (value == Normalisation::kSeparator && units != Units::kCharacters) {
    end_word();
  }
}

void NormalisedText::add_mapped(const Normalisation& normalisation, CodePoint c) {
  const std::int32_t value = normalisation.mapping_[c];
  if (value > Normalisation::kFirstExpansion) return add(normalisation.units_, value);
  const auto expansion = static_cast<std::size_t>(Normalisation::kFirstExpansion - value);
  const auto& offsets = normalisation.expansion_offsets_;
  for (std::uint32_t i = offsets[expansion]; i < offsets[expansion + 1]; ++i) {
    add(normalisation.units_, normalisation.expansions_[i]);
  }
}

std::size_t NormalisedText::add_first(const Normalisation& normalisation, std::span<const char> text) {
  CodePoint c = kReplacement;
  const std::size_t size = first_code_point(text, c);
  add_mapped(normalisation, c);
  return size;
}

// Without branches on what a byte is, but for slow ones: where words end cannot be foretold.
void NormalisedText::add_words(const Normalisation& normalisation, std::span<const char> text, StopSignal* stop) {
  Asking asking(stop);
  for (std::size_t from = 0; from < text.size();) {
    asking.at(from);
    reserve(kBlock);
    const std::size_t end = std::min(from + kBlock, text.size());
    while (from < end) {
      std::size_t used = used_;
      std::size_t num_starts = num_starts_;
      bool after_end = after_end_;
      char* const bytes = bytes_.data();
      std::uint64_t* const starts = starts_.data();
      std::uint8_t becomes = 0;
      for (; from < end; ++from) {
        becomes = normalisation.bytes_[static_cast<unsigned char>(text[from])];
        if (becomes == Normalisation::kSlow) break;
        const bool separates = becomes == static_cast<std::uint8_t>(kWordEnd);
        const bool kept = (becomes != Normalisation::kTaken) & !(separates & after_end);
        bytes[used] = static_cast<char>(becomes);
        used += static_cast<std::size_t>(kept);
        starts[num_starts] = used;
        num_starts += static_cast<std::size_t>(separates & kept);
        after_end = kept ? separates : after_end;
      }
      used_ = used;
      num_starts_ = num_starts;
      after_end_ = after_end;
      if (from < end) from += add_first(normalisation, text.subspan(from));
    }
  }
  end_word();
}

void NormalisedText::add_characters(const Normalisation& normalisation, std::span<const char> text, StopSignal* stop) {
  Asking asking(stop);
  for (std::size_t from = 0; from < text.size();) {
    asking.at(from);
    reserve(kBlock);
    const std::size_t end = std::min(from + kBlock, text.size());
    while (from < end) {
      for (; normalisation.keeps_ascii_ && end - from >= 8; from += 8, used_ += 8) {
        std::uint64_t eight;
        std::memcpy(&eight, text.data() + from, 8);
        if ((eight & 0x8080808080808080U) != 0) break;
        std::memcpy(bytes_.data() + used_, &eight, 8);
      }
      std::size_t used = used_;
      char* const bytes = bytes_.data();
      for (; from < end; ++from) {
        const std::uint8_t becomes = normalisation.bytes_[static_cast<unsigned char>(text[from])];
        if (becomes == Normalisation::kSlow) break;
        bytes[used] = static_cast<char>(becomes);
        used += static_cast<std::size_t>(becomes != Normalisation::kTaken);
      }
      used_ = used;
      if (from < end) from += add_first(normalisation, text.subspan(from));
    }
  }
}

void NormalisedText::add_segments(const Normalisation& normalisation, std::span<const char> text, StopSignal* stop) {
  text_.clear();
  append_code_points(text, text_, stop);
  classes_.resize(text_.size());
  const std::uint8_t* const class_of = normalisation.classes_.data();
  for (std::size_t i = 0; i < text_.size(); ++i) classes_[i] = class_of[text_[i]];
  const bool words = normalisation.units_ == Units::kUnicodeWords;
  Asking asking(stop);
  for (std::size_t begin = 0; begin < text_.size();) {
    asking.at(begin);
    const std::size_t end = segment_end(classes_, begin);
    std::uint8_t any = 0;
    std::uint8_t every = 0xFF;
    for (std::size_t i = begin; i < end; ++i) {
      any |= classes_[i];
      every &= classes_[i];
    }
    const bool kept = words ? (any & kAlphanumericBit) != 0 : (every & kWhiteSpaceBit) == 0;
    if (kept) add_word(normalisation, std::span(text_).subspan(begin, end - begin));
    begin = end;
  }
}

void NormalisedText::add_word(const Normalisation& normalisation, std::span<const CodePoint> word) {
  for (std::size_t first = 0; first < word.size(); first += kBlock) {
    const auto block = word.subspan(first, std::min(kBlock, word.size() - first));
    reserve(block.size());
    for (const CodePoint c : block) {
      const std::uint8_t becomes = c < 0x80 ? normalisation.bytes_[c] : Normalisation::kSlow;
      if (becomes < 0x80) {
        bytes_[used_++] = static_cast<char>(becomes);
        after_end_ = false;
      } else {
        add_mapped(normalisation, c);
      }
    }
  }
  end_word();
}

void NormalisedText::assign(const Normalisation& normalisation, std::span<const char> text, StopSignal* stop) {
  used_ = num_starts_ = 0;
  is_ascii_ = true;
  after_end_ = false;
  reserve(kBlock);
  if (normalisation.units_ == Units::kCharacters) return add_characters(normalisation, text, stop);
  end_word();
  if (normalisation.units_ == Units::kWords) return add_words(normalisation, text, stop);
  add_segments(normalisation, text, stop);
}

}  // namespace anygram
