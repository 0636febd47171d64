"""Token ids as training programs keep them: Megatron's .bin and .idx, datatrove's .ds, llm.c's .bin, OLMo's arrays.

Files are mapped, and their documents handed on many at a time.
"""

from __future__ import annotations

import csv
import gzip
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anygram.io.arrays import read_stream, token_blocks
from anygram.io.records import Counter, Fields, Record, RefusedError, Reject, TokenBlock, checked_tokens
from anygram.io.remote import exists, local_copy, open_file
from anygram.io.streams import stream_reason
from anygram.types import Int64Array

_Ids = NDArray[np.integer[Any]]

_MEGATRON_MARK = b"MMIDIDX\x00\x00"
# By the code in the file; those of floating point are no ids.
_MEGATRON_TYPES = {1: "u1", 2: "i1", 3: "<i2", 4: "<i4", 5: "<i8", 8: "<u2"}

_LLMC_HEADER = 256 * 4
# By magic number and version: the type of the ids, and the id that begins each document.
_LLMC_KINDS = {(20240520, 1): ("<u2", 50256), (20240801, 7): ("<u4", 128000)}


class Layout(NamedTuple):
    """Where documents stand in an array of ids, one after another without gaps."""

    ids: _Ids
    lengths: Int64Array


def megatron_index(path: str) -> str | None:
    """The index file of a Megatron data set, whose .bin or .idx is named; None if it is none."""
    index = path.removesuffix(".bin").removesuffix(".idx") + ".idx"
    if not exists(index):
        return None
    with open_file(index) as file:
        return index if file.read(len(_MEGATRON_MARK)) == _MEGATRON_MARK else None


def is_llmc(path: str) -> bool:
    """Whether a .bin file begins as llm.c's do."""
    with open_file(path) as file:
        head = file.read(4)
    return len(head) == 4 and struct.unpack("<i", head)[0] in {magic for magic, _ in _LLMC_KINDS}


def read_megatron(index: str, end_token: int | None, counter: Counter) -> Iterator[Record | TokenBlock | Reject]:
    """The documents of a Megatron data set (also of NeMo, GPT-NeoX, and datatrove's Megatron writer)."""
    data = index.removesuffix(".idx") + ".bin"
    yield from _documents(data, end_token, counter, lambda: _megatron_layout(index, data))


def read_datatrove(path: str, end_token: int | None, counter: Counter) -> Iterator[Record | TokenBlock | Reject]:
    """The documents of datatrove's token files."""
    yield from _documents(path, end_token, counter, lambda: _datatrove_layout(path))


def _documents(
    source: str, end_token: int | None, counter: Counter, layout: Any
) -> Iterator[Record | TokenBlock | Reject]:
    try:
        ids, lengths = layout()
    except OSError as error:
        yield Reject(stream_reason(error), source)
        return
    except (RefusedError, ValueError) as error:
        yield Reject(str(error), source)
        return
    yield from _pieces(ids, lengths, end_token, source, counter)


def _pieces(
    ids: _Ids, lengths: Int64Array, end_token: int | None, source: str, counter: Counter
) -> Iterator[Record | TokenBlock | Reject]:
    """Some million ids at a time. A document that ends with the end token is without it."""
    ends = np.cumsum(lengths)
    begin_document, begin = 0, 0
    while begin_document < len(lengths):
        end_document = int(np.searchsorted(ends, begin + (1 << 22), side="right"))
        end_document = max(begin_document + 1, min(end_document, len(lengths)))
        end = int(ends[end_document - 1])
        piece, sizes = ids[begin:end], lengths[begin_document:end_document]
        kept, separator = _without_ends(piece, sizes, end_token)
        if kept is None:
            yield from _one_by_one(piece, sizes, end_token, source, begin_document + 1, counter)
        else:
            yield from token_blocks(piece, kept, separator, source, begin_document + 1, counter)
        begin_document, begin = end_document, end


