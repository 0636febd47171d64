#include <anygram/scan/word_bounds.hpp>

namespace anygram {
namespace {

using enum WordBreak;

WordBreak break_of(std::uint8_t character) { return static_cast<WordBreak>(character & kWordBreakBits); }

bool is_letter(WordBreak c) { return c == kLetter || c == kHebrew; }
bool is_ignored(WordBreak c) { return c == kExtend || c == kJoiner; }
bool is_inside_word(WordBreak c) { return c == kMidLetter || c == kMidNumLet || c == kSingleQuote; }
bool is_inside_number(WordBreak c) { return c == kMidNum || c == kMidNumLet || c == kSingleQuote; }
bool is_part(WordBreak c) { return is_letter(c) || c == kNumeric || c == kKatakana; }

// The first after `place` that WB4 does not ignore.
WordBreak following(std::span<const std::uint8_t> classes, std::size_t place) {
  while (++place < classes.size()) {
    if (!is_ignored(break_of(classes[place]))) return break_of(classes[place]);
  }
  return kOther;
}

// Whether WB5 to WB13b keep `next`, which stands at `place`, with what is before it.
bool joins(WordBreak before, WordBreak previous, WordBreak next, std::span<const std::uint8_t> classes,
           std::size_t place) {
  if (is_letter(previous)) {
    if (is_letter(next) || next == kNumeric) return true;                                          // WB5, WB9
    if (is_inside_word(next) && is_letter(following(classes, place))) return true;                 // WB6
    if (previous == kHebrew && next == kSingleQuote) return true;                                  // WB7a
    if (previous == kHebrew && next == kDoubleQuote) return following(classes, place) == kHebrew;  // WB7b
  }
  if (is_inside_word(previous) && is_letter(before) && is_letter(next)) return true;                 // WB7
  if (previous == kDoubleQuote && before == kHebrew && next == kHebrew) return true;                 // WB7c
  if (previous == kNumeric && (next == kNumeric || is_letter(next))) return true;                    // WB8, WB10
  if (is_inside_number(previous) && before == kNumeric && next == kNumeric) return true;             // WB11
  if (previous == kNumeric && is_inside_number(next)) return following(classes, place) == kNumeric;  // WB12
  if (previous == kKatakana && next == kKatakana) return true;                                       // WB13
  if ((is_part(previous) || previous == kExtendNumLet) && next == kExtendNumLet) return true;        // WB13a
  return previous == kExtendNumLet && is_part(next);                                                 // WB13b
}

}  // namespace

namespace word_bounds {

std::size_t any_segment_end(std::span<const std::uint8_t> classes, std::size_t begin) {
  WordBreak previous = break_of(classes[begin]);
  if (previous == kNewline) return begin + 1;
  WordBreak before = kOther;
  bool odd_regional = previous == kRegional;
  std::size_t place = begin + 1;
  for (; place < classes.size(); ++place) {
    const WordBreak next = break_of(classes[place]);
    const WordBreak adjacent = break_of(classes[place - 1]);
    if (next == kNewline) break;                                          // WB3b
    if (adjacent == kJoiner && (classes[place] & kPictographBit) != 0) {  // WB3c
      before = previous;
      previous = next;
      odd_regional = next == kRegional;
      continue;
    }
    if (is_ignored(next)) continue;                                                // WB4
    const bool spaces = adjacent == kSpace && next == kSpace;                      // WB3d
    const bool flag = odd_regional && previous == kRegional && next == kRegional;  // WB15, WB16
    if (!spaces && !flag && !joins(before, previous, next, classes, place)) break;
    odd_regional = next == kRegional && !flag;
    before = previous;
    previous = next;
  }
  return place;
}

}  // namespace word_bounds
}  // namespace anygram
