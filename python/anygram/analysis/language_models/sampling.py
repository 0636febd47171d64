"""Drawing tokens from a distribution, by the names and rules of Hugging Face's generation."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from anygram.arguments import integer, optional_integer
from anygram.errors import InvalidQueryError
from anygram.results.base import Float64Array
from anygram.types import Int64Array


class Choices(NamedTuple):
    """Tokens that may come next, ascending, and the probability of each."""

    tokens: Int64Array
    probs: Float64Array


class Sampler:
    """Draws one token after another; the same seed draws the same."""

    def __init__(self, *, temperature: float, top_k: int | None, top_p: float, seed: int, stream: int = 0) -> None:
        if isinstance(temperature, bool) or not (0 <= temperature < math.inf):
            raise InvalidQueryError(f"temperature is a number from 0 up, found {temperature!r}")
        if isinstance(top_p, bool) or not 0 < top_p <= 1:
            raise InvalidQueryError(f"top_p is a number above 0 and at most 1, found {top_p!r}")
        self._temperature = float(temperature)
        self._top_k = optional_integer(top_k, "top_k", 1)
        self._top_p = float(top_p)
        self._seed = integer(seed, "seed", 0)
        self._random = np.random.default_rng([self._seed, stream])

    def stream(self, number: int) -> Sampler:
        """One that draws independently of those with other numbers."""
        return Sampler(
            temperature=self._temperature, top_k=self._top_k, top_p=self._top_p, seed=self._seed, stream=number
        )

    def draw(self, choices: Choices) -> tuple[int, float]:
        """A token, and the probability that the model gives it. There must be a choice."""
        if self._temperature == 0:
            chosen = int(np.argmax(choices.probs))  # of equals the first, which is the smallest id
        else:
            rows, weights = self._kept(choices.probs)
            chosen = int(rows[self._pick(weights)])
        return int(choices.tokens[chosen]), float(choices.probs[chosen])

    def _kept(self, probs: Float64Array) -> tuple[Int64Array, Float64Array]:
        """The rows that are drawn from, and their weights: temperature first, then top_k, then top_p."""
        with np.errstate(divide="ignore"):
            scaled = np.log(probs) / self._temperature
        weights = np.exp(scaled - scaled.max())
        if self._top_k is None and self._top_p == 1:
            return np.arange(len(probs)), weights
        rows = np.argsort(-weights, kind="stable")[: self._top_k]
        kept = weights[rows]
        if self._top_p < 1:
            sums = np.cumsum(kept) / kept.sum()
            number = int(np.searchsorted(sums, self._top_p)) + 1
            rows, kept = rows[:number], kept[:number]
        return rows, kept

    def _pick(self, weights: Float64Array) -> int:
        sums = np.cumsum(weights)
        row = int(np.searchsorted(sums, self._random.random() * sums[-1], side="right"))
        return min(row, len(weights) - 1)
