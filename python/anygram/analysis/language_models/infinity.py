"""The ∞-gram language model: the longest suffix of the prompt that occurs says what comes next."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from anygram.analysis.language_models.base import LanguageModel, logs
from anygram.analysis.language_models.sampling import Choices
from anygram.arguments import Ngram, Ngrams
from anygram.results import Continuations
from anygram.results.base import Float64Array, read_only
from anygram.types import DOCUMENT_END


class Infinity(LanguageModel):
    """P(token | prompt) = count(suffix, token) / count(suffix), for the longest suffix of the prompt that occurs.

    (Liu et al. 2024.) A distribution: it sums to 1, the document's end included. Most tokens have probability 0, so its
    perplexity is infinite for almost any text: `Evaluation.share_zero` says how many do, and `Mixture` joins it with a
    model that has no zeros. With an order, suffixes have at most order - 1 tokens.
    """

    kind = "infinity"

    def probs(self, prompt: Ngram = (), *, at_start: bool = True) -> Float64Array:  # noqa: ARG002  # says nothing here
        """The probability of each token after a prompt: float64 (vocab_size + 1,), the document's end last."""
        found = self._continuations(prompt)
        probs = np.full(self.index.vocab_size + 1, 0.0 if found.prompt_count else np.nan)
        probs[np.where(found.tokens == DOCUMENT_END, self.index.vocab_size, found.tokens)] = found.probs
        return read_only(probs, np.float64)

    def logprobs(self, tokens: Ngram, *, at_start: bool = True, end: bool = False) -> Float64Array:  # noqa: ARG002
        """The natural log of `index.score(tokens, order=order, end=end).probs`; -inf where the prob is 0."""
        return logs(self.index.score(tokens, order=self.order, end=end).probs)

    def logprobs_batch(
        self,
        texts: Ngrams,
        *,
        at_start: bool = True,  # noqa: ARG002
        end: bool = False,
    ) -> list[Float64Array]:
        """`logprobs` of each, on all threads."""
        return [logs(scores.probs) for scores in self.index.score_batch(texts, order=self.order, end=end)]

    def _continuations(self, prompt: Ngram) -> Continuations:
        ids: Sequence[int] | Ngram = prompt
        if self.order is not None:
            all_ids = self._ids(prompt)
            ids = all_ids[max(0, len(all_ids) - self.order + 1) :]
        return self.index.continuations(ids, backoff=True)

    def _choices(self, prompt: Sequence[int]) -> Choices:
        found = self._continuations(prompt)
        return Choices(found.tokens, found.probs)
