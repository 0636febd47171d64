"""Brute force over Python lists: the definitions of the contract, right at a glance and slow."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise, product
from typing import NamedTuple

DOCUMENT_END = 2**32 - 1

Tokens = Sequence[int]
Place = tuple[int, int]  # document, offset


class Probability(NamedTuple):
    prob: float
    prompt_count: int
    continuation_count: int
    suffix_length: int


class Continuations(NamedTuple):
    counts: dict[int, int]  # by token, ascending; the end is the largest
    prompt_count: int
    suffix_length: int
    num_distinct: int


class Row(NamedTuple):
    token: int
    probability: Probability
    sparse: bool
    agrees: bool
    top: list[tuple[int, float]]  # the most frequent first


class Span(NamedTuple):
    begin: int
    end: int
    count: int


class Oracle:
    """What an index over the same documents must answer."""

    def __init__(self, documents: Sequence[Tokens]) -> None:
        self.documents = [list(document) for document in documents]
        self.num_tokens = sum(len(document) for document in self.documents)
        self.num_documents = len(self.documents)

    def find(self, ngram: Tokens) -> list[Place]:
        """Where the n-gram stands: overlapping, never across documents. () stands at every token."""
        return [
            (number, offset)
            for number, document in enumerate(self.documents)
            for offset in range(len(document))
            if document[offset : offset + len(ngram)] == list(ngram)
        ]

    def count(self, ngram: Tokens) -> int:
        return len(self.find(ngram))

    def document_count(self, ngram: Tokens) -> int:
        return len({number for number, _ in self.find(ngram)})

    def token_counts(self) -> Counter[int]:
        return Counter(token for document in self.documents for token in document)

    def following(self, prompt: Tokens) -> list[int]:
        """What comes right after each place where the prompt ends; () ends before each token and document end."""
        return [
            (*document, DOCUMENT_END)[offset + len(prompt)]
            for document in self.documents
            for offset in range(len(document) + 1)
            if document[offset : offset + len(prompt)] == list(prompt)
        ]

    def occurs(self, prompt: Tokens) -> bool:
        return len(prompt) == 0 or self.count(prompt) > 0

    def longest_suffix(self, prompt: Tokens) -> list[int]:
        prompt = list(prompt)
        return next(prompt[start:] for start in range(len(prompt) + 1) if self.occurs(prompt[start:]))

    def probability(self, prompt: Tokens, token: int, backoff: bool = False) -> Probability:
        prompt = self.longest_suffix(prompt) if backoff else prompt
        following = self.following(prompt)
        here = following.count(token)
        prob = here / len(following) if following else math.nan
        return Probability(prob, len(following), here, len(prompt))

    def continuations(self, prompt: Tokens, backoff: bool = False, top_k: int | None = None) -> Continuations:
        prompt = self.longest_suffix(prompt) if backoff else prompt
        following = self.following(prompt)
        kept = sorted(most_frequent(following, top_k))
        return Continuations(dict(kept), len(following), len(prompt), len(set(following)))

    def score(self, tokens: Tokens, order: int | None = None, top_k: int = 0, end: bool = False) -> list[Row]:
        targets = [*tokens, DOCUMENT_END] if end else list(tokens)
        rows = []
        for place, token in enumerate(targets):
            begin = 0 if order is None else max(0, place - (order - 1))
            prompt = list(tokens)[begin:place]
            found = self.probability(prompt, token, backoff=True)
            following = self.following(self.longest_suffix(prompt))
            top = [(other, count / len(following)) for other, count in most_frequent(following, top_k)]
            rows.append(Row(token, found, len(set(following)) == 1, found.prob > 0.5, top))
        return rows

    def longest_matches(self, tokens: Tokens, min_count: int = 1) -> list[tuple[int, int]]:
        """(length, count) at each start; (0, 0) where not even one token is frequent enough."""
        return [self._longest_match(list(tokens)[start:], min_count) for start in range(len(tokens))]

    def _longest_match(self, tokens: list[int], min_count: int) -> tuple[int, int]:
        for length in range(len(tokens), 0, -1):
            count = self.count(tokens[:length])
            if count >= max(min_count, 1):
                return length, count
        return 0, 0

    def spans(self, tokens: Tokens, min_length: int = 1, max_count: int | None = None) -> list[Span]:
        """Spans of the tokens that occur, and that no longer span that occurs contains."""
        matching = [
            (begin, end)
            for begin in range(len(tokens))
            for end in range(begin + 1, len(tokens) + 1)
            if self.occurs(tokens[begin:end])
        ]
        maximal = [
            (begin, end)
            for begin, end in matching
            if (begin - 1, end) not in matching and (begin, end + 1) not in matching
        ]
        spans = [Span(begin, end, self.count(tokens[begin:end])) for begin, end in maximal]
        return [
            span
            for span in spans
            if span.end - span.begin >= min_length and (max_count is None or span.count <= max_count)
        ]


def windows(
    documents: Sequence[Tokens],
    clauses: Sequence[Sequence[Tokens]],
    excluded: Sequence[Tokens] = (),
    within: int | None = None,
    ordered: bool = False,
) -> list[tuple[int, int, int]]:
    """(document, begin, end) of the windows that hold a match of each clause, and no smaller one inside them does."""
    found = []
    for number, document in enumerate(documents):
        matches = [_matches(document, clause) for clause in clauses]
        unwanted = _matches(document, excluded)
        if unwanted and within is None:
            continue
        held = {
            (begin, end)
            for begin in range(len(document))
            for end in range(begin + 1, len(document) + 1)
            if _choices(matches, begin, end, within, ordered)
        }
        for begin, end in sorted(held):
            near = any(_distance(match, (begin, end)) <= within for match in unwanted) if within is not None else False
            if (begin + 1, end) not in held and (begin, end - 1) not in held and not near:
                found.append((number, begin, end))
    return found


def _matches(document: Tokens, ngrams: Sequence[Tokens]) -> list[tuple[int, int]]:
    return [
        (begin, begin + len(ngram))
        for ngram in ngrams
        for begin in range(len(document))
        if list(document[begin : begin + len(ngram)]) == list(ngram)
    ]


def _choices(clauses: list[list[tuple[int, int]]], begin: int, end: int, within: int | None, ordered: bool) -> bool:
    """Whether one match of each clause can be chosen in the window."""
    inside = [[match for match in matches if begin <= match[0] and match[1] <= end] for matches in clauses]
    return any(
        (within is None or all(_distance(a, b) <= within for a in choice for b in choice))
        and (not ordered or all(a[1] <= b[0] for a, b in pairwise(choice)))
        for choice in product(*inside)
    )


def _distance(a: tuple[int, int], b: tuple[int, int]) -> int:
    return max(0, b[0] - a[1], a[0] - b[1])


def most_frequent(tokens: Sequence[int], top_k: int | None) -> list[tuple[int, int]]:
    """(token, count), the most frequent first, then the smaller token."""
    return sorted(Counter(tokens).items(), key=lambda item: (-item[1], item[0]))[:top_k]
