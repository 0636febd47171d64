"""What the engine asks its questions of: an opened index, in infini-gram's terms.

Its n-grams may hold the separator, an id that stands before each document. anygram's own questions know no such id;
they answer all else, and the few n-grams with separators are looked up in the shards.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

from anygram.index import Index
from anygram.shard import InfiniGramShard
from anygram.types import DOCUMENT_END, Int64Array

#: Ranks ``[begin, end)`` of a shard.
Segment = tuple[int, int]


class Source:
    """An index as infini-gram sees it. `Subtraction` answers the same questions about the rest of two.

    Attributes:
        index: what anygram answers.
        shards: in the order of their numbers; the documents are numbered in it.
        separator: the id that stands before each document.
        width: bytes of a token.
        backwards: whether each document's tokens stand in reverse in the files.
        first_documents: the number of each shard's first document.
        num_documents: of all shards.
        stream_length: tokens of all shards, with a separator for each document.
    """

    def __init__(self, index: Index, shards: Sequence[InfiniGramShard], *, width: int, backwards: bool) -> None:
        self.index = index
        self.shards = shards
        self.width = width
        self.backwards = backwards
        self.separator = (1 << 8 * width) - 1
        self.first_documents = list(accumulate((shard.num_documents for shard in shards), initial=0))
        self.num_documents = self.first_documents[-1]
        self.stream_length = sum(shard.stream_length for shard in shards)

    # --- n-grams

    def segments(self, ngram: Sequence[int]) -> list[Segment]:
        """The ranks of an n-gram in each shard; where it does not occur, those are none, at the place it would have."""
        if not len(ngram):
            return [(0, shard.stream_length) for shard in self.shards]
        if self.separator in ngram:
            return [_pair(shard.raw_interval(ngram)) for shard in self.shards]
        return [_pair(shard.interval(ngram)) for shard in self.shards]

    def count(self, ngram: Sequence[int]) -> int:
        """How often it occurs; of the empty one, the stream's length."""
        if not len(ngram):
            return self.stream_length
        if self.separator in ngram:
            return sum(end - begin for begin, end in self.segments(ngram))
        return self.index.count(ngram)

    def counts(self, ngrams: Sequence[Sequence[int]]) -> list[int]:
        """`count` of each."""
        plain = [self.separator not in ngram and len(ngram) > 0 for ngram in ngrams]
        found = iter(self.index.count_batch([ngram for ngram, is_plain in zip(ngrams, plain, strict=True) if is_plain]))
        return [
            int(next(found)) if is_plain else self.count(ngram) for ngram, is_plain in zip(ngrams, plain, strict=True)
        ]

    # --- what follows

    def following(self, prompt: Sequence[int]) -> dict[int, int]:
        """How often each token follows the prompt; the separator stands for the end of a document."""
        if self.separator in prompt:
            return self._raw_following(prompt)
        answer = self.index.continuations(prompt)
        found = dict(zip(answer.tokens.tolist(), answer.counts.tolist(), strict=True))
        end = found.pop(DOCUMENT_END, 0)
        return {**found, self.separator: end} if end else found

    def follows(self, prompt: Sequence[int], token: int) -> int:
        """How often the token, or if it is the separator, the end of a document, follows the prompt."""
        if self.separator in prompt:
            return (
                self._raw_following(prompt).get(token, 0) if token == self.separator else self.count([*prompt, token])
            )
        wanted = DOCUMENT_END if token == self.separator else token
        return self.index.probability(prompt, wanted).continuation_count

    def _raw_following(self, prompt: Sequence[int]) -> dict[int, int]:
        found: dict[int, int] = {}
        for shard, segment in zip(self.shards, self.segments(prompt), strict=True):
            read = self._before if self.backwards else self._after
            for token, count in read(shard, segment, prompt):
                found[token] = found.get(token, 0) + count
        return found

    def _before(self, shard: InfiniGramShard, segment: Segment, _: Sequence[int]) -> Iterator[tuple[int, int]]:
        for position in shard.positions(*segment).tolist():
            yield (int(shard.tokens(position - 1, position)[0]) if position else self.separator), 1

    def _after(self, shard: InfiniGramShard, segment: Segment, prompt: Sequence[int]) -> Iterator[tuple[int, int]]:
        # Equal continuations stand together: each is read once, and skipped as one.
        rank, end = segment
        while rank < end:
            position = shard.position(rank) + len(prompt)
            if position == shard.stream_length:  # the shortest suffix of all: the first
                yield self.separator, 1
                rank += 1
                continue
            token = int(shard.tokens(position, position + 1)[0])
            last = shard.raw_interval([*prompt, token])[1]
            yield token, last - rank
            rank = last

    # --- how much of a text

    def longest_suffix(self, prompt: Sequence[int]) -> int:
        """Tokens of the longest suffix of the prompt that occurs."""
        if self.separator not in prompt:
            return self.index.probability(prompt, 0, backoff=True).suffix_length
        return longest(len(prompt), lambda length: self.count(prompt[len(prompt) - length :]) > 0)

    def longest_prefixes(self, tokens: Sequence[int]) -> tuple[list[int], list[int]]:
        """At each token, the length of the longest n-gram from there on that occurs, and its count (0 for none)."""
        if self.separator not in tokens:
            matches = self.index.longest_matches(tokens)
            return matches.lengths.tolist(), matches.counts.tolist()
        lengths: list[int] = []
        end = 0  # no n-gram ends before the one that began earlier
        for begin in range(len(tokens)):
            end = max(end, begin)
            while end < len(tokens) and self.count(tokens[begin : end + 1]):
                end += 1
            lengths.append(end - begin)
        ngrams = [tokens[begin : begin + length] for begin, length in enumerate(lengths)]
        return lengths, [self.count(ngram) if ngram else 0 for ngram in ngrams]

    # --- documents

    def documents_equal(self, tokens: Sequence[int]) -> list[tuple[int, int]]:
        """The documents that consist of exactly these tokens, as (shard, document); none if there is no token."""
        if not len(tokens):
            return []
        whole = [*tokens, self.separator] if self.backwards else [self.separator, *tokens]
        found = []
        for number, (shard, segment) in enumerate(zip(self.shards, self.segments(whole), strict=True)):
            for document in shard.documents_at(shard.positions(*segment)).tolist():
                begin, end = shard.document_span(document)
                if end - begin == len(tokens):
                    found.append((number, document))
        return found

    def document_tokens(self, number: int, document: int) -> list[int]:
        """A document's tokens, first to last."""
        shard = self.shards[number]
        return self.forwards(shard.tokens(*shard.document_span(document)))

    def forwards(self, tokens: Int64Array) -> list[int]:
        """Tokens of the stream as they are read."""
        found: list[int] = (tokens[::-1] if self.backwards else tokens).tolist()
        return found

    def taken_down(self, number: int, document: int) -> bool:  # noqa: ARG002  # a Subtraction looks
        """Whether a document of a shard was taken out of the corpus."""
        return False

    def kept(self, number: int, positions: Int64Array, ngram: Sequence[int]) -> Int64Array:  # noqa: ARG002  # likewise
        """Of positions in a shard where the n-gram stands, those in documents that were not taken down."""
        return positions

    # --- single tokens

    def unigrams(self, number: int) -> dict[int, int]:
        """How often each token stands in a shard, the separator included. Cost: O(distinct tokens)."""
        shard = self.shards[number]
        found: dict[int, int] = {}
        rank = 0
        while rank < shard.stream_length:
            position = shard.position(rank)
            token = int(shard.tokens(position, position + 1)[0])
            end = shard.raw_interval([token])[1]
            found[token] = end - rank
            rank = end
        return found

    def log_probabilities(self) -> dict[int, float]:
        """The natural logarithm of each token's share of the stream."""
        total = math.log(self.stream_length) if self.stream_length else 0.0
        return {token: math.log(count) - total for token, count in self.following([]).items()}


def longest(limit: int, holds: Callable[[int], bool]) -> int:
    """The largest length up to `limit` that holds; 0 does, and each below one that does."""
    low, high = 0, limit + 1
    while high - low > 1:
        middle = (low + high) // 2
        if holds(middle):
            low = middle
        else:
            high = middle
    return low


def _pair(interval: tuple[int, int]) -> Segment:
    begin, end = interval
    return begin, end
