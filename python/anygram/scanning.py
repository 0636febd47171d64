"""What a scan of all documents looks for, and what it finds: grams of normalised texts, exactly.

A rule that sees texts in its own way (lower case, without punctuation, letters and digits alone) has units of its own,
which an index knows nothing of. `Index.scan_grams` reads all documents once, normalises them for all rules together and
finds the grams of each.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from anygram.types import Int64Array

if TYPE_CHECKING:
    from anygram import _core

Units: TypeAlias = Literal["characters", "words", "unicode words", "segments"]

#: Stands between words where they are joined: no byte of UTF-8.
WORD_END = b"\xff"

_SEPARATOR, _NOTHING, _FIRST_EXPANSION = -1, -2, -3
_SURROGATES = range(0xD800, 0xE000)  # no text that was decoded holds one
_ALIKE = range(0x40000, 0xE0000), range(0xF0000, 0x110000)
_TAKEN = "\0"  # stands for a character of ASCII that is taken away


@dataclass(frozen=True)
class Normaliser:
    """How a rule sees a text: each character is rewritten, and what comes of it is cut into units.

    Attributes:
        name: what it is called.
        units: "characters", of what was rewritten; "words", what then stands between spaces; "unicode words", the
            segments of Unicode's word boundaries (found before rewriting) that have a letter or a digit; "segments",
            all of them but those of white space alone.
        rewrite: one character -> what it becomes; "" takes it away, and in "words" a space separates. It may be called
            for any character, once. Of the planes that have no characters (4 to 13) or private ones (15 and 16) it is
            asked about one: if that stays as it is, all do, and else they become what it becomes.
    """

    name: str
    units: Units
    rewrite: Callable[[str], str] = field(compare=False, repr=False)

    def view(self, text: str) -> NormalisedText:
        """The units of a text, and where they stand in it.

        A lone surrogate, which no document can hold, is U+FFFD.
        """
        if text.isascii() and _TAKEN not in text and self._ascii is not None:
            return _ascii_view(self.units, text, self._ascii)
        return self._any_view(text)

    def _any_view(self, text: str) -> NormalisedText:
        rewritten = self._rewritten
        if self.units in ("unicode words", "segments"):
            from anygram.segments import segment_offsets

            spans = segment_offsets(text)
            if self.units == "unicode words":
                spans = [span for span in spans if any(map(str.isalnum, text[slice(*span)]))]
            words = ["".join([rewritten(c) for c in text[begin:end]]) for begin, end in spans]
            kept = [(word, span) for word, span in zip(words, spans, strict=True) if word]
            return _view([word for word, _ in kept], [span for _, span in kept], WORD_END)
        pieces = [(rewritten(c), place) for place, c in enumerate(text)]
        if self.units == "characters":
            characters = [(c, place) for piece, place in pieces for c in piece]
            return _view([c for c, _ in characters], [(place, place + 1) for _, place in characters], b"")
        return _words(pieces)

    def _rewritten(self, character: str) -> str:
        return self._cache[character]

    @cached_property
    def _cache(self) -> _Rewritten:
        return _Rewritten(self.rewrite)

    @cached_property
    def _ascii(self) -> str | None:
        """What becomes of each character of ASCII, `_TAKEN` for nothing; None if that is not one ASCII character."""
        becomes = [self._rewritten(chr(code)) for code in range(0x80)]
        if any(len(one) > 1 or not one.isascii() for one in becomes) or _TAKEN in becomes[1:]:
            return None
        return "".join(one or _TAKEN for one in becomes)

    @cached_property
    def tables(self) -> tuple[str, NDArray[np.int32], NDArray[np.int32], NDArray[np.uint32], NDArray[np.uint8]]:
        """The same for the core: what becomes of each character of Unicode."""
        mapping = np.full(sys.maxunicode + 1, 0xFFFD, np.int32)
        expansions: list[int] = []
        offsets = [0]
        numbers: dict[str, int] = {}
        separates = self.units == "words"
        for code in (*range(_ALIKE[0].start + 1), *range(_ALIKE[0].stop, _ALIKE[1].start)):
            if code in _SURROGATES:
                continue
            becomes = self.rewrite(chr(code))
            if len(becomes) == 1:
                mapping[code] = _SEPARATOR if separates and becomes == " " else ord(becomes)
            elif not becomes:
                mapping[code] = _NOTHING
            else:
                if becomes not in numbers:
                    numbers[becomes] = len(numbers)
                    expansions += [_SEPARATOR if separates and c == " " else ord(c) for c in becomes]
                    offsets.append(len(expansions))
                mapping[code] = _FIRST_EXPANSION - numbers[becomes]
        for codes in _ALIKE:
            one = mapping[_ALIKE[0].start]
            mapping[codes.start : codes.stop] = codes if one == _ALIKE[0].start else one
        classes = word_classes() if self.units in ("unicode words", "segments") else np.empty(0, np.uint8)
        return self.units, mapping, np.array(expansions, np.int32), np.array(offsets, np.uint32), classes


class _Rewritten(dict[str, str]):
    def __init__(self, rewrite: Callable[[str], str]) -> None:
        self._rewrite = rewrite

    def __missing__(self, character: str) -> str:
        code = ord(character)
        asked = character
        if code in _SURROGATES:
            asked = "\ufffd"
        elif any(code in codes for codes in _ALIKE):
            asked = chr(_ALIKE[0].start)
        becomes = self._rewrite(asked)
        self[character] = character if becomes == asked and code not in _SURROGATES else becomes
        return self[character]


class NormalisedText(NamedTuple):
    """The units of a text.

    Attributes:
        encoded: their UTF-8, words with `WORD_END` between them.
        byte_begins: int64 (n,), where each begins in `encoded`.
        byte_ends: int64 (n,), where it ends.
        begins: int64 (n,), the first character of the text that it was made of.
        ends: int64 (n,), the character after the last.
    """

    encoded: bytes
    byte_begins: Int64Array
    byte_ends: Int64Array
    begins: Int64Array
    ends: Int64Array

    def __len__(self) -> int:
        return len(self.begins)

    def gram(self, begin: int, end: int) -> bytes:
        """The bytes of units [begin, end)."""
        return self.encoded[int(self.byte_begins[begin]) : int(self.byte_ends[end - 1])]


def _view(units: list[str], spans: Sequence[tuple[int, int]], between: bytes) -> NormalisedText:
    return _joined([unit.encode("utf-8", "replace") for unit in units], spans, between)


def _joined(encoded: Sequence[bytes], spans: Sequence[tuple[int, int]], between: bytes) -> NormalisedText:
    lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
    byte_ends = np.cumsum(lengths + len(between)) - len(between)
    places = np.fromiter(chain.from_iterable(spans), np.int64, 2 * len(spans)).reshape(-1, 2)
    return NormalisedText(between.join(encoded), byte_ends - lengths, byte_ends, places[:, 0], places[:, 1])


def _ascii_view(units: Units, text: str, becomes: str) -> NormalisedText:
    """The view of a text of ASCII, by what becomes of each of its characters; the same, and faster."""
    if units == "characters":
        rewritten = text.translate(becomes).encode()
        kept: Int64Array = np.arange(len(text))
        if _TAKEN in becomes:
            kept = np.flatnonzero(np.frombuffer(rewritten, np.uint8))
        places = np.arange(len(kept))
        return NormalisedText(rewritten.replace(b"\0", b""), places, places + 1, kept, kept + 1)
    rewritten = text.translate(becomes).encode()
    if units in ("unicode words", "segments"):
        from anygram.segments import segment_offsets

        spans = segment_offsets(text)
        if units == "unicode words":
            spans = [span for span in spans if text[slice(*span)].strip("_")[:1].isalnum()]
    else:
        spans = [match.span() for match in _ASCII_WORD.finditer(rewritten)]
    words = [rewritten[begin:end] for begin, end in spans]
    if _TAKEN in becomes:
        words = [word.replace(b"\0", b"") for word in words]
    if not all(words):
        spans = [span for word, span in zip(words, spans, strict=True) if word]
        words = [word for word in words if word]
    return _joined(words, spans, WORD_END)


# A word begins and ends with what is not taken away.
_ASCII_WORD = re.compile(rb"[^ \0](?:[^ ]*[^ \0])?")


def _words(pieces: list[tuple[str, int]]) -> NormalisedText:
    words: list[str] = []
    spans: list[tuple[int, int]] = []
    word, begin, end = "", 0, 0
    for piece, place in pieces:
        for character in piece:
            if character != " ":
                begin = begin if word else place
                word += character
                end = place + 1
            elif word:
                words.append(word)
                spans.append((begin, end))
                word = ""
    if word:
        words.append(word)
        spans.append((begin, end))
    return _view(words, spans, WORD_END)


# The order of `WordBreak` in the core.
_WORD_BREAKS = (
    "", r"\p{WB=Newline}\p{WB=CR}\p{WB=LF}", r"\p{WB=Extend}\p{WB=Format}", r"\p{WB=ZWJ}", r"\p{WB=ALetter}",
    r"\p{WB=Hebrew_Letter}", r"\p{WB=Numeric}", r"\p{WB=Katakana}", r"\p{WB=ExtendNumLet}", r"\p{WB=MidLetter}",
    r"\p{WB=MidNumLet}", r"\p{WB=MidNum}", r"\p{WB=Single_Quote}", r"\p{WB=Double_Quote}",
    r"\p{WB=Regional_Indicator}", r"\p{WB=WSegSpace}",
)  # fmt: skip
_PICTOGRAPH, _ALPHANUMERIC, _WHITE_SPACE = 0x20, 0x40, 0x80


@lru_cache(maxsize=1)
def word_classes() -> NDArray[np.uint8]:
    """What the core knows of each character to find word boundaries: uint8 (0x110000,)."""
    import regex

    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    classes = np.zeros(sys.maxunicode + 1, np.uint8)
    for number, properties in enumerate(_WORD_BREAKS):
        if properties:
            for match in regex.finditer(f"[{properties}]+", everything):
                classes[match.start() : match.end()] = number
    for match in regex.finditer(r"\p{Extended_Pictographic}+", everything):
        classes[match.start() : match.end()] |= _PICTOGRAPH
    # U+202F, which joins words, is a segment that `anygram.segments` keeps.
    for match in regex.finditer(r"[\s--\p{WB=ExtendNumLet}]+", everything, regex.VERSION1):
        classes[match.start() : match.end()] |= _WHITE_SPACE
    alphanumeric = np.fromiter(map(str.isalnum, everything), np.bool_, len(everything))
    classes[alphanumeric] |= _ALPHANUMERIC
    return classes


@dataclass(frozen=True)
class GramFamily:
    """Grams of one normaliser.

    Attributes:
        normaliser: what they are units of.
        encoded: bytes that hold them all, as `NormalisedText.encoded` does. Grams may overlap.
        begins: int64 (n,), where each begins in these bytes.
        ends: int64 (n,), where it ends; each has at least one unit.
    """

    normaliser: Normaliser
    encoded: bytes
    begins: Int64Array
    ends: Int64Array

    def __len__(self) -> int:
        return len(self.begins)


@dataclass(frozen=True)
class GramGroup:
    """What documents are scored by: the mean, over its parts, of the share of a part that the grams they hold cover.

    Attributes:
        part_lengths: float64 (parts,), each above 0.
        grams: int64 (n,), the numbers of grams, all families' numbered through.
        parts: int64 (n,), ascending: the part that each gram covers some of.
        begins: float64 (n,), from where; ascending within a part.
        ends: float64 (n,), to where.
        minimum: documents that score at least this are listed.
    """

    part_lengths: NDArray[np.float64]
    grams: Int64Array
    parts: Int64Array
    begins: NDArray[np.float64]
    ends: NDArray[np.float64]
    minimum: float = float("inf")


@dataclass(frozen=True)
class GroupScore:
    """The best score of a group.

    Attributes:
        score: the best of any document; 0.0 if none holds any of its grams.
        document: the number of the first document that has it; -1 if none holds any.
        pieces: int64, which of the group's grams (by their place in it) that document holds.
        documents: int64, ascending: the numbers of the documents from the minimum up.
        scores: float64, theirs.
    """

    score: float
    document: int
    pieces: Int64Array
    documents: Int64Array
    scores: NDArray[np.float64]


_NO_SCORE = GroupScore(0.0, -1, np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64))


class GramScan:
    """What a scan found.

    Attributes:
        counts: int64 (n,), how often each gram occurs, all families' numbered through: overlapping, never across
            documents.
        num_bytes: the UTF-8 of all documents.
    """

    def __init__(self, core: _core.GramScan, num_groups: int) -> None:
        grams, counts, documents, offsets = core.grams()
        self._first_equal = core.first_equal()
        all_counts = np.zeros(len(self._first_equal), np.int64)
        all_counts[grams] = counts
        self.counts: Int64Array = all_counts[self._first_equal]
        self._rows = np.full(len(self._first_equal), -1, np.int64)
        self._rows[grams] = np.arange(len(grams))
        self._documents, self._offsets = documents, offsets
        self._groups = {group[0]: GroupScore(*group[1:]) for group in core.groups()}
        self._num_groups = num_groups
        self.num_bytes = core.num_bytes

    def documents(self, gram: int) -> tuple[int, ...]:
        """The numbers of the first documents that hold a gram: at most 10, ascending."""
        row = int(self._rows[self._first_equal[gram]])
        if row < 0:
            return ()
        return tuple(self._documents[self._offsets[row] : self._offsets[row + 1]].tolist())

    def group(self, number: int) -> GroupScore:
        """The best score of a group."""
        return self._groups.get(number, _NO_SCORE)

    def __repr__(self) -> str:
        found = int(np.count_nonzero(self.counts))
        return f"GramScan({found:,} of {len(self.counts):,} grams occur, {self._num_groups:,} groups)"


@dataclass(frozen=True)
class GramPlaces:
    """Where grams stand in texts: a row for each place, by text, then by unit, then by gram.

    Attributes:
        texts: int64 (n,), the text, by its place among those that were searched; ascending.
        units: int64 (n,), the unit of the text that the gram begins with; ascending within a text.
        grams: int64 (n,), the gram: the first of those that are equal (`anygram.gram_finder.GramFinder.first_equal`).
        num_units: int64 (texts,), how many units each text has.
        num_bytes: int64 (texts,), how many bytes of UTF-8.
    """

    texts: Int64Array
    units: Int64Array
    grams: Int64Array
    num_units: Int64Array
    num_bytes: Int64Array

    def __len__(self) -> int:
        return len(self.grams)

    @cached_property
    def offsets(self) -> Int64Array:
        """int64 (texts + 1,): rows [offsets[i], offsets[i + 1]) are of text i."""
        return np.searchsorted(self.texts, np.arange(len(self.num_units) + 1))


def core_family(family: GramFamily) -> tuple[Any, ...]:
    """The family as the core takes it."""
    return family.normaliser.tables, family.encoded, family.begins.astype(np.uint64), family.ends.astype(np.uint64)


def core_group(group: GramGroup) -> tuple[Any, ...]:
    """The group as the core takes it."""
    return group.part_lengths, group.grams, group.parts, group.begins, group.ends, group.minimum
