"""Corpora of datatrove and nanotron: token ids in a .ds file, and in the .ds.index file beside it where documents end.

The .ds file is nothing but ids of 2 or 4 bytes; the .ds.index file is the end of each document, in ids, 8 bytes each.
Both are little-endian. How wide the ids are is not said, and follows from the two sizes; since one of the files might
be half of what it was, ids that no vocabulary has are refused until their type is given.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anygram.io.arrays import ArrayFacts, facts_of, map_raw, read_documents
from anygram.io.records import Counter, Record, RefusedError, Reject, TokenBlock
from anygram.io.streams import stream_reason
from anygram.types import Int64Array

_WIDTHS: tuple[np.dtype[Any], ...] = (np.dtype("<u2"), np.dtype("<u4"))
_LOOKED_AT = 1 << 20  # ids, to find how wide they are
_LARGEST_LIKELY = 1 << 20  # no vocabulary has more
_HIGH_HALF = _LARGEST_LIKELY >> 16


def has_ends(path: str) -> bool:
    """Whether the index file of a .ds file stands beside it."""
    return Path(path + ".index").exists()


def read_datatrove(
    path: str, dtype: np.dtype[Any] | None, end_token: int | None, counter: Counter
) -> Iterator[Record | TokenBlock | Reject]:
    """The documents of a .ds file.

    Args:
        path: the .ds file.
        dtype: the type of the ids; None to find it.
        end_token: dropped where it is a document's last id.
        counter: counts the bytes read.
    """
    try:
        ends = _ends(path + ".index")
    except (OSError, RefusedError) as error:
        yield Reject(stream_reason(error), path + ".index")
        return
    try:
        array = _map(path, ends, dtype)
    except (OSError, RefusedError) as error:
        yield Reject(stream_reason(error), path)
        return
    begins = np.concatenate([np.zeros(1, np.int64), ends])[:-1]
    yield from read_documents(array, begins, ends, end_token, path, counter)


def datatrove_facts(path: str, dtype: np.dtype[Any] | None) -> ArrayFacts | None:
    """About such a corpus; None if it cannot be read, which reading it will report."""
    try:
        ends = _ends(path + ".index")
        facts = facts_of(_map(path, ends, dtype))
    except (OSError, RefusedError):
        return None
    return ArrayFacts((int(ends[-1]) if len(ends) else 0) + len(ends), facts.largest)


def _ends(path: str) -> Int64Array:
    raw = Path(path).read_bytes()
    if len(raw) % 8:
        raise RefusedError(f"truncated: {len(raw):,} bytes are no whole number of ends of 8 bytes")
    ends = np.frombuffer(raw, "<u8")
    if np.any(ends[1:] < ends[:-1]):
        number = int(np.argmax(ends[1:] < ends[:-1])) + 2
        raise RefusedError(f"document {number:,} ends at {int(ends[number - 1]):,}, before the one before it")
    if len(ends) and ends[-1] > np.iinfo(np.int64).max:
        raise RefusedError(f"the last document ends at {int(ends[-1]):,}, which no file reaches")
    return ends.astype(np.int64)


def _map(path: str, ends: Int64Array, dtype: np.dtype[Any] | None) -> NDArray[np.integer[Any]]:
    num_bytes = Path(path).stat().st_size
    num_ids = int(ends[-1]) if len(ends) else 0
    for width in _WIDTHS if dtype is None else [dtype]:
        if num_bytes == width.itemsize * num_ids:
            array: NDArray[np.integer[Any]] = map_raw(path, width)
            if dtype is None:
                _check_width(array)
            return array
    sizes = " or ".join(f"{width.itemsize * num_ids:,}" for width in (_WIDTHS if dtype is None else [dtype]))
    raise RefusedError(
        f"the .ds.index file beside it describes {num_ids:,} ids, which are {sizes} bytes, found {num_bytes:,}: "
        "one of the two is truncated, or they are of different corpora"
    )


def _check_width(array: NDArray[np.integer[Any]]) -> None:
    first = array[:_LOOKED_AT]
    if array.dtype.itemsize == 4 and first.max(initial=0) > _LARGEST_LIKELY:
        raise RefusedError(
            f"by the two sizes the ids have 4 bytes, and one is {int(first.max())}: if that is right, give "
            "token_dtype='uint32'; if they have 2, the .ds.index file beside it is truncated"
        )
    if array.dtype.itemsize == 2 and len(first) > 1 and first[1::2].max() <= _HIGH_HALF < first.max():
        raise RefusedError(
            "by the two sizes the ids have 2 bytes, and every other one is the high half of one of 4: if 2 is right, "
            "give token_dtype='uint16'; if they have 4, the file is truncated"
        )
