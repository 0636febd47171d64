"""tokengrams' four classes. Their methods' names, arguments and results are those of tokengrams 0.3."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray

from anygram.arguments import integer
from anygram.build import named_errors
from anygram.compat.tokengrams.table import Table, checked_query, read_array
from anygram.errors import InputError, InvalidQueryError
from anygram.foreign_files import write_table
from anygram.machine import available_cpus, available_memory
from anygram.types import token_array

_Path: TypeAlias = str | os.PathLike[str]
_Query: TypeAlias = Sequence[int] | NDArray[np.integer[Any]]


class _Questions:
    """What all four answer; over several shards, counts add up."""

    def __init__(self, tables: Sequence[Table], vocab: int) -> None:
        self._tables = list(tables)
        self._vocab = vocab

    def is_sorted(self) -> bool:
        """Whether every table has all suffixes, in order. Linear."""
        return all(table.is_sorted() for table in self._tables)

    def contains(self, query: _Query) -> bool:
        """Whether the query occurs.

        Raises:
            InvalidQueryError: an id is none, or does not fit the tokens' width.
        """
        return self.count(query) > 0

    def count(self, query: _Query) -> int:
        """How often the query occurs; of the empty one, the number of tokens.

        Raises:
            InvalidQueryError: as in `contains`.
        """
        ids = self._checked(query)
        return sum(end - begin for begin, end in (table.interval(ids) for table in self._tables))

    def count_next(self, query: _Query) -> list[int]:
        """How often each token follows the query: `vocab` numbers.

        Raises:
            InvalidQueryError: as in `contains`; also if a token that follows is not below `vocab`.
        """
        ids = self._checked(query)
        counts = np.zeros(self._vocab, np.int64)
        for table in self._tables:
            table.add_next(ids, counts)
        return counts.tolist()

    def batch_count_next(self, queries: Iterable[_Query]) -> list[list[int]]:
        """`count_next` of each."""
        return [self.count_next(query) for query in queries]

    def sample_unsmoothed(
        self, query: _Query, n: int, k: int, num_samples: int, *, seed: int | None = None
    ) -> list[list[int]]:
        """Texts that go on from the query for k tokens, each drawn by how often it follows the n - 1 before it.

        Args:
            query: what the texts begin with.
            n: the order; 1 draws by the tokens' own counts.
            k: tokens to draw.
            num_samples: texts to draw.
            seed: the same texts for the same seed, whatever the shards' number; None for others each time.

        Raises:
            InvalidQueryError: as in `contains`; also if nothing follows, or a number is too small.
        """
        prompt = self._checked(query)
        order, length = integer(n, "n", 1), integer(k, "k", 0)
        draw = np.random.default_rng(seed)
        texts = [list(prompt) for _ in range(integer(num_samples, "num_samples", 0))]
        for text in texts:
            for _ in range(length):
                text.append(self._drawn(text[max(0, len(text) - order + 1) :] if order > 1 else [], draw))
        return texts

    def _drawn(self, context: list[int], draw: np.random.Generator) -> int:
        """The token after an occurrence of the context, each as likely as any other."""
        intervals = [table.continued(context) for table in self._tables]
        sizes = [end - begin for begin, end in intervals]
        if not sum(sizes):
            raise InvalidQueryError(
                f"nothing follows the context {context}: it does not occur, or at the end only; give a smaller n, or "
                "another query"
            )
        chosen = int(draw.integers(sum(sizes)))
        for table, (begin, _), size in zip(self._tables, intervals, sizes, strict=True):
            if chosen < size:
                return int(table.following(np.array([begin + chosen]), len(context))[0])
            chosen -= size
        raise AssertionError  # one of the shards holds it

    def get_smoothed_probs(self, *_: object, **__: object) -> NoReturn:
        """Not offered: raises InvalidQueryError, which says what to use."""
        raise _no_smoothing("get_smoothed_probs")

    def batch_get_smoothed_probs(self, *_: object, **__: object) -> NoReturn:
        """Not offered: raises InvalidQueryError, which says what to use."""
        raise _no_smoothing("batch_get_smoothed_probs")

    def sample_smoothed(self, *_: object, **__: object) -> NoReturn:
        """Not offered: raises InvalidQueryError, which says what to use."""
        raise _no_smoothing("sample_smoothed")

    def estimate_deltas(self, *_: object, **__: object) -> NoReturn:
        """Not offered: raises InvalidQueryError, which says what to use."""
        raise _no_smoothing("estimate_deltas")

    def _checked(self, query: _Query) -> list[int]:
        return checked_query(query, _dtype(self._vocab))


class _Positions(_Questions):
    """What the classes of one shard answer besides."""

    def positions(self, query: _Query) -> list[int]:
        """Where the query begins, as offsets in tokens, in the order of the suffixes.

        Raises:
            InvalidQueryError: as in `contains`.
        """
        table = self._tables[0]
        begin, end = table.interval(self._checked(query))
        return table.positions[begin:end].tolist()  # type: ignore[no-any-return]  # numpy's types do not say


class InMemoryIndex(_Positions):
    """An index in memory.

    Args:
        tokens: the corpus.
        vocab: tokens are below this; up to 65,536 they take 2 bytes each, else 4.
        verbose: without effect.

    Raises:
        InputError: a token is none, or is not below `vocab`.
    """

    def __init__(self, tokens: _Query, vocab: int = 2**16, verbose: bool = False) -> None:  # noqa: ARG002  # theirs
        try:
            ids = token_array(tokens)
        except ValueError as error:
            raise InputError(str(error)) from None
        if len(ids) and int(ids.max()) >= _checked_vocab(vocab):
            raise InputError(f"the token {int(ids.max())} is not below vocab, {vocab}: give a larger vocab")
        super().__init__([_sorted(ids.astype(_dtype(vocab)))], vocab)

    @staticmethod
    def from_token_file(
        path: _Path,
        token_limit: int | None = None,
        vocab: int = 2**16,
        verbose: bool = False,  # noqa: ARG004  # theirs
    ) -> InMemoryIndex:
        """Indexes a file of little-endian tokens, or its first `token_limit`.

        Raises:
            IndexNotFoundError: there is no such file.
            TruncatedIndexError: it does not hold whole tokens.
        """
        tokens = read_array(path, _dtype(_checked_vocab(vocab)), ram=False)
        limit = len(tokens) if token_limit is None else integer(token_limit, "token_limit", 0)
        return _in_memory(_sorted(np.array(tokens[:limit])), vocab)

    @staticmethod
    def from_disk(token_path: _Path, index_path: _Path, vocab: int = 2**16) -> InMemoryIndex:
        """Reads an index that was saved.

        Raises:
            IndexNotFoundError: a file is missing.
            IndexFormatError: the files do not belong together, or are damaged.
        """
        return _in_memory(Table.open(token_path, index_path, _dtype(_checked_vocab(vocab)), ram=True), vocab)

    def save_tokens(self, path: _Path) -> None:
        """Writes the tokens, little-endian, 2 or 4 bytes each."""
        _save(self._tables[0].tokens, path)

    def save_index(self, path: _Path) -> None:
        """Writes the table: 8 bytes for each token."""
        _save(self._tables[0].positions, path)


class MemmapIndex(_Positions):
    """An index in two files, read where they lie.

    Args:
        text_path: little-endian tokens, of 2 bytes each for a vocab up to 65,536, else of 4.
        table_path: the positions of all suffixes in order, 8 bytes each.
        vocab: tokens are below this.

    Raises:
        IndexNotFoundError: a file is missing.
        IndexFormatError: the files do not belong together, or are damaged; a sample is checked, and `is_sorted` checks
            all.
    """

    def __init__(self, text_path: _Path, table_path: _Path, vocab: int = 2**16) -> None:
        super().__init__([Table.open(text_path, table_path, _dtype(_checked_vocab(vocab)), ram=False)], vocab)

    @staticmethod
    def build(text_path: _Path, table_path: _Path, vocab: int = 2**16, verbose: bool = False) -> MemmapIndex:  # noqa: ARG004  # theirs
        """Writes the table of a file of tokens, and opens both. The table is there when it is whole, and not before."""
        _build_table(text_path, table_path, vocab)
        return MemmapIndex(text_path, table_path, vocab)


class ShardedMemmapIndex(_Questions):
    """Several indexes in files that answer as one. No query reaches from one into the next.

    Args:
        paths: the two files of each.
        vocab: as in `MemmapIndex`.
    """

    def __init__(self, paths: Sequence[tuple[_Path, _Path]], vocab: int = 2**16) -> None:
        super().__init__([_opened(pair, vocab, ram=False) for pair in paths], vocab)

    @staticmethod
    def build(paths: Sequence[tuple[_Path, _Path]], vocab: int = 2**16, verbose: bool = False) -> ShardedMemmapIndex:  # noqa: ARG004  # theirs
        """Writes the table of each file of tokens, and opens them."""
        for tokens, table in paths:
            _build_table(tokens, table, vocab)
        return ShardedMemmapIndex(paths, vocab)


class ShardedInMemoryIndex(_Questions):
    """Several indexes in memory that answer as one, read from files.

    Args:
        paths: the two files of each.
        vocab: as in `InMemoryIndex`.
    """

    def __init__(self, paths: Sequence[tuple[_Path, _Path]], vocab: int = 2**16) -> None:
        super().__init__([_opened(pair, vocab, ram=True) for pair in paths], vocab)


def _opened(pair: tuple[_Path, _Path], vocab: int, *, ram: bool) -> Table:
    tokens, table = pair
    return Table.open(tokens, table, _dtype(_checked_vocab(vocab)), ram=ram)


def _in_memory(table: Table, vocab: int) -> InMemoryIndex:
    index = InMemoryIndex.__new__(InMemoryIndex)
    _Questions.__init__(index, [table], vocab)
    return index


def _checked_vocab(vocab: int) -> int:
    integer(vocab, "vocab", 1)
    if vocab > 2**32 - 1:
        raise InvalidQueryError(f"vocab is at most {2**32 - 1}, found {vocab}")
    return vocab


def _dtype(vocab: int) -> str:
    return "<u2" if vocab <= 1 << 16 else "<u4"


def _sorted(tokens: NDArray[np.integer[Any]]) -> Table:
    with tempfile.TemporaryDirectory(prefix="anygram-") as place:
        tokens_path, table_path = Path(place) / "tokens", Path(place) / "table"
        tokens.tofile(tokens_path)
        _write_table(tokens_path, table_path, tokens.dtype.itemsize, sync=False)
        return Table(tokens, read_array(table_path, "<u8", ram=True), "the index in memory")


def _build_table(tokens: _Path, table: _Path, vocab: int) -> None:
    final = Path(table)
    read_array(tokens, _dtype(_checked_vocab(vocab)), ram=False)  # for its errors
    with (
        named_errors(final.parent),
        tempfile.TemporaryDirectory(prefix=f".{final.name}-", dir=final.absolute().parent) as place,
    ):
        partial = Path(place) / "table"
        _write_table(Path(tokens), partial, 2 if vocab <= 1 << 16 else 4, sync=True)
        partial.replace(final)


def _write_table(tokens: Path, table: Path, token_bytes: int, *, sync: bool) -> None:
    memory, threads = available_memory() // 2, available_cpus()
    write_table(tokens, table, "tokengrams", token_bytes, threads=threads, memory=memory, sync=sync)


def _save(array: NDArray[Any], path: _Path) -> None:
    final = Path(path)
    with (
        named_errors(final.parent),
        tempfile.TemporaryDirectory(prefix=f".{final.name}-", dir=final.absolute().parent) as place,
    ):
        partial = Path(place) / "new"
        array.tofile(partial)
        partial.replace(final)


def _no_smoothing(method: str) -> InvalidQueryError:
    return InvalidQueryError(
        f"{method} is not offered: tokengrams' smoothing is no Kneser-Ney, and its probs may add up to 4 "
        "(docs/compat-tokengrams.md). Build an index with anygram.build and ask probability(prompt, token, "
        "backoff=True), which uses the longest suffix of the prompt that occurs; sample_unsmoothed samples by counts"
    )
