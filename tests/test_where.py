"""`where` against brute force, and what its language says."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import anygram
import plain
from anygram.errors import InvalidQueryError
from conditions import EVERY_KIND, Condition, Record, chosen, conditions, records
from oracle import Oracle
from strategies import Documents, corpora, ngrams, shard_counts, small_corpora


@st.composite
def described(draw: st.DrawFn) -> tuple[Documents, list[Record], Condition]:
    """A corpus, what is known about its documents, and a condition on that."""
    documents = draw(small_corpora())
    return documents, draw(records(len(documents))), draw(conditions())


def build(documents: Documents, metadata: list[Record], shards: int) -> anygram.Index:
    """With a document more for each kind of value."""
    rows = [
        {"tokens": tokens, **record}
        for tokens, record in zip([*documents, *([] for _ in EVERY_KIND)], [*metadata, *EVERY_KIND], strict=True)
    ]
    return anygram.build(rows, tokenizer=None, shards=shards)


@given(described(), shard_counts(), st.data())
def test_filtered_answers_are_those_of_the_chosen_documents(
    question: tuple[Documents, list[Record], Condition], shards: int, data: st.DataObject
) -> None:
    documents, metadata, condition = question
    ngram = data.draw(ngrams(documents))
    expected = chosen(condition, [*metadata, *EVERY_KIND])
    # Documents that are not chosen are there, so that numbers stay, and empty.
    of_chosen = Oracle([tokens if one else [] for tokens, one in zip(documents, expected, strict=False)])
    with build(documents, metadata, shards) as index:
        for where in (condition.text, np.array(expected)):
            assert index.count(ngram, where=where) == of_chosen.count(ngram)
            assert index.document_count(ngram, where=where) == of_chosen.document_count(ngram)
            assert index.count_batch([ngram, []], where=where).tolist() == [
                of_chosen.count(ngram),
                of_chosen.num_tokens,
            ]
            assert index.document_count_batch([ngram], where=where).tolist() == [of_chosen.document_count(ngram)]
            found = index.find(ngram, where=where)
            assert len(found) == of_chosen.count(ngram)
            assert plain.find(found) == of_chosen.find(ngram)


@given(corpora(), shard_counts(), st.data())
def test_filtered_occurrences_are_some_of_all_in_the_same_order(
    documents: Documents, shards: int, data: st.DataObject
) -> None:
    ngram = data.draw(ngrams(documents, max_size=3))
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(documents), max_size=len(documents))))
    with anygram.build(documents, tokenizer=None, shards=shards) as index:
        found = index.find(ngram, where=mask)
        expected = [one for one in index.find(ngram) if mask[one.document]]
        assert list(found) == expected
        assert found[:] == expected
        assert found[1:3] == expected[1:3]
        assert found[::-2] == expected[::-2]
        assert [found[number] for number in range(-len(expected), len(expected))] == expected * 2
        assert found.documents().tolist() == sorted({one.document for one in expected})
        assert found.document_counts.sum() == len(expected)
        drawn = [one for one in index.find(ngram).sample(10**6, seed=3) if mask[one.document]]
        assert found.sample(2, seed=3) == drawn[:2]


def test_blocks_of_many_occurrences_are_cut_where_they_should_be() -> None:
    documents = [[number % 2] * (number % 50) for number in range(400)]
    mask = np.arange(400) % 3 == 1
    with anygram.build(documents, tokenizer=None, shards=2, threads=2) as index:
        for ngram in ([], [1], [1, 1, 1]):
            found = index.find(ngram, where=mask)
            expected = [one for one in index.find(ngram) if mask[one.document]]
            assert len(expected) > 1500
            assert list(found) == expected
            assert found[1000:1050] == expected[1000:1050]
            assert found[len(found) - 1] == expected[-1]
            assert index.count(ngram, where=mask) == len(expected)


ROWS: list[dict[str, Any]] = [
    {"text": "to be or not to be", "source": "web", "year": 2019, "meta": {"lang": "en"}, "tags": ["old", 1]},
    {"text": "to be", "source": "books", "year": 2021.5, "good": True, "meta.lang": "dotted"},
    {"text": "", "source": None, "year": None},
    {"text": "not to", "source": "web", "year": 2020, "weird, name": "it's 100%"},
]


@pytest.fixture(scope="module")
def library() -> anygram.Index:
    return anygram.build(ROWS, tokenizer="words", shards=2)


@pytest.mark.parametrize(
    ("where", "documents"),
    [
        ("source = 'web' AND year >= 2020", [3]),
        ("source='web'and not year>=2020", [0]),
        ("source != 'web'", [1]),
        ("NOT source = 'web'", [1]),
        ("source IS NULL", [2]),
        ("good IS NULL", [0, 2, 3]),
        ("year IS NOT NULL", [0, 1, 3]),
        ("year BETWEEN 2019 AND 2020", [0, 3]),
        ("year NOT BETWEEN 2019 AND 2020", [1]),
        ("year IN (2019.0, 2021.5)", [0, 1]),
        ("year NOT IN (2019)", [1, 3]),
        ("good = TRUE OR year = 2020", [1, 3]),
        ("\"weird, name\" = 'it''s 100%'", [3]),
        ("\"weird, name\" LIKE '%100\\%'", [3]),
        ("source LIKE '_e_'", [0, 3]),
        ("tags CONTAINS 'old'", [0]),
        ("tags CONTAINS 1", [0]),
        ("tags NOT CONTAINS 'new'", [0]),
        ("source CONTAINS 'oo'", [1]),
        ("meta.lang = 'dotted'", [1]),  # a field of that name goes before an object's
        ("id = '3'", [3]),
        ("id IN ('0', '1') AND NOT (source = 'books' OR year < 0)", [0]),
        ("year > -1e3 AND year < +.5e5", [0, 1, 3]),
        ("source = 'web' OR source = 'books' AND year < 0", [0, 3]),
        (" \n source\t=\n'web' ", [0, 3]),
    ],
)
def test_conditions_as_people_write_them(library: anygram.Index, where: str, documents: list[int]) -> None:
    mask = np.isin(np.arange(4), documents)
    assert library.count((), where=where) == library.count((), where=mask)
    assert library.find("to", where=where).documents().tolist() == [number for number in documents if number != 2]
    assert library.find_batch(["to"], where=where)[0].documents().tolist() == [one for one in documents if one != 2]
    assert library.search("to", where=where).num_documents == len(set(documents) - {2})


@pytest.mark.parametrize(
    ("where", "place", "message"),
    [
        ("", 0, "is empty"),
        ("source", 6, "expected a comparison"),
        ("source =", 8, "expected a value"),
        ("source = web", 9, "single quotes, 'web'"),
        ('source = "web"', 9, "single quotes, 'web'"),
        ("source = NULL", 9, "IS NULL"),
        ("source = 'web", 9, "never closed"),
        ("source = 'a' year = 1", 13, "AND, OR or the end"),
        ("(source = 'a'", 13, "closing parenthesis"),
        ("source = 'a')", 12, "the end"),
        ("source = 'a' AND", 16, "name of a field"),
        ("AND source = 'a'", 0, "name of a field"),
        ("year IN ()", 9, "expected a value"),
        ("year IN 3", 8, "parentheses"),
        ("year IN (3", 10, "comma or a closing"),
        ("year BETWEEN 1 OR 2", 15, "AND and the upper end"),
        ("year BETWEEN 1 AND 'x'", 0, "two numbers or two texts"),
        ("year IS 3", 8, "NULL or NOT NULL"),
        ("year = 12abc", 7, "no part of a filter"),
        ("good < true", 0, "no order"),
        ("source LIKE 3", 12, "'text'"),
        ("NOT " * 300 + "year = 1", None, "nested"),
        ("year = 1 OR yaer = 2", 12, r"did you mean year\?"),
        ("nothing = 2", 0, "there are source, year, meta"),
        ("meta.lagn = 'x'", 0, r"did you mean meta\.lang\?"),
        ("meta = 'x'", 0, r"name what is in it"),
        ("source = 3", 0, "in single quotes"),
        ("year = '2019'", 0, "with a number"),
        ("good = 1", 0, "with true or false"),
        ("tags = 'old'", 0, "ask CONTAINS"),
        ("source ? 3", 7, "no part of a filter"),
    ],
)
def test_what_is_no_condition_is_refused_with_the_place(
    library: anygram.Index, where: str, place: int | None, message: str
) -> None:
    with pytest.raises(InvalidQueryError, match=message) as refused:
        library.count("to", where=where)
    if place is not None:
        assert str(refused.value).startswith(f"at character {place}: ")


def test_what_is_neither_a_condition_nor_an_array_is_refused(library: anygram.Index) -> None:
    wrong: list[Any] = [3, [True] * 4, np.ones(4), np.ones(3, bool), np.ones((2, 2), bool), len]
    for where in wrong:
        with pytest.raises(InvalidQueryError, match="where"):
            library.count("to", where=where)


def test_a_condition_without_metadata_says_so() -> None:
    with anygram.build(["to be", "be"], tokenizer="words") as index:
        with pytest.raises(InvalidQueryError, match="keeps no metadata"):
            index.count("be", where="year = 3")
        # What a document has all the same.
        assert index.count("be", where="id = '1'") == 1
        assert index.count("be", where="source IS NULL") == 2
        assert index.count("be", where=np.array([True, False])) == 1
        assert index.count_by("be", "source").values == (None,)


def test_several_indexes_are_filtered_as_one(tmp_path: Path) -> None:
    anygram.build(ROWS, tmp_path / "a", tokenizer="bytes", shards=2)
    anygram.build(["to be", "that is"], tmp_path / "b", tokenizer="bytes")
    anygram.build([{"text": "to", "year": 2020, "new": "x"}], tmp_path / "c", tokenizer="bytes")
    with anygram.open([tmp_path / name for name in "abc"]) as index:
        assert index.count("to", where="year = 2020") == 2
        assert index.find("to", where="year >= 2020").documents().tolist() == [1, 3, 6]
        assert index.find("to", where="year IS NULL").documents().tolist() == [4]
        assert index.find("to", where="new = 'x'").documents().tolist() == [6]
        assert index.find("to", where="id = '4'").documents().tolist() == [4]
        assert index.find("to", where="new = 'x' OR source = 'web'").documents().tolist() == [0, 3, 6]
        assert index.count_by("to", "year").total == index.count("to")
        copy = pickle.loads(pickle.dumps(index))
        assert copy.count("to", where="year = 2020") == 2


def test_ids_and_sources_of_files_are_fields(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("to be\nto do\n")
    (tmp_path / "b.jsonl").write_text('{"text": "to", "name": "n", "year": 1}\n{"text": "be", "name": "m"}\n')
    corpus = anygram.read_corpus(tmp_path / "a.txt", tmp_path / "b.jsonl", lines=True, id_field="name")
    with anygram.build(corpus, tokenizer="words") as index:
        documents = index.documents(range(index.num_documents))
        for document in documents:
            (found,) = np.flatnonzero(index._filter(f"id = '{document.id}'").mask())
            assert found == document.number
            mask = index._filter(f"source = '{document.source}'").mask()
            assert mask.tolist() == [other.source == document.source for other in documents]
        assert index.count("to", where="source LIKE '%.txt'") == 2


def test_filters_are_remembered_and_belong_to_their_index(library: anygram.Index) -> None:
    assert library._filter("year = 2020") is library._filter("year = 2020")
    chosen = library._filter("year = 2020")
    assert len(chosen) == 1
    assert 3 in chosen
    assert 0 not in chosen
    assert 99 not in chosen
    with anygram.build(["a"], tokenizer="words") as other, pytest.raises(InvalidQueryError, match="another index"):
        other._core.count_filtered([0], chosen)


def test_thousands_of_documents_in_chunks_are_filtered_as_few() -> None:
    rows = [{"tokens": [number % 3], "number": number, "name": f"n{number}"} for number in range(10_000)]
    with anygram.build(rows, tokenizer=None, shards=2) as index:
        assert index.count([1], where="number < 5000") == sum(number % 3 == 1 for number in range(5000))
        assert index.find([1], where="name = 'n9002'").documents().tolist() == []
        assert index.find([0], where="name LIKE 'n900_'").documents().tolist() == [9000, 9003, 9006, 9009]
        assert index.count_by([1], "number").total == index.count([1])


def test_threads_may_ask_at_once() -> None:
    rows = [{"tokens": [1, 2, number % 5], "number": number} for number in range(6000)]
    with anygram.build(rows, tokenizer=None, shards=2) as index, ThreadPoolExecutor(8) as pool:
        wheres = [f"number < {bound}" for bound in range(0, 6000, 150)] * 2
        found = list(pool.map(lambda where: index.count([1, 2], where=where), wheres))
        assert found == list(range(0, 6000, 150)) * 2


def test_a_closed_index_refuses_filters() -> None:
    index = anygram.build(["a"], tokenizer="words")
    index.close()
    with pytest.raises(InvalidQueryError, match="closed"):
        index.count([1], where=np.ones(1, bool))
    with pytest.raises(InvalidQueryError, match="closed"):
        index.find([1], where="id = '0'")


def test_documents_that_were_asked_for_late_still_have_their_index() -> None:
    found = anygram.build([{"text": "a a", "x": 1}], tokenizer="words").find("a", where="x = 1")
    assert len(found) == 2
    assert found[1].context(1).text == "a a"
