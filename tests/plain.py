"""The engine's results as plain values, equal to what the oracle returns."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import anygram
import oracle
from oracle import Place


def number(prob: float) -> float:
    """The float itself, and for any nan the one nan object: tuples that hold the same object are equal."""
    return math.nan if math.isnan(prob) else float(prob)


def probability(found: anygram.Probability) -> oracle.Probability:
    return oracle.Probability(number(found.prob), found.prompt_count, found.continuation_count, found.suffix_length)


def continuations(found: anygram.Continuations) -> oracle.Continuations:
    counts = dict(zip(found.tokens.tolist(), found.counts.tolist(), strict=True))
    return oracle.Continuations(counts, found.prompt_count, found.suffix_length, found.num_distinct)


def score(found: anygram.Scores) -> list[oracle.Row]:
    return [_row(found, place) for place in range(len(found))]


def _row(found: anygram.Scores, place: int) -> oracle.Row:
    counts = found.prompt_counts, found.continuation_counts, found.suffix_lengths
    return oracle.Row(
        int(found.tokens[place]),
        oracle.Probability(number(found.probs[place]), *(int(column[place]) for column in counts)),
        bool(found.sparse[place]),
        bool(found.agrees[place]),
        _top(found, place),
    )


def _top(found: anygram.Scores, place: int) -> list[tuple[int, float]]:
    """Without the filling, which has prob 0.0."""
    if found.top_tokens is None or found.top_probs is None:
        return []
    pairs = zip(found.top_tokens[place].tolist(), found.top_probs[place].tolist(), strict=True)
    return [(token, prob) for token, prob in pairs if prob > 0]


def longest_matches(found: anygram.Matches) -> list[tuple[int, int]]:
    return list(zip(found.lengths.tolist(), found.counts.tolist(), strict=True))


def spans(found: anygram.Spans) -> list[oracle.Span]:
    columns = found.begins.tolist(), found.ends.tolist(), found.counts.tolist()
    return [oracle.Span(*row) for row in zip(*columns, strict=True)]


def find(found: Iterable[anygram.Occurrence]) -> list[Place]:
    """Ascending by document and offset, because the engine's own order depends on the shards."""
    return sorted((occurrence.document, occurrence.offset) for occurrence in found)


def answers(index: anygram.Index, queries: Sequence[Sequence[int]]) -> list[object]:
    """Every question, asked about every query, and every document: equal for indexes of the same documents."""
    documents = [index.document(number).to_dict() for number in range(index.num_documents)]
    return [index.num_tokens, index.num_documents, documents, *(answers_to(index, query) for query in queries)]


def answers_to(index: anygram.Index, query: Sequence[int]) -> list[object]:
    """Every question, asked about one query."""
    return [
        index.count(query),
        index.document_count(query),
        index.probability(query[:-1], query[-1], backoff=True) if query else None,
        index.continuations(query, backoff=True),
        index.continuations(query, top_k=2),
        index.score(query, top_k=2, end=True),
        index.longest_matches(query),
        index.spans(query),
        find(index.find(query)),
        index.find(query).documents().tolist(),
        find(index.find(query).sample(2, seed=1)),
    ]
