"""Opening an index, or several as one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias, TypeVar

from anygram import _core
from anygram.arguments import optional_integer
from anygram.errors import IncompatibleIndexesError, IndexFormatError, IndexNotFoundError, InvalidQueryError
from anygram.index import Index, LoadMode, OpenedPart
from anygram.manifest import CURRENT, SHARDS, Manifest, ShardEntry, read_manifest, read_tokenizer
from anygram.types import Tokenizer

_Path: TypeAlias = str | os.PathLike[str]
_AnyIndex = TypeVar("_AnyIndex", bound=Index)


def open(  # noqa: A001  # anygram.open, as one says zipfile.open
    path: _Path | Sequence[_Path | tuple[_Path, _Path]],
    *,
    tokenizer: object = None,
    format: str | None = None,  # noqa: A002  # what it is everywhere
    token_dtype: str | None = None,
    reversed: bool | None = None,  # noqa: A002  # the files' own word
    load: LoadMode = "mmap",
    threads: int | None = None,
) -> Index:
    """Opens an index, or several as one. It takes milliseconds, however large they are.

    Args:
        path: the folder; or a list of folders, whose counts add up and whose documents are numbered in their order. Of
            tokengrams' files: that of the tokens, or a list of those, or of pairs (tokens, table).
        tokenizer: for an index without one: what `build` takes.
        format: "anygram"; or "infini-gram" for directories of infini-gram (v4, v5 and v6), or "tokengrams" for its
            pairs of files, which are read in place; None for what the files' names and sizes say.
        token_dtype: of infini-gram's: "u8", "u16" or "u32", of tokengrams' one of the last two; None for the one with
            which the files fit each other.
        reversed: of infini-gram's: whether documents run backwards (v5). The files do not tell; None is False.
        load: "mmap" reads from the files what a question needs; "ram" copies them into memory first.
        threads: how many of the process's CPUs to use; None for all.

    Raises:
        IndexNotFoundError: there is nothing.
        IndexFormatError: it is no index, or a damaged one.
        IncompleteBuildError: a build was stopped there.
        IncompatibleIndexesError: the indexes, or the given tokenizer, do not agree.
    """
    paths = [path] if isinstance(path, str | os.PathLike) else list(path)
    if not paths:
        raise IndexNotFoundError("no index to open: the list of paths is empty")
    if format not in (None, "anygram", "infini-gram", "tokengrams"):
        raise InvalidQueryError(f"format is 'anygram', 'infini-gram' or 'tokengrams', not {format!r}")
    is_own = format == "anygram" or (format is None and all(map(_is_own, paths)))
    if is_own and (token_dtype, reversed) == (None, None):
        return open_index(Index, [_folder(one) for one in paths], load, threads, _given(tokenizer))
    return _open_others(paths, format, token_dtype, reversed, load, threads, _given(tokenizer))


def _is_own(path: object) -> bool:
    return isinstance(path, str | os.PathLike) and (Path(path) / CURRENT).exists()


def _open_others(
    paths: Sequence[object],
    format: str | None,  # noqa: A002  # as in `open`
    token_dtype: str | None,
    reversed: bool | None,  # noqa: A002  # as in `open`
    load: LoadMode,
    threads: int | None,
    given: Tokenizer | None,
) -> Index:
    """Opens other projects' files; what reads them is imported only now."""
    from anygram.infini_gram_files import is_infini_gram
    from anygram.infini_gram_index import open_infini_gram
    from anygram.tokengrams_index import is_tokengrams, open_tokengrams, pair_of

    if format == "tokengrams" or (format is None and all(map(is_tokengrams, paths))):
        if reversed is not None:
            raise InvalidQueryError("reversed is for infini-gram's files, and these are tokengrams'")
        return open_tokengrams([pair_of(one) for one in paths], token_dtype, load, threads, given)
    folders = [_folder(one) for one in paths]
    if format == "infini-gram" or (format is None and all(map(is_infini_gram, folders))):
        return open_infini_gram(folders, token_dtype, bool(reversed), load, threads, given)
    if (token_dtype, reversed) != (None, None):
        raise InvalidQueryError(
            "token_dtype and reversed are for infini-gram's files, or tokengrams', and this is no such folder"
        )
    return open_index(Index, folders, load, threads, given)


