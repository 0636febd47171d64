"""Weights by a forest: never worse than two weights on what they are fitted on, and the same for the same seed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import anygram
from anygram.results import Scores
from strategies import Documents, shard_counts, small_corpora, texts

pytest.importorskip("sklearn")


@st.composite
def corpora_with_texts(draw: st.DrawFn) -> tuple[Documents, list[list[int]]]:
    documents = draw(small_corpora())
    return documents, [draw(texts(documents))[:30] for _ in range(2)]


@settings(max_examples=settings.default.max_examples // 2)
@given(corpora_with_texts(), st.integers(1, 6), shard_counts())
def test_suffix_counts_are_counts(question: tuple[Documents, list[list[int]]], longest: int, shards: int) -> None:
    documents, asked = question
    with anygram.build(documents, tokenizer=None, shards=shards) as index:
        for text, found in zip(asked, anygram.suffix_counts(index, asked, max_length=longest), strict=True):
            expected = [[index.count(text[i - k : i]) if k <= i else 0 for k in range(1, longest + 1)]
                        for i in range(len(text))]  # fmt: skip
            assert found.shape == (len(text), longest)
            assert found.tolist() == expected


def drawn(seed: int, size: int) -> tuple[np.ndarray, Scores, np.ndarray]:
    """Tokens for which the ∞-gram is the better the longer the suffix that occurs, as it is of real text."""
    draw = np.random.default_rng(seed)
    counts = np.sort(draw.integers(0, 50, (size, 4)), axis=1)[:, ::-1].copy()
    sparse = draw.random(size) < 0.3
    right = draw.random(size) < np.where(counts[:, 3] > 5, 0.9, 0.2)
    probs = np.where(right, draw.random(size), 0.0)
    zeros = np.zeros(size, np.int64)
    return np.log(draw.uniform(0.01, 0.5, size)), Scores(zeros, probs, zeros, zeros, zeros, sparse), counts


@settings(max_examples=10)
@given(st.integers(0, 10**6), st.integers(1, 300), st.integers(1, 40))
def test_never_worse_than_two_weights_on_its_own_texts(seed: int, size: int, min_leaf: int) -> None:
    model, scores, counts = drawn(seed, size)
    forest = anygram.ForestMixture.fit(model, scores, counts, num_trees=3, min_leaf=min_leaf, seed=seed)
    weights = forest.weights(scores, counts)
    assert ((weights >= 0) & (weights <= 1)).all()
    two = anygram.Mixture.fit(model, scores)
    assert forest.logprobs(model, scores, counts).sum() >= two.logprobs(model, scores).sum() - 1e-9 * size


def test_better_on_other_texts_where_lengths_tell() -> None:
    model, scores, counts = drawn(1, 6000)
    forest = anygram.ForestMixture.fit(model, scores, counts, num_trees=10)
    others = drawn(2, 3000)
    found = forest.evaluate(*others)
    two = anygram.Mixture.fit(model, scores).evaluate(*others[:2])
    assert found.gain > two.gain + 0.05
    assert math.isclose(found.model_perplexity, two.model_perplexity)


def test_the_same_seed_gives_the_same_weights() -> None:
    model, scores, counts = drawn(3, 1000)
    fit = [anygram.ForestMixture.fit(model, scores, counts, num_trees=4, seed=seed) for seed in (5, 5, 6)]
    weights = [forest.weights(scores, counts) for forest in fit]
    assert (weights[0] == weights[1]).all()
    assert (weights[0] != weights[2]).any()
    assert "4 trees" in repr(fit[0])


def test_lists_of_texts_are_joined() -> None:
    index = anygram.build(["to be or not to be", "to be is to do"], tokenizer="words")
    asked = ["to be or", "is to be"]
    scores, counts = index.score_batch(asked), anygram.suffix_counts(index, asked)
    model = [np.full(3, -1.0), np.full(3, -2.0)]
    forest = anygram.ForestMixture.fit(model, scores, counts, num_trees=2)
    assert forest.evaluate(model, scores, counts).num_tokens == 6
    assert (forest.weights(scores[1], counts[1]) == forest.weights(scores, counts)[3:]).all()


def test_bad_input_is_refused() -> None:
    model, scores, counts = drawn(4, 50)
    fit = anygram.ForestMixture.fit
    with pytest.raises(anygram.InvalidQueryError, match="same tokens"):
        fit(model, scores, counts[:10])
    with pytest.raises(anygram.InvalidQueryError, match="same tokens"):
        fit(model[:10], scores, counts)
    with pytest.raises(anygram.InvalidQueryError, match="min_leaf"):
        fit(model, scores, counts, min_leaf=0)
    with pytest.raises(anygram.InvalidQueryError, match="max_length=4"):
        fit(model, scores, counts, num_trees=1).weights(scores, counts[:, :2])
    index = anygram.build([[1, 2]], tokenizer=None)
    with pytest.raises(anygram.InvalidQueryError, match="max_length"):
        anygram.suffix_counts(index, [[1]], max_length=0)
