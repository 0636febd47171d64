"""What an index says of each token of a set of texts, given all before it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anygram.arguments import Ngram
from anygram.index import Index
from anygram.results import Scores
from anygram.results.base import BoolArray, Float64Array
from anygram.types import Int64Array

#: Texts are asked about in runs of about so many tokens, between which progress is told.
_TOKENS_PER_RUN = 1 << 17

Progress = Callable[[int, int], None]


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
        texts: int64 (n,), the text's number in its set.
    """

    suffix_lengths: Int64Array
    prompt_counts: Int64Array
    probs: Float64Array
    sparse: BoolArray
    argmax: BoolArray | None
    texts: Int64Array

    @property
    def agrees(self) -> BoolArray:
        """Bool (n,): whether the token has more than half of the probability."""
        agrees: BoolArray = self.probs > 0.5
        return agrees

    @property
    def effective_n(self) -> Int64Array:
        """Int64 (n,): the length of the n-gram that the estimate is made of."""
        return self.suffix_lengths + 1


def measure(
    index: Index, texts: Sequence[Ngram], order: int | None, *, argmax: bool, progress: Progress | None = None
) -> TokenFacts:
    """Asks about all texts, on all threads.

    Args:
        index: the corpus.
        texts: str or token ids.
        order: 5 for the 5-gram, None for the ∞-gram.
        argmax: also find the most frequent continuation at each token, which takes longer.
        progress: called now and then with the number of texts done, and of all.
    """
    runs: list[list[Scores]] = []
    done = 0
    while done < len(texts):
        size, end = 0, done
        while end < len(texts) and size < _TOKENS_PER_RUN:
            size += len(texts[end])
            end += 1
        runs.append(index.score_batch(texts[done:end], order=order, top_k=1 if argmax else 0))
        done = end
        if progress is not None:
            progress(done, len(texts))
    scores = [one for run in runs for one in run]
    lengths = [len(one) for one in scores]
    return TokenFacts(
        suffix_lengths=_joined([one.suffix_lengths for one in scores], np.int64),
        prompt_counts=_joined([one.prompt_counts for one in scores], np.int64),
        probs=_joined([one.probs for one in scores], np.float64),
        sparse=_joined([one.sparse for one in scores], np.bool_),
        argmax=_joined([_takes_most_frequent(one) for one in scores], np.bool_) if argmax else None,
        texts=np.repeat(np.arange(len(scores), dtype=np.int64), lengths),
    )


def _takes_most_frequent(scores: Scores) -> BoolArray:
    assert scores.top_tokens is not None
    found: BoolArray = scores.top_tokens[:, 0] == scores.tokens
    return found


def _joined(columns: Sequence[NDArray[Any]], dtype: type[np.generic]) -> NDArray[Any]:
    return np.concatenate(columns) if columns else np.empty(0, dtype=dtype)
