"""An index in tokengrams' pairs of files, where they lie."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self, TypeAlias

from anygram import _core
from anygram.errors import IncompatibleIndexesError, IndexFormatError, InvalidQueryError
from anygram.index import Index, LoadMode, OpenedPart
from anygram.manifest import Manifest, ShardEntry
from anygram.shard import Shard
from anygram.types import Tokenizer

_WIDTHS = {"u16": 2, "u32": 4}
_POSITION_BYTES = 8

#: The files of one shard: its tokens, and the order of their suffixes.
Pair: TypeAlias = tuple[Path, Path]


class TokengramsIndex(Index):
    """An index in tokengrams' files: each pair is one shard, of one document."""

    def __init__(self, parts: Sequence[OpenedPart], pairs: Sequence[Pair], token_dtype: str, **options: Any) -> None:
        super().__init__(parts, **options)
        self._pairs = list(pairs)
        self._token_dtype = token_dtype

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Self:  # noqa: ARG002  # as it is there
        """Raises InvalidQueryError: these files are copied."""
        raise InvalidQueryError(f"an index in tokengrams' files is copied as they are, not saved to {path}")

    def __reduce__(self) -> tuple[object, ...]:
        pairs = [(str(tokens), str(table)) for tokens, table in self._pairs]
        return _reopen, (pairs, self.id, self._token_dtype, self._load, self._threads, self._given_tokenizer)


def _reopen(pairs: list[tuple[str, str]], name: str, *options: Any) -> Index:
    index = open_tokengrams([pair_of(pair) for pair in pairs], *options)
    if index.id != name:
        raise IncompatibleIndexesError(f"the index at {', '.join(dict(pairs))} is not the one that was pickled")
    return index


def pair_of(path: object) -> Pair:
    """The two files that `anygram.open` was told of: both, or the tokens', with the other of the same stem beside it.

    Raises:
        InvalidQueryError: it is neither.
    """
    try:
        if isinstance(path, tuple):
            tokens, table = (Path(one).absolute() for one in path)
        else:
            tokens = Path(path).absolute()  # type: ignore[arg-type]  # what it refuses is refused below
            table = tokens.with_suffix(".idx")
    except (TypeError, ValueError):
        raise InvalidQueryError(
            f"expected a path or a pair of paths of tokengrams' files, found {path!r:.80}"
        ) from None
    if tokens == table:
        raise InvalidQueryError(f"{table} holds no tokens: give the other file, or pairs [(tokens, table), ...]")
    return tokens, table


def is_tokengrams(path: object) -> bool:
    """Whether it is a pair of files; or one named .bin, and the .idx beside it has a position for each token of it."""
    if isinstance(path, tuple):
        return True
    if not isinstance(path, str | os.PathLike) or Path(path).suffix != ".bin":
        return False
    tokens, table = pair_of(path)
    if not (tokens.is_file() and table.is_file()):
        return False
    positions, rest = divmod(table.stat().st_size, _POSITION_BYTES)
    return rest == 0 and any(positions * width == tokens.stat().st_size for width in _WIDTHS.values())


def open_tokengrams(
    pairs: Sequence[Pair], token_dtype: str | None, load: LoadMode, threads: int | None, given: Tokenizer | None
) -> Index:
    """Opens pairs of tokengrams' files as one index; the arguments are those of `anygram.open`.

    Raises:
        InvalidQueryError: the type of the tokens is unknown, or cannot be proved.
        IndexFormatError: the files are damaged, do not belong together, or are of another type.
    """
    if token_dtype is not None and token_dtype not in _WIDTHS:
        raise InvalidQueryError(f"token_dtype is {' or '.join(_WIDTHS)} for tokengrams' files, not {token_dtype!r}")
    if token_dtype is None:
        token_dtype = _proved_dtype(pairs)
    width = _WIDTHS[token_dtype]
    shards = [_open_shard(pair, width, in_memory=load == "ram") for pair in pairs]
    entries = tuple(ShardEntry(shard.path, shard.num_tokens, shard.num_documents, 0) for shard in shards)
    manifest = Manifest(
        generation=0,
        num_tokens=sum(entry.num_tokens for entry in entries),
        num_documents=len(entries),
        vocab_size=min(1 << 8 * width, (1 << 32) - 1),
        token_width=width,
        profile="tokengrams",
        tokenizer=None,
        shards=entries,
    )
    options: dict[str, Any] = {"load": load, "threads": threads, "given_tokenizer": given}
    paths = [tokens for tokens, _ in pairs]
    return TokengramsIndex([OpenedPart(manifest, given, shards)], pairs, token_dtype, paths=paths, **options)


def open_shard(tokens: str | os.PathLike[str], table: str | os.PathLike[str], token_bytes: int) -> Shard:
    """One pair of files, mapped.

    Raises:
        IndexFormatError: the files are damaged, or do not belong together.
        LimitError: they hold 2^32 tokens or more.
    """
    return Shard(_open_shard((Path(tokens), Path(table)), token_bytes), 0)


def _open_shard(pair: Pair, width: int, *, in_memory: bool = False) -> _core.Shard:
    tokens, table = map(str, pair)
    return _core.open_tokengrams_shard(tokens=tokens, table=table, token_width=width, in_memory=in_memory)


def _proved_dtype(pairs: Sequence[Pair]) -> str:
    """The one type of tokens with which all files fit each other."""
    fitting, failures = [], []
    for name, width in _WIDTHS.items():
        try:
            for pair in pairs:
                _open_shard(pair, width)
            fitting.append(name)
        except IndexFormatError as error:
            failures.append(error)
    if not fitting:
        raise failures[0]  # of "u16", the usual one
    if len(fitting) > 1:  # there are no tokens
        raise InvalidQueryError(f"the files fit token_dtype {' and '.join(fitting)}: say which it is (token_dtype=...)")
    return fitting[0]
