"""Tables of documents: Parquet and Arrow files, and tables in memory that speak Arrow's C interface.

Texts and metadata become objects of Python; token ids never do: lists of them are handed on as the buffers they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

import numpy as np

from anygram.errors import MissingExtraError
from anygram.io.arrays import checked_ids
from anygram.io.folders import PARQUET_SUFFIXES, suffix_of
from anygram.io.records import Counter, Fields, Record, RefusedError, Reject, TokenBlock, checked_tokens, shown
from anygram.io.remote import is_url, open_url
from anygram.io.streams import stream_reason
from anygram.types import Metadata

if TYPE_CHECKING:
    import pyarrow

    #: The columns to read, of a table's schema.
    _Columns: TypeAlias = Callable[[pyarrow.Schema], list[str]]

_ROWS = 1 << 14  # of a table at once
_IDS = 1 << 22  # of a table's lists at once
_FILE_MAGIC = b"ARROW1"
_STREAM_END = b"\xff\xff\xff\xff\0\0\0\0"
_PARQUET_MAGIC = b"PAR1"
_FEATHER_1_MAGIC = b"FEA1"


def pyarrow_or_error(what: str) -> Any:
    """The library that reads tables.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import pyarrow
    except ImportError:
        raise MissingExtraError(f"{what} needs pyarrow: pip install 'anygram[parquet]'") from None
    return pyarrow


def read_parquet(path: str, fields: Fields, counter: Counter) -> Iterator[Record | TokenBlock | Reject]:
    """The rows of a Parquet file as documents."""
    yield from _read_file(path, fields, counter, _parquet_batches)


def read_batches(path: str) -> Iterator[pyarrow.RecordBatch]:
    """The rows of a Parquet or Arrow file as they are, with all columns.

    Raises:
        RefusedError: it cannot be read, or not from here on.
        MissingExtraError: pyarrow is not installed.
    """
    pyarrow = pyarrow_or_error("reading tables")
    read = _parquet_batches if suffix_of(path) in PARQUET_SUFFIXES else _arrow_batches
    try:
        with _open(path) as file:
            for batch, _ in read(file, _all_columns):
                yield batch
    except (OSError, EOFError, RefusedError, pyarrow.ArrowException) as error:
        raise RefusedError(_reason(error)) from None


def _all_columns(schema: pyarrow.Schema) -> list[str]:
    return list(schema.names)


def read_arrow(path: str, fields: Fields, counter: Counter) -> Iterator[Record | TokenBlock | Reject]:
    """The rows of an Arrow file as documents: of the file (Feather) or the stream format, as it is found to be."""
    yield from _read_file(path, fields, counter, _arrow_batches)


def _read_file(
    path: str,
    fields: Fields,
    counter: Counter,
    batches: Callable[[Any, _Columns], Iterator[tuple[pyarrow.RecordBatch, float]]],
) -> Iterator[Record | TokenBlock | Reject]:
    pyarrow = pyarrow_or_error("reading tables")
    start, row = counter.num_bytes, 0
    try:
        with _open(path) as file:
            size = file.seek(0, 2)
            file.seek(0)
            if size == 0:
                raise RefusedError("the file is empty, which no table is")
            for batch, share in batches(file, lambda schema: _kept(schema, fields)):
                # What is not asked for is not read: the share of the rows stands for that of the bytes.
                counter.num_bytes = start + int(size * share)
                yield from read_batch(batch, fields, path, row + 1)
                row += batch.num_rows
            counter.num_bytes = start + size
    except (OSError, EOFError, RefusedError, pyarrow.ArrowException) as error:
        yield Reject(_reason(error), path, row + 1 if row else None)


def _open(path: str) -> BinaryIO:
    return open_url(path) if is_url(path) else open(path, "rb")


def _reason(error: Exception) -> str:
    reason = stream_reason(error).strip().partition("\n")[0]
    return reason if isinstance(error, RefusedError) else f"damaged or truncated, or no such table: {reason}"


def _parquet_batches(file: BinaryIO, columns: _Columns) -> Iterator[tuple[pyarrow.RecordBatch, float]]:
    import pyarrow.parquet

    if file.read(4) != _PARQUET_MAGIC:
        raise RefusedError("no Parquet file: it does not begin with PAR1")
    with closing(pyarrow.parquet.ParquetFile(file, pre_buffer=False)) as table:
        kept = columns(table.schema_arrow)
        total, done = max(1, table.metadata.num_rows), 0
        for batch in table.iter_batches(batch_size=_rows_at_once(table), columns=kept):
            done += batch.num_rows
            yield batch, done / total


