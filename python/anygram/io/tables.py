"""Tables out: columns written as JSON, JSON lines, CSV, Parquet or a page of HTML, by the name of the file."""

from __future__ import annotations

import csv
import html
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO, TypeAlias

import numpy as np
from numpy.typing import NDArray

from anygram.errors import InputError, MissingExtraError

Column: TypeAlias = Sequence[object] | NDArray[np.generic]

_STYLE = (
    "body{font:14px/1.4 system-ui,sans-serif;margin:2em}table{border-collapse:collapse}"
    "th,td{padding:.25em .75em;border-bottom:1px solid #ddd;text-align:left;vertical-align:top;white-space:pre-wrap}"
    "td.number{text-align:right;font-variant-numeric:tabular-nums}th{position:sticky;top:0;background:#fff}"
)


def write_table(columns: Mapping[str, Column], path: str | os.PathLike[str], *, title: str = "anygram") -> None:
    """Writes a table to a file.

    Args:
        columns: the columns by name, all of one length.
        path: ends in .json (a list of objects), .jsonl (one object a line), .csv, .parquet or .html (one page that
            needs nothing else).
        title: the title of a page.

    Raises:
        InputError: the suffix is unknown, or the columns differ in length.
        MissingExtraError: Parquet is asked for, and pyarrow is not installed.

    In JSON, nan and the infinities become null.
    """
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(f"the columns of a table have one length, found {lengths}")
    suffix = Path(path).suffix.lower()
    if suffix == ".parquet":
        _write_parquet(columns, path)
        return
    writers = {".json": _write_json, ".jsonl": _write_jsonl, ".csv": _write_csv, ".html": _write_html}
    if suffix not in writers:
        raise InputError(
            f"unknown suffix {suffix!r}; tables are written as .json, .jsonl, .csv, .parquet or .html", os.fspath(path)
        )
    # A surrogate in a text has no UTF-8 form: shown by its number rather than lost with the whole table.
    with Path(path).open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        writers[suffix](columns, file, title)


def _rows(columns: Mapping[str, Column]) -> Iterator[tuple[object, ...]]:
    lists = (column.tolist() if isinstance(column, np.ndarray) else map(_plain, column) for column in columns.values())
    return zip(*lists, strict=True)


def _plain(value: object) -> object:
    """The same value without numpy's types."""
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def _json(value: object) -> object:
    """The same value with null for the numbers that JSON has not."""
    value = _plain(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    return value


def _objects(columns: Mapping[str, Column]) -> Iterator[str]:
    for row in _rows(columns):
        yield json.dumps(dict(zip(columns, map(_json, row), strict=True)), ensure_ascii=False)


def _write_json(columns: Mapping[str, Column], file: TextIO, _title: str) -> None:
    separator = "[\n"
    for line in _objects(columns):
        file.write(separator + line)
        separator = ",\n"
    file.write("[]\n" if separator == "[\n" else "\n]\n")


def _write_jsonl(columns: Mapping[str, Column], file: TextIO, _title: str) -> None:
    file.writelines(line + "\n" for line in _objects(columns))


def _write_csv(columns: Mapping[str, Column], file: TextIO, _title: str) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(map(_cells, _rows(columns)))


def _cells(row: Iterable[object]) -> list[object]:
    nested = (list, tuple, Mapping)
    return [json.dumps(_json(value), ensure_ascii=False) if isinstance(value, nested) else value for value in row]


def _write_html(columns: Mapping[str, Column], file: TextIO, title: str) -> None:
    head = "".join(f"<th>{html.escape(name)}</th>" for name in columns)
    file.write(
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{_STYLE}</style></head>\n<body><h1>{html.escape(title)}</h1>\n<table><thead><tr>{head}</tr></thead>\n"
    )
    file.writelines(f"<tr>{''.join(map(_html_cell, _cells(row)))}</tr>\n" for row in _rows(columns))
    file.write("</table></body></html>\n")


def _html_cell(value: object) -> str:
    kind = ' class="number"' if isinstance(value, int | float) and not isinstance(value, bool) else ""
    return f"<td{kind}>{html.escape('' if value is None else str(value))}</td>"


def _write_parquet(columns: Mapping[str, Column], path: str | os.PathLike[str]) -> None:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("writing Parquet needs pyarrow: pip install 'anygram[parquet]'") from None
    arrays = {name: column if isinstance(column, np.ndarray) else list(column) for name, column in columns.items()}
    pyarrow.parquet.write_table(pyarrow.table(arrays), os.fspath(path))
