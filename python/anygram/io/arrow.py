"""Arrow tables: Parquet and Arrow files, the data sets of Hugging Face, and tables in memory.

A table of token ids without other fields is handed on as it lies in memory; else each row is a document, whose values
come from Arrow's own types.
"""

from __future__ import annotations

import datetime
import decimal
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np

from anygram.errors import MissingExtraError
from anygram.io.arrays import token_blocks
from anygram.io.records import Counter, Fields, Record, RefusedError, Reject, TokenBlock
from anygram.io.remote import open_file, size_of
from anygram.types import MetadataValue

#: A `pyarrow.RecordBatch`.
Batch: TypeAlias = Any

_ROWS = 4096  # of a batch: few enough for long texts, many enough for short ones

_MARK = b"ARROW1"  # of the file format; a stream has none


def import_pyarrow() -> Any:
    """The library, with the parts that read files.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import pyarrow
        import pyarrow.ipc
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("Arrow tables and Parquet need pyarrow: pip install 'anygram[parquet]'") from None
    return pyarrow


def read_parquet(path: str, fields: Fields, counter: Counter) -> Iterator[Record | TokenBlock | Reject]:
    """The rows of a Parquet file."""

    def batches(pyarrow: Any, file: BinaryIO) -> Iterator[Batch]:
        table = pyarrow.parquet.ParquetFile(file)
        names = [name for name in table.schema_arrow.names if fields.takes(name)]
        read, total = 0, max(1, table.metadata.num_rows)
        size = size_of(path)
        for batch in table.iter_batches(batch_size=_ROWS, columns=names):
            yield batch
            before, read = read, read + batch.num_rows
            counter.num_bytes += size * read // total - size * before // total

    yield from _read_file(path, fields, counter, batches)


def read_arrow(path: str, fields: Fields, counter: Counter) -> Iterator[Record | TokenBlock | Reject]:
    """The rows of an Arrow file: of the IPC file format (as Feather is) or the streaming one."""

    def batches(pyarrow: Any, file: BinaryIO) -> Iterator[Batch]:
        mark = file.read(len(_MARK))
        file.seek(0)
        if mark == _MARK:
            table = pyarrow.ipc.open_file(file)
            groups: Iterable[Batch] = (table.get_batch(number) for number in range(table.num_record_batches))
        else:
            groups = pyarrow.ipc.open_stream(file)
        read = 0
        for group in groups:
            names = [name for name in group.schema.names if fields.takes(name)]
            yield from _cut(group.select(names))
            reached = max(read, file.tell())
            counter.num_bytes += reached - read
            read = reached

    yield from _read_file(path, fields, counter, batches)


def _read_file(
    path: str, fields: Fields, counter: Counter, batches: Callable[[Any, BinaryIO], Iterator[Batch]]
) -> Iterator[Record | TokenBlock | Reject]:
    pyarrow = import_pyarrow()
    row = 1
    try:
        with open_file(path) as file:
            for batch in batches(pyarrow, file):
                yield from read_batch(batch, fields, path, row, counter)
                row += batch.num_rows
    except (OSError, EOFError, ValueError, pyarrow.ArrowException) as error:
        yield Reject(f"the table cannot be read: {error}", path, row if row > 1 else None)


def read_tables(
    batches: Callable[[], Iterable[Batch]], fields: Fields, counter: Counter
) -> Iterator[Record | TokenBlock | Reject]:
    """The rows of a table in memory."""
    row = 1
    for group in batches():
        for batch in _cut(group):
            yield from read_batch(batch, fields, None, row, counter)
            row += batch.num_rows


def stream_batches(table: object) -> Callable[[], Iterable[Batch]]:
    """What reads the batches of anything that has an Arrow C stream."""
    pyarrow = import_pyarrow()
    return lambda: pyarrow.RecordBatchReader.from_stream(table)


def dataset_batches(dataset: Any) -> Callable[[], Iterable[Batch]]:
    """What reads the batches of a data set of the library `datasets`, also of one that is streamed."""
    import_pyarrow()
    formatted = dataset.with_format("arrow")

    def batches() -> Iterator[Batch]:
        for table in formatted.iter(batch_size=_ROWS):
            yield from table.to_batches()

    return batches


def _cut(batch: Batch) -> Iterator[Batch]:
    for begin in range(0, batch.num_rows, _ROWS):
        yield batch.slice(begin, _ROWS)


def read_batch(
    batch: Batch, fields: Fields, source: str | None, row: int, counter: Counter
) -> Iterator[Record | TokenBlock | Reject]:
    """The documents of a batch whose first row has that number."""
    names: list[str] = batch.schema.names
    kept = [name for name in names if fields.takes(name)]
    tokens = fields.tokens if fields.tokens in kept and fields.required in (None, fields.tokens) else None
    if tokens is not None and kept == [tokens]:
        block = _list_values(batch.column(tokens))
        if block is not None:
            yield from token_blocks(*block, None, source, row, counter, counts=False)
            return
    columns = [_values(batch.column(name), is_tokens=name == tokens) for name in kept]
    for number in range(batch.num_rows):
        mapping: dict[object, object] = dict(zip(kept, (column[number] for column in columns), strict=True))
        try:
            yield fields.record(mapping, source, None if source is None else row + number)
        except RefusedError as error:
            yield Reject(str(error), source, row + number, repr(mapping)[:10_000])


def _list_values(column: Any) -> tuple[Any, Any] | None:
    """The ids of a list column and the length of each list; None if some list is null or no list of integers."""
    pyarrow = import_pyarrow()
    types = pyarrow.types
    kind = column.type
    is_list = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
    if not is_list or not types.is_integer(kind.value_type) or column.null_count:
        return None
    values = column.flatten()
    if values.null_count:
        return None
    if types.is_fixed_size_list(kind):
        lengths = np.full(len(column), kind.list_size, np.int64)
    else:
        lengths = np.diff(column.offsets.to_numpy(zero_copy_only=False)).astype(np.int64)
    return values.to_numpy(zero_copy_only=False), lengths


def _values(column: Any, *, is_tokens: bool) -> list[Any]:
    if is_tokens and (block := _list_values(column)) is not None:
        ids, lengths = block
        return np.split(ids, np.cumsum(lengths)[:-1])
    values: list[Any] = column.to_pylist()
    return values if is_tokens else [_plain(value) for value in values]


def _plain(value: Any) -> MetadataValue:
    """The value as JSON has it: dates and times become text, decimal numbers too, so that no digit is lost."""
    match value:
        case datetime.date() | datetime.time():
            return value.isoformat()
        case datetime.timedelta():
            return value.total_seconds()
        case decimal.Decimal():
            return str(value)
        case list():
            return [_plain(item) for item in value]
        case dict():
            return {name: _plain(item) for name, item in value.items()}
        case _:
            return value  # type: ignore[no-any-return]  # what is left is of JSON's types, or refused later


def dataset_files(folder: str) -> list[str] | None:
    """The Arrow files of a data set that `save_to_disk` wrote, in order; None if the folder is none.

    Raises:
        RefusedError: it holds several splits, or its list of files is damaged.
    """
    splits = Path(folder) / "dataset_dict.json"
    if splits.is_file():
        names = _json(splits).get("splits", [])
        paths = ", ".join(str(Path(folder) / str(name)) for name in names)
        raise RefusedError(f"this is a data set of several splits: name those to index ({paths})")
    state = Path(folder) / "state.json"
    if not state.is_file() or not (Path(folder) / "dataset_info.json").is_file():
        return None
    files = _json(state).get("_data_files")
    if not isinstance(files, list) or not all(isinstance(file, dict) and "filename" in file for file in files):
        raise RefusedError("state.json of this data set names no files")
    return [str(Path(folder) / str(file["filename"])) for file in files]


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except ValueError as error:
        raise RefusedError(f"{path.name} of this data set is damaged: {error}") from None
    return value if isinstance(value, dict) else {}
