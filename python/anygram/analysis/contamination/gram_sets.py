"""N-grams of items' texts: which items have which, and what they weigh."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from anygram.scanning import GramFamily, NormalisedText, Normaliser
from anygram.types import Int64Array


class Windows:
    """N-grams of texts, each text's of one length, and whose they are."""

    def __init__(self) -> None:
        self._texts: list[bytes] = []
        self._begins: list[Int64Array] = []
        self._ends: list[Int64Array] = []
        self._owners: list[Int64Array] = []

    def add(self, owner: int, text: NormalisedText, length: int) -> None:
        """Adds those of a text."""
        number = max(0, len(text) - length + 1)
        self._texts.append(text.encoded)
        self._begins.append(text.byte_begins[:number])
        self._ends.append(text.byte_ends[len(text) - number :])
        self._owners.append(np.full(number, owner))

    def owners(self) -> Int64Array:
        """By n-gram."""
        return np.concatenate([np.empty(0, np.int64), *self._owners])

    @staticmethod
    def family(normaliser: Normaliser, *those: Windows) -> GramFamily:
        """All of them, of one after the other."""
        begins, ends, size = [np.empty(0, np.int64)], [np.empty(0, np.int64)], 0
        for one in those:
            for text, begin, end in zip(one._texts, one._begins, one._ends, strict=True):
                begins.append(begin + size)
                ends.append(end + size)
                size += len(text)
        encoded = b"".join(text for one in those for text in one._texts)
        return GramFamily(normaliser, encoded, np.concatenate(begins), np.concatenate(ends))


class GramSets:
    """The n-grams of one part of each item, and what they weigh: the rarer among the items, the more."""

    def __init__(self, owners: Int64Array, grams: Int64Array, num_items: int, weigh: int) -> None:
        self._num_grams = int(grams.max(initial=-1)) + 1
        self._keys = np.unique(owners * self._num_grams + grams)  # each n-gram of an item once
        self._grams = self._keys % max(1, self._num_grams)
        self._offsets = np.searchsorted(self._keys, np.arange(num_items + 1) * self._num_grams)
        if not self._num_grams:
            self._offsets[:] = 0
        counts = np.bincount(self._grams, minlength=self._num_grams)
        known, places = np.unique(counts, return_inverse=True)
        logarithms = [math.log(weigh / count) if count else 0.0 for count in known.tolist()]
        #: By n-gram; of those that no item has, without meaning.
        self.weights = np.array(logarithms, np.float64)[places]
        self.totals = np.array([math.fsum(self.weights[self.of(number)].tolist()) for number in range(num_items)])

    def of(self, item: int) -> Int64Array:
        """An item's n-grams, ascending."""
        return self._grams[self._offsets[item] : self._offsets[item + 1]]

    def have(self, items: Int64Array, grams: Int64Array) -> NDArray[np.bool_]:
        """Whether items have n-grams, one by one."""
        if not len(self._keys):
            return np.zeros(len(grams), np.bool_)
        keys = items * self._num_grams + grams
        places = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        found: NDArray[np.bool_] = (self._keys[places] == keys) & (grams < self._num_grams)
        return found

    def share(self, item: int, matched: Int64Array) -> float:
        """What some of an item's n-grams weigh, by what all do."""
        total = float(self.totals[item])
        return math.fsum(self.weights[matched].tolist()) / total if total > 0 else 0.0


def ranges(begins: Int64Array, counts: Int64Array) -> Int64Array:
    """begins[0], begins[0] + 1, ... as many as counts[0]; then those of the next."""
    ends = np.cumsum(counts)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(begins - ends + counts, counts)


def runs(sizes: Int64Array, most: int) -> Iterator[tuple[int, int]]:
    """Runs of rows whose sizes are at most so much together, or of one row."""
    before = np.concatenate([[0], np.cumsum(sizes)])
    begin = 0
    while begin < len(sizes):
        end = max(begin + 1, int(np.searchsorted(before, before[begin] + most, side="right")) - 1)
        yield begin, end
        begin = end
