"""What all results share: equality, pickling, plain data, and the two ways to be shown."""

from __future__ import annotations

import dataclasses
import datetime
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from anygram.results.text import visible

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Float64Array: TypeAlias = npt.NDArray[np.float64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
Column: TypeAlias = npt.NDArray[Any]

Decode: TypeAlias = Callable[[Sequence[int]], str]
"""Token ids to text: what a result needs to show words beside numbers."""

SHOWN_ROWS = 10
"""Rows of a table that `repr` shows."""

SHOWN_HTML_ROWS = 20
"""Rows of a table that a notebook shows."""


class Result:
    """A frozen answer: a slotted dataclass, whose fields with `compare=False` are helpers and no part of the answer."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain data that `json.dumps` takes: arrays as lists, nan as None."""
        return {name: plain(value) for name, value in self._answer().items()}

    def _answer(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in _fields(self) if field.compare}

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        theirs = other._answer()
        return all(_same(mine, theirs[name]) for name, mine in self._answer().items())

    def __hash__(self) -> int:
        # Results made of numbers alone can be hashed; arrays and metadata cannot.
        return hash(tuple(_hashable(value, self) for value in self._answer().values()))

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the answer without its helpers, which hold a tokenizer or an index that would travel with it."""
        return _rebuild, (type(self), self._answer())

    def __repr__(self) -> str:
        answer = ", ".join(f"{name}={value!r}" for name, value in self._answer().items())
        return f"{type(self).__name__}({answer})"

    def _repr_html_(self) -> str:
        rows = [[name, str(value)] for name, value in self._answer().items()]
        return html_table(type(self).__name__, [], rows)


class Table(Result):
    """A result whose array fields are columns of one length. Columns are named as the attributes."""

    __slots__ = ()
    _dtypes: ClassVar[Mapping[str, npt.DTypeLike]] = {}

    def __post_init__(self) -> None:
        lengths = set()
        for name, dtype in self._dtypes.items():
            value = getattr(self, name)
            if value is not None:
                column = read_only(value, dtype)
                object.__setattr__(self, name, column)
                lengths.add(len(column))
        if len(lengths) > 1:
            raise ValueError(f"the columns of {type(self).__name__} differ in length: {sorted(lengths)}")

    def __len__(self) -> int:
        return len(getattr(self, next(iter(self._dtypes))))

    def columns(self) -> dict[str, Column]:
        """The table as arrays by name, without the columns that were not asked for."""
        columns = {name: getattr(self, name) for name in self._dtypes}
        return {name: column for name, column in columns.items() if column is not None}

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The table as an Arrow C stream: `polars.DataFrame(result)`, `pyarrow.table(result)`, DuckDB by name."""
        from anygram.results.arrow import arrow_stream

        return arrow_stream(self.columns(), requested_schema)

    def _heading(self) -> str:
        raise NotImplementedError

    def _preview(self, limit: int) -> tuple[list[str], list[list[str]]]:
        """The header and at most `limit` rows to show, as text."""
        raise NotImplementedError

    def __repr__(self) -> str:
        header, rows = self._preview(SHOWN_ROWS)
        return "\n".join([self._heading(), *_aligned(header, rows), *self._rest(len(rows))])

    def _repr_html_(self) -> str:
        header, rows = self._preview(SHOWN_HTML_ROWS)
        return html_table(self._heading(), header, rows, "".join(self._rest(len(rows))))

    def _rest(self, shown: int) -> list[str]:
        return [f"  ... {len(self) - shown:,} more"] if len(self) > shown else []


def read_only(values: npt.ArrayLike, dtype: npt.DTypeLike) -> Column:
    """A read-only view of the values; they are copied only if their type differs."""
    view = np.asarray(values, dtype=dtype).view()
    view.flags.writeable = False
    return view


def plain(value: object) -> Any:
    """The value as JSON knows it; what JSON has no word for (bytes, dates) becomes text."""
    match value:
        case np.ndarray() | np.generic():
            return plain(value.tolist())
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case Result():
            return value.to_dict()
        case datetime.date() | datetime.time():
            return value.isoformat()
        case bytes():
            return value.decode("utf-8", "backslashreplace")
        case _:
            return str(value)


def html_table(caption: str, header: Sequence[str], rows: Sequence[Sequence[str]], rest: str = "") -> str:
    """A small HTML table. Every cell is escaped: corpus text may hold markup made to run in the reader's notebook."""
    from html import escape

    def line(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(visible(cell))}</{tag}>" for cell in cells) + "</tr>"

    head = f"<thead>{line(header, 'th')}</thead>" if header else ""
    body = "".join(line(row, "td") for row in rows)
    after = f"<div>{escape(visible(rest))}</div>" if rest else ""
    return f"<table><caption>{escape(visible(caption))}</caption>{head}<tbody>{body}</tbody></table>{after}"


def _aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of text in columns: numbers to the right, the last column as it comes."""
    if not rows:
        return []
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header) - 1)]
    return [
        "  " + "  ".join([*(cell.rjust(width) for cell, width in zip(line, widths, strict=False)), line[-1]])
        for line in lines
    ]


def _same(mine: object, theirs: object) -> bool:
    if isinstance(mine, np.ndarray) and isinstance(theirs, np.ndarray):
        return np.array_equal(mine, theirs, equal_nan=mine.dtype.kind == "f" and theirs.dtype.kind == "f")
    if isinstance(mine, np.ndarray) or isinstance(theirs, np.ndarray):
        return False
    if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
        return mine.keys() == theirs.keys() and all(_same(value, theirs[key]) for key, value in mine.items())
    if isinstance(mine, float) and isinstance(theirs, float) and math.isnan(mine):
        return math.isnan(theirs)
    return mine == theirs


def _hashable(value: object, result: Result) -> object:
    if isinstance(value, np.ndarray | Mapping):
        raise TypeError(f"unhashable type: {type(result).__name__!r}")
    # nan equals nan here, so both must hash alike.
    return None if isinstance(value, float) and math.isnan(value) else value


def _fields(result: Result) -> tuple[dataclasses.Field[Any], ...]:
    instance: DataclassInstance = result  # type: ignore[assignment]
    return dataclasses.fields(instance)


def _rebuild(kind: type[Result], answer: dict[str, Any]) -> Result:
    return kind(**answer)