def _without_ends(ids: _Ids, lengths: Int64Array, end_token: int | None) -> tuple[Int64Array | None, int | None]:
    """The lengths without the end tokens, and the end token if all have one; None for the lengths if some have."""
    if end_token is None:
        return lengths, None
    last = np.cumsum(lengths)[lengths > 0] - 1
    have_it = ids[last] == end_token
    if len(last) == len(lengths) and have_it.all():
        return lengths - 1, end_token
    return (None, None) if have_it.any() else (lengths, None)


def _one_by_one(
    ids: _Ids, lengths: Int64Array, end_token: int | None, source: str, line: int, counter: Counter
) -> Iterator[Record | Reject]:
    counter.num_bytes += ids.nbytes
    begin = 0
    for number, length in enumerate(lengths.tolist(), line):
        document = ids[begin : begin + length]
        begin += length
        if length and document[-1] == end_token:
            document = document[:-1]
        try:
            yield Record(None, checked_tokens(document), {}, source, number)
        except RefusedError as error:
            yield Reject(str(error), source, number, f"{length} ids")


def _map(path: str, dtype: np.dtype[Any], offset: int = 0) -> _Ids:
    size = Path(path).stat().st_size - offset
    if size < 0 or size % dtype.itemsize:
        raise RefusedError(f"truncated: {max(size, 0)} bytes are no whole number of ids of {dtype.itemsize} bytes")
    return np.memmap(path, dtype, mode="r", offset=offset) if size else np.empty(0, dtype)


def _megatron_layout(index: str, data: str) -> Layout:
    content = Path(local_copy(index)).read_bytes()
    head = struct.Struct("<9sQBQQ")
    if len(content) < head.size:
        raise RefusedError(f"its index {index} is truncated: {len(content)} bytes, and the header has {head.size}")
    _, version, code, num_sequences, num_bounds = head.unpack_from(content)
    if version != 1:
        raise RefusedError(f"its index {index} has version {version}: 1 is known")
    if code not in _MEGATRON_TYPES:
        raise RefusedError(f"its index {index} says that the ids have type code {code}, which is no type of integers")
    needed = head.size + 12 * num_sequences + 8 * num_bounds
    # Data sets of several modes have one byte more a sequence.
    if len(content) not in (needed, needed + num_sequences):
        raise RefusedError(f"its index {index} is damaged: expected {needed} bytes, found {len(content)}")
    lengths = np.frombuffer(content, "<i4", num_sequences, head.size).astype(np.int64)
    pointers = np.frombuffer(content, "<i8", num_sequences, head.size + 4 * num_sequences)
    bounds = np.frombuffer(content, "<i8", num_bounds, head.size + 12 * num_sequences)
    dtype = np.dtype(_MEGATRON_TYPES[code])
    ids = _map(local_copy(data), dtype)
    begins = np.concatenate([[0], np.cumsum(lengths)])
    if np.any(lengths < 0) or not np.array_equal(pointers, begins[:-1] * dtype.itemsize):
        raise RefusedError(f"its index {index} names sequences that overlap, or leave gaps")
    if begins[-1] != len(ids):
        raise RefusedError(f"its index {index} names {begins[-1]} ids, and the file has {len(ids)}")
    if not num_bounds or bounds[0] != 0 or bounds[-1] != num_sequences or np.any(np.diff(bounds) < 0):
        raise RefusedError(f"its index {index} does not divide its {num_sequences} sequences into documents")
    return Layout(ids, np.diff(begins[bounds]))


