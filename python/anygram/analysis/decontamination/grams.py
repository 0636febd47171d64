"""N-grams of evaluations' words: which items hold each, and where."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from anygram.analysis.contamination.gram_sets import Windows, ranges
from anygram.gram_finder import GramFinder
from anygram.scanning import Normaliser
from anygram.types import Int64Array

#: Words and punctuation as they stand: segments by Unicode's word boundaries, but for those of white space.
SEGMENTS = Normaliser("segments", "segments", lambda c: c)


class ItemGrams:
    """All n-grams of a length of items' texts.

    Args:
        normaliser: what they are units of.
        length: units of an n-gram.
        texts: a text for each item.

    Attributes:
        finder: finds them in other texts.
        num_units: int64 (items,), of each item's text.
    """

    def __init__(self, normaliser: Normaliser, length: int, texts: Sequence[str]) -> None:
        views = [normaliser.view(text) for text in texts]
        self.num_units = np.array([len(view) for view in views], np.int64)
        windows = Windows()
        for number, view in enumerate(views):
            windows.add(number, view, length)
        self.finder = GramFinder(Windows.family(normaliser, windows))
        # Places in items, by n-gram, then by item, then by where they begin.
        grams = self.finder.first_equal
        order = np.argsort(grams, kind="stable")
        counts = np.maximum(self.num_units - length + 1, 0)
        self._items = windows.owners()[order]
        self._begins = ranges(np.zeros_like(counts), counts)[order]
        self._offsets = np.searchsorted(grams[order], np.arange(len(grams) + 1))

    def places(self, grams: Int64Array) -> tuple[Int64Array, Int64Array]:
        """Where n-grams stand in items: the items, and where the n-grams begin; n-gram by n-gram."""
        rows = ranges(self._offsets[grams], self._offsets[grams + 1] - self._offsets[grams])
        return self._items[rows], self._begins[rows]

    def holders(self, grams: Int64Array) -> Int64Array:
        """The items that hold n-grams, each once an n-gram that it holds."""
        items, _ = self.places(grams)
        gram = np.repeat(np.arange(len(grams)), self._offsets[grams + 1] - self._offsets[grams])
        # The places of an item stand together.
        is_first = np.ones(len(items), np.bool_)
        is_first[1:] = (items[1:] != items[:-1]) | (gram[1:] != gram[:-1])
        return items[is_first]
