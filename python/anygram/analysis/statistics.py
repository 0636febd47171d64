"""The few statistics that a report needs: shares with intervals, differences, and how far two judges agree."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from anygram.results.base import Float64Array

#: The two-sided 95 % point of the normal distribution.
Z_95 = 1.959963984540054


class Interval(NamedTuple):
    """Where a quantity lies with 95 % confidence; nan where nothing is known of it."""

    low: float
    high: float


class Estimate(NamedTuple):
    """A quantity as measured, and where it lies with 95 % confidence."""

    value: float
    low: float
    high: float


_UNKNOWN = Interval(math.nan, math.nan)


def wilson(successes: int, trials: int, z: float = Z_95) -> Interval:
    """The score interval of Wilson (1927) for a share: never outside of 0 to 1, and of use at 0 and at 1.

    Raises:
        ValueError: there are more successes than trials, or fewer than none.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"expected from 0 to {trials} successes, found {successes}")
    if trials == 0:
        return _UNKNOWN
    share = successes / trials
    scale = 1 + z * z / trials
    middle = (share + z * z / (2 * trials)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    # At the ends the bound is exactly 0 or 1, which rounding would miss.
    return Interval(0.0 if successes == 0 else middle - half, 1.0 if successes == trials else middle + half)


def mean(values: Sequence[float]) -> Estimate:
    """The mean of values: with Wilson's interval if all are 0 or 1, else with that of the normal distribution.

    A single value that is neither has no interval.
    """
    if not values:
        return Estimate(math.nan, math.nan, math.nan)
    average = math.fsum(values) / len(values)
    if _are_shares(values):
        return Estimate(average, *wilson(round(math.fsum(values)), len(values)))
    if len(values) == 1:
        return Estimate(average, math.nan, math.nan)
    half = Z_95 * math.sqrt(_variance_of_mean(values, average))
    return Estimate(average, average - half, average + half)


def difference(ones: Sequence[float], others: Sequence[float]) -> Estimate:
    """The mean of `ones` minus that of `others`, independent of each other.

    The interval is Newcombe's (1998, method 10) if all values are 0 or 1, else Welch's with the normal distribution.
    """
    one, other = mean(ones), mean(others)
    value = one.value - other.value
    if math.isnan(value):
        return Estimate(math.nan, math.nan, math.nan)
    if _are_shares(ones) and _are_shares(others):
        low = math.hypot(one.value - one.low, other.high - other.value)
        high = math.hypot(one.high - one.value, other.value - other.low)
        return Estimate(value, value - low, value + high)
    if len(ones) == 1 or len(others) == 1:
        return Estimate(value, math.nan, math.nan)
    half = Z_95 * math.sqrt(_variance_of_mean(ones, one.value) + _variance_of_mean(others, other.value))
    return Estimate(value, value - half, value + half)


def cohen_kappa(both: int, only_one: int, only_other: int, neither: int) -> float:
    """Agreement of two judges beyond chance (Cohen 1960): 1 is perfect, 0 what chance gives, nan if none could differ.

    Args:
        both: how many things both say yes to.
        only_one: to which the first alone does.
        only_other: to which the second alone does.
        neither: to which none does.
    """
    total = both + only_one + only_other + neither
    if total == 0:
        return math.nan
    one, other = both + only_one, both + only_other
    expected = one * other + (total - one) * (total - other)
    possible = total * total - expected
    return math.nan if possible == 0 else ((both + neither) * total - expected) / possible


def _are_shares(values: Sequence[float]) -> bool:
    return all(value in (0, 1) for value in values)


def _variance_of_mean(values: Sequence[float], average: float) -> float:
    squares = math.fsum((value - average) ** 2 for value in values)
    return squares / (len(values) - 1) / len(values)


def correlation(ones: Float64Array, others: Float64Array) -> float:
    """Pearson's correlation of two columns; nan if either is the same everywhere, or empty."""
    if not len(ones) or ones.min() == ones.max() or others.min() == others.max():
        return math.nan
    one, other = ones - ones.mean(), others - others.mean()
    return float(one @ other / math.sqrt(float(one @ one) * float(other @ other)))


def rank_correlation(ones: Float64Array, others: Float64Array) -> float:
    """Spearman's: Pearson's of the ranks, where equals share the mean of theirs."""
    return correlation(_ranks(ones), _ranks(others))


def _ranks(values: Float64Array) -> Float64Array:
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks: Float64Array = (ends - (counts - 1) / 2)[places]
    return ranks
