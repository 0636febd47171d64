"""The files of infini-gram's index directories: which there are, and which belong together."""

from __future__ import annotations

import mmap
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from anygram.errors import IndexFormatError, IndexNotFoundError, TruncatedIndexError

#: Bytes of a token, by the name of its type.
TOKEN_WIDTHS = {"u8": 1, "u16": 2, "u32": 4}

_NAME = re.compile(r"(tokenized|table|offset|metadata|metaoff|unigram)(?:\.(\d+))?", re.ASCII)


@dataclass(frozen=True)
class ShardFiles:
    """The files of one shard.

    Attributes:
        tokens: the token stream.
        table: its suffix array.
        offsets: where the documents begin.
        metadata: a line of JSON for each document, or None.
        metadata_offsets: where these begin, or None.
    """

    tokens: Path
    table: Path
    offsets: Path
    metadata: Path | None
    metadata_offsets: Path | None


def list_shards(folder: Path) -> list[ShardFiles]:
    """The shards of a directory, in infini-gram's order, which is that of the files' names: 0, 1, 10, 11, 2, ...

    Raises:
        IndexNotFoundError: there is nothing.
        IndexFormatError: it is no such directory, or a shard lacks a file.
    """
    if not folder.exists():
        raise IndexNotFoundError(f"there is no index at {folder}: nothing is there")
    found: dict[str, dict[str, Path]] = {}
    for path in folder.iterdir() if folder.is_dir() else ():
        if match := _NAME.fullmatch(path.name):
            found.setdefault(match[2] or "", {})[match[1]] = path
    if not found:
        raise IndexFormatError(
            f"{folder} is no index of infini-gram: it has no file tokenized or tokenized.0", str(folder)
        )
    return [_shard(folder, number, found[number]) for number in sorted(found)]


def _shard(folder: Path, number: str, files: dict[str, Path]) -> ShardFiles:
    missing = [kind for kind in ("tokenized", "table", "offset") if kind not in files]
    missing += [kind for kind, other in (("metadata", "metaoff"), ("metaoff", "metadata")) if other in files]
    for kind in missing:
        if kind not in files:
            name = f"{kind}.{number}" if number else kind
            raise IndexFormatError(f"{folder}: the shard has no file {name}; copy it again", str(folder / name))
    return ShardFiles(files["tokenized"], files["table"], files["offset"], files.get("metadata"), files.get("metaoff"))


class MetadataLines:
    """The lines of a shard's metadata file, by document."""

    def __init__(self, path: Path, offsets: Path, num_documents: int) -> None:
        self._starts = np.memmap(offsets, "<u8", mode="r") if offsets.stat().st_size else np.zeros(0, "<u8")
        if len(self._starts) != num_documents or offsets.stat().st_size % 8:
            raise TruncatedIndexError(
                f"{offsets}: expected {num_documents} offsets of 8 bytes, found {offsets.stat().st_size} bytes",
                str(offsets),
            )
        with path.open("rb") as file:
            size = path.stat().st_size
            self._text: mmap.mmap | bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        self._size = size

    def __getitem__(self, document: int) -> str:
        """The line, with its line end."""
        end = int(self._starts[document + 1]) if document + 1 < len(self._starts) else self._size
        return self._text[int(self._starts[document]) : end].decode()


def find_shards(folders: Sequence[Path]) -> list[tuple[Path, ShardFiles]]:
    """The shards of several directories, each with its directory."""
    return [(folder, files) for folder in folders for files in list_shards(folder)]
