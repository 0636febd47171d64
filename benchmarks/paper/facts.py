"""What an index says of each token of some texts, as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import anygram
from anygram.analysis.agreement.measure import TokenFacts
from paper.references import Tokens

#: A bin with fewer tokens says nothing of agreement.
ENOUGH = 200

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Facts:
    """One row a token, of all texts one after another.

    Attributes:
        n: the effective n.
        counts: how often the suffix occurs.
        agrees: whether the token has more than half of the probability.
        sparse: whether one continuation only was ever seen.
        zero: whether the token has none of it.
        argmax: whether the token is the most frequent continuation; None if that was not asked for.
    """

    n: NDArray[np.int64]
    counts: NDArray[np.int64]
    agrees: Bools
    sparse: Bools
    zero: Bools
    argmax: Bools | None

    @classmethod
    def of(cls, measured: TokenFacts) -> Facts:
        """What `anygram.agreement` found."""
        return cls(
            n=measured.effective_n,
            counts=measured.prompt_counts,
            agrees=measured.agrees,
            sparse=measured.sparse,
            zero=measured.probs == 0,
            argmax=measured.argmax,
        )

    def where(self, chosen: Bools) -> Facts:
        argmax = None if self.argmax is None else self.argmax[chosen]
        return Facts(
            self.n[chosen], self.counts[chosen], self.agrees[chosen], self.sparse[chosen], self.zero[chosen], argmax
        )

    def __len__(self) -> int:
        return len(self.n)

    @property
    def agreement(self) -> float:
        return float(self.agrees.mean()) if len(self) else float("nan")

    def bins(self, least: int = ENOUGH) -> list[int]:
        """Each effective n that at least so many tokens have."""
        return [n for n, count in enumerate(np.bincount(self.n)) if count >= least]


def ask(index: anygram.Index, texts: Sequence[Tokens], *, order: int | None = None, argmax: bool = False) -> Facts:
    """Of each token, under the n-gram of an order or the ∞-gram."""
    report = anygram.agreement(index, {"texts": texts}, orders=[order], argmax=argmax)
    return Facts.of(report.facts("texts", order))
