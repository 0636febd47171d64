"""A sequence of tokens and the order of its suffixes, as tokengrams has them in two files or in memory."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anygram.errors import IndexFormatError, IndexIOError, IndexNotFoundError, InvalidQueryError, TruncatedIndexError
from anygram.results.base import read_only
from anygram.shard import Shard
from anygram.tokengrams_index import open_shard
from anygram.types import Int64Array, token_array

_SAMPLES = 1024  # neighbours that are compared when a table is opened
_LARGEST_ID = (1 << 32) - 1  # what no shard has a symbol for; and the most tokens that one may have
_CHUNK = 1 << 22  # entries that are read at a time


class Table:
    """Tokens and the positions of their suffixes in order: what is asked of one shard.

    A suffix runs to the end of the tokens; one that ends within another comes before it.

    Args:
        tokens: all of them.
        positions: where the suffix of each rank begins.
        name: what to call it in errors.
        shard: the same from files, which looks n-grams up faster, and was checked when it was opened.

    Raises:
        IndexFormatError: the positions are not as many as the tokens, or those of a sample are not in order.
    """

    def __init__(
        self, tokens: NDArray[np.integer[Any]], positions: NDArray[np.uint64], name: str, shard: Shard | None = None
    ) -> None:
        self.tokens = tokens
        self.positions = positions
        self._name = name
        self._shard = shard
        if len(tokens) != len(positions):
            raise TruncatedIndexError(
                f"{name}: expected {len(tokens):,} positions, one for each token, found {len(positions):,}: "
                "the files do not belong together, or one is cut off; build the table again",
                name,
            )
        if shard is None:
            self._check_sample()

    @classmethod
    def open(cls, tokens: str | os.PathLike[str], positions: str | os.PathLike[str], dtype: str, *, ram: bool) -> Table:
        """Two files, mapped, or read if `ram`.

        Raises:
            IndexNotFoundError: there is none.
            IndexFormatError: they do not belong together, or are damaged.
        """
        ids, places = read_array(tokens, dtype, ram=ram), read_array(positions, "<u8", ram=ram)
        mapped = not ram and len(ids) <= _LARGEST_ID
        shard = open_shard(tokens, positions, np.dtype(dtype).itemsize) if mapped else None
        return cls(ids, places, os.fspath(positions), shard)

    def interval(self, query: Sequence[int]) -> tuple[int, int]:
        """The ranks of the suffixes that begin with the query: [begin, end). O(len(query) log(tokens))."""
        if self._shard is not None and _LARGEST_ID not in query:
            return self._shard.interval(query)
        begin = self._bound(query, 0, len(self.tokens), inclusive=False)
        return begin, self._bound(query, begin, len(self.tokens), inclusive=True)

    def _bound(self, query: Sequence[int], begin: int, end: int, *, inclusive: bool) -> int:
        """The first rank whose suffix, cut to the query's length, is not below the query; above it, if inclusive."""
        length, wanted = len(query), list(query)
        while begin < end:
            middle = (begin + end) // 2
            position = self._position(middle)
            suffix = self.tokens[position : position + length].tolist()
            if suffix < wanted or (inclusive and suffix == wanted):
                begin = middle + 1
            else:
                end = middle
        return begin

    def _position(self, rank: int) -> int:
        position = int(self.positions[rank])
        if position >= len(self.tokens):
            raise self._damaged(rank, f"a position below {len(self.tokens)}", str(position))
        return position

    def continued(self, query: Sequence[int]) -> tuple[int, int]:
        """`interval`, without the occurrence that ends the tokens: it comes first, as a prefix of all others."""
        begin, end = self.interval(query)
        if begin < end and self._position(begin) + len(query) == len(self.tokens):
            begin += 1
        return begin, end

    def following(self, ranks: NDArray[np.int64], length: int) -> NDArray[np.integer[Any]]:
        """The token after the first `length` of each rank's suffix."""
        places = self.positions[ranks] + np.uint64(length)
        if len(places) and int(places.max()) >= len(self.tokens):
            raise self._damaged(int(ranks[places.argmax()]), "a suffix that goes on", "one that ends")
        return self.tokens[places.astype(np.intp)]

    def add_next(self, query: Sequence[int], counts: Int64Array) -> None:
        """Adds to each token's count how often it follows the query. O(distinct log(occurrences)), or all tokens."""
        if not query:  # they need not be looked up in the order of the suffixes
            for at in range(0, len(self.tokens), _CHUNK):
                tokens, times = np.unique(self.tokens[at : at + _CHUNK], return_counts=True)
                self._add(counts, tokens, times)
            return
        begin, end = self.continued(query)
        if begin == end:
            return
        # What follows ascends: where a run of ranks has one token at both ends it has no other, else it is cut in two.
        begins, ends = np.array([begin]), np.array([end])
        firsts, lasts = self.following(begins, len(query)), self.following(ends - 1, len(query))
        while len(begins):
            alike = firsts == lasts
            self._add(counts, firsts[alike], (ends - begins)[alike])
            begins, ends, firsts, lasts = begins[~alike], ends[~alike], firsts[~alike], lasts[~alike]
            middles = (begins + ends) // 2
            before, after = self.following(middles - 1, len(query)), self.following(middles, len(query))
            begins, ends = np.concatenate([begins, middles]), np.concatenate([middles, ends])
            firsts, lasts = np.concatenate([firsts, after]), np.concatenate([before, lasts])

    def _add(self, counts: Int64Array, tokens: NDArray[np.integer[Any]], times: Int64Array) -> None:
        largest = int(tokens.max(initial=0))
        if largest >= len(counts):
            raise InvalidQueryError(
                f"{self._name}: the token {largest} is there, and vocab is {len(counts)}: open it with a larger vocab"
            )
        np.add.at(counts, tokens, times)

    def is_sorted(self) -> bool:
        """Whether the table has each position once, in the order of the suffixes. O(tokens), 12 bytes for each."""
        size = len(self.tokens)
        ranks = np.full(size + 1, -1, np.int64)
        for at in range(0, size, _CHUNK):
            chunk = self.positions[at : at + _CHUNK]
            if int(chunk.max()) >= size:
                return False
            ranks[chunk.astype(np.intp)] = np.arange(at, at + len(chunk))
        if (ranks[:size] < 0).any():  # then some position is there twice
            return False
        ranks[size] = -1
        for at in range(0, size - 1, _CHUNK):
            places = self.positions[at : at + _CHUNK + 1].astype(np.intp)
            firsts, rests = self.tokens[places], ranks[places + 1]
            in_order = (firsts[:-1] < firsts[1:]) | ((firsts[:-1] == firsts[1:]) & (rests[:-1] < rests[1:]))
            if not in_order.all():
                return False
        return True

    def _check_sample(self) -> None:
        """Refuses a table of another order, or of other tokens, in all likelihood."""
        size = len(self.tokens)
        for rank in np.unique(np.linspace(0, max(size - 2, 0), min(_SAMPLES, size), dtype=np.int64)).tolist():
            first = self._position(rank)
            if rank + 1 < size and not self._is_less(first, self._position(rank + 1)):
                raise self._damaged(rank, "a suffix below the next one", "one that is not")

    def _is_less(self, first: int, second: int) -> bool:
        """Whether a suffix is below another; those that are equal for very long are believed to be."""
        length = 16
        while length < 1 << 16:
            one, other = (self.tokens[place : place + length].tolist() for place in (first, second))
            if one != other or first == second:
                return bool(one < other)
            length *= 8
        return True

    def _damaged(self, rank: int, expected: str, found: str) -> IndexFormatError:
        return IndexFormatError(
            f"{self._name}: at rank {rank} expected {expected}, found {found}: the files do not belong together, the "
            "tokens have another width (vocab), or the table is damaged; build it again",
            self._name,
            rank * 8,
        )


