"""Interpolated modified Kneser-Ney."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from anygram.analysis.language_models.base import LanguageModel, logs
from anygram.arguments import Ngram, Ngrams, each_ngram
from anygram.index import Index
from anygram.results.base import Float64Array


class Discounts(NamedTuple):
    """What is taken off the adjusted counts of an order: D1 of 1, D2 of 2, D3 of 3 and more."""

    estimated: bool
    """False if the corpus is too small or too regular to estimate them: then they are 0.5, 1 and 1.5."""
    d1: float
    d2: float
    d3: float


class KneserNey(LanguageModel):
    """Interpolated modified Kneser-Ney smoothing of any order, with true continuation counts.

    (Chen and Goodman 1998.) As KenLM's lmplz defines it, without pruning: documents are the sentences, with <s> before
    them and their end as </s>; the unigrams are interpolated with a uniform distribution over the tokens that occur,
    the end, and one unknown token. `probs` gives each id that does not occur the probability of the unknown token: the
    sum over those that occur, the end and one that does not is 1, whatever the size of the vocabulary.

    Making one scans the index once, in order, on all threads, unless the counts are kept beside it.

    Attributes:
        discounts: by order, from 1.
        unknown_prob: the probability of the unknown token after the empty prompt.
    """

    kind = "kneser-ney"

    def __init__(
        self, index: Index, order: int, *, save: bool = False, progress: Callable[[int, int], None] | None = None
    ) -> None:
        super().__init__(index, order)
        self._model = index.kneser_ney(order, save=save, progress=progress)
        self.discounts = [Discounts(*amounts) for amounts in self._model.discounts]
        self.unknown_prob: float = self._model.unknown_prob

    def probs(self, prompt: Ngram = (), *, at_start: bool = True) -> Float64Array:
        """The probability of each token after a prompt: float64 (vocab_size + 1,), the document's end last."""
        return self._model.distribution(self._ids(prompt), at_start)

    def logprobs(self, tokens: Ngram, *, at_start: bool = True, end: bool = False) -> Float64Array:
        """The natural log of the probability of each token of a text given all before it: float64 (n,)."""
        ids = self.index.encode(tokens) if isinstance(tokens, str) else tokens
        return logs(self._model.probs(ids, at_start, end))

    def logprobs_batch(self, texts: Ngrams, *, at_start: bool = True, end: bool = False) -> list[Float64Array]:
        """`logprobs` of each, on all threads."""
        found = self._model.probs_batch(each_ngram(texts), self.index.encode, at_start, end)
        return [logs(probs) for probs in found]
