"""`index.search` against brute force, and what its query language says."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import anygram
import oracle
from anygram.query_language import parse_query
from strategies import Documents, ngrams, shard_counts, small_corpora


def written(clauses: list[list[list[int]]], excluded: list[list[int]]) -> str:
    """The query that means these clauses."""
    terms = [" OR ".join(map(str, clause)) for clause in clauses]
    return " AND ".join(f"({term})" for term in terms) + "".join(f" NOT {ngram}" for ngram in excluded)


@st.composite
def questions(draw: st.DrawFn) -> tuple[Documents, list[list[list[int]]], list[list[int]]]:
    documents = [document[:14] for document in draw(small_corpora())]
    term = ngrams(documents, min_size=1, max_size=3)
    clauses = draw(st.lists(st.lists(term, min_size=1, max_size=3), min_size=1, max_size=3))
    return documents, clauses, draw(st.lists(term, max_size=2))


@given(questions(), st.one_of(st.none(), st.integers(0, 5)), st.booleans(), shard_counts())
def test_windows_are_those_of_the_definition(
    question: tuple[Documents, list[list[list[int]]], list[list[int]]],
    within: int | None,
    ordered: bool,
    num_shards: int,
) -> None:
    documents, clauses, excluded = question
    with anygram.build(documents, tokenizer=None, shards=num_shards) as index:
        hits = index.search(written(clauses, excluded), within=within, ordered=ordered)
    found = list(zip(hits.documents.tolist(), hits.begins.tolist(), hits.ends.tolist(), strict=True))
    # A clause that was written twice is one: for matches in order it must be asked for twice.
    unique = [list(clause) for clause in dict.fromkeys(tuple(dict.fromkeys(map(tuple, clause))) for clause in clauses)]
    assert found == oracle.windows(documents, unique, excluded, within, ordered)
    assert hits.num_documents == len({document for document, _, _ in found})
    assert hits.complete
    assert hits.estimated_total == len(found)


@given(
    questions(),
    st.one_of(st.none(), st.integers(0, 5)),
    st.one_of(st.none(), st.integers(1, 3)),
    shard_counts(),
    st.data(),
)
def test_windows_where_are_those_of_the_chosen_documents(
    question: tuple[Documents, list[list[list[int]]], list[list[int]]],
    within: int | None,
    limit: int | None,
    num_shards: int,
    data: st.DataObject,
) -> None:
    documents, clauses, excluded = question
    chosen = data.draw(st.lists(st.booleans(), min_size=len(documents), max_size=len(documents)))
    query = written(clauses, excluded)
    with anygram.build(documents, tokenizer=None, shards=num_shards) as index:
        everywhere = index.search(query, within=within)
        hits = index.search(query, within=within, where=np.array(chosen), limit=limit)
    kept = [row for row, document in enumerate(everywhere.documents.tolist()) if chosen[document]]
    expected = [column[kept].tolist() for column in (everywhere.documents, everywhere.begins, everywhere.ends)]
    found = [column.tolist() for column in (hits.documents, hits.begins, hits.ends)]
    if hits.complete:
        assert found == expected
        assert hits.num_candidates <= sum(chosen)
    else:
        assert limit is not None
        assert len(hits) >= limit
        assert found == [column[: len(hits)] for column in expected]


@pytest.fixture(scope="module")
def library() -> anygram.Index:
    documents = [
        "a natural language model is a model of language",
        "a review of every natural language system",
        "natural gas",
        "the system speaks; its natural language is old",
    ]
    return anygram.build(documents, tokenizer="words")


def test_a_query_as_people_write_it(library: anygram.Index) -> None:
    hits = library.search('"natural language" AND (model OR system) NOT review')
    assert hits.documents.tolist() == [0, 3]
    shown = ["natural language model", "system speaks ; its natural language"]
    assert [hits.context(row, 0).text for row in range(2)] == shown
    assert hits.num_documents == 2
    assert len(library.search('"natural language" AND (model OR system)', within=0)) == 2
    assert library.search("system AND natural", ordered=True).documents.tolist() == [3]
    assert len(library.search("natural NOT language", within=0)) == 1
    assert len(library.search("unheard AND natural")) == 0


def test_hits_are_a_table(library: anygram.Index) -> None:
    hits = library.search("natural")
    assert len(hits) == 4
    assert "4 windows in 4 documents" in repr(hits)
    assert hits.to_dict()["documents"] == [0, 1, 2, 3]
    assert set(hits.columns()) == {"documents", "begins", "ends"}
    assert not hits.documents.flags.writeable
    assert hits.documents.dtype == np.int64
    left = pickle.loads(pickle.dumps(hits))
    assert left == hits
    with pytest.raises(anygram.InvalidQueryError, match="left their index"):
        left.context(0)
    with pytest.raises(anygram.InvalidQueryError, match="width"):
        hits.context(0, -1)


def test_a_limit_says_what_was_examined() -> None:
    index = anygram.build([[1, 2]] * 5000, tokenizer=None, shards=2)
    hits = index.search("[1] AND [2]", limit=3)
    assert not hits.complete
    assert 3 <= len(hits) < 5000
    assert hits.num_candidates == 5000
    assert hits.num_examined == len(hits)
    assert hits.estimated_total == 5000
    assert "of 5,000 candidate documents (about 5,000 in all)" in repr(hits)


@pytest.mark.parametrize(
    ("query", "place", "reason"),
    [
        ("", 0, "empty"),
        ("  ", 0, "empty"),
        ("a b", 2, "side by side"),
        ("a AND", 5, "ends where"),
        ("(a OR b", 7, "ends where"),
        ("a) b", 1, r"expected the query to end or a term to begin here, found '\)'"),
        ("a AND OR b", 6, "expected the query to end or a term to begin here, found 'OR'"),
        ("NOT a", 0, "NOT stands behind"),
        ("a OR NOT b", 5, "NOT stands behind"),
        ("(a NOT b) AND c", 3, "NOT stands behind"),
        ("a NOT b AND c", 8, "expected the query to end or a term to begin here, found 'AND'"),
        ("a NOT (b AND c)", 7, "NOT takes a term"),
        ('a AND "b', 6, "never closed"),
        ("[1 x]", 0, "something else than ids"),
        ('a OR ""', 5, "empty term"),
        ("[ ]", 0, "empty term"),
    ],
)
def test_what_does_not_parse_is_shown_where(query: str, place: int, reason: str) -> None:
    with pytest.raises(anygram.InvalidQueryError, match=f"at character {place}: .*{reason}") as refused:
        parse_query(query)
    lines = str(refused.value).splitlines()
    assert lines[2] == "  " + " " * place + "^"


def test_a_query_comes_into_one_form() -> None:
    parsed = parse_query('(a AND b) OR "c\\"d" NOT [5 6] NOT (e OR f)')
    assert parsed.clauses == (("a", 'c"d'), ("b", 'c"d'))
    assert parsed.excluded == ((5, 6), "e", "f")
    assert parse_query("a AND b AND NOT c") == parse_query("a AND b NOT c")
    assert parse_query("ORANGE AND NOTE").clauses == (("ORANGE",), ("NOTE",))
    assert parse_query("a AND a").clauses == (("a",),)
    many = " OR ".join(f"(a{i} AND b{i})" for i in range(40))
    with pytest.raises(anygram.InvalidQueryError, match="multiplies out"):
        parse_query(many)


def test_what_cannot_be_asked_is_refused(library: anygram.Index) -> None:
    for wrong in ({"within": -1}, {"limit": 0}, {"within": 1.5}):
        with pytest.raises(anygram.InvalidQueryError):
            library.search("a", **wrong)  # type: ignore[arg-type]
    with pytest.raises(anygram.InvalidQueryError, match="str"):
        library.search(["a"])  # type: ignore[arg-type]
    with pytest.raises(anygram.InvalidQueryError, match="no token"):
        library.search('a AND " "')
    with pytest.raises(anygram.InvalidQueryError, match="token ids"):
        library.search("[99999999999]")
    ids = anygram.build([[1]], tokenizer=None)
    with pytest.raises(anygram.InvalidQueryError, match="no tokenizer"):
        ids.search("a")
    assert len(ids.search("[1]")) == 1
