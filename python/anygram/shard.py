"""One shard of an index, as other projects' interfaces need it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anygram.types import Int64Array

if TYPE_CHECKING:
    from anygram import _core
    from anygram.infini_gram_files import MetadataLines


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


class InfiniGramShard(Shard):
    """A shard of infini-gram's. Its ranks and positions are those of its files, separators included."""

    __slots__ = ("_lines", "path")

    def __init__(
        self, shard: _core.InfiniGramShard, first_document: int, path: str, lines: MetadataLines | None
    ) -> None:
        super().__init__(shard, first_document)
        #: The directory that it stands in.
        self.path = path
        self._lines = lines

    @property
    def stream_length(self) -> int:
        """Tokens, and a separator for each document; the number of its ranks."""
        return self._inner.stream_length

    def raw_interval(self, tokens: Sequence[int]) -> Interval:
        """The ranks of an n-gram that may hold separators."""
        return Interval(*self._inner.raw_interval(tokens))

    def position(self, rank: int) -> int:
        """The position in the stream of a rank, separators' included; if documents run backwards, of its last token."""
        return int(self._inner.positions(rank, rank + 1)[0])

    def positions(self, begin: int, end: int) -> Int64Array:
        """`position` of the ranks ``[begin, end)``."""
        return self._inner.positions(begin, end)

    def documents_at(self, positions: Int64Array) -> Int64Array:
        """`document_at` of each; a separator belongs to the document that it stands before."""
        return self._inner.documents_at(positions)

    def document_span(self, document: int) -> tuple[int, int]:
        """Where a document's tokens stand in the stream."""
        return self._inner.document_span(document)

    def tokens(self, begin: int, end: int) -> Int64Array:
        """Tokens of the stream, as they stand there."""
        return self._inner.tokens(begin, end)

    def metadata_line(self, document: int) -> str:
        """The line of a document's metadata, with its line end; "" without metadata."""
        return "" if self._lines is None else self._lines[document]

    @property
    def _inner(self) -> _core.InfiniGramShard:
        return self._shard  # type: ignore[return-value]  # it was made with one
