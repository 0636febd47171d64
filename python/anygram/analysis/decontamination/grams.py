"""Word n-grams of evaluations, looked up in documents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from anygram.tokenizers.segments import segments

Gram = tuple[int, ...]


def words(text: str) -> list[str]:
    """Segments by Unicode's word boundaries, but for those of white space: words and punctuation, as they stand."""
    return segments(text)


def folded_words(text: str) -> list[str]:
    """The same, case-folded, and without those that have no letter and no digit."""
    return [word for word in map(str.casefold, segments(text)) if word.isalnum() or any(map(str.isalnum, word))]


class Grams:
    """N-grams of items' words: which items hold each.

    Words are numbered by a vocabulary that only items add to. A document's word that no item has is 0, and no n-gram
    with it is looked at: of most documents nothing is left after that.

    Args:
        length: words of an n-gram.
    """

    def __init__(self, length: int) -> None:
        self.length = length
        self._vocabulary: dict[str, int] = {}
        self._items: defaultdict[Gram, dict[int, None]] = defaultdict(dict)

    def __len__(self) -> int:
        return len(self._items)

    def add(self, item: int, item_words: Iterable[str]) -> list[Gram]:
        """Adds an item's n-grams.

        Returns:
            They, in order.
        """
        numbers = [self._vocabulary.setdefault(word, len(self._vocabulary) + 1) for word in item_words]
        grams = list(zip(*(numbers[begin:] for begin in range(self.length)), strict=False))
        for gram in grams:
            self._items[gram][item] = None
        return grams

    def items(self, gram: Gram) -> Iterable[int]:
        """The items that hold the n-gram."""
        return self._items.get(gram, ())

    def found(self, document_words: Sequence[str]) -> Iterator[tuple[int, Gram]]:
        """The document's n-grams that items hold, each with where it begins, in order."""
        length = self.length
        if len(document_words) < length:
            return
        get = self._vocabulary.get
        numbers = [get(word, 0) for word in document_words]
        # Where so many known words stand together; there alone are n-grams made.
        unknown = np.concatenate([[0], np.cumsum(np.array(numbers, np.int64) == 0)])
        for begin in np.flatnonzero(unknown[length:] == unknown[:-length]).tolist():
            gram = tuple(numbers[begin : begin + length])
            if gram in self._items:
                yield begin, gram
