"""An index less another: the corpus without the documents that were taken down, which an index of their own holds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from anygram.compat.infini_gram.source import Source, longest
from anygram.types import Int64Array


class Subtraction(Source):
    """What is left of an index: the same questions, all answered about the rest.

    Counts are those of the index less those of the other. A document was taken down if the other index holds an equal
    one (each copy of it, if there are several). Ranks and positions stay those of the index.
    """

    def __init__(self, whole: Source, removed: Source) -> None:
        super().__init__(whole.index, whole.shards, width=whole.width, backwards=whole.backwards)
        self.removed = removed
        self._is_taken_down: dict[tuple[int, int], bool] = {}
        self._equal: dict[tuple[int, int], list[tuple[int, int]]] = {}

    def count(self, ngram: Sequence[int]) -> int:
        """How often it is left."""
        return max(0, super().count(ngram) - self.removed.count(ngram))

    def counts(self, ngrams: Sequence[Sequence[int]]) -> list[int]:
        """`count` of each."""
        both = zip(super().counts(ngrams), self.removed.counts(ngrams), strict=True)
        return [max(0, whole - removed) for whole, removed in both]

    def following(self, prompt: Sequence[int]) -> dict[int, int]:
        """How often each token is left after the prompt."""
        removed = self.removed.following(prompt)
        rest = {token: count - removed.get(token, 0) for token, count in super().following(prompt).items()}
        return {token: count for token, count in rest.items() if count > 0}

    def follows(self, prompt: Sequence[int], token: int) -> int:
        """How often the token is left after the prompt."""
        return max(0, super().follows(prompt, token) - self.removed.follows(prompt, token))

    def longest_suffix(self, prompt: Sequence[int]) -> int:
        """Tokens of the longest suffix of the prompt that is left."""
        limit = super().longest_suffix(prompt)
        return longest(limit, lambda length: self.count(prompt[len(prompt) - length :]) > 0)

    def longest_prefixes(self, tokens: Sequence[int]) -> tuple[list[int], list[int]]:
        """At each token, the length of the longest n-gram from there on that is left, and its count."""
        lengths, counts = super().longest_prefixes(tokens)
        for begin, other in enumerate(self.removed.longest_prefixes(tokens)[0]):
            # What the other index does not hold at all is left, however often it occurs.
            if other >= lengths[begin] > 0:
                lengths[begin] = self._longest_prefix(tokens, begin, lengths[begin])
                counts[begin] = self.count(tokens[begin : begin + lengths[begin]]) if lengths[begin] else 0
        return lengths, counts

    def _longest_prefix(self, tokens: Sequence[int], begin: int, limit: int) -> int:
        return longest(limit, lambda length: self.count(tokens[begin : begin + length]) > 0)

    # --- documents

    def taken_down(self, number: int, document: int) -> bool:
        """Whether the other index holds an equal document."""
        key = number, document
        if key not in self._is_taken_down:
            tokens = self.document_tokens(number, document)
            self._is_taken_down[key] = bool(self.removed.documents_equal(tokens))
        return self._is_taken_down[key]

    def kept(self, number: int, positions: Int64Array, ngram: Sequence[int]) -> Int64Array:
        """The positions in documents that were not taken down. Cost: by how often the other index holds the n-gram."""
        gone = self._taken_down_with(number, ngram)
        return positions[~np.isin(self.shards[number].documents_at(positions), gone)] if gone else positions

    def _taken_down_with(self, number: int, ngram: Sequence[int]) -> list[int]:
        found = []
        for other, (shard, segment) in enumerate(zip(self.removed.shards, self.removed.segments(ngram), strict=True)):
            for document in np.unique(shard.documents_at(shard.positions(*segment))).tolist():
                key = other, document
                if key not in self._equal:
                    self._equal[key] = self.documents_equal(self.removed.document_tokens(other, document))
                found += [mine for where, mine in self._equal[key] if where == number]
        return found
