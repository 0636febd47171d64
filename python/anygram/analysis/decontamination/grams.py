"""Word n-grams of evaluations, looked up in documents."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from anygram.segments import segments
from anygram.types import Int64Array

if TYPE_CHECKING:
    import regex

#: Numbers of words, by the vocabulary of the items.
Gram: TypeAlias = tuple[int, ...]

#: Cuts a text into words.
Words: TypeAlias = Callable[[str], list[str]]

_MOST_KNOWN = 1 << 20  # pieces of text whose words are remembered

# Where white space may be part of a word: before what belongs to the character before it. The last characters of the
# first range are white space to Python and not to Unicode.
_PERHAPS_JOINED = re.compile("[\x1c-\x1f]|\\s[\xad\u0300-\U0010ffff]")


@lru_cache(maxsize=1)
def _joined() -> regex.Pattern[str]:
    import regex

    return regex.compile(r"[\x1c-\x1f]|\s[\p{WB=Extend}\p{WB=Format}\p{WB=ZWJ}]", regex.VERSION1)


def words(text: str) -> list[str]:
    """Segments by Unicode's word boundaries, but for those of white space: words and punctuation, as they stand."""
    return segments(text)


def folded_words(text: str) -> list[str]:
    """The same, case-folded, and without those that have no letter and no digit."""
    return [word for word in map(str.casefold, segments(text)) if word.isalnum() or any(map(str.isalnum, word))]


class Grams:
    """N-grams of items' words: which items hold each.

    Words are numbered by a vocabulary that only items add to. A document's word that no item has is 0, and no n-gram
    with it is looked at: of most documents nothing is left after that. What stands between white space is cut into
    words once, and remembered: most of a text is pieces that were seen before.

    Args:
        length: words of an n-gram.
        cut: cuts a text into words; what stands between white space must be cut alike on its own, but where
            `segments` has it otherwise.
    """

    def __init__(self, length: int, cut: Words) -> None:
        self.length = length
        self._cut = cut
        self._vocabulary: dict[str, int] = {}
        self._items: defaultdict[Gram, dict[int, None]] = defaultdict(dict)
        self._known = _Known(self._numbers)

    def __len__(self) -> int:
        return len(self._items)

    def add(self, item: int, text: str) -> list[Gram]:
        """Adds an item's n-grams.

        Returns:
            They, in order.
        """
        self._known.clear()
        numbers = [self._vocabulary.setdefault(word, len(self._vocabulary) + 1) for word in self._cut(text)]
        grams = list(zip(*(numbers[begin:] for begin in range(self.length)), strict=False))
        for gram in grams:
            self._items[gram][item] = None
        return grams

    def items(self, gram: Gram) -> Iterable[int]:
        """The items that hold the n-gram."""
        return self._items.get(gram, ())

    def numbers(self, text: str) -> Int64Array:
        """The numbers of a document's words; 0 for those of no item."""
        if not text.isascii() and _PERHAPS_JOINED.search(text) and _joined().search(text):
            return np.array(self._numbers(text), np.int64)
        if text.isascii() and not text.isprintable() and _PERHAPS_JOINED.search(text):
            return np.array(self._numbers(text), np.int64)
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        return np.fromiter(chain.from_iterable(map(self._known.__getitem__, text.split())), np.int64)

    def found(self, numbers: Int64Array) -> Iterator[tuple[int, Gram]]:
        """The n-grams that items hold, among a document's words by number, each with where it begins, in order."""
        length = self.length
        if len(numbers) < length:
            return
        # Where so many known words stand together; there alone are n-grams made.
        unknown = np.concatenate([[0], np.cumsum(numbers == 0)])
        for begin in np.flatnonzero(unknown[length:] == unknown[:-length]).tolist():
            gram = tuple(numbers[begin : begin + length].tolist())
            if gram in self._items:
                yield begin, gram

    def _numbers(self, text: str) -> list[int]:
        get = self._vocabulary.get
        return [get(word, 0) for word in self._cut(text)]


class _Known(dict[str, list[int]]):
    """What stands between white space -> its words, by number; worked out when it is first met."""

    def __init__(self, numbers: Callable[[str], list[int]]) -> None:
        self._numbers = numbers

    def __missing__(self, piece: str) -> list[int]:
        numbers = self[piece] = self._numbers(piece)
        return numbers
