"""Arrays of token ids: .npy files, and raw .bin files as training programs write them. Mapped, never read whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anygram.io.records import Counter, Record, RefusedError, Reject, checked_tokens
from anygram.io.streams import stream_reason

_BLOCK = 1 << 22  # ids searched for the end token at once


def read_array(
    path: str, dtype: np.dtype[Any] | None, end_token: int | None, counter: Counter
) -> Iterator[Record | Reject]:
    """The documents of an array file.

    Args:
        path: a .npy file, or with `dtype` a raw one.
        dtype: the type of a raw file's ids.
        end_token: ends each document and belongs to none; the last one may lack it. None: the array is one document.
            Of a 2-D array each row is a document.
        counter: counts the bytes read.
    """
    try:
        array = np.lib.format.open_memmap(path, mode="r") if dtype is None else _map_raw(path, dtype)
        if array.dtype.kind not in "iu" or array.ndim not in (1, 2):
            raise RefusedError("expected a 1-D or 2-D array of integers, found something else")
        parts = iter(np.asarray(array)) if array.ndim == 2 else _split(np.asarray(array), end_token)
    except OSError as error:
        yield Reject(stream_reason(error), path)
        return
    except (ValueError, EOFError) as error:
        yield Reject(str(error), path)
        return
    for number, ids in enumerate(parts, 1):
        counter.num_bytes += ids.nbytes
        try:
            yield Record(None, checked_tokens(ids), {}, path, number)
        except RefusedError as error:
            yield Reject(str(error), path, number, f"{len(ids)} ids")


def _map_raw(path: str, dtype: np.dtype[Any]) -> NDArray[np.integer[Any]]:
    num_bytes = Path(path).stat().st_size
    if num_bytes % dtype.itemsize:
        raise RefusedError(
            f"truncated: {num_bytes} bytes are no whole number of ids of {dtype.itemsize} bytes ({dtype})"
        )
    if num_bytes == 0:  # which cannot be mapped
        return np.empty(0, dtype)
    return np.memmap(path, dtype, mode="r")


def _split(array: NDArray[np.integer[Any]], end_token: int | None) -> Iterator[NDArray[np.integer[Any]]]:
    begin = 0
    if end_token is not None:
        for block in range(0, len(array), _BLOCK):
            for end in (np.flatnonzero(array[block : block + _BLOCK] == end_token) + block).tolist():
                yield array[begin:end]
                begin = end + 1
    if begin < len(array):
        yield array[begin:]
