"""Where a benchmark's records come from: files, folders of datasets, tables, objects."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from anygram.errors import InputError, MissingExtraError
from anygram.io.records import Counter, RefusedError, Reject, decoded
from anygram.io.streams import read_lines

_JSON_SUFFIXES = (".jsonl", ".json", ".jsonl.gz", ".json.gz", ".jsonl.zst", ".json.zst")
_TABLE_SUFFIXES = (".parquet", ".arrow", ".feather")
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
        source: a path, an iterable of mappings, or anything with an Arrow C stream (a table, a data frame).

    Raises:
        InputError: it is none of these, or a record is bad: the message has its file and line.
        MissingExtraError: it is Parquet or Arrow, and pyarrow is not installed.
    """
    if isinstance(source, str | os.PathLike):
        return _read_path(Path(source))
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


def _read_path(path: Path) -> Iterator[SourceRecord]:
    name = path.name.lower()
    if path.is_dir():
        return _read_folder(path)
    if not path.exists():
        raise InputError("no such file or folder", str(path))
    if name.endswith(_JSON_SUFFIXES):
        return _read_json(str(path))
    if name.endswith(_TABLE_SUFFIXES):
        return _read_table(path)
    raise InputError(f"unknown suffix: {_EXPECTED}", str(path))


def _read_folder(folder: Path) -> Iterator[SourceRecord]:
    state = folder / "state.json"
    if (folder / "dataset_dict.json").exists():
        splits = ", ".join(sorted(one.name for one in folder.iterdir() if one.is_dir()))
        raise InputError(f"a benchmark is one split of a dataset: name one of its folders ({splits})", str(folder))
    if state.exists():  # what `Dataset.save_to_disk` writes
        try:
            files = [folder / one["filename"] for one in json.loads(state.read_bytes())["_data_files"]]
        except (ValueError, KeyError, TypeError):
            raise InputError("expected the list of a dataset's files, found something else", str(state)) from None
    else:
        known = _JSON_SUFFIXES + _TABLE_SUFFIXES
        files = sorted(one for one in folder.rglob("*") if one.is_file() and one.name.lower().endswith(known))
        files = [one for one in files if not one.name.startswith((".", "dataset_info", "dataset_infos"))]
    if not files:
        raise InputError(f"no file in this folder can be read: {_EXPECTED}", str(folder))
    for file in files:
        yield from _read_path(file)


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


def _read_table(path: Path) -> Iterator[SourceRecord]:
    pyarrow = _pyarrow(f"reading {path.name}")
    line = 0
    try:
        for batch in _batches(pyarrow, path):
            for record in batch.to_pylist():
                line += 1
                yield SourceRecord(record, str(path), line)
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"cannot be read: {error}", str(path), line or None) from None


def _batches(pyarrow: Any, path: Path) -> Iterator[Any]:
    if path.suffix.lower() == ".parquet":
        from pyarrow import parquet

        with parquet.ParquetFile(path) as file:
            yield from file.iter_batches(1024)
        return
    from pyarrow import ipc

    with pyarrow.memory_map(str(path)) as source:
        try:
            yield from ipc.open_stream(source)
        except pyarrow.ArrowInvalid:
            reader = ipc.open_file(source)
            yield from (reader.get_batch(number) for number in range(reader.num_record_batches))


def _read_arrow_stream(source: Any) -> Iterator[object]:
    pyarrow = _pyarrow("reading an Arrow stream")
    for batch in pyarrow.RecordBatchReader.from_stream(source):
        yield from batch.to_pylist()


def _pyarrow(purpose: str) -> Any:
    try:
        import pyarrow
    except ImportError:
        raise MissingExtraError(f"{purpose} needs pyarrow: pip install 'anygram[parquet]'") from None
    return pyarrow
