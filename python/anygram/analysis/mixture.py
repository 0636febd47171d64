"""Mixing the ∞-gram with a neural language model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from anygram.errors import InvalidQueryError
from anygram.results import Scores
from anygram.results.base import BoolArray, Float64Array, Result, read_only

#: Natural log probabilities of the tokens of a text, or of many texts.
LogProbs: TypeAlias = NDArray[np.floating] | Sequence[float] | Sequence[NDArray[np.floating]]
#: What `index.score` says of them.
ManyScores: TypeAlias = Scores | Sequence[Scores]


@dataclass(frozen=True, slots=True, eq=False)
class MixtureEvaluation(Result):
    """What mixing changes.

    Attributes:
        perplexity: of the mixture, by token.
        model_perplexity: of the model alone.
        gain: how much of the way from the model's perplexity to 1 the mixture goes:
            1 - (perplexity - 1) / (model_perplexity - 1), as Liu et al. (2024) have it. Negative if it is worse.
        num_tokens: how many tokens that is over.
        share_sparse: the share of them whose ∞-gram is sparse.
        share_zero: the share of them that the ∞-gram gives probability 0.
    """

    perplexity: float
    model_perplexity: float
    gain: float
    num_tokens: int
    share_sparse: float
    share_zero: float


@dataclass(frozen=True, slots=True, eq=False)
class Mixture(Result):
    """P(token) = weight * P_∞(token) + (1 - weight) * P_model(token), with two weights.

    (Liu et al. 2024, section 4.2.) An ∞-gram that has seen one continuation only is right far more often than others:
    therefore it has a weight of its own. Of two distributions over one vocabulary the mixture is a distribution; where
    the model's has no place for the document's end, the ∞-gram's share of it is lost.

    Attributes:
        sparse: weight of the ∞-gram where it is sparse, from 0 to 1.
        other: its weight elsewhere.
    """

    sparse: float
    other: float

    def __post_init__(self) -> None:
        for name, weight in (("sparse", self.sparse), ("other", self.other)):
            if not 0 <= weight <= 1:
                raise InvalidQueryError(f"the weight {name} is a number from 0 to 1, found {weight!r}")

    @classmethod
    def fit(cls, model_logprobs: LogProbs, scores: ManyScores, *, weights: int = 2) -> Mixture:
        """The weights under which these texts are most probable, to the last digits: there is one maximum only.

        Args:
            model_logprobs: the model's natural log probability of each token of a text given those before it; or a list
                of such arrays. Use text that neither the model nor the index has seen (validation text).
            scores: `index.score` of the same tokens; or a list of them.
            weights: 2, or 1 for the same weight everywhere.

        Raises:
            InvalidQueryError: the two differ in length, or there is no token.
        """
        model, infinity, sparse = joined(model_logprobs, scores)
        if weights == 1:
            both = _best_weight(infinity, model)
            return cls(both, both)
        if weights != 2:
            raise InvalidQueryError(f"weights is 1 or 2, found {weights!r}")
        return cls(_best_weight(infinity[sparse], model[sparse]), _best_weight(infinity[~sparse], model[~sparse]))

    def weights(self, scores: ManyScores) -> Float64Array:
        """The ∞-gram's weight at each token: float64 (n,)."""
        return np.where(_joined_scores(scores)[1], self.sparse, self.other)

    def logprobs(self, model_logprobs: LogProbs, scores: ManyScores) -> Float64Array:
        """The mixture's natural log probability of each token: float64 (n,), all texts joined."""
        return mixed_logprobs(model_logprobs, scores, self.weights(scores))

    def evaluate(self, model_logprobs: LogProbs, scores: ManyScores) -> MixtureEvaluation:
        """Perplexity with and without the ∞-gram, and the gain."""
        return evaluate_mixture(model_logprobs, scores, self.weights(scores))


def evaluate_mixture(model_logprobs: LogProbs, scores: ManyScores, weights: Float64Array) -> MixtureEvaluation:
    """What a mixture with these weights of the ∞-gram, one a token, amounts to."""
    model, infinity, sparse = joined(model_logprobs, scores)
    mixed = mixed_logprobs(model_logprobs, scores, weights)
    with np.errstate(divide="ignore", over="ignore"):
        perplexity = float(np.exp(-mixed.mean()))
        alone = float(np.exp(-np.log(model).mean()))
    return MixtureEvaluation(
        perplexity=perplexity,
        model_perplexity=alone,
        gain=1 - (perplexity - 1) / (alone - 1) if alone > 1 else float("nan"),
        num_tokens=len(model),
        share_sparse=float(sparse.mean()),
        share_zero=float((infinity == 0).mean()),
    )


def mixed_logprobs(model_logprobs: LogProbs, scores: ManyScores, weights: Float64Array) -> Float64Array:
    """The log probability of each token under a mixture with these weights of the ∞-gram, one a token."""
    model, infinity, _ = joined(model_logprobs, scores)
    with np.errstate(divide="ignore"):
        return read_only(np.log(weights * infinity + (1 - weights) * model), np.float64)


def _best_weight(infinity: Float64Array, model: Float64Array) -> float:
    """The weight w that maximizes sum log(w * infinity + (1 - w) * model), which is concave in w: bisects its slope."""
    differences = infinity - model
    if not len(differences):
        return 0.0

    def slope(weight: float) -> float:
        mixed = model + weight * differences
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(np.nansum(np.where(differences == 0, 0.0, differences / mixed)))

    low, high = 0.0, 1.0
    if slope(low) <= 0:
        return low
    if slope(high) >= 0:
        return high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) > 0 else (low, middle)
    return (low + high) / 2


def joined(model_logprobs: LogProbs, scores: ManyScores) -> tuple[Float64Array, Float64Array, BoolArray]:
    """Of each token of all texts the model's probability, the ∞-gram's, and whether that is sparse.

    Raises:
        InvalidQueryError: the two differ in length, or there is no token.
    """
    parts = list(model_logprobs)
    model = np.concatenate([np.atleast_1d(part) for part in parts]) if parts else np.empty(0)
    infinity, sparse = _joined_scores(scores)
    if len(model) != len(infinity):
        raise InvalidQueryError(
            f"the model gave {len(model)} log probabilities and the index {len(infinity)} scores: "
            "both must be of the same tokens"
        )
    if not len(model):
        raise InvalidQueryError("there is no token to mix over")
    if not (model <= 0).all():
        raise InvalidQueryError("log probabilities are numbers up to 0; some are above, or nan")
    return np.exp(model.astype(np.float64)), infinity, sparse


def _joined_scores(scores: ManyScores) -> tuple[Float64Array, BoolArray]:
    many = [scores] if isinstance(scores, Scores) else list(scores)
    if not many:
        return np.empty(0), np.empty(0, dtype=np.bool_)
    probs = np.concatenate([one.probs for one in many])
    return np.nan_to_num(probs, nan=0.0), np.concatenate([one.sparse for one in many])
