"""What an index says of each token of many texts, given all before it in its text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from anygram.index import Index
from anygram.results import Scores
from anygram.results.base import BoolArray, Float64Array
from anygram.types import Int64Array, Ragged

#: Texts are asked about in runs of about so many tokens, between which progress is told.
_TOKENS_PER_RUN = 1 << 17


@dataclass(frozen=True)
class TokenFacts:
    """One row a token, of all texts one after another.

    Attributes:
        suffix_lengths: int64 (n,), tokens of the longest suffix of what is before that occurs; effective n is one more.
        prompt_counts: int64 (n,), how often it occurs.
        probs: float64 (n,), the ∞-gram's probability of the token (or the n-gram's, with an order).
        sparse: bool (n,), whether one continuation only was ever seen there.
        argmax: bool (n,), whether the token is the most frequent continuation (of equals, the smallest id); None if it
            was not asked for.
    """

    suffix_lengths: Int64Array
    prompt_counts: Int64Array
    probs: Float64Array
    sparse: BoolArray
    argmax: BoolArray | None

    @property
    def agrees(self) -> BoolArray:
        """Bool (n,): whether the token has more than half of the probability."""
        agrees: BoolArray = self.probs > 0.5
        return agrees

    @property
    def effective_n(self) -> Int64Array:
        """Int64 (n,): the length of the n-gram that the estimate is made of."""
        return self.suffix_lengths + 1

    def __len__(self) -> int:
        return len(self.probs)


def measure(
    index: Index, texts: Ragged, order: int | None, *, argmax: bool, progress: Callable[[int, int], None] | None = None
) -> TokenFacts:
    """Asks about all texts, on all threads.

    Args:
        index: the corpus.
        texts: the tokens of each.
        order: 5 for the 5-gram, None for the ∞-gram.
        argmax: also find the most frequent continuation at each token, which takes two to five times as long.
        progress: called now and then with the number of tokens done, and of all.

    Memory: 25 bytes a token, 26 with argmax.
    """
    size = len(texts.values)
    facts = TokenFacts(
        suffix_lengths=np.empty(size, np.int64),
        prompt_counts=np.empty(size, np.int64),
        probs=np.empty(size, np.float64),
        sparse=np.empty(size, np.bool_),
        argmax=np.empty(size, np.bool_) if argmax else None,
    )
    begin = 0
    for run in _runs(texts):
        for scores in index.score_batch(run, order=order, top_k=1 if argmax else 0):
            _fill(facts, scores, begin)
            begin += len(scores)
        if progress is not None:
            progress(begin, size)
    return facts


def _runs(texts: Ragged) -> list[Ragged]:
    """Texts one after another, cut between texts where enough tokens are together."""
    offsets = texts.offsets
    runs, first = [], 0
    while first < len(texts):
        reached = np.searchsorted(offsets, offsets[first] + _TOKENS_PER_RUN)
        last = min(max(int(reached), first + 1), len(texts))
        values = texts.values[offsets[first] : offsets[last]]
        runs.append(Ragged(values, offsets[first : last + 1] - offsets[first]))
        first = last
    return runs


def _fill(facts: TokenFacts, scores: Scores, begin: int) -> None:
    rows = slice(begin, begin + len(scores))
    facts.suffix_lengths[rows] = scores.suffix_lengths
    facts.prompt_counts[rows] = scores.prompt_counts
    facts.probs[rows] = scores.probs
    facts.sparse[rows] = scores.sparse
    if facts.argmax is not None and scores.top_tokens is not None:
        facts.argmax[rows] = scores.top_tokens[:, 0] == scores.tokens
