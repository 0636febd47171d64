"""The documents of an index of infini-gram: its tokens, offsets and records; its table of suffixes is not read.

So an index whose table is wrong, as those of small corpora built on many CPUs are, gives the right documents all the
same.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anygram.errors import IndexFormatError, IndexIOError, IndexNotFoundError, InputError, TruncatedIndexError
from anygram.io.corpus import Corpus
from anygram.io.records import Counter, Record, Reject
from anygram.types import Metadata

_DTYPES = {"u8": "<u1", "u16": "<u2", "u32": "<u4"}

# Versions 4 and 5 number the files of their shards; version 6 has a folder for each.
_TOKENS = re.compile(r"tokenized(\.\d+)?", re.ASCII)


@dataclass(frozen=True)
class _Shard:
    """The files of one shard, mapped."""

    tokens_path: Path
    tokens: NDArray[np.unsignedinteger[Any]]
    offsets: NDArray[np.uint64]  # of the documents' separators, in bytes
    records: NDArray[np.uint8] | None
    record_offsets: NDArray[np.uint64] | None


def is_infini_gram(folder: str | os.PathLike[str]) -> bool:
    """Whether a folder has such files."""
    try:
        return any(_TOKENS.fullmatch(name) for name in os.listdir(folder))
    except OSError:
        return False


def read_infini_gram(
    folder: str | os.PathLike[str], *, token_dtype: str | None = None, is_reversed: bool = False
) -> Corpus:
    """The documents of an index of infini-gram, versions 4 to 6, shard after shard by their numbers.

    Where a record of the index says so, a document's source and line are those of the file it came from.

    Args:
        folder: the index's; of version 6, that of one shard.
        token_dtype: "u8", "u16" or "u32"; None for what the separators show.
        is_reversed: whether its documents were written from their ends to their beginnings (version 5).

    Raises:
        IndexNotFoundError: there is no such index.
        IndexFormatError: its files contradict each other, or `token_dtype`.
        InputError: `token_dtype` is none.
    """
    if token_dtype is not None and token_dtype not in _DTYPES:
        raise InputError(f"token_dtype is one of {', '.join(_DTYPES)}, found {token_dtype!r}")
    names = [match for name in _names(folder) if (match := _TOKENS.fullmatch(name))]
    if not names:
        raise IndexNotFoundError(f"{os.fspath(folder)} has no index of infini-gram: no file 'tokenized.0' is there")
    suffixes = sorted((match[1] or "" for match in names), key=lambda suffix: int(suffix[1:] or 0))
    shards = [_open(Path(folder), suffix, token_dtype) for suffix in suffixes]
    widths = {shard.tokens.dtype.itemsize for shard in shards}
    if len(widths) > 1:
        raise IndexFormatError(f"{os.fspath(folder)}: the shards have tokens of different widths", os.fspath(folder))
    return Corpus([_reader(shard, is_reversed) for shard in shards], num_bytes=None)


def _names(folder: str | os.PathLike[str]) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        raise IndexNotFoundError(f"{os.fspath(folder)}: there is no such folder") from None
    except OSError as error:
        raise IndexIOError(error.errno, error.strerror, os.fspath(folder)) from None


def _open(folder: Path, suffix: str, token_dtype: str | None) -> _Shard:
    tokens_path, offsets_path = folder / f"tokenized{suffix}", folder / f"offset{suffix}"
    as_bytes = _mapped(tokens_path, "<u1")
    offsets = _mapped(offsets_path, "<u8")
    _check_offsets(offsets, len(as_bytes), offsets_path)
    dtype = _DTYPES[token_dtype or _shown_dtype(as_bytes, offsets, tokens_path)]
    width = np.dtype(dtype).itemsize
    if len(as_bytes) % width:
        raise TruncatedIndexError(f"{tokens_path}: {len(as_bytes):,} bytes are no whole number of tokens of {width}")
    if (misplaced := np.flatnonzero(offsets % width)).size:
        raise _contradiction(offsets_path, int(misplaced[0]) * 8, f"a multiple of {width}", offsets[misplaced[0]])
    records_path, record_offsets_path = folder / f"metadata{suffix}", folder / f"metaoff{suffix}"
    records = record_offsets = None
    if records_path.exists():
        records, record_offsets = _mapped(records_path, "<u1"), _mapped(record_offsets_path, "<u8")
        if len(record_offsets) != len(offsets):
            raise _contradiction(record_offsets_path, 0, f"{len(offsets):,} documents", len(record_offsets))
        _check_offsets(record_offsets, len(records), record_offsets_path)
    return _Shard(tokens_path, as_bytes.view(dtype), offsets, records, record_offsets)


def _mapped(path: Path, dtype: str) -> NDArray[Any]:
    try:
        size = path.stat().st_size
        if size % np.dtype(dtype).itemsize:
            raise TruncatedIndexError(f"{path}: {size:,} bytes are no whole number of offsets", str(path))
        return np.memmap(path, dtype, "r") if size else np.empty(0, dtype)
    except FileNotFoundError:
        raise IndexFormatError(f"{path} is missing: the index is not whole", str(path)) from None
    except OSError as error:
        raise IndexIOError(error.errno, error.strerror, str(path)) from None


def _check_offsets(offsets: NDArray[np.uint64], size: int, path: Path) -> None:
    """They ascend from 0, and none is beyond the file that they are of."""
    if not len(offsets):
        if size:
            raise _contradiction(path, 0, "an offset for each document", "none")
        return
    if offsets[0] != 0:
        raise _contradiction(path, 0, "the first document at 0", offsets[0])
    if (wrong := np.flatnonzero(offsets[1:] <= offsets[:-1])).size:
        raise _contradiction(path, (int(wrong[0]) + 1) * 8, "ascending offsets", offsets[wrong[0] + 1])
    if int(offsets[-1]) >= size:
        raise _contradiction(path, (len(offsets) - 1) * 8, f"an offset below {size:,}", offsets[-1])


def _shown_dtype(as_bytes: NDArray[np.uint8], offsets: NDArray[np.uint64], path: Path) -> str:
    """The width of the separators: all their bits are set, and no token can be one, so the first document shows it."""
    if not len(offsets):
        return "u8"
    end = int(offsets[1]) if len(offsets) > 1 else len(as_bytes)
    beginning = as_bytes[: min(end, 4)].tolist()
    length = next((place for place, byte in enumerate(beginning) if byte != 0xFF), len(beginning))
    if length == 0:
        raise _contradiction(path, 0, "a separator of documents, whose bytes are 255", beginning[0])
    return "u8" if length == 1 else "u32" if length == 4 else "u16"


def _reader(shard: _Shard, is_reversed: bool) -> Any:
    return lambda counter: _documents(shard, is_reversed, counter)


def _documents(shard: _Shard, is_reversed: bool, counter: Counter) -> Iterator[Record | Reject]:
    tokens = shard.tokens
    width, separator = tokens.dtype.itemsize, np.iinfo(tokens.dtype).max
    bounds = [int(offset) // width for offset in shard.offsets] + [len(tokens)]
    for number, begin in enumerate(bounds[:-1]):
        document = np.array(tokens[begin : bounds[number + 1]])
        counter.num_bytes += document.nbytes
        if (strange := np.flatnonzero(document == separator)).tolist() != [0]:
            place = int(strange[1]) if len(strange) > 1 else 0
            found = "one more" if len(strange) > 1 else document[0]
            expected = f"one separator ({separator}), at the beginning of document {number}"
            raise _contradiction(shard.tokens_path, (begin + place) * width, expected, found)
        ids = document[1:].astype(np.uint32)
        metadata, source, line = _record(shard, number)
        yield Record(None, ids[::-1].copy() if is_reversed else ids, metadata, source, line)


def _record(shard: _Shard, number: int) -> tuple[Metadata, str | None, int | None]:
    """A document's fields and where it came from. What no version of infini-gram writes is kept as one field."""
    if shard.records is None or shard.record_offsets is None:
        return {}, None, None
    offsets = shard.record_offsets
    end = int(offsets[number + 1]) if number + 1 < len(offsets) else len(shard.records)
    raw = shard.records[int(offsets[number]) : end].tobytes()
    try:
        text = raw.decode().removesuffix("\n")
        record = json.loads(text)
    except UnicodeDecodeError as error:
        place = int(offsets[number]) + error.start
        raise _contradiction(shard.tokens_path.with_name("metadata"), place, "UTF-8", raw[error.start]) from None
    except ValueError:
        record = text
    if not isinstance(record, dict):
        return {"metadata": record}, None, None
    fields, path, line = record.get("metadata"), record.get("path"), record.get("linenum")
    if set(record) != {"path", "linenum", "metadata"} or not isinstance(fields, dict) or not isinstance(path, str):
        return record, None, None
    if isinstance(line, bool) or not isinstance(line, int):
        return record, None, None
    return fields, path or None, line + 1 if path else None


def _contradiction(path: Path, offset: int, expected: object, found: object) -> IndexFormatError:
    message = (
        f"{path}, byte {offset}: expected {expected}, found {found}: the index is damaged, or of another token_dtype"
    )
    return IndexFormatError(message, str(path), offset)
