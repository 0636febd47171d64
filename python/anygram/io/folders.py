"""From what a user names (files, folders, patterns) to files, in an order that is the same everywhere."""

from __future__ import annotations

import glob
import os
from pathlib import Path

from anygram.errors import InputError
from anygram.io.streams import STDIN

#: The files that can be read, by how their names end.
TEXT_SUFFIXES = (".txt",)
JSONL_SUFFIXES = (".jsonl", ".json")
ARRAY_SUFFIXES = (".npy", ".bin")
COMPRESSED_SUFFIXES = (".gz", ".zst")

KNOWN_SUFFIXES = (
    ".txt, .jsonl and .json (one object a line), each also as .gz and .zst; .npy and .bin (token ids); "
    "'-' is text from standard input"
)


def suffix_of(path: str) -> str | None:
    """What a file is, by its name: one of the suffixes above without the compression; None if unknown."""
    name = path.lower()
    for compressed in COMPRESSED_SUFFIXES:
        if name.endswith(compressed):
            stem = name.removesuffix(compressed)
            return next((suffix for suffix in TEXT_SUFFIXES + JSONL_SUFFIXES if stem.endswith(suffix)), None)
    return next((s for s in TEXT_SUFFIXES + JSONL_SUFFIXES + ARRAY_SUFFIXES if name.endswith(s)), None)


def expand(name: str) -> list[str]:
    """The files that one input names.

    A folder is all readable files in it and below, hidden ones left out; a pattern (`*`, `?`, `[`, `**`) is what it
    matches. Both are ordered by name, folder by folder.

    Raises:
        InputError: there is no such file, nothing matches, or the suffix of a file is unknown.
    """
    if name == STDIN:
        return [name]
    if os.path.isdir(name):
        return _in_folder(name)
    if os.path.lexists(name):
        return [_known(name)]
    if not glob.has_magic(name):
        raise InputError("no such file or folder", name)
    matched = sorted(glob.glob(name, recursive=True), key=_order)
    folders = [path for path in matched if os.path.isdir(path)]
    if "**" in name:  # already gives what is in the folders it gives
        folders = []
        matched = [path for path in matched if not os.path.isdir(path)]
    if not matched:
        raise InputError("no file matches", name)
    return [file for path in matched for file in (_in_folder(path) if path in folders else [_known(path)])]


def _known(path: str) -> str:
    if suffix_of(path) is None:
        raise InputError(f"unknown suffix; known are {KNOWN_SUFFIXES}", path)
    return path


def _in_folder(folder: str) -> list[str]:
    files = []
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = (os.path.join(root, name) for name in names if not name.startswith("."))
        files += [path for path in paths if suffix_of(path) is not None]
    if not files:
        raise InputError(f"no file in this folder can be read; known are {KNOWN_SUFFIXES}", folder)
    return sorted(files, key=_order)


def _order(path: str) -> tuple[str, ...]:
    return Path(path).parts
