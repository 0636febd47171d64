"""Stupid backoff: the n-gram's share if it occurs, else a part of the shorter one's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

import numpy as np

from anygram.analysis.language_models.base import Evaluation, LanguageModel, logs
from anygram.analysis.language_models.sampling import Choices
from anygram.arguments import Ngram, Ngrams
from anygram.errors import InvalidQueryError
from anygram.index import Index
from anygram.results.base import Float64Array, read_only
from anygram.types import DOCUMENT_END, Ragged


class StupidBackoff(LanguageModel):
    """S(token | prompt) = count(prompt, token) / count(prompt); where that is 0, factor * S(token | shorter prompt).

    (Brants et al. 2007.) These are scores, not probabilities: they do not sum to 1, so there are no `probs` and there
    is no perplexity. The empty prompt has the shares of single tokens, the document's end being one.

    Attributes:
        factor: 0.4 in the paper.
    """

    kind = "stupid-backoff"
    factor = 0.4

    def __init__(self, index: Index, order: int) -> None:
        super().__init__(index, order)
        self._order = order

    def scores(self, prompt: Ngram = ()) -> Float64Array:
        """The score of each token after a prompt: float64 (vocab_size + 1,), the document's end last."""
        ids = self._ids(prompt)
        prompts = [ids[max(0, len(ids) - length) :] for length in range(min(self._order - 1, len(ids)) + 1)]
        scores = np.zeros(self.index.vocab_size + 1)
        for found in self.index.continuations_batch(prompts):
            scores *= self.factor
            scores[np.where(found.tokens == DOCUMENT_END, self.index.vocab_size, found.tokens)] = found.probs
        return read_only(scores, np.float64)

    def logscores(self, tokens: Ngram, *, end: bool = False) -> Float64Array:
        """The natural log of the score of each token of a text given all before it: float64 (n,); -inf of 0."""
        ids = self._ids(tokens)
        rows = [*ids, DOCUMENT_END] if end else ids
        scores = np.zeros(len(rows))
        # From the shortest prompts to the longest: where the n-gram occurs it decides, else a longer prompt costs.
        for length in range(self._order):
            starts = np.arange(len(rows)) - length
            scores[starts >= 0] *= self.factor if length else 1.0
            found = self._shares(ids, rows, length)
            scores[length:] = np.where(found > 0, found, scores[length:])
        return logs(scores)

    def _shares(self, ids: Sequence[int], rows: Sequence[int], length: int) -> Float64Array:
        """count(prompt, token) / count(prompt) of each token that has a prompt of that length; 0 for what is unseen."""
        number = max(0, len(rows) - length)
        windows = np.arange(number)[:, None] + np.arange(length)[None, :]
        values = np.asarray(ids, dtype=np.int64)[windows].ravel() if length else np.empty(0, dtype=np.int64)
        prompts = Ragged(values, np.arange(number + 1, dtype=np.int64) * length)
        return np.nan_to_num(self.index.probability_batch(prompts, rows[length:]).probs, nan=0.0)

    def probs(self, prompt: Ngram = (), *, at_start: bool = True) -> NoReturn:  # noqa: ARG002
        """Raises InvalidQueryError: ask for `scores`."""
        raise InvalidQueryError("stupid backoff gives scores, not probabilities: ask for scores(prompt)")

    def logprobs(self, tokens: Ngram, *, at_start: bool = True, end: bool = False) -> NoReturn:  # noqa: ARG002
        """Raises InvalidQueryError: ask for `logscores`."""
        raise InvalidQueryError("stupid backoff gives scores, not probabilities: ask for logscores(tokens)")

    def evaluate(self, texts: Ngrams, *, end: bool = False) -> Evaluation:  # noqa: ARG002
        """Raises InvalidQueryError: what does not sum to 1 has no perplexity."""
        raise InvalidQueryError("stupid backoff gives scores, not probabilities: it has no perplexity")

    def _choices(self, prompt: Sequence[int]) -> Choices:
        scores = self.scores(prompt)
        tokens = np.flatnonzero(scores)
        chosen = scores[tokens] / scores.sum()  # drawn from as if it were a distribution
        if len(tokens) and tokens[-1] == self.index.vocab_size:
            tokens[-1] = DOCUMENT_END
        return Choices(tokens, chosen)
