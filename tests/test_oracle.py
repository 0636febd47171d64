"""The oracle against examples worked by hand."""

from __future__ import annotations

import math

import pytest

from oracle import DOCUMENT_END, Oracle, Probability, Span

A, B, C, X = 0, 1, 2, 9

# abab | (empty) | b | aa
SMALL = Oracle([[A, B, A, B], [], [B], [A, A]])


def test_totals() -> None:
    assert (SMALL.num_tokens, SMALL.num_documents) == (7, 4)
    assert SMALL.token_counts() == {A: 4, B: 3}


@pytest.mark.parametrize(
    ("ngram", "count", "documents"),
    [([], 7, 3), ([A], 4, 2), ([B], 3, 2), ([A, B], 2, 1), ([B, A], 1, 1), ([B, B], 0, 0), ([A, A], 1, 1), ([X], 0, 0)],
)
def test_counts(ngram: list[int], count: int, documents: int) -> None:
    assert SMALL.count(ngram) == count
    assert SMALL.document_count(ngram) == documents


def test_counts_overlap() -> None:
    assert Oracle([[A] * 5]).count([A, A]) == 4


def test_find() -> None:
    assert SMALL.find([B]) == [(0, 1), (0, 3), (2, 0)]


def test_following() -> None:
    assert sorted(SMALL.following([])) == [A] * 4 + [B] * 3 + [DOCUMENT_END] * 4
    assert SMALL.following([B]) == [A, DOCUMENT_END, DOCUMENT_END]
    assert SMALL.following([A, A]) == [DOCUMENT_END]


def test_probability() -> None:
    assert SMALL.probability([A], B) == Probability(0.5, 4, 2, 1)
    assert SMALL.probability([], A) == Probability(4 / 11, 11, 4, 0)
    assert SMALL.probability([B, A, A], DOCUMENT_END, backoff=True) == Probability(1.0, 1, 1, 2)
    assert SMALL.probability([X], A, backoff=True) == Probability(4 / 11, 11, 4, 0)


def test_probability_of_an_unseen_prompt() -> None:
    prob, prompt_count, continuation_count, suffix_length = SMALL.probability([B, B], A)
    assert math.isnan(prob)
    assert (prompt_count, continuation_count, suffix_length) == (0, 0, 2)


def test_continuations() -> None:
    assert SMALL.continuations([A]) == ({A: 1, B: 2, DOCUMENT_END: 1}, 4, 1, 3)
    assert SMALL.continuations([A], top_k=2) == ({A: 1, B: 2}, 4, 1, 3)
    assert SMALL.continuations([A], top_k=1).counts == {B: 2}
    assert list(SMALL.continuations([]).counts) == [A, B, DOCUMENT_END]


def test_score() -> None:
    rows = SMALL.score([A, A, B], top_k=1, end=True)
    assert [row.token for row in rows] == [A, A, B, DOCUMENT_END]
    assert [row.probability[1:] for row in rows] == [(11, 4, 0), (4, 1, 1), (1, 0, 2), (2, 1, 2)]
    assert [row.sparse for row in rows] == [False, False, True, False]
    assert [row.agrees for row in rows] == [False, False, False, False]
    assert [row.top for row in rows] == [[(A, 4 / 11)], [(B, 0.5)], [(DOCUMENT_END, 1.0)], [(A, 0.5)]]


def test_score_agrees_above_one_half() -> None:
    (_, row) = Oracle([[A, B], [A, B], [A, C]]).score([A, B])
    assert (row.probability.prob, row.agrees) == (2 / 3, True)


def test_score_of_an_order() -> None:
    rows = SMALL.score([A, B, A, B], order=2)
    assert [row.probability.suffix_length for row in rows] == [0, 1, 1, 1]
    assert [row.probability.suffix_length for row in SMALL.score([A, B, A, B], order=1)] == [0, 0, 0, 0]


def test_longest_matches() -> None:
    assert SMALL.longest_matches([A, B, B, X]) == [(2, 2), (1, 3), (1, 3), (0, 0)]
    assert SMALL.longest_matches([A, B, A], min_count=2) == [(2, 2), (1, 3), (1, 4)]
    assert SMALL.longest_matches([A, B, A], min_count=4) == [(1, 4), (0, 0), (1, 4)]


def test_spans() -> None:
    assert SMALL.spans([A, A, B, A, X, B]) == [Span(0, 2, 1), Span(1, 4, 1), Span(5, 6, 3)]
    assert SMALL.spans([A, A, B, A, X, B], min_length=2) == [Span(0, 2, 1), Span(1, 4, 1)]
    assert SMALL.spans([A, A, B, A, X, B], min_length=3) == [Span(1, 4, 1)]
    assert SMALL.spans([B, X], max_count=2) == []


def test_an_empty_corpus() -> None:
    empty = Oracle([])
    assert empty.count([]) == 0
    assert math.isnan(empty.probability([A], A, backoff=True).prob)
    assert empty.continuations([]) == ({}, 0, 0, 0)