def read_array(path: str | os.PathLike[str], dtype: str, *, ram: bool) -> NDArray[Any]:
    """A file of numbers, mapped, or read if `ram`.

    Raises:
        IndexNotFoundError: there is none.
        TruncatedIndexError: it does not hold whole numbers.
    """
    file, width = Path(path), np.dtype(dtype).itemsize
    try:
        size = file.stat().st_size
        if size % width:
            raise TruncatedIndexError(f"{file}: {size:,} bytes are no whole number of {width} bytes each", str(file))
        if size == 0:
            return np.empty(0, dtype)
        if ram:
            return read_only(np.fromfile(file, dtype), np.dtype(dtype))
        return np.memmap(file, dtype, "r").view(np.ndarray)  # each look into a memmap itself takes a microsecond
    except FileNotFoundError:
        raise IndexNotFoundError(f"{file}: there is no such file") from None
    except OSError as error:
        raise IndexIOError(error.errno, error.strerror, str(file)) from None


def checked_query(query: object, dtype: str) -> list[int]:
    """Token ids, each of which the files could hold.

    Raises:
        InvalidQueryError: one could not be there, or is no id.
    """
    try:
        ids = token_array(query)
    except ValueError as error:
        raise InvalidQueryError(str(error)) from None
    largest = int(np.iinfo(dtype).max)
    if len(ids) and int(ids.max()) > largest:
        raise InvalidQueryError(
            f"the id {int(ids.max())} does not fit the tokens of this index, which end at {largest}"
        )
    return ids.tolist()  # type: ignore[no-any-return]  # numpy's types do not say
