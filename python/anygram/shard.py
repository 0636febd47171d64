"""One shard of an index, as other projects' interfaces need it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from anygram import _core


class Interval(NamedTuple):
    """The ranks ``[begin, end)`` of a shard."""

    begin: int
    end: int


class Shard:
    """One independently sorted part of an index. Positions and documents are numbered within it."""

    __slots__ = ("_shard", "first_document")

    def __init__(self, shard: _core.Shard, first_document: int) -> None:
        self._shard = shard
        #: The number, in the index, of its first document.
        self.first_document = first_document

    @property
    def num_tokens(self) -> int:
        """Tokens of its documents; the number of its ranks."""
        return self._shard.num_tokens

    @property
    def num_documents(self) -> int:
        """Its documents, empty ones included."""
        return self._shard.num_documents

    @property
    def token_width(self) -> int:
        """Bytes of one symbol on the disk."""
        return self._shard.token_width

    def interval(self, ngram: Sequence[int] | NDArray[np.integer[Any]]) -> Interval:
        """The ranks of the suffixes that start with the n-gram."""
        return Interval(*self._shard.interval(ngram))

    def position(self, rank: int) -> int:
        """The suffix array at a rank: an offset into its token stream, in which documents' ends take a place."""
        return self._shard.position(rank)

    def document_at(self, position: int) -> int:
        """The number, in this shard, of the document that holds a position; its end belongs to it."""
        return self._shard.document_at(position)

    def __repr__(self) -> str:
        return f"Shard({self.num_tokens:,} tokens, {self.num_documents:,} documents)"
