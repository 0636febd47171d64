"""Parts of long lists, to be read one after another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from anygram.results.base import Result, Table, html_table
from anygram.results.occurrence import Occurrence
from anygram.results.string_occurrence import StringOccurrence
from anygram.types import Int64Array

_SHOWN_WIDTH = 8


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Page(Result):
    """Consecutive occurrences of many; a sequence of them.

    Attributes:
        occurrences: those of this page.
        begin: the number of the first among all.
        total: how many there are in all.
        next: where the next page begins, to be given back as it is; None after the last.
    """

    occurrences: tuple[Occurrence, ...] | tuple[StringOccurrence, ...]
    begin: int
    total: int
    next: str | None

    def __len__(self) -> int:
        return len(self.occurrences)

    def __getitem__(self, number: int) -> Occurrence | StringOccurrence:
        return self.occurrences[number]

    def __iter__(self) -> Iterator[Occurrence | StringOccurrence]:
        return iter(self.occurrences)

    def _heading(self) -> str:
        return f"Page: occurrences {self.begin:,} to {self.begin + len(self):,} of {self.total:,}, next={self.next!r}"

    def __repr__(self) -> str:
        return "\n".join([self._heading(), *(f"  {one.document}:{one.offset}  {shown(one)}" for one in self)])

    def _repr_html_(self) -> str:
        rows = [[str(one.document), str(one.offset), shown(one)] for one in self]
        return html_table(self._heading(), ["document", "offset", "context"], rows)


def shown(one: Occurrence | StringOccurrence) -> str:
    """An occurrence on a line; nothing if it has left its index."""
    return "" if one.read is None else str(one.context(_SHOWN_WIDTH))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DocumentPage(Table):
    """Consecutive documents of those that hold an occurrence: one row each, ascending.

    Attributes:
        documents: int64 (n,), their numbers.
        counts: int64 (n,), how many occurrences each holds.
        begin: the place of the first among all.
        total: how many documents there are in all.
        next: where the next page begins, to be given back as it is; None after the last.
    """

    documents: Int64Array
    counts: Int64Array
    begin: int
    total: int
    next: str | None

    _dtypes: ClassVar[Mapping[str, npt.DTypeLike]] = {"documents": np.int64, "counts": np.int64}

    def _heading(self) -> str:
        end = self.begin + len(self)
        return f"DocumentPage: documents {self.begin:,} to {end:,} of {self.total:,}, next={self.next!r}"

    def _preview(self, limit: int) -> tuple[list[str], list[list[str]]]:
        rows = zip(self.documents[:limit].tolist(), self.counts[:limit].tolist(), strict=True)
        return ["document", "count"], [[str(document), str(count)] for document, count in rows]
