from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anygram.errors import InvalidQueryError
from anygram.types import DOCUMENT_END, MAX_TOKEN, Ragged, token_array

ids = st.lists(st.integers(0, MAX_TOKEN), max_size=5)


@given(ids)
def test_every_legal_sequence_is_the_same_array(tokens: list[int]) -> None:
    for form in (
        tokens,
        tuple(tokens),
        np.array(tokens, np.int64),
        np.array(tokens, np.uint32),
        np.array(tokens, ">u4"),
    ):
        array = token_array(form)
        assert array.dtype == np.uint32
        assert array.tolist() == tokens


@pytest.mark.parametrize(
    "wrong",
    [
        [-1],
        [1, True],
        [1.0],
        [[1]],
        [None],
        ["1"],
        [DOCUMENT_END],
        [2**70],
        "12",
        b"12",
        5,
        {1, 2},
        np.array([1.0]),
        np.array([True]),
        np.array([[1]]),
        np.array(3),
        np.array([-1], np.int8),
        np.array([DOCUMENT_END], np.uint32),
        np.array([DOCUMENT_END], np.uint64),
    ],
    ids=repr,
)
def test_what_is_no_id_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"token ids|sequence"):
        token_array(wrong)


def test_an_empty_sequence_has_no_type() -> None:
    assert token_array([]).tolist() == []
    assert token_array(np.array([])).tolist() == []


@given(st.lists(ids, max_size=6))
def test_ragged_gives_its_sequences_back(sequences: list[list[int]]) -> None:
    ragged = Ragged.from_sequences(sequences)
    assert len(ragged) == len(sequences)
    assert [ngram.tolist() for ngram in ragged] == sequences
    assert [ragged[number].tolist() for number in range(len(ragged))] == sequences
    assert ragged.lengths.tolist() == [len(sequence) for sequence in sequences]
    assert pickle.loads(pickle.dumps(ragged)) == ragged
    assert Ragged.from_lengths(ragged.values, ragged.lengths) == ragged


def test_ragged_is_read_only_and_leaves_its_arguments_alone() -> None:
    values = np.array([1, 2], np.uint32)
    ragged = Ragged(values, np.array([0, 2], np.int64))
    with pytest.raises(ValueError, match="read-only"):
        ragged.values[0] = 5
    values[0] = 7  # the caller's own


def test_ragged_knows_its_ends() -> None:
    ragged = Ragged([1, 2, 3], [0, 1, 3])
    assert ragged[-1].tolist() == [2, 3]
    for outside in (2, -3):
        with pytest.raises(IndexError):
            ragged[outside]


@pytest.mark.parametrize(
    "offsets",
    [[], [1, 3], [0, 2], [0, 4], [0, 2, 1, 3], [[0, 3]], [0.0, 3.0], np.array([0, 2, 1, 3], np.uint64)],
    ids=repr,
)
def test_offsets_that_do_not_fit_are_refused(offsets: object) -> None:
    with pytest.raises(InvalidQueryError, match="offsets"):
        Ragged([1, 2, 3], offsets)


def test_values_that_are_no_ids_are_refused() -> None:
    with pytest.raises(InvalidQueryError, match="-1"):
        Ragged([-1], [0, 1])
    with pytest.raises(InvalidQueryError, match="-1"):
        Ragged.from_sequences([[1], [-1]])
