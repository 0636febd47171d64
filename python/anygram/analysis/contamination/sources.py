"""Where a benchmark's records come from: files, folders of datasets, tables, objects."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from anygram.errors import InputError
from anygram.io.arrow import pyarrow_or_error, read_batches
from anygram.io.folders import JSONL_SUFFIXES, TABLE_SUFFIXES, expand, suffix_of
from anygram.io.records import Counter, RefusedError, Reject, decoded
from anygram.io.streams import read_lines

_EXPECTED = (
    "a benchmark is a file (.jsonl, .json, each also as .gz and .zst, .parquet, .arrow), a folder of a dataset, "
    "mappings, a Dataset or an Arrow stream"
)


class SourceRecord(NamedTuple):
    """One record of a benchmark, and where it stood."""

    record: Mapping[str, object]
    source: str | None
    line: int | None


def read_records(source: object) -> Iterator[SourceRecord]:
    """The records of a benchmark, in order.

    Args:
        source: a path, a pattern or a URL; an iterable of mappings; or anything with an Arrow C stream (a table, a data
            frame).

    Raises:
        InputError: it is none of these, or a record is bad: the message has its file and line.
        MissingExtraError: it is Parquet or Arrow, and pyarrow is not installed.
    """
    if isinstance(source, str | os.PathLike):
        return _read_path(os.fspath(source))
    if hasattr(source, "__arrow_c_stream__"):
        return _numbered(_read_arrow_stream(source))
    if isinstance(source, Iterable) and not isinstance(source, Mapping | bytes):
        return _numbered(source)
    if isinstance(source, Mapping) and source and all(isinstance(split, Iterable) for split in source.values()):
        raise InputError(f"a benchmark is one split of a dataset, found {', '.join(map(repr, source))}: choose one")
    raise InputError(f"{_EXPECTED}; found {type(source).__name__}")


def _numbered(records: Iterable[object]) -> Iterator[SourceRecord]:
    for number, record in enumerate(records, 1):
        if not isinstance(record, Mapping):
            raise InputError(
                f"an item of a benchmark is a mapping, found {record!r:.60} ({type(record).__name__})", None, number
            )
        yield SourceRecord(record, None, number)


def _read_path(name: str) -> Iterator[SourceRecord]:
    files = [file for file in expand(name) if suffix_of(file) in JSONL_SUFFIXES + TABLE_SUFFIXES]
    # What stands beside a dataset that is kept as files of JSON lines or tables.
    records = [file for file in files if not Path(file).name.startswith(("dataset_info", "dataset_infos"))]
    if not records:
        raise InputError(f"unknown suffix: {_EXPECTED}", name)
    for file in records:
        yield from _read_json(file) if suffix_of(file) in JSONL_SUFFIXES else _read_table(file)


def _read_json(path: str) -> Iterator[SourceRecord]:
    """One object a line; or, as some benchmarks come, one array of objects."""
    lines = read_lines(path, Counter())
    for line in lines:
        if isinstance(line, Reject):
            raise InputError(line.reason, line.source, line.line)
        number, raw = line
        if not raw.strip():
            continue
        if raw.lstrip().startswith(b"[") and number == 1:
            yield from _read_array(path, raw, lines)
            return
        record = _parsed(raw, path, number)
        if not isinstance(record, dict):
            raise InputError(f"expected one JSON object a line, found a {type(record).__name__}", path, number)
        yield SourceRecord(record, path, number)


def _read_array(path: str, first: bytes, lines: Iterator[tuple[int, bytes] | Reject]) -> Iterator[SourceRecord]:
    parts = [first]
    for line in lines:
        if isinstance(line, Reject):
            raise InputError(line.reason, line.source, line.line)
        parts.append(line[1])
    for number, record in enumerate(_parsed(b"".join(parts), path, None), 1):
        if not isinstance(record, dict):
            raise InputError(f"record {number}: expected an object, found a {type(record).__name__}", path)
        yield SourceRecord(record, path, None)


def _parsed(raw: bytes, path: str, line: int | None) -> Any:
    try:
        return json.loads(decoded(raw))
    except json.JSONDecodeError as error:
        raise InputError(f"broken JSON: {error.msg} at character {error.pos}", path, line) from None
    except RecursionError:
        raise InputError("broken JSON: nested too deeply", path, line) from None
    except (RefusedError, ValueError) as error:
        raise InputError(str(error), path, line) from None


def _read_table(path: str) -> Iterator[SourceRecord]:
    line = 0
    try:
        for batch in read_batches(path):
            for record in batch.to_pylist():
                line += 1
                yield SourceRecord(record, path, line)
    except RefusedError as error:
        raise InputError(f"cannot be read: {error}", path, line or None) from None


def _read_arrow_stream(source: Any) -> Iterator[object]:
    pyarrow = pyarrow_or_error("reading an Arrow stream")
    for batch in pyarrow.RecordBatchReader.from_stream(source):
        yield from batch.to_pylist()
