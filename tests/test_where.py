"""`where` against brute force, and what its language says."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import anygram
import plain
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