def _folder(path: object) -> Path:
    if isinstance(path, str | os.PathLike):
        return Path(path).absolute()
    raise InvalidQueryError(f"expected the path of an index, found {path!r:.80}")


def _given(tokenizer: object) -> Tokenizer | None:
    if tokenizer is None:
        return None
    from anygram.tokenizers import open_tokenizer

    return open_tokenizer(tokenizer)


def open_index(
    kind: type[_AnyIndex], paths: list[Path], load: LoadMode, threads: int | None, given: Tokenizer | None
) -> _AnyIndex:
    """Opens anygram's own folders as one index; the arguments are those of `open`."""
    optional_integer(threads, "threads", 1)
    parts = [_open_part(path, load) for path in paths]
    tokenizers = [part.tokenizer for part in parts]
    hashes = {None if tokenizer is None else tokenizer.hash for tokenizer in tokenizers}
    if len(hashes) > 1:
        specs = ", ".join(tokenizer.spec if tokenizer else "none" for tokenizer in tokenizers)
        raise IncompatibleIndexesError(
            f"the indexes have different tokenizers ({specs}): their ids mean different things"
        )
    if given is not None and hashes not in ({None}, {given.hash}):
        raise IncompatibleIndexesError(
            f"the index has the tokenizer {tokenizers[0].spec if tokenizers[0] else None}, not {given.spec}: "
            "open it without the argument tokenizer"
        )
    return kind(parts, paths=paths, load=load, threads=threads, given_tokenizer=given)


def open_memory(folder: Path, threads: int | None) -> Index:
    """Opens an index that is about to lose its folder: its files stay mapped, and go with it."""
    part = _open_part(folder, "mmap")
    return Index([part], paths=None, load="mmap", threads=threads)


def _open_part(folder: Path, load: LoadMode) -> OpenedPart:
    manifest = read_manifest(folder)
    shards = [_core.open_shard(str(folder / SHARDS / entry.id), load) for entry in manifest.shards]
    for shard, entry in zip(shards, manifest.shards, strict=True):
        _check_shard(shard, entry, manifest)
    return OpenedPart(manifest, read_tokenizer(folder, manifest), shards)


def check_part(folder: Path, manifest: Manifest) -> None:
    """Refuses an index whose shards do not open, or are not those that its manifest names."""
    for entry in manifest.shards:
        _check_shard(_core.open_shard(str(folder / SHARDS / entry.id), "mmap"), entry, manifest)


def _check_shard(shard: _core.Shard, entry: ShardEntry, manifest: Manifest) -> None:
    """Refuses a shard that is whole, but not the one that the manifest names."""
    # The shards of a combined index may have smaller vocabularies; the checksum stands for those too.
    vocab_size = min(shard.vocab_size, manifest.vocab_size)
    expected = entry.num_tokens, entry.num_documents, vocab_size, entry.checksum
    found = shard.num_tokens, shard.num_documents, shard.vocab_size, _core.shard_checksum(shard.path)
    if expected != found:
        names = "tokens, documents, vocab_size, checksum"
        raise IndexFormatError(
            f"{shard.path}: expected a shard with {names} {expected}, found {found}: "
            "its files were swapped; restore them from a backup, or build the index again",
            shard.path,
        )


def reopen(paths: list[str], name: str, load: LoadMode, threads: int | None, tokenizer: Tokenizer | None) -> Index:
    """Opens what was pickled, and refuses what is another index by now."""
    index = open_index(Index, [Path(path) for path in paths], load, threads, tokenizer)
    if index.id != name:
        raise IncompatibleIndexesError(
            f"the index at {', '.join(paths)} is not the one that was pickled: expected {name}, found {index.id}"
        )
    return index
