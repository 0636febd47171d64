"""Other projects' files, written: infini-gram's shards, and the table that tokengrams has of a file of tokens."""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal, Self, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from anygram import _core
from anygram.build import disk_full
from anygram.errors import IndexExistsError, InputError
from anygram.machine import memory_in_use
from anygram.manifest import sync_folder
from anygram.types import Int64Array, TokenArray

TokenDtype: TypeAlias = Literal["u8", "u16", "u32"]

_TOKEN_BYTES: dict[str, int] = {"u8": 1, "u16": 2, "u32": 4}

#: What the files of one shard of infini-gram are called, before the point and its number.
INFINI_GRAM_FILES = ("tokenized", "table", "offset", "metadata", "metaoff", "unigram")


def token_bytes(token_dtype: str) -> int:
    """Bytes of one token."""
    if token_dtype not in _TOKEN_BYTES:
        raise InputError(f"token_dtype is one of {', '.join(get_args(TokenDtype))}, found {token_dtype!r}")
    return _TOKEN_BYTES[token_dtype]


def narrowest_dtype(vocab_size: int) -> TokenDtype:
    """The narrowest in which no token of a vocabulary is the separator of documents."""
    return "u8" if vocab_size <= 0xFF else "u16" if vocab_size <= 0xFFFF else "u32"