def _rows_at_once(table: Any) -> int:
    """Few rows where they are long, so that memory does not grow with a document's length."""
    num_bytes = sum(table.metadata.row_group(number).total_byte_size for number in range(table.metadata.num_row_groups))
    return int(max(64, min(_ROWS, 16_000_000 * table.metadata.num_rows // max(1, num_bytes))))


def _arrow_batches(file: BinaryIO, columns: _Columns) -> Iterator[tuple[pyarrow.RecordBatch, float]]:
    import pyarrow

    magic = file.read(len(_FILE_MAGIC))
    size = file.seek(0, 2)
    file.seek(0)
    if magic.startswith(_FEATHER_1_MAGIC):
        raise RefusedError("the first version of Feather is not read: write it anew with pyarrow.feather.write_feather")
    if magic == _FILE_MAGIC:
        reader = pyarrow.ipc.open_file(file)
        kept = columns(reader.schema)
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number).select(kept), (number + 1) / reader.num_record_batches
        return
    stream = pyarrow.ipc.open_stream(file)
    kept = columns(stream.schema)
    for batch in stream:
        yield batch.select(kept), file.tell() / size
    # pyarrow takes the end of the file for the end of the stream, though a stream says where it ends.
    file.seek(max(0, size - len(_STREAM_END)))
    if file.read() != _STREAM_END:
        raise RefusedError("the stream has no end: truncated")


def read_table(batches: Iterator[pyarrow.RecordBatch], fields: Fields) -> Iterator[Record | TokenBlock | Reject]:
    """The rows of a table in memory as documents."""
    row = 0
    for batch in batches:
        try:
            kept = _kept(batch.schema, fields)
        except RefusedError as error:
            yield Reject(str(error))
            return
        yield from read_batch(batch.select(kept), fields, None, row + 1)
        row += batch.num_rows


def _kept(schema: pyarrow.Schema, fields: Fields) -> list[str]:
    """The columns to read.

    Raises:
        RefusedError: the one with the documents, or with their names, is not there.
    """
    names = list(schema.names)
    content = fields.content_of(names, "the table")
    if fields.id is not None and fields.id not in names:
        raise RefusedError(f"no column {fields.id!r}, which names the document; {_columns(names)}")
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise RefusedError(f"two columns are named {min(twice)!r}")
    return [name for name in names if name in (content, fields.id) or fields.keeps(name)]


def _columns(names: list[str]) -> str:
    return f"the table has {', '.join(map(repr, names[:20])) or 'no columns'}"


def read_batch(
    batch: pyarrow.RecordBatch, fields: Fields, source: str | None, first_line: int
) -> Iterator[Record | TokenBlock | Reject]:
    """The rows of a batch as documents, numbered if they are of a source."""
    content = fields.content_of(list(batch.schema.names), "the table")
    for begin in range(0, batch.num_rows, _ROWS):
        part = batch.slice(begin, _ROWS)
        line = first_line + begin
        if content == fields.tokens:
            yield from _token_rows(part, content, fields, source, line)
        else:
            yield from _text_rows(part, content, fields, source, line)


def _text_rows(
    batch: pyarrow.RecordBatch, content: str, fields: Fields, source: str | None, line: int
) -> Iterator[Record | Reject]:
    try:
        texts = _texts(batch.column(content), content)
        others = _others(batch, fields)
    except RefusedError as error:
        yield Reject(str(error), source, line)
        return
    names = list(others)
    if not names:
        rows: Iterator[dict[object, object]] = ({content: text} for text in texts)
    else:
        columns = zip(*others.values(), strict=True)
        rows = ({content: text, **dict(zip(names, row, strict=True))} for text, row in zip(texts, columns, strict=True))
    for number, row in enumerate(rows, line):
        try:
            yield fields.record(row, source, None if source is None else number)
        except RefusedError as error:
            yield Reject(str(error), source, number, shown(row))


def _texts(column: Any, name: str) -> list[object]:
    import pyarrow

    kind = column.type
    if pyarrow.types.is_dictionary(kind):
        column, kind = column.dictionary_decode(), kind.value_type
    if not (pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind) or _is_view(kind)):
        hint = "; token ids are read with tokens_field" if _is_list(kind) else ""
        raise RefusedError(f"column {name!r} holds {kind}, expected text{hint}")
    try:
        return list(column.to_pylist())
    except UnicodeDecodeError as error:
        raise RefusedError(f"column {name!r}: invalid UTF-8 ({error.reason})") from None


def _is_view(kind: Any) -> bool:
    return str(kind) == "string_view"


def _is_list(kind: Any) -> bool:
    import pyarrow

    types = pyarrow.types
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _others(batch: pyarrow.RecordBatch, fields: Fields) -> dict[str, list[Any]]:
    """The columns other than the content, as objects that metadata may be."""
    return {
        name: _plain(batch.column(name), name) for name in batch.schema.names if name == fields.id or fields.keeps(name)
    }


def _is_json(kind: Any) -> bool:
    """Whether the values of a type are those of JSON."""
    import pyarrow

    types = pyarrow.types
    if _is_list(kind):
        return _is_json(kind.value_type)
    if types.is_struct(kind):
        return all(_is_json(kind.field(number).type) for number in range(kind.num_fields))
    plain = (types.is_null, types.is_boolean, types.is_integer, types.is_floating, types.is_string)
    return any(is_kind(kind) for is_kind in (*plain, types.is_large_string)) or _is_view(kind)


def _plain(column: Any, name: str) -> list[Any]:
    import pyarrow

    kind, types = column.type, pyarrow.types
    if types.is_dictionary(kind):
        column, kind = column.dictionary_decode(), kind.value_type
    try:
        if types.is_temporal(kind) or types.is_decimal(kind):
            column = column.cast(pyarrow.string())  # as in JSON, which has no type for them
        elif not _is_json(kind):
            raise RefusedError(f"column {name!r} holds {kind}, which metadata cannot: name those to keep (metadata)")
        return list(column.to_pylist())
    except (UnicodeDecodeError, pyarrow.ArrowException) as error:
        raise RefusedError(f"column {name!r} of type {kind}: {error}") from None


def _token_rows(
    batch: pyarrow.RecordBatch, content: str, fields: Fields, source: str | None, line: int
) -> Iterator[Record | TokenBlock | Reject]:
    try:
        column = _lists(batch.column(content), content)
        others = _others(batch, fields)
        details = _details(others, fields, batch.num_rows)
    except RefusedError as error:
        yield Reject(str(error), source, line)
        return
    yield from _list_rows(column, details, source, line, f"column {content!r}: ")


def read_lists(column: Any) -> Iterator[Record | TokenBlock | Reject]:
    """The lists of an Arrow array, each a document of token ids.

    Args:
        column: an array of lists, in memory.
    """
    for begin in range(0, len(column), _ROWS):
        part = column.slice(begin, _ROWS)
        try:
            part = _lists(part, None)
        except RefusedError as error:
            yield Reject(str(error), None, begin + 1)
            return
        yield from _list_rows(part, None, None, begin + 1, "")


def is_lists(column: Any) -> bool:
    """Whether an Arrow array holds lists of integers."""
    import pyarrow

    return _is_list(column.type) and bool(pyarrow.types.is_integer(column.type.value_type))


def _lists(column: Any, name: str | None) -> Any:
    place = "" if name is None else f"column {name!r} holds "
    if not is_lists(column):
        raise RefusedError(f"{place}{column.type}, expected lists of integers")
    return column


def _list_rows(
    column: Any,
    details: list[tuple[Metadata, str | None]] | None,
    source: str | None,
    line: int,
    place: str,
) -> Iterator[Record | TokenBlock | Reject]:
    import pyarrow.compute

    values = column.flatten()  # of the lists that are there, whatever the offsets
    lengths = pyarrow.compute.list_value_length(column)
    if column.null_count == 0 and values.null_count == 0:
        counts = lengths.to_numpy(zero_copy_only=False).astype(np.int64)
        ids = checked_ids(values.to_numpy(zero_copy_only=False), None)
        if ids is not None:
            yield TokenBlock(ids, counts, False, source, None if source is None else line, details)
            return
    for number, row in enumerate(column):
        metadata, name = ({}, None) if details is None else details[number]
        try:
            if not row.is_valid or row.values.null_count:
                raise RefusedError("expected token ids, found null")
            tokens = checked_tokens(row.values.to_numpy(zero_copy_only=False))
        except RefusedError as error:
            yield Reject(f"{place}{error}", source, line + number, shown(row.as_py()))
            continue
        yield Record(None, tokens, metadata, source, None if source is None else line + number, name)


def _details(others: dict[str, list[Any]], fields: Fields, num_rows: int) -> list[tuple[Metadata, str | None]] | None:
    if not others:
        return None
    names = list(others)
    found = []
    for row in zip(*others.values(), strict=True):
        mapping: dict[object, object] = dict(zip(names, row, strict=True))
        found.append(fields.details(mapping))
    assert len(found) == num_rows
    return found
