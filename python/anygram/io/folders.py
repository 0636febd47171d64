"""From what a user names (files, folders, patterns) to files, in an order that is the same everywhere."""

from __future__ import annotations

import glob
import os
from pathlib import Path

from anygram.errors import InputError
from anygram.io.datasets import dataset_files
from anygram.io.remote import expand_url, is_url, name_in
from anygram.io.streams import STDIN

#: The files that can be read, by how their names end.
TEXT_SUFFIXES = (".txt",)
JSONL_SUFFIXES = (".jsonl", ".json")
ARRAY_SUFFIXES = (".npy", ".bin", ".ds")
PARQUET_SUFFIXES = (".parquet", ".pq")
TABLE_SUFFIXES = (*PARQUET_SUFFIXES, ".arrow", ".arrows", ".feather", ".ipc")
COMPRESSED_SUFFIXES = (".gz", ".zst")

KNOWN_SUFFIXES = (
    ".txt, .jsonl and .json (one object a line), each also as .gz and .zst; .parquet, .arrow and .feather; "
    ".npy, .bin and .ds (token ids); folders of save_to_disk; "
    "'-' is text from standard input"
)


def suffix_of(path: str) -> str | None:
    """What a file is, by its name: one of the suffixes above without the compression; None if unknown."""
    name = name_in(path).lower()
    for compressed in COMPRESSED_SUFFIXES:
        if name.endswith(compressed):
            stem = name.removesuffix(compressed)
            return next((suffix for suffix in TEXT_SUFFIXES + JSONL_SUFFIXES if stem.endswith(suffix)), None)
    known = TEXT_SUFFIXES + JSONL_SUFFIXES + ARRAY_SUFFIXES + TABLE_SUFFIXES
    return next((suffix for suffix in known if name.endswith(suffix)), None)


def expand(name: str) -> list[str]:
    """The files that one input names.

    A folder is all readable files in it and below, hidden ones left out; a pattern (`*`, `?`, `[`, `**`) is what it
    matches. Both are ordered by name, folder by folder. A folder that `save_to_disk` wrote is its files, in its order.
    Behind URLs it is the same, but that a folder there is nothing more than the files in it.

    Raises:
        InputError: there is no such file, nothing matches, or the suffix of a file is unknown.
    """
    if name == STDIN:
        return [name]
    if is_url(name):
        return _behind_url(name)
    if os.path.isdir(name):
        return _in_folder(name)
    if os.path.lexists(name):
        return [_known(_data_of(name))]
    if os.path.isfile(f"{name}.bin") and os.path.isfile(f"{name}.idx"):  # how Megatron names its corpora
        return [f"{name}.bin"]
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


def _behind_url(url: str) -> list[str]:
    files = expand_url(url)
    if files is None:
        return [_known(_data_of(url))]
    if glob.has_magic(url):
        return [_known(_data_of(file)) for file in files]
    known = [file for file in files if suffix_of(file) is not None and "/." not in file.partition("://")[2]]
    if not known:
        raise InputError(f"no file in this folder can be read; known are {KNOWN_SUFFIXES}", url)
    return known


def _data_of(path: str) -> str:
    """The file with the ids, if one is named that says where they are cut."""
    if path.endswith(".idx"):
        return path.removesuffix(".idx") + ".bin"
    return path.removesuffix(".index") if path.endswith(".ds.index") else path


def _known(path: str) -> str:
    if suffix_of(path) is None:
        raise InputError(f"unknown suffix; known are {KNOWN_SUFFIXES}", path)
    return path


def _in_folder(folder: str) -> list[str]:
    files: list[str] = []
    order: dict[str, tuple[tuple[str, ...], int]] = {}
    for root, folders, names in os.walk(folder):
        dataset = dataset_files(root)
        if dataset is not None:
            files += dataset
            order.update((path, (_order(root), number)) for number, path in enumerate(dataset))
            folders.clear()
            continue
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = (os.path.join(root, name) for name in names if not name.startswith("."))
        files += [path for path in paths if suffix_of(path) is not None]
    if not files:
        raise InputError(f"no file in this folder can be read; known are {KNOWN_SUFFIXES}", folder)
    return sorted(files, key=lambda path: order.get(path, (_order(path), 0)))


def _order(path: str) -> tuple[str, ...]:
    return Path(path).parts
