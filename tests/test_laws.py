"""The laws of the engine, a property each, over corpora where suffix arrays break."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

import anygram
import plain
from anygram import DOCUMENT_END
from oracle import Oracle
from strategies import Documents, corpora, ngrams, shard_counts, small_corpora, texts

PROFILES = st.sampled_from(["fast", "lean"])
# The end, and a token that hardly any document holds, among those that they do hold.
TARGETS = st.one_of(st.integers(0, 3), st.sampled_from([DOCUMENT_END, 255, 2**32 - 2]))


def build(documents: Documents, shards: int = 1, profile: str = "fast", threads: int = 1) -> anygram.Index:
    return anygram.build(documents, tokenizer=None, shards=shards, profile=profile, threads=threads)


@dataclass(frozen=True)
class Asked:
    """A question about a corpus, as data: what hypothesis shows when a law is broken."""

    documents: Documents
    shards: int
    profile: str
    tokens: list[int]

    def index(self) -> anygram.Index:
        return build(self.documents, self.shards, self.profile)

    def oracle(self) -> Oracle:
        return Oracle(self.documents)


@st.composite
def asked_ngrams(draw: st.DrawFn) -> Asked:
    documents = draw(corpora())
    return Asked(documents, draw(shard_counts()), draw(PROFILES), draw(ngrams(documents)))


@st.composite
def asked_texts(draw: st.DrawFn) -> Asked:
    documents = draw(corpora())
    return Asked(documents, draw(shard_counts()), draw(PROFILES), draw(texts(documents)))


@st.composite
def asked_together(draw: st.DrawFn) -> tuple[Documents, list[list[int]]]:
    """A corpus and several n-grams."""
    documents = draw(corpora())
    return documents, draw(st.lists(ngrams(documents), max_size=5))


@given(asked_ngrams())
def test_index_count_is_oracle_count(asked: Asked) -> None:
    index, oracle = asked.index(), asked.oracle()
    assert (index.num_tokens, index.num_documents) == (oracle.num_tokens, oracle.num_documents)
    assert index.count(asked.tokens) == oracle.count(asked.tokens)


@given(small_corpora(), shard_counts(), PROFILES)
def test_token_counts_are_the_counts_of_single_tokens(documents: Documents, shards: int, profile: str) -> None:
    index = build(documents, shards, profile)
    counts = index.token_counts().tolist()
    assert len(counts) == index.vocab_size
    assert {token: count for token, count in enumerate(counts) if count} == Oracle(documents).token_counts()
    assert counts == [index.count([token]) for token in range(len(counts))]


@given(asked_ngrams())
def test_document_count_is_the_number_of_documents_that_hold_it(asked: Asked) -> None:
    index = asked.index()
    assert index.document_count(asked.tokens) == asked.oracle().document_count(asked.tokens)
    assert index.document_count(asked.tokens) == len(index.find(asked.tokens).documents())


@given(asked_ngrams(), TARGETS, st.booleans())
def test_probability(asked: Asked, token: int, backoff: bool) -> None:
    found = asked.index().probability(asked.tokens, token, backoff=backoff)
    assert plain.probability(found) == asked.oracle().probability(asked.tokens, token, backoff)


@given(asked_ngrams(), st.booleans(), st.one_of(st.none(), st.integers(1, 4)))
def test_continuations(asked: Asked, backoff: bool, top_k: int | None) -> None:
    found = asked.index().continuations(asked.tokens, backoff=backoff, top_k=top_k)
    assert plain.continuations(found) == asked.oracle().continuations(asked.tokens, backoff, top_k)
    assert found.tokens.tolist() == sorted(found.tokens.tolist())


@given(asked_ngrams(), st.booleans())
def test_continuation_counts_sum_to_prompt_count_and_probs_to_one(asked: Asked, backoff: bool) -> None:
    found = asked.index().continuations(asked.tokens, backoff=backoff)
    assert found.counts.sum() == found.prompt_count
    assert found.prompt_count == 0 or math.isclose(found.probs.sum(), 1.0)
    assert len(found) == found.num_distinct


@given(asked_ngrams())
def test_each_continuation_is_a_probability(asked: Asked) -> None:
    index = asked.index()
    found = index.continuations(asked.tokens, backoff=True)
    for token, count, prob in zip(found.tokens.tolist(), found.counts.tolist(), found.probs.tolist(), strict=True):
        expected = anygram.Probability(prob, found.prompt_count, count, found.suffix_length)
        assert index.probability(asked.tokens, token, backoff=True) == expected


@given(asked_texts(), st.one_of(st.none(), st.integers(1, 6)), st.integers(0, 3), st.booleans())
def test_score(asked: Asked, order: int | None, top_k: int, end: bool) -> None:
    found = asked.index().score(asked.tokens, order=order, top_k=top_k, end=end)
    assert plain.score(found) == asked.oracle().score(asked.tokens, order, top_k, end)


@given(asked_texts())
def test_score_is_probability_at_each_position(asked: Asked) -> None:
    index, tokens = asked.index(), asked.tokens
    for place, row in enumerate(plain.score(index.score(tokens))):
        assert row.probability == plain.probability(index.probability(tokens[:place], tokens[place], backoff=True))


@given(asked_texts())
def test_suffix_length_grows_by_at_most_one_a_token(asked: Asked) -> None:
    lengths = asked.index().score(asked.tokens, end=True).suffix_lengths.tolist()
    assert lengths[0] == 0
    assert all(after <= before + 1 for before, after in pairwise(lengths))


@given(asked_texts(), st.integers(1, 4))
def test_longest_matches(asked: Asked, min_count: int) -> None:
    found = asked.index().longest_matches(asked.tokens, min_count=min_count)
    assert plain.longest_matches(found) == asked.oracle().longest_matches(asked.tokens, min_count)


@pytest.mark.parametrize("profile", ["fast", "lean"])
@pytest.mark.parametrize("largest", [3, 254, 255, 300, 65534, 65535, 70_000, 2**21, 2**24])
def test_ids_that_no_document_has_end_matches(profile: str, largest: int) -> None:
    """However large they are, and however near to what matches: some do not fit the fields that keys are packed in."""
    letters = [0, 1, largest - 1, largest]
    documents = [[letters[(i * i + shift) % 4] for i in range(40)] for shift in range(3)] + [[largest] * 5]
    oracle = Oracle(documents)
    with build(documents, profile=profile) as index:
        for unseen in {largest + 1, 2 * largest + 1, 5 * largest, 2**15 + 5, 2**23 + 7, 2**31 + 5} - set(letters):
            text = [*documents[1][:5], unseen, largest, unseen, unseen, *documents[0][3:20], unseen, 1, 0, unseen]
            assert plain.longest_matches(index.longest_matches(text)) == oracle.longest_matches(text, 1)
            assert plain.score(index.score(text)) == oracle.score(text)


@given(asked_texts(), st.integers(1, 5), st.one_of(st.none(), st.integers(1, 5)))
def test_spans(asked: Asked, min_length: int, max_count: int | None) -> None:
    found = asked.index().spans(asked.tokens, min_length=min_length, max_count=max_count)
    assert plain.spans(found) == asked.oracle().spans(asked.tokens, min_length, max_count)


@given(asked_ngrams())
def test_find_is_every_occurrence_ordered_by_shard_and_rank(asked: Asked) -> None:
    found = asked.index().find(asked.tokens)
    places = [(one.shard, one.rank) for one in found]
    assert plain.find(found) == asked.oracle().find(asked.tokens)
    assert len(found) == len(places)
    assert places == sorted(set(places))


@given(asked_ngrams())
def test_documents_of_occurrences_ascend_with_their_counts(asked: Asked) -> None:
    found = asked.index().find(asked.tokens)
    holders = [document for document, _ in asked.oracle().find(asked.tokens)]
    assert found.documents().tolist() == sorted(set(holders))
    assert found.document_counts.tolist() == [holders.count(document) for document in sorted(set(holders))]


@given(asked_ngrams())
def test_rank_to_position_to_document_to_tokens_starts_with_the_ngram(asked: Asked) -> None:
    index = asked.index()
    for one in index.find(asked.tokens):
        tokens = index.document(one.document).tokens.tolist()
        assert tokens[one.offset : one.offset + len(asked.tokens)] == asked.tokens
        assert index.shards[one.shard].position(one.rank) == one.position


@given(asked_ngrams())
def test_the_intervals_of_the_shards_are_the_occurrences(asked: Asked) -> None:
    index = asked.index()
    intervals = [shard.interval(asked.tokens) for shard in index.shards]
    ranks = [(number, rank) for number, (begin, end) in enumerate(intervals) for rank in range(begin, end)]
    assert ranks == [(one.shard, one.rank) for one in index.find(asked.tokens)]
    assert sum(shard.num_tokens for shard in index.shards) == index.num_tokens


@given(corpora(), shard_counts(), PROFILES)
def test_documents_come_back(documents: Documents, shards: int, profile: str) -> None:
    index = build(documents, shards, profile)
    assert [index.document(number).tokens.tolist() for number in range(len(documents))] == documents


@given(asked_together(), shard_counts(), st.integers(1, 4), PROFILES)
def test_answers_do_not_change_with_shards_threads_or_profile(
    asked: tuple[Documents, list[list[int]]], shards: int, threads: int, profile: str
) -> None:
    documents, queries = asked
    other = build(documents, shards, profile, threads)
    assert plain.answers(other, queries) == plain.answers(build(documents), queries)


@given(asked_ngrams(), st.integers(0, 20), st.integers(0, 3))
def test_a_sample_is_the_same_for_any_sharding(asked: Asked, size: int, seed: int) -> None:
    sample = plain.find(asked.index().find(asked.tokens).sample(size, seed=seed))
    everything = asked.oracle().find(asked.tokens)
    assert len(sample) == min(size, len(everything))
    assert set(sample) <= set(everything)
    assert sample == plain.find(build(asked.documents).find(asked.tokens).sample(size, seed=seed))


@given(asked_together(), shard_counts())
def test_every_batch_is_the_map_of_the_single(asked: tuple[Documents, list[list[int]]], shards: int) -> None:
    documents, queries = asked
    index = build(documents, shards, threads=2)
    assert index.count_batch(queries).tolist() == [index.count(query) for query in queries]
    assert index.document_count_batch(queries).tolist() == [index.document_count(query) for query in queries]
    for name in ["continuations", "score", "longest_matches", "spans", "find"]:
        single, batch = getattr(index, name), getattr(index, f"{name}_batch")
        assert list(map(comparable, batch(queries))) == [comparable(single(query)) for query in queries]


def comparable(found: object) -> object:
    """Occurrences as a list; the other results know equality."""
    return list(found) if isinstance(found, anygram.Occurrences) else found


@given(asked_together(), shard_counts(), st.booleans())
def test_probability_batch_is_the_map_of_probability(
    asked: tuple[Documents, list[list[int]]], shards: int, backoff: bool
) -> None:
    documents, prompts = asked
    index = build(documents, shards, threads=2)
    tokens = [place % 3 for place in range(len(prompts))]
    assert list(index.probability_batch(prompts, tokens, backoff=backoff)) == [
        index.probability(prompt, token, backoff=backoff) for prompt, token in zip(prompts, tokens, strict=True)
    ]


@given(corpora(), corpora(), shard_counts(), st.data())
def test_indexes_opened_together_answer_as_one(
    first: Documents, second: Documents, shards: int, data: st.DataObject
) -> None:
    queries = data.draw(st.lists(ngrams(first + second), min_size=1, max_size=4))
    with TemporaryDirectory() as folder:
        paths = [f"{folder}/first", f"{folder}/second"]
        for documents, path in zip([first, second], paths, strict=True):
            anygram.build(documents, path, tokenizer=None, shards=shards).close()
        with anygram.open(paths) as index:
            assert plain.answers(index, queries) == plain.answers(build(first + second), queries)
