r"""Corpora of Megatron-LM, NeMo and GPT-NeoX: token ids in a .bin file, cut by the .idx file beside it.

The .idx file is, little-endian: magic ``MMIDIDX\\0\\0``, version 1 (8 bytes), code of the ids' type (1), number of
sequences S (8), number of document borders B (8); then the length in ids of each sequence (4 bytes each), the byte
offset of each in the .bin file (8 each), and the borders, from 0 to S (8 each): document d is the sequences from
border d to border d + 1. Modes of sequences (1 byte each) may follow.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from anygram.io.arrays import ArrayFacts, facts_of, map_raw, read_documents
from anygram.io.records import Counter, Record, RefusedError, Reject, TokenBlock
from anygram.io.streams import stream_reason
from anygram.types import Int64Array

_MAGIC = b"MMIDIDX\0\0"
_LEGACY_MAGIC = b"TNTIDX\0\0"
_HEADER = struct.Struct("<9sQBQQ")
_TYPES = {1: "<u1", 2: "<i1", 3: "<i2", 4: "<i4", 5: "<i8", 8: "<u2"}
_FLOATS = (6, 7)


class _Layout(NamedTuple):
    dtype: np.dtype[Any]
    borders: Int64Array  # of documents, in ids


def is_megatron(path: str) -> bool:
    """Whether a .bin file has an .idx file of Megatron beside it."""
    try:
        with open(index_of(path), "rb") as file:
            return file.read(len(_MAGIC)).startswith((_MAGIC, _LEGACY_MAGIC))
    except OSError:
        return False


def index_of(path: str) -> str:
    """The .idx file that belongs to a .bin file."""
    return path[: -len(".bin")] + ".idx"


def read_megatron(path: str, end_token: int | None, counter: Counter) -> Iterator[Record | TokenBlock | Reject]:
    """The documents of a .bin file that has its .idx file beside it.

    Args:
        path: the .bin file.
        end_token: dropped where it is a document's last id.
        counter: counts the bytes read.
    """
    try:
        layout = _layout(index_of(path))
    except (OSError, RefusedError) as error:
        yield Reject(stream_reason(error), index_of(path))
        return
    try:
        array = map_raw(path, layout.dtype)
    except (OSError, RefusedError) as error:
        yield Reject(stream_reason(error), path)
        return
    described = int(layout.borders[-1]) if len(layout.borders) else 0
    if described != len(array):
        yield Reject(
            f"the .idx file beside it describes {described:,} ids ({layout.dtype.name}), and there are {len(array):,}: "
            "one of the two is truncated, or they are of different corpora",
            path,
        )
        return
    yield from read_documents(array, layout.borders[:-1], layout.borders[1:], end_token, path, counter)


def megatron_facts(path: str) -> ArrayFacts | None:
    """About such a corpus; None if it cannot be read, which reading it will report."""
    try:
        layout = _layout(index_of(path))
        facts = facts_of(map_raw(path, layout.dtype))
    except (OSError, RefusedError):
        return None
    return ArrayFacts(int(layout.borders[-1]) + len(layout.borders) - 1, facts.largest)


def _layout(path: str) -> _Layout:
    raw = Path(path).read_bytes()
    if raw.startswith(_LEGACY_MAGIC):
        raise RefusedError("an index in the older format of fairseq (TNTIDX), which is not read: make it anew")
    if len(raw) < _HEADER.size:
        raise RefusedError(f"truncated: the header has {_HEADER.size} bytes, found {len(raw)}")
    _, version, code, num_sequences, num_borders = _HEADER.unpack_from(raw)
    if version != 1:
        raise RefusedError(f"version 1 of the format is known, found {version}")
    if code in _FLOATS:
        raise RefusedError(f"it holds floating-point numbers (type code {code}), and no token ids")
    if code not in _TYPES:
        raise RefusedError(f"unknown type code {code}; known are {', '.join(map(str, _TYPES))}")
    expected = _HEADER.size + 12 * num_sequences + 8 * num_borders
    if len(raw) not in (expected, expected + num_sequences):
        raise RefusedError(
            f"{num_sequences:,} sequences and {num_borders:,} document borders make {expected:,} bytes, "
            f"found {len(raw):,}: the file is truncated or damaged"
        )
    dtype = np.dtype(_TYPES[code])
    lengths = np.frombuffer(raw, "<i4", num_sequences, _HEADER.size).astype(np.int64)
    offsets = np.frombuffer(raw, "<i8", num_sequences, _HEADER.size + 4 * num_sequences)
    borders = np.frombuffer(raw, "<i8", num_borders, _HEADER.size + 12 * num_sequences)
    sequence_ends = _checked_sequences(lengths, offsets, dtype)
    if num_borders == 0 or borders[0] != 0 or borders[-1] != num_sequences or np.any(np.diff(borders) < 0):
        raise RefusedError(f"the borders of documents do not ascend from 0 to the {num_sequences:,} sequences")
    return _Layout(dtype, sequence_ends[borders])


def _checked_sequences(lengths: Int64Array, offsets: Int64Array, dtype: np.dtype[Any]) -> Int64Array:
    """Where each sequence begins, in ids, and the last one ends."""
    if np.any(lengths < 0):
        raise RefusedError(f"sequence {int(np.argmax(lengths < 0)):,} has a negative length")
    ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    wrong = np.flatnonzero(offsets != ends[:-1] * dtype.itemsize)
    if len(wrong):
        first = int(wrong[0])
        raise RefusedError(
            f"sequence {first:,} begins at byte {int(offsets[first]):,}, and those before it end at byte "
            f"{int(ends[first]) * dtype.itemsize:,}: they do not stand one behind another"
        )
    return ends
