"""An index in another project's files."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from anygram.build import Progress, named_errors
from anygram.foreign_files import InfiniGramShard, joined, narrowest_dtype, new_folder, token_bytes
from anygram.index import Index
from anygram.types import Int64Array

_BATCH_TOKENS = 1 << 20
_BATCH_DOCUMENTS = 1 << 14


def write_infini_gram(
    index: Index,
    destination: Path,
    *,
    token_dtype: str | None,
    shards: int | None,
    is_reversed: bool,
    unigrams: bool,
    threads: int,
    memory: int,
    overwrite: bool,
    progress: Progress | None,
) -> str:
    """Writes an index's documents as infini-gram's version 4, or 5 if reversed; arguments as in `convert`.

    Returns:
        The token_dtype.
    """
    dtype = narrowest_dtype(index.vocab_size) if token_dtype is None else token_dtype
    token_bytes(dtype)
    cutter = _Cutter(index, shards)
    digits = len(str(cutter.num_shards - 1))  # so that the files' order by name is that of the documents
    metadata = any(reader is not None for reader in index._metadata)
    total, done = index.num_tokens + index.num_documents, 0
    with named_errors(destination), new_folder(destination, overwrite=overwrite) as folder:
        for number, batches in groupby(_batches(index, cutter, metadata), lambda batch: batch.shard):
            name = f"{number:0{digits}}"
            with InfiniGramShard(
                folder, name, dtype, is_reversed=is_reversed, metadata=metadata, unigrams=unigrams
            ) as shard:
                for batch in batches:
                    shard.add(*joined(batch.documents), batch.records)
                    if progress is not None:
                        progress("writing", done + shard.num_tokens, total)
                shard.finish(threads=threads, memory=memory, progress=_sorting(progress, done, total))
                done += shard.num_tokens
    return dtype


def _sorting(progress: Progress | None, before: int, total: int) -> Callable[[int, int], None] | None:
    if progress is None:
        return None
    return lambda done, _: progress("sorting", before + done, total)


class _Batch(NamedTuple):
    """Consecutive documents of one shard, and the line that infini-gram has of each."""

    shard: int
    documents: list[Int64Array]
    records: list[dict[str, object]] | None


def _batches(index: Index, cutter: _Cutter, metadata: bool) -> Iterator[_Batch]:
    batch = _Batch(0, [], [] if metadata else None)
    size = 0
    for number in range(index.num_documents):
        tokens = index._document_tokens(number, 0, 2**63)
        shard = cutter.shard_of(number, len(tokens))
        if shard != batch.shard or size >= _BATCH_TOKENS or len(batch.documents) >= _BATCH_DOCUMENTS:
            yield batch
            batch, size = _Batch(shard, [], [] if metadata else None), 0
        batch.documents.append(tokens)
        if batch.records is not None:
            batch.records.append(_record(index, number))
        size += len(tokens)
    yield batch


def _record(index: Index, number: int) -> dict[str, object]:
    """Where a document came from, and its fields; its place in the index if it came from nowhere."""
    shard, local = index._core.shard_of(number)
    reader = index._metadata[shard]
    if reader is None:
        return {"path": "", "linenum": number, "metadata": {}}
    source, line = reader.source(local), reader.line(local)
    linenum = line - 1 if line is not None else 0 if source is not None else number
    return {"path": source or "", "linenum": linenum, "metadata": reader[local]}


class _Cutter:
    """Which documents go into which shard: as they do in the index, or runs of nearly equal tokens."""

    def __init__(self, index: Index, shards: int | None) -> None:
        self._firsts = [shard.first_document for shard in index.shards] if shards is None else None
        self.num_shards = len(self._firsts) if self._firsts is not None else min(shards or 1, index.num_documents)
        self._num_documents = index.num_documents
        self._total = index.num_tokens + index.num_documents
        self._written = 0
        self._shard = 0

    def shard_of(self, number: int, length: int) -> int:
        """The shard of each document, asked for in their order."""
        if self._firsts is not None:
            return bisect_right(self._firsts, number) - 1
        shards_after = self.num_shards - 1 - self._shard
        is_full = self._written >= self._total * (self._shard + 1) // self.num_shards
        if number > 0 and shards_after and (is_full or self._num_documents - number <= shards_after):
            self._shard += 1
        self._written += length + 1
        return self._shard
