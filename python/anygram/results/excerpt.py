"""Places of a corpus with what stands around them: in tokens, words or characters, and never with half a character."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, TypeAlias

from anygram.errors import InvalidQueryError
from anygram.results.base import Decode
from anygram.results.context import BEYOND, Context
from anygram.results.spelling import Spelling
from anygram.types import Int64Array

Unit: TypeAlias = Literal["tokens", "words", "characters"]
UNITS = ("tokens", "words", "characters")

#: (document, begin, end) of many spans -> those tokens of each, cut where its document ends.
ReadSpans: TypeAlias = Callable[[Sequence["Span"]], Sequence[Int64Array]]


class Span(NamedTuple):
    """Tokens ``[begin, end)`` of a document."""

    document: int
    begin: int
    end: int


def checked_width(width: int, unit: str, decode: Decode | None) -> None:
    """Refuses what is no width, no unit, or a unit of text where there is none.

    Raises:
        InvalidQueryError: the message says what to ask instead.
    """
    if unit not in UNITS:
        raise InvalidQueryError(f"a context's unit is one of {', '.join(UNITS)}, not {unit!r}")
    if isinstance(width, bool) or width < 0 or width != int(width):
        raise InvalidQueryError(f"a context's width is a number of {unit} from 0 up, not {width!r}")
    if unit != "tokens" and decode is None:
        raise InvalidQueryError(f"a context in {unit} needs text, and the index has no tokenizer: ask for tokens")


def contexts(matches: Sequence[Span], width: int, unit: Unit, read: ReadSpans, decode: Decode | None) -> list[Context]:
    """Each match with at most `width` units of its document on either side.

    Args:
        matches: what must stand in its context whole.
        width: how many units on each side.
        unit: what to count: tokens; words, as the tokenizer `words` splits the text; or characters (code points).
        read: reads tokens of documents; called once for tokens, and seldom more than twice for the others.
        decode: token ids to text.

    Raises:
        InvalidQueryError: as in `checked_width`.
    """
    checked_width(width, unit, decode)
    width = int(width)
    if unit == "tokens" or decode is None:
        pieces = read([_widened(match, width + BEYOND) for match in matches])
        return [_in_tokens(match, piece, width, decode) for match, piece in zip(matches, pieces, strict=True)]
    found: dict[int, Context] = {}
    # Tokens that are likely enough; where they are not, twice as many.
    margin = width + 16
    while len(found) < len(matches):
        rest = [number for number in range(len(matches)) if number not in found]
        pieces = read([_widened(matches[number], margin) for number in rest])
        for number, piece in zip(rest, pieces, strict=True):
            context = _in_text(matches[number], piece, margin, width, unit, decode)
            if context is not None:
                found[number] = context
        margin *= 2
    return [found[number] for number in range(len(matches))]


def _widened(match: Span, margin: int) -> Span:
    return Span(match.document, max(0, match.begin - margin), match.end + margin)


def _in_tokens(match: Span, piece: Int64Array, width: int, decode: Decode | None) -> Context:
    begin = match.begin - max(0, match.begin - width - BEYOND)
    end = begin + match.end - match.begin
    first, last = max(0, begin - width), end + width
    beyond = piece[:first], piece[last:]
    return Context(piece[first:begin], piece[begin:end], piece[end:last], decode, beyond)


def _in_text(match: Span, piece: Int64Array, margin: int, width: int, unit: Unit, decode: Decode) -> Context | None:
    """The context, or None if more tokens are needed to know it."""
    first = max(0, match.begin - margin)
    begin, end = match.begin - first, match.end - first
    reaches_begin, reaches_end = first == 0, len(piece) < end + margin
    spelling = Spelling(decode, piece.tolist())
    left, right = spelling.whole_before(begin), spelling.begun_before(end)
    if unit == "characters":
        text_begin, text_end = left - width, right + width
        # At an edge of what was read may stand a part of a character.
        certain_begin, certain_end = BEYOND, len(spelling.text) - BEYOND
    else:
        text_begin, text_end = _word_bounds(spelling.text, left, right, width)
        certain_begin, certain_end = _certain_range(spelling.text)
    if not (reaches_begin or text_begin >= certain_begin) or not (reaches_end or text_end <= certain_end):
        return None
    text_begin, text_end = max(0, text_begin), min(len(spelling.text), text_end)
    texts = spelling.text[text_begin:left], spelling.text[left:right], spelling.text[right:text_end]
    first_token, last_token = spelling.covering(text_begin, text_end, begin, end)
    return Context(piece[first_token:begin], piece[begin:end], piece[end:last_token], decode, shown=texts)


def _certain_range(text: str) -> tuple[int, int]:
    from anygram.segments import certain_range

    begin, end = certain_range(text)
    return max(begin, BEYOND), min(end, len(text) - BEYOND)


def _word_bounds(text: str, left: int, right: int, width: int) -> tuple[int, int]:
    """Where `width` words before `left` begin, and where as many after `right` end; 0 and len(text) if there are fewer.

    A word that the match stands in, or begins or ends in, is not cut and not counted.
    """
    from anygram.segments import segment_offsets

    before: list[int] = []
    after: list[int] = []
    inner_begin, inner_end = left, right
    for begin, end in segment_offsets(text):
        if end <= left:
            before.append(begin)
        elif begin < left:
            inner_begin = begin
        if begin >= right:
            after.append(end)
        elif end > right:
            inner_end = end
    text_begin = 0 if len(before) < width else before[-width] if width else inner_begin
    text_end = len(text) if len(after) < width else after[width - 1] if width else inner_end
    return text_begin, text_end
