"""The groups that tokens are counted in. They are fixed, so that one report's rows are another's."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from anygram.results.base import Float64Array
from anygram.types import Int64Array

#: Up to here each effective n is a group of its own.
LAST_SINGLE = 32

#: Buckets of a model's probability.
NUM_PROB_BINS = 10


class Bins(NamedTuple):
    """Ranges of numbers, one after another.

    Attributes:
        first: int64 (bins,), the smallest number of each.
        last: int64 (bins,), the largest.
        of_value: int64 (values,), the bin of each value.
    """

    first: Int64Array
    last: Int64Array
    of_value: Int64Array

    def __len__(self) -> int:
        return len(self.first)


def effective_n_bins(values: Int64Array) -> Bins:
    """Each of 1 to 32, then 33 to 64, 65 to 128 and so on."""
    firsts = list(range(1, LAST_SINGLE + 2))
    while firsts[-1] <= _largest(values):
        firsts.append(2 * firsts[-1] - 1)
    return _bins(firsts, values)


def frequency_bins(values: Int64Array) -> Bins:
    """1, then 2 to 9, 10 to 99, 100 to 999 and so on; what occurs 0 times, in a corpus of nothing, is beside."""
    firsts = [0, 1, 2, 10]
    while firsts[-1] <= _largest(values):
        firsts.append(10 * firsts[-1])
    return _bins(firsts, values)


def prob_bins(probs: Float64Array) -> tuple[Int64Array, Float64Array]:
    """The bucket of each probability (of nan any), and the buckets' edges: one more than there are."""
    buckets = np.minimum(np.nan_to_num(probs) * NUM_PROB_BINS, NUM_PROB_BINS - 1).astype(np.int64)
    return buckets, np.arange(NUM_PROB_BINS + 1) / NUM_PROB_BINS


def _largest(values: Int64Array) -> int:
    return int(values.max(initial=0))


def _bins(firsts: list[int], values: Int64Array) -> Bins:
    """Bins of which the last one listed is beyond all values."""
    edges = np.array(firsts, dtype=np.int64)
    return Bins(edges[:-1], edges[1:] - 1, np.searchsorted(edges, values, side="right") - 1)
