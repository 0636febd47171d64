"""What the tables of reports are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from anygram.results.base import Table
from anygram.results.text import shortened, visible


class ReportTable(Table):
    """A table whose columns may be text; what a corpus holds is made fit to be shown."""

    __slots__ = ()

    def _heading(self) -> str:
        return f"{type(self).__name__}: {len(self):,} rows"

    def _preview(self, limit: int) -> tuple[list[str], list[list[str]]]:
        columns = {name: column[:limit].tolist() for name, column in self.columns().items()}
        return list(columns), [list(map(_cell, row)) for row in zip(*columns.values(), strict=True)]

    def rows(self) -> list[dict[str, object]]:
        """The rows as mappings, of Python's own types."""
        columns = self.columns()
        lists = [column.tolist() for column in columns.values()]
        return [dict(zip(columns, row, strict=True)) for row in zip(*lists, strict=True)]


_TableType = TypeVar("_TableType", bound=ReportTable)


def from_rows(kind: type[_TableType], rows: Sequence[Sequence[object]]) -> _TableType:
    """A table of rows, whose cells are in the order of its columns."""
    columns = zip(*rows, strict=True) if rows else [[] for _ in kind._dtypes]
    return kind(**{name: list(column) for name, column in zip(kind._dtypes, columns, strict=True)})


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else shortened(visible(str(value)), 40)
