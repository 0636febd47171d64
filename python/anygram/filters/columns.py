"""The fields of an index's documents as columns, whichever shards hold them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anygram.errors import InvalidQueryError
from anygram.filters.language import Field
from anygram.parsing import refusal
from anygram.types import MetadataValue

if TYPE_CHECKING:
    from anygram.metadata import MetadataReader

#: What a document has besides its fields; a field of the same name goes first.
OWN_FIELDS = ("id", "source")

_CHUNK_DOCUMENTS = 4096


class Part(NamedTuple):
    """One shard's documents.

    Attributes:
        reader: their metadata; None if the shard has none.
        first_document: the number of the first in the whole index.
        num_documents: how many there are.
    """

    reader: MetadataReader | None
    first_document: int
    num_documents: int


class Values(NamedTuple):
    """One field of some documents: its distinct values, and for each document the number of its value, or -1."""

    codes: NDArray[np.integer]
    values: Sequence[MetadataValue]


class Source(NamedTuple):
    """Where the values of a field stand: in the field of that name, in objects there, or beside the fields."""

    name: str
    inner: tuple[str, ...]
    is_own: bool


@dataclass(frozen=True)
class Chunk:
    """Consecutive documents, whose columns are decompressed when they are asked for."""

    part: Part
    number: int
    first_document: int
    num_documents: int

    def values(self, source: Source) -> Values:
        """A field's values."""
        reader = self.part.reader
        if source.is_own and source.name == "id":
            return Values(np.arange(self.num_documents), self._ids())
        if reader is None:
            return Values(np.full(self.num_documents, -1), [])
        column = reader.sources(self.number) if source.is_own else reader.column(source.name, self.number)
        values = column.values
        if source.inner:
            values = [_inner(value, source.inner) for value in values]
        return Values(column.codes, values)

    def keys(self, source: Source) -> set[str]:
        """The names in the objects that should have held the innermost of a source's names."""
        if not source.inner:
            return set()
        outer = self.values(source._replace(inner=source.inner[:-1])).values
        return {key for value in outer if isinstance(value, dict) for key in value}

    def _ids(self) -> list[str]:
        if self.part.reader is None:
            return [str(self.first_document + row) for row in range(self.num_documents)]
        return self.part.reader.ids(self.number, self.part.first_document)


def _inner(value: MetadataValue, path: tuple[str, ...]) -> MetadataValue:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


class Columns:
    """The columns of an index's documents."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        readers = [part.reader for part in parts if part.reader is not None]
        self._fields = tuple(dict.fromkeys(name for reader in readers for name in reader.fields))

    @property
    def num_documents(self) -> int:
        """The documents of all shards."""
        return sum(part.num_documents for part in self._parts)

    def chunks(self) -> Iterator[Chunk]:
        """All documents, in order."""
        for part in self._parts:
            if part.reader is None:
                for number, begin in enumerate(range(0, part.num_documents, _CHUNK_DOCUMENTS)):
                    size = min(_CHUNK_DOCUMENTS, part.num_documents - begin)
                    yield Chunk(part, number, part.first_document + begin, size)
            else:
                for number in range(part.reader.num_chunks):
                    rows = part.reader.chunk_documents(number)
                    yield Chunk(part, number, part.first_document + rows.start, len(rows))

    def source(self, field: Field, text: str) -> Source:
        """Where a field's values stand. A name with dots in it goes before an object's.

        Args:
            field: as it was parsed.
            text: what it was parsed from, to point at it.

        Raises:
            InvalidQueryError: no document has a field of that name.
        """
        for length in range(len(field.path), 0, -1):
            name = ".".join(field.path[:length])
            if name in self._fields:
                return Source(name, field.path[length:], is_own=False)
        if field.name in OWN_FIELDS:
            return Source(field.name, (), is_own=True)
        raise self.unknown(field, text, self._fields)

    def has_field(self, name: str) -> bool:
        """Whether some document has a field of that name."""
        return name in self._fields

    def unknown(self, field: Field, text: str, known: Sequence[str], outer: str = "") -> InvalidQueryError:
        """The error of a field that no document has."""
        names = [*known] if outer else [*known, *(name for name in OWN_FIELDS if name not in known)]
        names = [outer + name for name in names]
        near = difflib.get_close_matches(field.name, names, n=1)
        guess = f" (did you mean {near[0]}?)" if near else ""
        listed = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
        kept = "" if self._fields else " (the index keeps no metadata)"
        return refusal(
            text, field.place.begin, f"no document has a field {field.name}{guess}; there are {listed}{kept}"
        )