class InfiniGramShard:
    """Writes one shard of infini-gram's versions 4 and 5: documents are added, then `finish` sorts.

    Its files lie in `folder` and are whole only when `finish` returned. A context manager, which closes them.

    Args:
        folder: where.
        name: what is behind the point in the files' names.
        token_dtype: how wide a token is.
        is_reversed: documents are written from their last token to the first: version 5.
        metadata: there are records, a line for each document.
        unigrams: how often each token occurs is written too.
    """

    def __init__(
        self, folder: Path, name: str, token_dtype: str, *, is_reversed: bool, metadata: bool, unigrams: bool
    ) -> None:
        self._paths = {kind: folder / f"{kind}.{name}" for kind in INFINI_GRAM_FILES}
        self._token_bytes = token_bytes(token_dtype)
        self._unigrams = unigrams
        self._tokens = _core.InfiniGramTokens(
            str(self._paths["tokenized"]), str(self._paths["offset"]), self._token_bytes, is_reversed
        )
        self._files = ExitStack()
        self._records: IO[bytes] | None = None
        self._offsets: IO[bytes] | None = None
        if metadata:
            self._records = self._files.enter_context(self._paths["metadata"].open("wb"))
            self._offsets = self._files.enter_context(self._paths["metaoff"].open("wb"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._files.close()

    @property
    def num_tokens(self) -> int:
        """Tokens so far; separators are counted."""
        return self._tokens.num_tokens

    def add(self, tokens: TokenArray, lengths: Int64Array, records: Iterable[Mapping[str, object]] | None) -> None:
        """Adds documents.

        Args:
            tokens: of all of them, one after another.
            lengths: how many each has.
            records: what is written of each beside, as one line of JSON; None if the shard has no metadata.

        Raises:
            InputError: a token is the separator, or does not fit.
        """
        self._tokens.append(tokens, lengths)
        if self._records is None or self._offsets is None:
            return
        assert records is not None
        for record in records:
            self._offsets.write(self._records.tell().to_bytes(8, "little"))
            self._records.write(json.dumps(record).encode() + b"\n")

    def finish(self, *, threads: int, memory: int, sync: bool = True, progress: _core._Progress = None) -> None:
        """Sorts; the shard is whole when this returns.

        Args:
            threads: CPUs to use.
            memory: bytes that the process may use, with all that it holds already.
            sync: whether all is on the disk when this returns.
            progress: called with tokens done and all of them.

        Raises:
            LimitError: `memory` is not enough, or there are 2^32 tokens or more.
            DiskFullError: the disk has too little room.
        """
        self._tokens.close(sync)
        for file in (self._records, self._offsets):
            if file is not None:
                file.flush()
                if sync:
                    os.fsync(file.fileno())
        self._files.close()
        num_bytes = self.num_tokens * self._token_bytes
        needed = self.num_tokens * _pointer_bytes(num_bytes)
        if needed > shutil.disk_usage(self._paths["table"].parent).free:
            raise disk_full(self._paths["table"].parent, needed)
        counts = write_table(
            self._paths["tokenized"],
            self._paths["table"],
            "infini-gram",
            self._token_bytes,
            threads=threads,
            memory=memory,
            sync=sync,
            progress=progress,
        )
        if self._unigrams:
            with self._paths["unigram"].open("wb") as unigrams:
                unigrams.writelines(b"%d %d\n" % pair for pair in counts)
                unigrams.flush()
                if sync:
                    os.fsync(unigrams.fileno())


def _pointer_bytes(num_bytes: int) -> int:
    return max(1, -(-(num_bytes - 1).bit_length() // 8))


def write_table(
    tokens: Path,
    table: Path,
    table_format: Literal["infini-gram", "tokengrams"],
    token_bytes: int,
    *,
    threads: int,
    memory: int,
    sync: bool = True,
    progress: _core._Progress = None,
) -> list[tuple[int, int]]:
    """Writes the order of all suffixes of a file of tokens, as infini-gram or tokengrams has it.

    Args:
        tokens: little-endian ids, one after another.
        table: the file to make, or to replace.
        table_format: whose order it is, and whose offsets.
        token_bytes: 1, 2 or 4.
        threads: CPUs to use.
        memory: bytes that the process may use, with all that it holds already.
        sync: whether the table is on the disk when this returns.
        progress: called with tokens done and all of them.

    Returns:
        Each token that occurs, ascending, and how often.

    Raises:
        InputError: the file does not hold whole tokens.
        LimitError: `memory` is not enough, or there are 2^32 tokens or more.
    """
    return _core.write_suffix_table(
        str(tokens),
        str(table),
        table_format=table_format,
        token_bytes=token_bytes,
        threads=threads,
        memory=max(1, memory - memory_in_use()),
        sync=sync,
        progress=progress,
    )


@contextmanager
def new_folder(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """A folder to write infini-gram's files in, which becomes `path` when all went well, and is removed otherwise.

    Raises:
        IndexExistsError: `path` is taken: it is replaced with `overwrite` only, and only if it has nothing else.
    """
    _check_free(path, overwrite)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent, ignore_cleanup_errors=True) as place:
        partial = Path(place) / "new"
        partial.mkdir()
        yield partial
        sync_folder(partial)
        if path.exists():
            path.rename(Path(place) / "old")
        partial.rename(path)
        sync_folder(path.parent)


def _check_free(path: Path, overwrite: bool) -> None:
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    if not path.is_dir():
        raise IndexExistsError(errno.EEXIST, "a file is there; choose another name for the index", str(path))
    if not overwrite:
        message = "the folder is taken; overwrite it (overwrite=True, --overwrite) or choose another"
        raise IndexExistsError(errno.EEXIST, message, str(path))
    strange = sorted(file.name for file in path.iterdir() if not file.name.startswith(INFINI_GRAM_FILES))
    if strange:
        message = f"the folder holds what is not infini-gram's ({strange[0]}): choose an empty or a new one"
        raise IndexExistsError(errno.EEXIST, message, str(path))


def joined(documents: Sequence[NDArray[np.integer[Any]]]) -> tuple[TokenArray, Int64Array]:
    """Documents as `InfiniGramShard.add` takes them: their tokens one after another, and how many each has."""
    lengths = np.fromiter(map(len, documents), np.int64, len(documents))
    tokens = np.concatenate(documents) if documents else np.empty(0, np.int64)
    return tokens.astype(np.uint32), lengths
