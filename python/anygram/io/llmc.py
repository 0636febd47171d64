"""Token files of llm.c and modded-nanogpt: a header of 1,024 bytes, then ids.

Each document begins with the end-of-text id.

The header is 256 little-endian integers of 4 bytes: magic, version, number of ids, and zeros.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from anygram.io.arrays import ArrayFacts, facts_of, map_raw, read_stream
from anygram.io.records import Counter, Record, RefusedError, Reject, TokenBlock
from anygram.io.streams import stream_reason

_HEADER_BYTES = 1024


class _Kind(NamedTuple):
    version: int
    dtype: np.dtype[Any]
    first_token: int  # of each document


_KINDS = {
    20240520: _Kind(1, np.dtype("<u2"), 50_256),  # GPT-2's tokenizer
    20240801: _Kind(7, np.dtype("<u4"), 128_000),  # Llama 3's
}


def is_llmc(path: str) -> bool:
    """Whether a file has the header of llm.c."""
    try:
        with open(path, "rb") as file:
            raw = file.read(8)
    except OSError:
        return False
    if len(raw) < 8:
        return False
    magic, version = struct.unpack("<ii", raw)
    return magic in _KINDS and _KINDS[magic].version == version


def read_llmc(path: str, first_token: int | None, counter: Counter) -> Iterator[Record | TokenBlock | Reject]:
    """The documents of a token file of llm.c.

    Args:
        path: the file.
        first_token: the id each document begins with, which belongs to none; None for that of the header's tokenizer.
            What stands before the first one is the rest of a document that began in another file.
        counter: counts the bytes read.
    """
    try:
        kind, array = _open(path)
    except (OSError, RefusedError) as error:
        yield Reject(stream_reason(error), path)
        return
    counter.num_bytes += _HEADER_BYTES
    token = kind.first_token if first_token is None else first_token
    if not len(array):
        return
    num_documents = 0
    for item in read_stream(array[int(array[0] == token) :], token, path, counter):
        num_documents += len(item.lengths) if isinstance(item, TokenBlock) else 1
        yield item
    if array[-1] == token:  # begins a document that has nothing in this file
        yield Record(None, np.empty(0, np.uint32), {}, path, num_documents + 1)


def llmc_facts(path: str) -> ArrayFacts | None:
    """About such a file; None if it cannot be read, which reading it will report."""
    try:
        return facts_of(_open(path)[1])
    except (OSError, RefusedError):
        return None


def _open(path: str) -> tuple[_Kind, np.ndarray[Any, np.dtype[Any]]]:
    with open(path, "rb") as file:
        raw = file.read(_HEADER_BYTES)
    if len(raw) < _HEADER_BYTES:
        raise RefusedError(f"truncated: the header has {_HEADER_BYTES} bytes, found {len(raw)}")
    magic, _, num_ids = struct.unpack_from("<iii", raw)
    kind = _KINDS[magic]
    expected, found = _HEADER_BYTES + num_ids * kind.dtype.itemsize, Path(path).stat().st_size
    if num_ids < 0 or expected != found:
        raise RefusedError(
            f"its header says {num_ids:,} ids, which make {expected:,} bytes, found {found:,}: truncated or damaged"
        )
    return kind, map_raw(path, kind.dtype, _HEADER_BYTES)
