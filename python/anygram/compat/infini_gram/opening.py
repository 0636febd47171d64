"""Opening infini-gram's directories as its constructors do."""

from __future__ import annotations

import os
import sys
from typing import Any

import anygram
from anygram.compat.infini_gram.checks import is_integer
from anygram.compat.infini_gram.source import Source
from anygram.errors import UnsupportedVersionError
from anygram.shard import InfiniGramShard

WIDTHS = {"u8": 1, "u16": 2, "u32": 4}


def require(holds: bool, message: str) -> None:
    """Raises AssertionError, as infini-gram's constructor does; also where Python runs without assertions."""
    if not holds:
        raise AssertionError(message)


def as_list(index_dir: Any) -> list[str]:
    """A path, or a list of paths."""
    paths = [index_dir] if type(index_dir) is str else index_dir
    is_list = type(paths) is list and all(type(path) is str for path in paths)
    require(is_list, f"index_dir must be a str or a list of str, found {index_dir!r:.80}")
    return list(paths)


def check_options(eos_token_id: Any, vocab_size: Any, load_to_ram: Any, prefetch_depths: tuple[Any, Any, Any]) -> None:
    """Refuses what infini-gram refuses."""
    require(sys.byteorder == "little", "the files are little-endian, and so must the machine be")
    require(is_integer(eos_token_id, 0, vocab_size), "eos_token_id must be an int from 0 up and below vocab_size")
    require(type(load_to_ram) is bool, "load_to_ram must be a bool")
    tokens, table, offsets = prefetch_depths
    require(is_integer(tokens, 0), "ds_prefetch_depth must be an int from 0 up")
    require(is_integer(table, tokens), "sa_prefetch_depth must be an int from ds_prefetch_depth up")
    require(is_integer(offsets, 0), "od_prefetch_depth must be an int from 0 up")


def check_defaults(**defaults: object) -> None:
    """Each default of a query must be a positive int."""
    for name, value in defaults.items():
        require(is_integer(value, 1), f"{name} must be an int from 1 up")


def read_word_beginnings(path: str | os.PathLike[str] | None) -> frozenset[int]:
    """The ids of a file that has one on each line."""
    if path is None:
        return frozenset()
    with open(path, encoding="utf-8") as file:
        return frozenset(int(line) for line in file)


def open_source(paths: list[str], version: object, token_dtype: str, load_to_ram: bool) -> Source:
    """The directories as one index.

    Raises:
        ValueError: the token type is none of theirs.
        UnsupportedVersionError: the version is neither 4 nor 5.
        AnygramError: there is no index, or a damaged one: see `anygram.open`.
    """
    if token_dtype not in WIDTHS:
        raise ValueError(f"Unsupported token dtype: {token_dtype}")
    if version not in (4, 5):
        raise UnsupportedVersionError(
            f"version must be 4, or 5 for an index whose documents run backwards; found {version!r}. "
            "Directories that version 6 wrote are opened with 4, or with 5 if they were built with --reversed"
        )
    index = anygram.open(
        paths,
        format="infini-gram",
        token_dtype=token_dtype,
        reversed=version == 5,
        load="ram" if load_to_ram else "mmap",
    )
    shards = [shard for shard in index.shards if isinstance(shard, InfiniGramShard)]
    return Source(index, shards, width=WIDTHS[token_dtype], backwards=version == 5)
