"""The files of infini-gram's index directories: which there are, and which belong together."""

from __future__ import annotations

import json
import mmap
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
        self._path, self._offsets = str(path), str(offsets)
        size = offsets.stat().st_size
        if size != 8 * num_documents:
            raise TruncatedIndexError(
                f"{offsets}: expected {num_documents} offsets of 8 bytes, found {size} bytes", str(offsets)
            )
        self._starts = np.memmap(offsets, "<u8", mode="r") if size else np.zeros(0, "<u8")
        with path.open("rb") as file:
            self._size = path.stat().st_size
            self._text: mmap.mmap | bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if self._size else b""
        if num_documents:
            self[num_documents - 1]
            if not bytes(self._text[-1:]).endswith(b"\n"):
                raise TruncatedIndexError(
                    f"{path}: expected a line end at its end, found none: copy it again", str(path)
                )

    def __getitem__(self, document: int) -> str:
        """The line, with its line end.

        Raises:
            IndexFormatError: there is not one line between its offset and the next.
        """
        begin = int(self._starts[document])
        end = int(self._starts[document + 1]) if document + 1 < len(self._starts) else self._size
        if not begin < end <= self._size:
            raise IndexFormatError(
                f"{self._offsets}: expected a line of document {document} within {self._size} bytes, found "
                f"[{begin}, {end}): copy it again",
                self._offsets,
                8 * document,
            )
        line = bytes(self._text[begin:end])
        try:
            if line.find(b"\n") == len(line) - 1:
                return line.decode()
        except UnicodeDecodeError:
            pass
        raise IndexFormatError(
            f"{self._path}: expected one line for document {document}: copy it again", self._path, begin
        )

    def record(self, document: int) -> dict[str, Any]:
        """What the line holds.

        Raises:
            IndexFormatError: it is no JSON object.
        """
        try:
            record = json.loads(self[document])
        except ValueError:
            record = None
        if not isinstance(record, dict):
            place = int(self._starts[document])
            raise IndexFormatError(f"{self._path}: expected a JSON object of document {document}", self._path, place)
        return record


def is_infini_gram(folder: Path) -> bool:
    """Whether a folder holds such files, by their names; or directories of one shard each (v6)."""
    return _has_tokens(folder) or bool(_version_6_folders(folder))


def find_shards(folders: Sequence[Path]) -> list[tuple[Path, ShardFiles]]:
    """The shards of several directories, each with its own; a directory may hold others of one shard each (v6)."""
    found = []
    for folder in folders:
        inner = [] if _has_tokens(folder) else _version_6_folders(folder)
        found += [(one, files) for one in inner or [folder] for files in list_shards(one)]
    return found


def _has_tokens(folder: Path) -> bool:
    return folder.is_dir() and any(path.name.split(".")[0] == "tokenized" for path in folder.iterdir())


def _version_6_folders(folder: Path) -> list[Path]:
    return sorted(path.parent for path in folder.glob("*/tokenized"))
