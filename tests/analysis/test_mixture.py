"""Mixing: the weights are the best there are, and the figures those of the definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import anygram
from anygram.results import Scores


def made_scores(rows: list[tuple[float, bool]]) -> Scores:
    zeros = np.zeros(len(rows), dtype=np.int64)
    probs = np.array([prob for prob, _ in rows])
    return Scores(zeros, probs, zeros, zeros, zeros, np.array([sparse for _, sparse in rows], dtype=bool))


ROWS = st.lists(
    st.tuples(st.sampled_from([0.0, 0.0, 0.1, 0.5, 1.0]), st.booleans(), st.floats(0.01, 0.99)), min_size=1, max_size=30
)


@given(ROWS, st.floats(0, 1), st.floats(0, 1))
def test_no_other_weights_are_better(rows: list[tuple[float, bool, float]], sparse: float, other: float) -> None:
    scores = made_scores([(prob, is_sparse) for prob, is_sparse, _ in rows])
    model = np.log([prob for _, _, prob in rows])
    best = anygram.Mixture.fit(model, scores)
    reached = best.logprobs(model, scores).sum()
    assert reached >= anygram.Mixture(sparse, other).logprobs(model, scores).sum() - 1e-9
    one = anygram.Mixture.fit(model, scores, weights=1)
    assert one.sparse == one.other
    assert reached >= one.logprobs(model, scores).sum() - 1e-9
    assert one.logprobs(model, scores).sum() >= anygram.Mixture(other, other).logprobs(model, scores).sum() - 1e-9


@given(ROWS)
def test_weight_0_is_the_model(rows: list[tuple[float, bool, float]]) -> None:
    scores = made_scores([(prob, is_sparse) for prob, is_sparse, _ in rows])
    model = np.log([prob for _, _, prob in rows])
    found = anygram.Mixture(0.0, 0.0).evaluate(model, scores)
    assert math.isclose(found.perplexity, found.model_perplexity)
    assert abs(found.gain) < 1e-9


def test_the_gain_is_that_of_the_paper() -> None:
    # 22.82 -> 13.71 is 42 % of the way to 1.
    scores = made_scores([(0.0, False)])
    model = np.array([-math.log(22.82)])
    found = anygram.Mixture(0.0, 0.0).evaluate(model, scores)
    assert math.isclose(found.model_perplexity, 22.82)
    assert round(1 - (13.71 - 1) / (found.model_perplexity - 1), 2) == 0.42


def test_lists_of_texts_are_joined() -> None:
    index = anygram.build(["to be or not to be", "to be is to do"], tokenizer="words")
    texts = ["to be or", "is to be"]
    scores = index.score_batch(texts)
    model = [np.full(3, -1.0), np.full(3, -2.0)]
    mixture = anygram.Mixture.fit(model, scores)
    np.testing.assert_array_equal(
        mixture.logprobs(model, scores),
        np.concatenate([mixture.logprobs(a, b) for a, b in zip(model, scores, strict=True)]),
    )
    assert mixture.evaluate(model, scores).num_tokens == 6


def test_bad_input_is_refused() -> None:
    scores = made_scores([(0.5, True)])
    with pytest.raises(anygram.InvalidQueryError, match="same tokens"):
        anygram.Mixture.fit([-1.0, -2.0], scores)
    with pytest.raises(anygram.InvalidQueryError, match="up to 0"):
        anygram.Mixture.fit([0.5], scores)
    with pytest.raises(anygram.InvalidQueryError, match="no token"):
        anygram.Mixture.fit([], [])
    with pytest.raises(anygram.InvalidQueryError, match="sparse"):
        anygram.Mixture(1.5, 0.0)
    with pytest.raises(anygram.InvalidQueryError, match="weights"):
        anygram.Mixture.fit([-1.0], scores, weights=3)
