"""From what a user names (files, folders, patterns) to files, in an order that is the same everywhere."""

from __future__ import annotations

import glob
import os
from pathlib import Path

from anygram.errors import InputError
from anygram.io.arrow import dataset_files
from anygram.io.records import RefusedError
from anygram.io.remote import expand_url, is_url
from anygram.io.streams import STDIN

#: The files that can be read, by how their names end.
TEXT_SUFFIXES = (".txt",)
JSONL_SUFFIXES = (".jsonl", ".json")
ARRAY_SUFFIXES = (".npy", ".bin")
PARQUET_SUFFIXES = (".parquet",)
ARROW_SUFFIXES = (".arrow", ".feather", ".ipc")
DATATROVE_SUFFIXES = (".ds",)
MEGATRON_SUFFIXES = (".idx",)
_PLAIN_SUFFIXES = ARRAY_SUFFIXES + PARQUET_SUFFIXES + ARROW_SUFFIXES + DATATROVE_SUFFIXES + MEGATRON_SUFFIXES
COMPRESSED_SUFFIXES = (".gz", ".zst")

KNOWN_SUFFIXES = (
    ".txt, .jsonl and .json (one object a line), each also as .gz and .zst; .parquet, .arrow, .feather and .ipc; token "
    "ids in .npy, .bin, .idx (beside a .bin) and .ds; '-' is text from standard input"
)


def suffix_of(path: str) -> str | None:
    """What a file is, by its name: one of the suffixes above without the compression; None if unknown."""
    name = path.lower()
    for compressed in COMPRESSED_SUFFIXES:
        if name.endswith(compressed):
            stem = name.removesuffix(compressed)
            return next((suffix for suffix in TEXT_SUFFIXES + JSONL_SUFFIXES if stem.endswith(suffix)), None)
    return next((s for s in TEXT_SUFFIXES + JSONL_SUFFIXES + _PLAIN_SUFFIXES if name.endswith(s)), None)


def expand(name: str) -> list[str]:
    """The files that one input names.

    A folder is all readable files in it and below, hidden ones left out, or the files of the data set that `datasets`
    saved there; a pattern (`*`, `?`, `[`, `**`) is what it matches. Both are ordered by name, folder by folder. URLs
    may name all of these.

    Raises:
        InputError: there is no such file, nothing matches, or the suffix of a file is unknown.
        MissingExtraError: what reads a URL is not installed.
    """
    if name == STDIN:
        return [name]
    if is_url(name):
        return _at_url(name)
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
    return _without_indexes(
        [file for path in matched for file in (_in_folder(path) if path in folders else [_known(path)])]
    )


def _at_url(name: str) -> list[str]:
    found, was_searched = expand_url(name)
    if not was_searched:
        return [_known(name)]
    known = [url for url in found if suffix_of(url) is not None]
    if not known:
        raise InputError(f"no file there can be read; known are {KNOWN_SUFFIXES}", name)
    return _without_indexes(known)


def _without_indexes(paths: list[str]) -> list[str]:
    """Of a .bin and the .idx beside it, the .bin alone."""
    present = set(paths)
    return [path for path in paths if not (path.endswith(".idx") and path.removesuffix(".idx") + ".bin" in present)]


def _known(path: str) -> str:
    if suffix_of(path) is None:
        raise InputError(f"unknown suffix; known are {KNOWN_SUFFIXES}", path)
    return path


def _in_folder(folder: str) -> list[str]:
    try:
        saved = dataset_files(folder)
    except RefusedError as error:
        raise InputError(str(error), folder) from None
    if saved is not None:
        return saved
    files = []
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = (os.path.join(root, name) for name in names if not name.startswith("."))
        files += [path for path in paths if suffix_of(path) is not None]
    if not files:
        raise InputError(f"no file in this folder can be read; known are {KNOWN_SUFFIXES}", folder)
    return _without_indexes(sorted(files, key=_order))


def _order(path: str) -> tuple[str, ...]:
    return Path(path).parts
