"""An index in infini-gram's files, where they lie."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from anygram import _core
from anygram.errors import IncompatibleIndexesError, IndexFormatError, InvalidQueryError
from anygram.index import Index, LoadMode, OpenedPart
from anygram.infini_gram_files import TOKEN_WIDTHS, MetadataLines, ShardFiles, find_shards
from anygram.manifest import Manifest, ShardEntry
from anygram.results import Document
from anygram.shard import InfiniGramShard, Shard
from anygram.types import Int64Array, Tokenizer


class InfiniGramIndex(Index):
    """An index in infini-gram's files: its shards know more of them."""

    def __init__(
        self,
        parts: Sequence[OpenedPart],
        found: Sequence[tuple[Path, ShardFiles]],
        *,
        token_dtype: str,
        backwards: bool,
        **options: Any,
    ) -> None:
        super().__init__(parts, **options)
        self._token_dtype = token_dtype
        self._backwards = backwards
        self._folders = [str(folder) for folder, _ in found]
        self._lines = [
            _metadata_lines(files, shard.num_documents) for (_, files), shard in zip(found, self._shards, strict=True)
        ]

    def _shard(self, number: int, first_document: int) -> Shard:
        shard = self._shards[number]
        return InfiniGramShard(shard, first_document, self._folders[number], self._lines[number])  # type: ignore[arg-type]  # they all are

    def kneser_ney(self, order: int, **options: Any) -> Any:  # noqa: ARG002  # as it is there
        """Raises InvalidQueryError: their order is by bytes, which is not that of a scan."""
        raise InvalidQueryError(
            "Kneser-Ney scans an index in order, and infini-gram's files have another: make an index of them (convert)"
        )

    def _document(self, number: int, tokens: Int64Array) -> Document:
        shard, local = self._core.shard_of(number)
        lines = self._lines[shard]
        record = {} if lines is None else lines.record(local)
        return Document(
            number=number,
            tokens=tokens,
            metadata=record.get("metadata", {}),
            source=record.get("path"),
            id=str(number),
            decode=self._decode,
        )

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Self:  # noqa: ARG002  # as it is there
        """Raises InvalidQueryError: these files are copied."""
        raise InvalidQueryError(f"an index in infini-gram's files is copied as they are, not saved to {path}")

    def __reduce__(self) -> tuple[object, ...]:
        paths = [str(path) for path in self._paths or ()]
        files = self._token_dtype, self._backwards, self._load, self._threads, self._given_tokenizer
        return _reopen, (paths, self.id, *files)


def _reopen(paths: list[str], name: str, *options: Any) -> Index:
    index = open_infini_gram([Path(path) for path in paths], *options)
    if index.id != name:
        raise IncompatibleIndexesError(f"the index at {', '.join(paths)} is not the one that was pickled")
    return index


def _metadata_lines(files: ShardFiles, num_documents: int) -> MetadataLines | None:
    if files.metadata is None or files.metadata_offsets is None:
        return None
    return MetadataLines(files.metadata, files.metadata_offsets, num_documents)


def open_infini_gram(
    folders: list[Path],
    token_dtype: str | None,
    backwards: bool,
    load: LoadMode,
    threads: int | None,
    given: Tokenizer | None,
) -> Index:
    """Opens directories of infini-gram as one index; the arguments are those of `anygram.open`.

    Raises:
        InvalidQueryError: the type of the tokens is unknown, or cannot be proved.
        IndexFormatError: the files are damaged, or of another type.
    """
    if token_dtype is not None and token_dtype not in TOKEN_WIDTHS:
        raise InvalidQueryError(
            f"token_dtype is one of {', '.join(TOKEN_WIDTHS)} for infini-gram's files, not {token_dtype!r}"
        )
    found = find_shards(folders)
    if token_dtype is None:
        token_dtype = _proved_dtype([files for _, files in found], backwards)
    width = TOKEN_WIDTHS[token_dtype]
    shards: list[_core.Shard] = [_open_shard(files, width, backwards, in_memory=load == "ram") for _, files in found]
    entries = [ShardEntry(shard.path, shard.num_tokens, shard.num_documents, 0) for shard in shards]
    manifest = Manifest(
        generation=0,
        num_tokens=sum(entry.num_tokens for entry in entries),
        num_documents=sum(entry.num_documents for entry in entries),
        vocab_size=(1 << 8 * width) - 1,
        token_width=width,
        profile="infini-gram",
        tokenizer=None,
        shards=tuple(entries),
    )
    files: dict[str, Any] = {"token_dtype": token_dtype, "backwards": backwards}
    options: dict[str, Any] = {"paths": folders, "load": load, "threads": threads, "given_tokenizer": given}
    return InfiniGramIndex([OpenedPart(manifest, given, shards)], found, **files, **options)


def _open_shard(files: ShardFiles, width: int, backwards: bool, *, in_memory: bool = False) -> _core.InfiniGramShard:
    return _core.open_infini_gram_shard(
        tokens=str(files.tokens),
        table=str(files.table),
        offsets=str(files.offsets),
        token_width=width,
        backwards=backwards,
        in_memory=in_memory,
    )


def _proved_dtype(shards: Sequence[ShardFiles], backwards: bool) -> str:
    """The one type of tokens with which all files fit each other."""
    fitting, failures = [], []
    for name, width in TOKEN_WIDTHS.items():
        try:
            for files in shards:
                _open_shard(files, width, backwards)
            fitting.append(name)
        except IndexFormatError as error:
            failures.append(error)
    if not fitting:
        raise failures[1]  # of "u16", the usual one
    if len(fitting) > 1:
        raise InvalidQueryError(f"the files fit token_dtype {' and '.join(fitting)}: say which it is (token_dtype=...)")
    return fitting[0]
