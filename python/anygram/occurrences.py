"""Where an n-gram stands: the answer to `index.find`, looked up as it is asked for."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, overload

import numpy as np

from anygram.arguments import integer
from anygram.cursors import read_cursor, write_cursor
from anygram.errors import InvalidQueryError
from anygram.results import Context, Decode, DocumentPage, Occurrence, Page
from anygram.results.base import html_table, read_only
from anygram.results.excerpt import Span, Unit, contexts
from anygram.types import Int64Array

if TYPE_CHECKING:
    from anygram import _core

_SHOWN = 10

# Occurrences that are looked up together while one goes through all of them.
_AT_ONCE = 1024


class Occurrences(Sequence[Occurrence]):
    """All occurrences of an n-gram, ordered by (shard, rank): fixed for a generation of the index.

    Finding them costs one search; what is asked of them is looked up then. Indexing costs O(1), `documents` and
    `sample` cost O(number of occurrences). With `where` the first question costs O(number of occurrences) too, also
    that for the length.
    """

    __slots__ = ("_core", "_decode", "_documents", "_filter", "_found", "_intervals", "_length", "_question", "_read")

    def __init__(
        self,
        core: _core.Index,
        intervals: list[tuple[int, int]],
        length: int,
        read: Callable[[int, int, int], Int64Array],
        decode: Decode | None,
        chosen: _core.DocumentFilter | None,
        question: Callable[[], bytes],
    ) -> None:
        self._core = core
        self._intervals = intervals
        self._length = length
        self._read = read
        self._decode = decode
        self._filter = chosen
        self._question = question  # what tells this question from all others, for cursors
        self._documents: tuple[Int64Array, Int64Array] | None = None
        self._found: _core.SelectedOccurrences | None = None

    def __len__(self) -> int:
        if self._filter is None:
            return sum(end - begin for begin, end in self._intervals)
        return len(self._selected())

    @overload
    def __getitem__(self, index: int) -> Occurrence: ...

    @overload
    def __getitem__(self, index: slice) -> list[Occurrence]: ...

    def __getitem__(self, index: int | slice) -> Occurrence | list[Occurrence]:
        """One occurrence, or a list of those of a slice."""
        size = len(self)
        if isinstance(index, slice):
            return self._slice(range(size)[index])
        number = operator.index(index)
        if not -size <= number < size:
            raise IndexError(f"occurrence {number} of {size}")
        return self._listed_from(number % size, number % size + 1)[0]

    def __iter__(self) -> Iterator[Occurrence]:
        for begin in range(0, len(self), _AT_ONCE):
            yield from self._listed_from(begin, begin + _AT_ONCE)

    def _slice(self, numbers: range) -> list[Occurrence]:
        if numbers.step == 1:
            return self._listed_from(numbers.start, numbers.stop)
        return [self[number] for number in numbers]

    def _listed_from(self, begin: int, end: int) -> list[Occurrence]:
        return [self._occurrence(found) for found in self._selected().list(begin, max(begin, end))]

    def _selected(self) -> _core.SelectedOccurrences:
        if self._found is None:
            self._found = self._core.select(self._intervals, self._filter)
        return self._found

    def page(self, cursor: str | None = None, size: int = 10) -> Page:
        """Some occurrences in their order, and where to read on.

        Args:
            cursor: where to begin: the `next` of the page before; None for the first page. It stays valid for this
                question to this index, also in another process.
            size: how many at most.

        Raises:
            InvalidQueryError: the cursor belongs to another question or index, or the size is less than 1.
        """
        total = len(self)
        begin, end, following = self._bounds(cursor, integer(size, "size", 1), total, b"")
        return Page(tuple(self._listed_from(begin, end)), begin, total, following)

    def document_page(self, cursor: str | None = None, size: int = 10) -> DocumentPage:
        """The same of `documents()` and `document_counts`, with cursors of their own."""
        documents, counts = self._listed()
        total = len(documents)
        begin, end, following = self._bounds(cursor, integer(size, "size", 1), total, b"documents")
        return DocumentPage(documents[begin:end], counts[begin:end], begin, total, following)

    def _bounds(self, cursor: str | None, size: int, total: int, kind: bytes) -> tuple[int, int, str | None]:
        question = kind + b"\0" + self._question()
        begin = 0 if cursor is None else read_cursor(cursor, question, total)
        end = min(total, begin + size)
        return begin, end, write_cursor(end, question) if end < total else None

    def contexts(
        self, occurrences: Iterable[Occurrence] | None = None, *, width: int = 20, unit: Unit = "tokens"
    ) -> list[Context]:
        """`Occurrence.context` of many, whose tokens are read in one call, on all threads.

        Args:
            occurrences: which: a slice, a page, a sample; None for all.
            width: how many units on each side.
            unit: "tokens", "words" or "characters".

        Raises:
            InvalidQueryError: as in `Occurrence.context`.
        """
        spans = [one.span for one in (self if occurrences is None else occurrences)]
        return contexts(spans, width, unit, self._read_spans, self._decode)

    def _read_spans(self, spans: Sequence[Span]) -> list[Int64Array]:
        columns = np.array(spans, np.int64).reshape(-1, 3).T
        tokens, offsets = self._core.document_spans(columns[0], columns[1], columns[2])
        return np.split(tokens, offsets[1:-1]) if len(spans) else []

    def sample(self, k: int, seed: int = 0) -> list[Occurrence]:
        """Some occurrences, drawn without replacement; all of them if there are not more.

        The same seed draws the same ones, however the corpus is cut into shards, in the same order; and a larger sample
        begins with a smaller one.

        Args:
            k: how many to draw.
            seed: from 0 to 2**64 - 1.
        """
        if k < 0:
            raise InvalidQueryError(f"the size of a sample is 0 or more, found {k}")
        if not 0 <= seed < 2**64:
            raise InvalidQueryError(f"a seed goes from 0 to 2**64 - 1, found {seed}")
        return [self._occurrence(found) for found in self._core.sample(self._intervals, k, seed, self._filter)]

    def documents(self) -> Int64Array:
        """The numbers of the documents that hold an occurrence, each once, ascending: int64."""
        return self._listed()[0]

    @property
    def document_counts(self) -> Int64Array:
        """How many occurrences each of `documents()` holds: int64, of the same length."""
        return self._listed()[1]

    def _listed(self) -> tuple[Int64Array, Int64Array]:
        if self._documents is None:
            documents, counts = self._core.list_documents(self._intervals, self._filter)
            self._documents = read_only(documents, "int64"), read_only(counts, "int64")
        return self._documents

    def _occurrence(self, found: tuple[int, int, int, int, int]) -> Occurrence:
        return Occurrence(*found, length=self._length, read=self._read, decode=self._decode)

    def __repr__(self) -> str:
        lines = [f"Occurrences: {len(self):,}"]
        lines += [f"  {one.document}:{one.offset}  {one.context(8)}" for one in self[:_SHOWN]]
        return "\n".join(lines + [f"  ... {len(self) - _SHOWN:,} more"] * (len(self) > _SHOWN))

    def _repr_html_(self) -> str:
        rows = [[str(one.document), str(one.offset), str(one.context(8))] for one in self[:_SHOWN]]
        return html_table(f"Occurrences: {len(self):,}", ["document", "offset", "context"], rows)
