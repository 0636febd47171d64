"""Each way in which questions may be given means what the plain lists of ints mean, or is refused as they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import anygram
import plain
from anygram.errors import InvalidQueryError
from oracle import Oracle

DOCUMENTS = [[0, 1, 2, 3] * 5, [2, 3, 250], [1, 1, 1], [], [120, 5, 0]]
INDEX = anygram.build(DOCUMENTS, tokenizer=None, shards=2, threads=2)
TOKENS = st.sampled_from([0, 1, 2, 3, 5, 120, 250, 77])
SMALL_TOKENS = st.sampled_from([0, 1, 2, 3, 5, 120])
NGRAMS = st.lists(st.lists(TOKENS, max_size=5), max_size=20)
TYPES = ["u1", "u2", "u4", "u8", "i2", "i4", "i8", "<i8", ">i8", ">u2", ">i4", ">u4"]


def expected(ngrams: list[list[int]]) -> list[int]:
    """Counted in Python."""
    return [
        sum(document[place : place + len(ngram)] == ngram for document in DOCUMENTS for place in range(len(document)))
        for ngram in ngrams
    ]


@given(st.lists(TOKENS, max_size=80), st.sampled_from(TYPES), st.booleans())
def test_arrays_of_any_integers_are_ngrams(ngram: list[int], dtype: str, is_strided: bool) -> None:
    array = np.repeat(np.array(ngram, dtype), 2)[::2] if is_strided else np.array(ngram, dtype)
    assert INDEX.count(array) == INDEX.count(ngram) == INDEX.count(tuple(ngram)) == expected([ngram])[0]
    assert INDEX.count([*map(np.dtype(dtype).type, ngram)]) == INDEX.count(ngram)
    assert INDEX.score(array) == INDEX.score(ngram)


@given(st.lists(SMALL_TOKENS, max_size=5))
def test_arrays_of_signed_bytes_are_ngrams(ngram: list[int]) -> None:
    assert INDEX.count(np.array(ngram, np.int8)) == INDEX.count(ngram)


@given(NGRAMS, st.sampled_from(TYPES))
def test_many_ngrams_from_arrays_are_those_of_lists(ngrams: list[list[int]], dtype: str) -> None:
    values = np.array([token for ngram in ngrams for token in ngram], dtype)
    offsets = np.cumsum([0, *map(len, ngrams)])
    ragged = anygram.Ragged(values, offsets)
    counts = expected(ngrams)
    for many in [ngrams, tuple(ngrams), iter(ngrams), [np.array(ngram, dtype) for ngram in ngrams], ragged]:
        assert INDEX.count_batch(many).tolist() == counts
    assert INDEX.document_count_batch(ragged).tolist() == [INDEX.document_count(ngram) for ngram in ngrams]
    assert [len(found) for found in INDEX.find_batch(ragged)] == counts
    assert INDEX.score_batch(ragged) == [INDEX.score(ngram) for ngram in ngrams]
    assert INDEX.spans_batch(ragged) == [INDEX.spans(ngram) for ngram in ngrams]
    assert INDEX.continuations_batch(ragged) == [INDEX.continuations(ngram) for ngram in ngrams]


@given(
    st.integers(0, 4).flatmap(
        lambda length: st.lists(st.lists(TOKENS, min_size=length, max_size=length), min_size=1, max_size=9)
    ),
    st.sampled_from(TYPES),
    st.sampled_from(["C", "F", "strided", "reversed"]),
)
def test_the_rows_of_an_array_are_ngrams(rows: list[list[int]], dtype: str, order: str) -> None:
    array = np.array(rows, dtype)
    if order == "F":
        array = np.asfortranarray(array)
    elif order == "strided":
        array = np.repeat(array, 2, axis=1)[:, ::2]
    elif order == "reversed":
        array = np.ascontiguousarray(array[::-1])[::-1]
    assert INDEX.count_batch(array).tolist() == expected(rows)


WRONG = {
    "negative": [1, -1],
    "the document's end": [1, 2**32 - 1],
    "too large": [1, 2**32],
    "larger": [1, 2**63],
    "larger still": [2**64, 1],
    "float": [1, 2.0],
    "bool": [True],
    "numpy bool": [np.True_],
    "numpy float": [np.float32(1)],
    "None": [None],
    "nested": [[1], [2]],
    "text": ["1"],
    "array in it": [1, np.array([2])],
    "negative array": np.array([3, -3]),
    "negative bytes": np.array([3, -3], np.int8),
    "negative shorts, big-endian": np.array([3, -3], ">i2"),
    "float array": np.array([1.0]),
    "bool array": np.array([True]),
    "large array": np.array([2**32], np.int64),
    "the end in an array": np.array([2**32 - 1], np.uint32),
    "larger array": np.array([2**64 - 1], np.uint64),
    "two dimensions": np.array([[1, 2]]),
    "no dimension": np.array(1),
    "objects": np.array([1, None]),
}


@pytest.mark.parametrize("ngram", WRONG.values(), ids=WRONG.keys())
def test_what_holds_no_token_ids_is_refused(ngram: object) -> None:
    for ask in [INDEX.count, INDEX.document_count, INDEX.continuations, INDEX.score, INDEX.spans, INDEX.find]:
        with pytest.raises(InvalidQueryError):
            ask(ngram)
    with pytest.raises(InvalidQueryError):
        INDEX.probability(ngram, 1)
    for ask_batch in [INDEX.count_batch, INDEX.score_batch, INDEX.find_batch, INDEX.document_count_batch]:
        with pytest.raises(InvalidQueryError):
            ask_batch([[1], ngram])


@pytest.mark.parametrize(
    "array",
    [np.array([[1, -1]]), np.array([[2**32 - 1]]), np.array([[0.5]]), np.array([1, 2]), np.zeros((1, 1, 1), int)],
    ids=["negative", "end", "float", "1-D", "3-D"],
)
def test_arrays_that_hold_no_rows_of_token_ids_are_refused(array: object) -> None:
    with pytest.raises(InvalidQueryError):
        INDEX.count_batch(array)


def test_empty_arrays_of_any_type_are_the_empty_ngram() -> None:
    for dtype in ["f8", "i8", "u1", "?"]:
        assert INDEX.count(np.array([], dtype)) == INDEX.num_tokens
    assert INDEX.count_batch(np.zeros((3, 0), np.int64)).tolist() == [INDEX.num_tokens] * 3
    assert INDEX.count_batch(np.zeros((0, 3), np.int64)).tolist() == []
    assert INDEX.count_batch([]).tolist() == []
    assert INDEX.count_batch(anygram.Ragged([], [0])).tolist() == []


def test_the_first_wrong_number_of_an_array_is_named_whatever_the_threads() -> None:
    values = np.arange(100_000) % 4
    values[[40_000, 90_000]] = -40, -90
    with pytest.raises(InvalidQueryError, match="-40"):
        INDEX.count_batch(values.reshape(-1, 2))


def test_a_list_that_changes_while_it_is_read_is_refused() -> None:
    class Shrinking:
        def __index__(self) -> int:
            ngram.clear()
            return 1

    ngram: list[object] = [Shrinking(), 1, 2]
    with pytest.raises(InvalidQueryError, match="changed"):
        INDEX.count(ngram)


def test_offsets_that_were_changed_are_refused() -> None:
    offsets = np.array([0, 2, 4])
    ragged = anygram.Ragged([0, 1, 2, 3], offsets)
    for wrong in [[0, 9, 4], [0, -5, 4], [0, 2, 100], [-1, 2, 4]]:
        offsets[:] = wrong
        with pytest.raises(InvalidQueryError):
            INDEX.count_batch(ragged)


def test_errors_of_an_ngrams_own_methods_come_through() -> None:
    class Broken:
        def __index__(self) -> int:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        INDEX.count([Broken()])


def test_a_closed_index_answers_nothing() -> None:
    index = anygram.build([[1]], tokenizer=None)
    index.close()
    for ask in [index.count, index.continuations, index.score, index.find]:
        with pytest.raises(InvalidQueryError, match="closed"):
            ask([1])


@pytest.mark.parametrize("profile", ["fast", "lean"])
@pytest.mark.parametrize("largest", [3, 255, 300, 4000, 65_000, 129_279, 2_000_000])
def test_ids_that_no_document_has_spoil_no_match_before_them(largest: int, profile: str) -> None:
    documents = [[7, largest], [7, 3, largest], [3, largest, 7, 7]]
    with anygram.build(documents, tokenizer=None, profile=profile) as index:
        oracle = Oracle(documents)
        for unseen in [2**bits - 2 for bits in range(3, 33)] + [2**32 - 2]:
            text = [7, 3, unseen, 7, largest, unseen, 3, largest, 7, 7, unseen]
            if unseen > largest:
                assert plain.longest_matches(index.longest_matches(text)) == oracle.longest_matches(text)