def _datatrove_layout(path: str) -> Layout:
    index = f"{path}.index"
    if not exists(index):
        raise RefusedError(f"its index {index} is missing")
    ends_file = Path(local_copy(index))
    if ends_file.stat().st_size % 8:
        raise RefusedError(f"its index {index} is truncated: {ends_file.stat().st_size} bytes")
    ends = np.fromfile(ends_file, "<u8").astype(np.int64)
    data = local_copy(path)
    size = Path(data).stat().st_size
    total = int(ends[-1]) if len(ends) else 0
    if np.any(np.diff(ends, prepend=0) < 0):
        raise RefusedError(f"its index {index} descends")
    if size not in (2 * total, 4 * total):
        raise RefusedError(f"its index {index} names {total} ids, which are not the {size} bytes of the file")
    return Layout(_map(data, np.dtype("<u2" if size == 2 * total else "<u4")), np.diff(ends, prepend=0))


def read_llmc(path: str, end_token: int | None, counter: Counter) -> Iterator[Record | TokenBlock | Reject]:
    """The documents of a .bin file of llm.c: each begins with an id that belongs to none."""
    try:
        local = local_copy(path)
        header = np.fromfile(local, "<i4", 256)
        if len(header) < 256:
            raise RefusedError(f"truncated: its header has 1,024 bytes, found {4 * len(header)}")
        kind = _LLMC_KINDS.get((int(header[0]), int(header[1])))
        if kind is None:
            raise RefusedError(f"llm.c's format {header[0]} in version {header[1]} is unknown")
        ids = _map(local, np.dtype(kind[0]), _LLMC_HEADER)
        if len(ids) != header[2]:
            raise RefusedError(f"truncated: its header names {header[2]} ids, found {len(ids)}")
    except OSError as error:
        yield Reject(stream_reason(error), path)
        return
    except (RefusedError, ValueError) as error:
        yield Reject(str(error), path)
        return
    separator = kind[1] if end_token is None else end_token
    first = 1 if len(ids) and ids[0] == separator else 0
    yield from read_stream(ids[first:], separator, path, counter)


def offsets_file(path: str) -> str | None:
    """The table of documents beside an array of OLMo's; None if there is none."""
    table = path.removesuffix(".npy") + ".csv.gz"
    return table if exists(table) else None


def has_numpy_header(path: str) -> bool:
    """Whether a file named .npy is one. OLMo's are raw arrays in spite of the name."""
    with open_file(path) as file:
        return file.read(6) == b"\x93NUMPY"


def read_olmo(
    path: str, table: str, dtype: np.dtype[Any], end_token: int | None, fields: Fields, counter: Counter
) -> Iterator[Record | TokenBlock | Reject]:
    """The documents of an array of OLMo's, whose table has (start, end, id, source, line) of each."""
    try:
        ids = _map(local_copy(path), dtype)
        with open_file(table) as file, gzip.open(file, "rt", newline="") as rows:
            documents = [_row(row, number) for number, row in enumerate(csv.reader(rows), 1)]
    except OSError as error:
        yield Reject(f"{stream_reason(error)} ({table})", path)
        return
    except (EOFError, RefusedError, ValueError) as error:
        yield Reject(f"its table {table}: {error}", path)
        return
    for number, (begin, end, rest) in enumerate(documents, 1):
        if not 0 <= begin <= end <= len(ids):
            yield Reject(f"its table {table} names the ids {begin} to {end}, and there are {len(ids)}", path, number)
            continue
        counter.num_bytes += (end - begin) * dtype.itemsize
        tokens = ids[begin : end - 1] if end > begin and ids[end - 1] == end_token else ids[begin:end]
        mapping: dict[object, object] = dict(zip(("id", "source", "line"), rest, strict=False))
        mapping[fields.tokens or "tokens"] = tokens
        try:
            yield fields.record(mapping, path, number)
        except RefusedError as error:
            yield Reject(str(error), path, number, f"{end - begin} ids")


def _row(row: list[str], number: int) -> tuple[int, int, list[str]]:
    try:
        return int(row[0]), int(row[1]), row[2:]
    except (ValueError, IndexError):
        raise RefusedError(f"line {number}: expected start, end, id, source, line; found {','.join(row):.80}") from None
