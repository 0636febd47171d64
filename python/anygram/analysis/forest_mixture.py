"""Mixing the ∞-gram with a neural language model by weights that a random forest finds for each token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from anygram.analysis.mixture import LogProbs, ManyScores, MixtureEvaluation, evaluate_mixture, joined, mixed_logprobs
from anygram.arguments import Ngrams, integer
from anygram.errors import InvalidQueryError, MissingExtraError
from anygram.index import Index
from anygram.results.base import Float64Array, Result, read_only
from anygram.types import Int64Array

#: What `suffix_counts` says of a text, or of many.
ManyCounts: TypeAlias = Int64Array | Sequence[Int64Array]

_ROUNDS = 50  # of halving the interval a weight lies in


def suffix_counts(index: Index, texts: Ngrams, *, max_length: int = 16) -> list[Int64Array]:
    """How often each suffix of each token's prompt occurs: int64 (n, max_length) for each text.

    Row i, column k - 1 is `index.count(text[i - k : i])`: 0 for prompts that are shorter, and for suffixes longer than
    the longest that occurs. Longer suffixes than `max_length` are not counted.

    Args:
        index: the corpus.
        texts: str or token ids.
        max_length: the longest suffix to count.

    Cost: O(length of the texts * max_length).

    Raises:
        InvalidQueryError: as in `Index.count`; also if `max_length` is less than 1.
    """
    lengths = range(1, integer(max_length, "max_length", 1) + 1)
    # Of order k + 1, a score is by the longest suffix of k tokens at most.
    by_length = [index.score_batch(texts, order=length + 1) for length in lengths]
    return [
        read_only(
            np.stack(
                [
                    np.where(scores.suffix_lengths == length, scores.prompt_counts, 0)
                    for length, scores in zip(lengths, rows, strict=True)
                ],
                axis=1,
            ),
            np.int64,
        )
        for rows in zip(*by_length, strict=True)
    ]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ForestMixture(Result):
    """P(token) = weight * P_∞(token) + (1 - weight) * P_model(token), with a weight for each token.

    (Liu et al. 2024, section 4.2, where it is used for text that is newer than the corpus.) A random forest looks at
    how often each suffix of the prompt occurs, up to the longest that does. Its trees divide the tokens, those whose
    ∞-gram is sparse and the others each for themselves; in each leaf, the weight is the one under which the leaf's
    tokens are most probable; a token's weight is the mean over the trees. The logarithm of a mixture is concave in the
    weight, so the texts it is fitted on are at least as probable as under the best two weights (`Mixture.fit`). Of
    other texts it must be shown: keep some for `evaluate`.

    Attributes:
        max_length: the longest suffix it looks at.
        sparse: the forest for tokens whose ∞-gram is sparse, of scikit-learn; None if there were none.
        other: that for the other tokens.
        sparse_weights: by tree, the weight of each node that is a leaf.
        other_weights: the same of the other forest.
    """

    max_length: int
    sparse: Any
    other: Any
    sparse_weights: tuple[Float64Array, ...]
    other_weights: tuple[Float64Array, ...]

    @classmethod
    def fit(
        cls,
        model_logprobs: LogProbs,
        scores: ManyScores,
        counts: ManyCounts,
        *,
        num_trees: int = 50,
        min_leaf: int = 100,
        seed: int = 0,
        threads: int | None = 1,
    ) -> ForestMixture:
        """Grows the forests. The same seed gives the same ones.

        Args:
            model_logprobs: the model's natural log probability of each token; or a list of such arrays. Use text that
                neither the model nor the index has seen (validation text).
            scores: `index.score` of the same tokens; or a list of them.
            counts: `suffix_counts` of the same tokens.
            num_trees: how many trees each forest has.
            min_leaf: how many tokens a leaf has at least.
            seed: of what is drawn.
            threads: for scikit-learn; None for all CPUs.

        Raises:
            MissingExtraError: scikit-learn is not installed.
            InvalidQueryError: the three differ in length, or there is no token.
        """
        model, infinity, sparse = joined(model_logprobs, scores)
        features = _features(counts, len(model))
        options = {
            "n_estimators": integer(num_trees, "num_trees", 1),
            "min_samples_leaf": integer(min_leaf, "min_leaf", 1),
            "max_features": "sqrt",
            "random_state": integer(seed, "seed", 0),
            "n_jobs": -1 if threads is None else integer(threads, "threads", 1),
        }
        forests = [_grow(features[rows], infinity[rows], model[rows], options) for rows in (sparse, ~sparse)]
        (one, one_weights), (two, two_weights) = forests
        return cls(features.shape[1], one, two, one_weights, two_weights)

    def weights(self, scores: ManyScores, counts: ManyCounts) -> Float64Array:
        """The ∞-gram's weight at each token: float64 (n,)."""
        many = [scores] if hasattr(scores, "sparse") else list(scores)
        sparse = np.concatenate([one.sparse for one in many]) if many else np.empty(0, np.bool_)
        features = _features(counts, len(sparse))
        if features.shape[1] != self.max_length:
            raise InvalidQueryError(
                f"the forest looks at suffixes of up to {self.max_length} tokens, and these counts have "
                f"{features.shape[1]}: suffix_counts(..., max_length={self.max_length})"
            )
        weights = np.zeros(len(sparse))
        for rows, forest, of_leaves in (
            (sparse, self.sparse, self.sparse_weights),
            (~sparse, self.other, self.other_weights),
        ):
            if forest is None or not rows.any():
                continue
            leaves = forest.apply(features[rows])
            weights[rows] = np.mean([own[leaves[:, tree]] for tree, own in enumerate(of_leaves)], axis=0)
        return read_only(weights, np.float64)

    def logprobs(self, model_logprobs: LogProbs, scores: ManyScores, counts: ManyCounts) -> Float64Array:
        """The mixture's natural log probability of each token: float64 (n,), all texts joined."""
        return mixed_logprobs(model_logprobs, scores, self.weights(scores, counts))

    def evaluate(self, model_logprobs: LogProbs, scores: ManyScores, counts: ManyCounts) -> MixtureEvaluation:
        """Perplexity with and without the ∞-gram, and the gain."""
        return evaluate_mixture(model_logprobs, scores, self.weights(scores, counts))

    def __repr__(self) -> str:
        trees = max(len(self.sparse_weights), len(self.other_weights))
        return f"ForestMixture({trees} trees for sparse tokens and as many for others, max_length={self.max_length})"


