"""The ∞-gram mixed with a neural model: weights fitted on validation text, perplexities and gains on test text."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import anygram
from anygram.results import Scores
from paper.measures import Floats, Sums, bootstrap_p, draws, gain, interval, perplexity
from paper.neural import Plan, by_text, read_scores
from paper.references import Texts, Workplace

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Scored:
    """Texts, and what an index says of them."""

    texts: Texts
    scores: list[Scores]

    @classmethod
    def of(cls, index: anygram.Index, texts: Texts) -> Scored:
        return cls(texts, index.score_batch(texts.tokens))


@dataclass(frozen=True)
class Setting:
    """One reference: what it says of validation and test text."""

    validation: Scored
    test: Scored

    @classmethod
    def of(cls, workplace: Workplace, index: anygram.Index, domain: str | None = None) -> Setting:
        """Of all evaluated text, or of one domain's."""
        both = [workplace.evaluated(split) for split in ("validation", "test")]
        if domain is not None:
            both = [texts.where(texts.domains == domain) for texts in both]
        return cls(*(Scored.of(index, texts) for texts in both))


def read(workplace: Workplace, plan: Plan, domain: str | None = None) -> tuple[Floats, Floats]:
    """A model's log probabilities of the validation and the test tokens."""
    found = []
    for split in ("validation", "test"):
        logprobs, texts = read_scores(workplace, plan, split), workplace.evaluated(split)
        found.append(logprobs if domain is None else logprobs[texts.rows(texts.domains == domain)])
    return found[0], found[1]


@dataclass(frozen=True)
class Mixed:
    """What mixing gave, on test text.

    Attributes:
        sparse: weight of the ∞-gram where it is sparse.
        other: its weight elsewhere.
        single: its weight where there is one only.
        neural: perplexity of the model alone.
        one: with one weight.
        two: with two.
        gain_one: the gain with one weight.
        gain_two: with two.
        before: log probabilities of the test tokens by the model alone.
        after: by the mixture with two weights.
        texts: the test texts.
    """

    sparse: float
    other: float
    single: float
    neural: float
    one: float
    two: float
    gain_one: float
    gain_two: float
    before: Floats
    after: Floats
    texts: Texts

    def where(self, chosen: Bools) -> tuple[float, float]:
        """Perplexity of these tokens, alone and mixed."""
        return perplexity(self.before[chosen]), perplexity(self.after[chosen])

    def documents(self) -> Sums:
        return Sums.of(self.before, self.after, self.texts.rows(self.texts.numbers))

    def sources(self) -> Sums:
        return Sums.of(self.before, self.after, self.texts.rows(np.unique(self.texts.sources, return_inverse=True)[1]))


def mix(setting: Setting, validation: Floats, test: Floats) -> Mixed:
    known, asked = setting.validation, setting.test
    model = by_text(validation, known.texts)
    two = anygram.Mixture.fit(model, known.scores)
    one = anygram.Mixture.fit(model, known.scores, weights=1)
    tested = by_text(test, asked.texts)
    after = np.asarray(two.logprobs(tested, asked.scores))
    alone, with_one, with_two = (
        perplexity(test),
        perplexity(one.logprobs(tested, asked.scores)),
        perplexity(after),
    )
    return Mixed(
        sparse=two.sparse,
        other=two.other,
        single=one.sparse,
        neural=alone,
        one=with_one,
        two=with_two,
        gain_one=gain(with_one, alone),
        gain_two=gain(with_two, alone),
        before=test,
        after=after,
        texts=asked.texts,
    )


def significance(mixed: Mixed, seed: int) -> dict[str, float | tuple[float, float]]:
    """Paired bootstrap: how sure it is that mixing helps, by documents and by whole sources."""
    found: dict[str, float | tuple[float, float]] = {}
    for unit, sums in {"documents": mixed.documents(), "sources": mixed.sources()}.items():
        drawn = sums.drawn_gains(draws(len(sums.tokens), seed))
        found[f"p_{unit}"] = bootstrap_p(drawn)
        found[f"interval_{unit}"] = interval(drawn)
    return found


def compare(left: Mixed, right: Mixed, seed: int) -> tuple[float, tuple[float, float]]:
    """Paired over documents: how sure it is that the left gain is larger, and the interval of the difference."""
    one, other = left.documents(), right.documents()
    drawn = draws(len(one.tokens), seed)
    differences = one.drawn_gains(drawn) - other.drawn_gains(drawn)
    return bootstrap_p(differences), interval(differences)
