"""How often something occurs, by the value of a field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from anygram.results.base import Column, Float64Array, Table
from anygram.results.text import shortened
from anygram.types import Int64Array, MetadataValue


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class GroupCounts(Table):
    """An n-gram's count in the documents of each value of a field: one row each, the most frequent first.

    Attributes:
        field: the field's name.
        values: its values; None for the documents without one.
        counts: int64 (n,), how often the n-gram occurs in the group's documents.
        document_counts: int64 (n,), how many of them hold it.
        num_documents: int64 (n,), how many documents the group has.
        num_tokens: int64 (n,), how many tokens these have.
        per_million: float64 (n,), occurrences for each million of these tokens; nan where there are none.
        total: the count in all groups, also in those that a limit left out.
        num_groups: how many groups there are, also those that a limit left out.
    """

    field: str
    values: tuple[MetadataValue, ...]
    counts: Int64Array
    document_counts: Int64Array
    num_documents: Int64Array
    num_tokens: Int64Array
    per_million: Float64Array
    total: int
    num_groups: int

    _dtypes: ClassVar[Mapping[str, npt.DTypeLike]] = {
        "counts": np.int64,
        "document_counts": np.int64,
        "num_documents": np.int64,
        "num_tokens": np.int64,
        "per_million": np.float64,
    }

    def columns(self) -> dict[str, Column]:
        """The table as arrays by name. The values are of one type; as JSON where they are not."""
        # Not named `super()`, which a class with slots does not have where it is made.
        return {"values": _column(self.values), **Table.columns(self)}

    def _heading(self) -> str:
        groups = f"{self.num_groups:,} groups" if self.num_groups != 1 else "1 group"
        return f"GroupCounts by {self.field}: {self.total:,} in {groups}"

    def _preview(self, limit: int) -> tuple[list[str], list[list[str]]]:
        numbers = (self.counts, self.document_counts, self.num_documents, self.num_tokens)
        rows = [
            [*(str(column[row]) for column in numbers), f"{self.per_million[row]:.4g}", _shown(self.values[row])]
            for row in range(min(limit, len(self)))
        ]
        return ["count", "document_count", "num_documents", "num_tokens", "per_million", self.field], rows


def _shown(value: MetadataValue) -> str:
    return "(none)" if value is None else shortened(value if isinstance(value, str) else _json(value))


def _json(value: MetadataValue) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)


def _column(values: Sequence[MetadataValue]) -> Column:
    """Objects of one type, or texts."""
    kinds = {type(value) for value in values if value is not None}
    column: npt.NDArray[Any] = np.empty(len(values), np.object_)
    as_they_are = len(kinds) <= 1 and kinds <= {str, int, float, bool}
    for row, value in enumerate(values):
        column[row] = value if as_they_are or value is None or isinstance(value, str) else _json(value)
    return column
