"""Token files of OLMo and Dolma: raw ids under the name .npy, without NumPy's header; in .csv.gz where documents stand.

A line of the .csv.gz file is ``start,end,...``, in ids; what follows the two names the document and its origin.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from anygram.io.arrays import map_raw, read_documents
from anygram.io.records import Counter, Record, RefusedError, Reject, TokenBlock
from anygram.io.streams import STREAM_ERRORS, open_stream, stream_reason
from anygram.types import Int64Array

_NPY_MAGIC = b"\x93NUMPY"
_LARGEST = 2**62


def is_raw(path: str) -> bool:
    """Whether a file named .npy is no file of NumPy's. An empty one is none either."""
    try:
        with open(path, "rb") as file:
            head = file.read(len(_NPY_MAGIC))
    except OSError:
        return False
    return bool(head) and head != _NPY_MAGIC[: len(head)]


def offsets_of(path: str) -> str | None:
    """The file of documents beside a raw .npy file; None if there is none."""
    offsets = path[: -len(".npy")] + ".csv.gz"
    return offsets if Path(offsets).exists() else None


def read_olmo(
    path: str, offsets: str, dtype: np.dtype[Any], end_token: int | None, counter: Counter
) -> Iterator[Record | TokenBlock | Reject]:
    """The documents of a raw token file with its file of documents.

    Args:
        path: the ids.
        offsets: the .csv.gz file.
        dtype: the type of the ids.
        end_token: dropped where it is a document's last id.
        counter: counts the bytes read.
    """
    try:
        array = map_raw(path, dtype)
    except (OSError, RefusedError) as error:
        yield Reject(stream_reason(error), path)
        return
    spans: list[tuple[int, int]] = []
    line = 0
    try:
        with open_stream(offsets, Counter()) as stream, io.TextIOWrapper(stream, "utf-8", newline="") as text:
            for row in csv.reader(text):
                line += 1
                spans.append(_span(row, spans[-1][1] if spans else 0, len(array)))
    except (*STREAM_ERRORS, RefusedError, csv.Error, UnicodeDecodeError) as error:
        yield Reject(stream_reason(error), offsets, line or None)
        return
    both: Int64Array = np.array(spans, np.int64).reshape(-1, 2)
    described = int(both[-1, 1]) if len(both) else 0
    if described != len(array):
        yield Reject(
            f"{Path(offsets).name} describes {described:,} ids, and there are {len(array):,} of {dtype}: "
            "one of the two is truncated, or the ids are of another type",
            path,
        )
        return
    yield from read_documents(array, both[:, 0].copy(), both[:, 1].copy(), end_token, path, counter)


def _span(row: list[str], before: int, length: int) -> tuple[int, int]:
    try:
        begin, end = int(row[0]), int(row[1])
    except (IndexError, ValueError):
        raise RefusedError(f"expected a line start,end,..., found {','.join(row)!r:.60}") from None
    if begin != before or end < begin:
        raise RefusedError(f"the document from {begin:,} to {end:,} does not follow the one before it, to {before:,}")
    if end > length:
        raise RefusedError(f"the document ends at {end:,}, and the file of ids has {length:,}")
    return begin, end
