"""What figures are made of: rank correlation, linear fits, gains, the paired bootstrap, loops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_ROUNDS = 10_000  # of a bootstrap


def ranks(values: Sequence[float] | NDArray[np.generic]) -> Floats:
    """From 1; equal values share the mean of their ranks."""
    _, places, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    means: Floats = (ends - counts + 1 + ends) / 2
    return means[places]


def spearman(left: Sequence[float] | NDArray[np.generic], right: Sequence[float] | NDArray[np.generic]) -> float:
    """The rank correlation; nan where one side has one value only."""
    one, other = ranks(left), ranks(right)
    if len(one) < 2 or one.std() == 0 or other.std() == 0:
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])


def r_squared(x: Sequence[float], y: Sequence[float]) -> float:
    """How well a line fits."""
    return float(np.corrcoef(x, y)[0, 1] ** 2)


def perplexity(logprobs: Floats) -> float:
    return float(np.exp(-logprobs.mean()))


def gain(perplexity: float, before: float) -> float:
    """How much of the way from `before` to 1 was gone, as the paper has it."""
    return 1 - (perplexity - 1) / (before - 1)


@dataclass(frozen=True)
class Sums:
    """Log probabilities of the same tokens before and after, summed by the unit that is drawn (a document, a source).

    Attributes:
        before: float64 (n,).
        after: float64 (n,).
        tokens: int64 (n,).
    """

    before: Floats
    after: Floats
    tokens: NDArray[np.int64]

    @classmethod
    def of(cls, before: Floats, after: Floats, units: NDArray[np.int64]) -> Sums:
        """Of token rows, with the number of the unit that each is in."""
        _, units = np.unique(units, return_inverse=True)
        return cls(np.bincount(units, before), np.bincount(units, after), np.bincount(units))

    def drawn_gains(self, draws: NDArray[np.int64]) -> Floats:
        """The gain in each round: draws are int64 (rounds, n), numbers of units."""
        tokens = self.tokens[draws].sum(axis=1)
        before = np.exp(-self.before[draws].sum(axis=1) / tokens)
        after = np.exp(-self.after[draws].sum(axis=1) / tokens)
        return 1 - (after - 1) / (before - 1)


def draws(units: int, seed: int, rounds: int = _ROUNDS) -> NDArray[np.int64]:
    """Which units each round of a bootstrap takes: int64 (rounds, units)."""
    return np.random.default_rng(seed).integers(units, size=(rounds, units))


def bootstrap_p(drawn: Floats) -> float:
    """The share of rounds in which what was drawn is not above 0; never 0, for there might be such a round."""
    return (1 + int((drawn <= 0).sum())) / (1 + len(drawn))


def interval(drawn: Floats) -> tuple[float, float]:
    """The middle 95 %."""
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def loop_begin(tokens: NDArray[np.integer], longest: int = 64, times: int = 3) -> int:
    """Where a text starts to repeat itself to its end: the second of `times` equal pieces of at most `longest` tokens.

    Returns:
        The number of tokens before that; all of them, if there is no loop.
    """
    begin = len(tokens)
    for period in range(1, min(longest, len(tokens) // times) + 1):
        same = tokens[period:] == tokens[:-period]
        different = np.flatnonzero(~same)
        run = len(same) - (int(different[-1]) + 1 if len(different) else 0)
        if run >= (times - 1) * period:
            begin = min(begin, len(tokens) - run)
    return begin