def _features(counts: ManyCounts, num_tokens: int) -> NDArray[np.float32]:
    """Of each token the logarithms of the counts of its suffixes (0 has its own place): float32 (n, max_length)."""
    rows = counts if isinstance(counts, np.ndarray) else np.concatenate(list(counts) or [np.empty((0, 1), np.int64)])
    if rows.ndim != 2 or len(rows) != num_tokens:
        raise InvalidQueryError(
            f"suffix counts of {len(rows)} tokens, and {num_tokens} are scored: both must be of the same tokens"
        )
    logs: NDArray[np.float32] = np.log1p(rows, dtype=np.float32)
    return logs


def _grow(
    features: NDArray[np.float32], infinity: Float64Array, model: Float64Array, options: dict[str, Any]
) -> tuple[Any, tuple[Float64Array, ...]]:
    if not len(features):
        return None, ()
    try:
        from sklearn.ensemble import RandomForestRegressor
    except ImportError as error:
        raise MissingExtraError(
            "weights by a random forest need scikit-learn: pip install 'anygram[forest]'"
        ) from error
    # Trees part tokens by how much of them the ∞-gram explains when both are believed alike.
    share = np.divide(infinity, infinity + model, out=np.zeros_like(infinity), where=infinity + model > 0)
    forest = RandomForestRegressor(**options).fit(features, share)
    leaves = forest.apply(features)
    return forest, tuple(
        _leaf_weights(leaves[:, tree], grown.tree_.node_count, infinity, model)
        for tree, grown in enumerate(forest.estimators_)
    )


def _leaf_weights(leaves: Int64Array, num_nodes: int, infinity: Float64Array, model: Float64Array) -> Float64Array:
    """The weight under which the tokens of each leaf are most probable: float64 (nodes,).

    The log likelihood is concave in the weight: its slope is halved, for all leaves at once.
    """
    differences = infinity - model

    def slopes(weights: Float64Array) -> Float64Array:
        own = weights[leaves]
        with np.errstate(divide="ignore", invalid="ignore"):
            each = np.where(differences == 0, 0.0, differences / (model + own * differences))
        sums: Float64Array = np.bincount(leaves, weights=each, minlength=num_nodes).astype(np.float64)
        return sums

    low, high = np.zeros(num_nodes), np.ones(num_nodes)
    at_low, at_high = slopes(low) <= 0, slopes(high) >= 0
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        rises = slopes(middle) > 0
        low, high = np.where(rises, middle, low), np.where(rises, high, middle)
    best = np.where(at_low, 0.0, np.where(at_high, 1.0, (low + high) / 2))
    return read_only(best, np.float64)
