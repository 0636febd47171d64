"""Corpora of datatrove and nanotron: token ids in a .ds file, and in the .ds.index file beside it where documents end.

The .ds file is nothing but ids of 2 or 4 bytes; the .ds.index file is the end of each document, in ids, as 8 bytes.
Both are little-endian. How wide the ids are is not said, and follows from the two sizes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from anygram.io.arrays import ArrayFacts, facts_of, map_raw, read_documents
from anygram.io.records import Counter, Record, RefusedError, Reject, TokenBlock
from anygram.io.streams import stream_reason
from anygram.types import Int64Array

_WIDTHS = {2: np.dtype("<u2"), 4: np.dtype("<u4")}


def has_ends(path: str) -> bool:
    """Whether the index file of a .ds file stands beside it."""
    return Path(path + ".index").exists()


def read_datatrove(path: str, end_token: int | None, counter: Counter) -> Iterator[Record | TokenBlock | Reject]:
    """The documents of a .ds file.

    Args:
        path: the .ds file.
        end_token: dropped where it is a document's last id.
        counter: counts the bytes read.
    """
    try:
        ends = _ends(path + ".index")
    except (OSError, RefusedError) as error:
        yield Reject(stream_reason(error), path + ".index")
        return
    try:
        array = map_raw(path, _dtype(path, ends))
    except (OSError, RefusedError) as error:
        yield Reject(stream_reason(error), path)
        return
    begins = np.concatenate([np.zeros(1, np.int64), ends])[:-1]
    yield from read_documents(array, begins, ends, end_token, path, counter)


def datatrove_facts(path: str) -> ArrayFacts | None:
    """About such a corpus; None if it cannot be read, which reading it will report."""
    try:
        ends = _ends(path + ".index")
        facts = facts_of(map_raw(path, _dtype(path, ends)))
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


def _dtype(path: str, ends: Int64Array) -> np.dtype[Any]:
    num_bytes = Path(path).stat().st_size
    num_ids = int(ends[-1]) if len(ends) else 0
    for width, dtype in _WIDTHS.items():
        if num_bytes == width * num_ids:
            return dtype
    raise RefusedError(
        f"the .ds.index file beside it describes {num_ids:,} ids, which are {2 * num_ids:,} or {4 * num_ids:,} bytes, "
        f"found {num_bytes:,}: one of the two is truncated, or they are of different corpora"
    )
