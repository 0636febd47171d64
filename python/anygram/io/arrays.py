"""Arrays of token ids: .npy files, raw ones as training programs write them, and arrays in memory.

Files are mapped, never read whole. Documents are handed on many at a time: nothing here is done for each of them,
unless one is bad.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anygram.io.records import Counter, Record, RefusedError, Reject, TokenBlock, TokenIds, checked_tokens
from anygram.io.streams import stream_reason
from anygram.types import MAX_TOKEN, Int64Array

_BLOCK = 1 << 22  # ids looked at at once
_MOST_DOCUMENTS = 1 << 18  # handed on at once

_Ids = NDArray[np.integer[Any]]


class ArrayFacts(NamedTuple):
    """What can be known of an array of documents without reading it.

    Attributes:
        stream_length: tokens and document ends.
        largest: the largest id among the first ones: no more than a hint.
    """

    stream_length: int
    largest: int


def read_array(
    path: str, dtype: np.dtype[Any] | None, end_token: int | None, counter: Counter
) -> Iterator[Record | TokenBlock | Reject]:
    """The documents of an array file.

    Args:
        path: a .npy file, or with `dtype` a raw one.
        dtype: the type of a raw file's ids.
        end_token: ends each document and belongs to none; the last one may lack it. None: the array is one document.
            Of a 2-D array each row is a document.
        counter: counts the bytes read.
    """
    try:
        array = _open(path, dtype)
    except OSError as error:
        yield Reject(stream_reason(error), path)
        return
    except (ValueError, EOFError) as error:
        yield Reject(str(error), path)
        return
    yield from read_rows(array, path, counter) if array.ndim == 2 else read_stream(array, end_token, path, counter)


def read_documents(
    array: _Ids, begins: Int64Array, ends: Int64Array, end_token: int | None, source: str, counter: Counter
) -> Iterator[Record | TokenBlock | Reject]:
    """The documents of an array whose borders are known.

    Args:
        array: all ids, 1-D.
        begins: where each document begins. What stands between documents is left out.
        ends: where each ends.
        end_token: dropped where it is a document's last id. None: nothing is dropped.
        source: the file, for errors and records.
        counter: counts the bytes read.
    """
    sizes = np.cumsum(ends - begins)
    number = 0
    while number < len(begins):
        before = int(sizes[number - 1]) if number else 0
        last = max(number + 1, int(np.searchsorted(sizes, before + _BLOCK, "right")))
        last = min(last, number + _MOST_DOCUMENTS)
        yield from _spans(array, begins[number:last], ends[number:last], end_token, source, number + 1, counter)
        number = last


def _spans(
    array: _Ids,
    begins: Int64Array,
    ends: Int64Array,
    end_token: int | None,
    source: str,
    line: int,
    counter: Counter,
) -> Iterator[Record | TokenBlock | Reject]:
    first, lengths = int(begins[0]), ends - begins
    if np.array_equal(begins[1:], ends[:-1]):
        ids = array[first : int(ends[-1])]
    else:
        ids = np.concatenate([array[begin:end] for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)])
    if end_token is None or not len(ids):
        yield from _block(ids, lengths, None, source, line, counter)
        return
    behind = np.cumsum(lengths)
    ended = (lengths > 0) & (ids[np.maximum(behind, 1) - 1] == end_token)
    if ended.all():
        yield from _block(ids, lengths - 1, end_token, source, line, counter)
        return
    yield from _block(np.delete(ids, behind[ended] - 1), lengths - ended, None, source, line, counter)
    counter.num_bytes += int(ended.sum()) * array.dtype.itemsize


def array_facts(path: str, dtype: np.dtype[Any] | None, end_token: int | None) -> ArrayFacts | None:
    """About an array file; None if it cannot be read, which reading it will report."""
    try:
        array = _open(path, dtype)
    except (OSError, ValueError, EOFError):
        return None
    return facts_of(array, end_token)


def facts_of(array: _Ids, end_token: int | None = None) -> ArrayFacts:
    """About an array."""
    first = array.reshape(-1)[:_BLOCK] if array.flags.c_contiguous else array[: _BLOCK // max(1, array.shape[-1]) + 1]
    tokens = first if end_token is None or array.ndim == 2 else first[first != end_token]
    ends = len(array) if array.ndim == 2 else int(array.size > 0 and (end_token is None or array[-1] != end_token))
    return ArrayFacts(array.size + ends, int(tokens.max(initial=0)))


def _open(path: str, dtype: np.dtype[Any] | None) -> _Ids:
    array = np.lib.format.open_memmap(path, mode="r") if dtype is None else map_raw(path, dtype)
    if array.dtype.kind not in "iu" or array.ndim not in (1, 2):
        raise RefusedError("expected a 1-D or 2-D array of integers, found something else")
    return np.asarray(array)


def map_raw(path: str, dtype: np.dtype[Any], offset: int = 0) -> _Ids:
    """Maps a file of nothing but ids, or what is behind its first `offset` bytes.

    Raises:
        RefusedError: its size is no whole number of ids.
    """
    num_bytes = Path(path).stat().st_size - offset
    if num_bytes % dtype.itemsize:
        raise RefusedError(
            f"truncated: {num_bytes} bytes are no whole number of ids of {dtype.itemsize} bytes ({dtype})"
        )
    if num_bytes == 0:  # which cannot be mapped
        return np.empty(0, dtype)
    return np.memmap(path, dtype, mode="r", offset=offset)


def read_rows(array: _Ids, source: str | None, counter: Counter) -> Iterator[Record | TokenBlock | Reject]:
    """The rows of an array as documents; numbered if they are of a source."""
    at_once = max(1, _BLOCK // max(1, array.shape[1]))
    for begin in range(0, len(array), at_once):
        rows = array[begin : begin + at_once]
        lengths = np.full(len(rows), array.shape[1], np.int64)
        yield from _block(rows.reshape(-1), lengths, None, source, begin + 1, counter)


def read_stream(
    array: _Ids, end_token: int | None, source: str, counter: Counter
) -> Iterator[Record | TokenBlock | Reject]:
    """The documents of an array of which each but the last has the end token behind it."""
    begin, line = 0, 1
    for searched in range(0, len(array), _BLOCK) if end_token is not None else ():
        ends = np.flatnonzero(array[searched : searched + _BLOCK] == end_token) + searched
        if not len(ends):
            continue
        lengths = np.diff(ends, prepend=begin - 1) - 1
        yield from _block(array[begin : ends[-1] + 1], lengths, end_token, source, line, counter)
        begin = int(ends[-1]) + 1
        line += len(ends)
    if begin < len(array):
        yield from _block(array[begin:], np.array([len(array) - begin]), None, source, line, counter)


def _block(
    ids: _Ids, lengths: Int64Array, end_token: int | None, source: str | None, line: int, counter: Counter
) -> Iterator[Record | TokenBlock | Reject]:
    """Documents side by side, each with the end token behind it, if there is one."""
    counter.num_bytes += ids.nbytes
    separated = end_token is not None
    checked = checked_ids(ids, end_token)
    if checked is not None:
        yield TokenBlock(checked, lengths, separated, source, None if source is None else line)
        return
    begin = 0
    for number, length in enumerate(lengths.tolist(), line):
        try:
            yield Record(None, checked_tokens(ids[begin : begin + length]), {}, source, number if source else None)
        except RefusedError as error:
            yield Reject(str(error), source, number, f"{length} ids")
        begin += length + separated


def checked_ids(ids: _Ids, end_token: int | None) -> TokenIds | None:
    """The ids in a type that the core reads; None if one of them, other than the end token, is no token id."""
    if ids.dtype.kind == "i" or ids.dtype.itemsize >= 4:
        smallest, largest = int(ids.min(initial=0)), int(ids.max(initial=0))
        # The end token need not be the id of a token.
        if smallest < 0 or (largest > MAX_TOKEN and not _only_ends_are_larger(ids, end_token)):
            return None
    if ids.dtype.itemsize == 1 or ids.dtype == np.uint16:
        return np.ascontiguousarray(ids, np.uint16)
    return np.ascontiguousarray(ids, np.uint32)


def _only_ends_are_larger(ids: _Ids, end_token: int | None) -> bool:
    return end_token is not None and end_token > MAX_TOKEN and not np.any((ids > MAX_TOKEN) & (ids != end_token))
