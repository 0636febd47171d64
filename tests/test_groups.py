"""`count_by` against brute force."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import polars
import pytest
from hypothesis import given
from hypothesis import strategies as st

import anygram
from anygram.errors import InvalidQueryError
from conditions import Record, kind, looked_up, records
from oracle import Oracle
from strategies import Documents, ngrams, shard_counts, small_corpora


@st.composite
def described(draw: st.DrawFn) -> tuple[Documents, list[Record]]:
    documents = draw(small_corpora())
    return documents, draw(records(len(documents)))


def identity(value: Any) -> object:
    return kind(value), json.dumps(value) if isinstance(value, list | dict) else value


# As it is asked for, and its names from outside in.
FIELDS = [("a", ["a"]), ("b c", ["b c"]), ('"b c"', ["b c"]), ("m.x", ["m", "x"])]


@given(described(), st.sampled_from(FIELDS), shard_counts(), st.data())
def test_groups_hold_all_occurrences_by_value(
    question: tuple[Documents, list[Record]], field: tuple[str, list[str]], shards: int, data: st.DataObject
) -> None:
    documents, metadata = question
    ngram = data.draw(ngrams(documents))
    mask = data.draw(st.none() | st.lists(st.booleans(), min_size=len(documents), max_size=len(documents)))
    rows = [{"tokens": tokens, **record} for tokens, record in zip(documents, metadata, strict=True)]
    # A document more that has all fields, empty and never chosen.
    rows.append({"tokens": [], "a": 0, "b c": 0, "m": {"x": 0}})
    chosen = [*(mask or [True] * len(documents)), False]
    with anygram.build(rows, tokenizer=None, shards=shards) as index:
        found = index.count_by(ngram, field[0], where=np.array(chosen))
        assert found.total == index.count(ngram, where=np.array(chosen)) == found.counts.sum()
        limited = index.count_by(ngram, field[0], where=np.array(chosen), top=2)
    expected: dict[object, list[int]] = {}
    for number, record in enumerate(metadata):
        if chosen[number]:
            value = identity(looked_up(tuple(field[1]), record))
            expected.setdefault(value, []).append(number)
    assert [identity(value) for value in found.values] == list(dict.fromkeys(map(identity, found.values)))
    assert set(map(identity, found.values)) == set(expected)
    for row, value in enumerate(found.values):
        oracle = Oracle([documents[number] for number in expected[identity(value)]])
        assert found.counts[row] == oracle.count(ngram)
        assert found.document_counts[row] == oracle.document_count(ngram)
        assert found.num_documents[row] == oracle.num_documents
        assert found.num_tokens[row] == oracle.num_tokens
        rate = oracle.count(ngram) * 1e6 / oracle.num_tokens if oracle.num_tokens else math.nan
        assert found.per_million[row] == pytest.approx(rate, nan_ok=True)
    assert found.counts.tolist() == sorted(found.counts.tolist(), reverse=True)
    assert limited.values == found.values[:2]
    assert (limited.num_groups, limited.total) == (len(found), found.total)


@pytest.fixture(scope="module")
def library() -> anygram.Index:
    rows = [
        {"text": "to be or not to be", "lang": "en", "year": 1600, "meta": {"kind": "play"}},
        {"text": "to be", "lang": "en", "year": 1999},
        {"text": "", "lang": "de", "year": None},
        {"text": "to do", "tags": ["x"]},
    ]
    return anygram.build(rows, tokenizer="words")


def test_groups_are_a_table(library: anygram.Index) -> None:
    found = library.count_by("to", "lang")
    assert found.values == ("en", None, "de")
    assert found.counts.tolist() == [3, 1, 0]
    assert found.num_tokens.tolist() == [8, 2, 0]
    assert found.per_million.tolist()[:2] == [375_000, 500_000]
    assert math.isnan(found.per_million[2])
    table = polars.DataFrame(found)
    assert table["values"].to_list() == ["en", None, "de"]
    assert table["counts"].to_list() == [3, 1, 0]
    assert "GroupCounts by lang: 4 in 3 groups" in repr(found)
    assert "(none)" in repr(found)
    assert json.dumps(found.to_dict())
    assert polars.DataFrame(library.count_by("to", "year"))["values"].to_list() == [1600, 1999, None]
    assert polars.DataFrame(library.count_by("to", "tags"))["values"].to_list() == [None, '["x"]']


def test_groups_by_what_a_document_is_called(library: anygram.Index) -> None:
    assert library.count_by("to", "id", top=1).values == ("0",)
    assert library.count_by("to", "meta.kind").values == ("play", None)
    assert library.count_by((), "lang").counts.tolist() == [8, 2, 0]


def test_a_field_that_is_none_is_refused(library: anygram.Index) -> None:
    with pytest.raises(InvalidQueryError, match=r"did you mean lang\?"):
        library.count_by("to", "lagn")
    with pytest.raises(InvalidQueryError, match=r"did you mean meta\.kind\?"):
        library.count_by("to", "meta.kin")
    with pytest.raises(InvalidQueryError, match="no document has a field"):
        library.count_by("to", "what is = this")
    with pytest.raises(InvalidQueryError, match="top"):
        library.count_by("to", "lang", top=0)
    with pytest.raises(InvalidQueryError, match="named by a str"):
        library.count_by("to", 3)  # type: ignore[arg-type]
