"""Where n-grams and strings stand: the answers to `index.find`."""

from __future__ import annotations

import abc
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar, overload

import numpy as np
import numpy.typing as npt

from anygram.arguments import integer
from anygram.cursors import read_cursor, write_cursor
from anygram.errors import InvalidQueryError
from anygram.results import Context, Decode, DocumentPage, Occurrence, Page, StringOccurrence
from anygram.results.base import html_table, read_only
from anygram.results.excerpt import Span, Unit, contexts
from anygram.types import Int64Array, Tokenizer

if TYPE_CHECKING:
    from anygram import _core

_SHOWN = 10

# Occurrences that are looked up together while one goes through all of them.
_AT_ONCE = 1024


_Place = TypeVar("_Place", Occurrence, StringOccurrence)


class _Places(Sequence[_Place], Generic[_Place]):
    """A long list of places in the corpus, of which those that are asked for are looked up."""

    __slots__ = ("_core", "_decode", "_question", "_read")

    def __init__(
        self,
        core: _core.Index,
        read: Callable[[int, int, int], Int64Array],
        decode: Decode | None,
        question: Callable[[], bytes],
    ) -> None:
        self._core = core
        self._read = read
        self._decode = decode
        self._question = question  # what tells this question from all others, for cursors

    @abc.abstractmethod
    def _listed_from(self, begin: int, end: int) -> list[_Place]:
        """Those numbered [begin, end), as far as there are any."""

    @abc.abstractmethod
    def _listed(self) -> tuple[Int64Array, Int64Array]:
        """The documents, ascending, and how many places are in each."""

    @abc.abstractmethod
    def _sampled(self, k: int, seed: int) -> list[_Place]:
        """`k` of them, or all, by a hash of the seed and the place."""

    @abc.abstractmethod
    def _fitted(self, place: _Place, context: Context, width: int, unit: Unit) -> Context:
        """The context of a place, from that of its tokens."""

    @overload
    def __getitem__(self, index: int) -> _Place: ...

    @overload
    def __getitem__(self, index: slice) -> list[_Place]: ...

    def __getitem__(self, index: int | slice) -> _Place | list[_Place]:
        """One occurrence, or a list of those of a slice."""
        size = len(self)
        if isinstance(index, slice):
            return self._slice(range(size)[index])
        number = operator.index(index)
        if not -size <= number < size:
            raise IndexError(f"occurrence {number} of {size}")
        return self._listed_from(number % size, number % size + 1)[0]

    def __iter__(self) -> Iterator[_Place]:
        for begin in range(0, len(self), _AT_ONCE):
            yield from self._listed_from(begin, begin + _AT_ONCE)

    def _slice(self, numbers: range) -> list[_Place]:
        if numbers.step == 1:
            return self._listed_from(numbers.start, numbers.stop)
        return [self[number] for number in numbers]

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
        self, occurrences: Iterable[_Place] | None = None, *, width: int = 20, unit: Unit = "tokens"
    ) -> list[Context]:
        """`Occurrence.context` of many, whose tokens are read in one call, on all threads.

        Args:
            occurrences: which: a slice, a page, a sample; None for all.
            width: how many units on each side.
            unit: "tokens", "words" or "characters".

        Raises:
            InvalidQueryError: as in `Occurrence.context`.
        """
        places = list(self if occurrences is None else occurrences)
        found = contexts([place.span for place in places], width, unit, self._read_spans, self._decode)
        return [self._fitted(place, context, width, unit) for place, context in zip(places, found, strict=True)]

    def _read_spans(self, spans: Sequence[Span]) -> list[Int64Array]:
        columns = np.array(spans, np.int64).reshape(-1, 3).T
        tokens, offsets = self._core.document_spans(columns[0], columns[1], columns[2])
        return np.split(tokens, offsets[1:-1]) if len(spans) else []

    def sample(self, k: int, seed: int = 0) -> list[_Place]:
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
        return self._sampled(k, seed)

    def documents(self) -> Int64Array:
        """The numbers of the documents that hold an occurrence, each once, ascending: int64."""
        return self._listed()[0]

    @property
    def document_counts(self) -> Int64Array:
        """How many occurrences each of `documents()` holds: int64, of the same length."""
        return self._listed()[1]

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__}: {len(self):,}"]
        lines += [f"  {one.document}:{one.offset}  {one.context(8)}" for one in self[:_SHOWN]]
        return "\n".join(lines + [f"  ... {len(self) - _SHOWN:,} more"] * (len(self) > _SHOWN))

    def _repr_html_(self) -> str:
        rows = [[str(one.document), str(one.offset), str(one.context(8))] for one in self[:_SHOWN]]
        return html_table(f"{type(self).__name__}: {len(self):,}", ["document", "offset", "context"], rows)


class Occurrences(_Places[Occurrence]):
    """All occurrences of an n-gram, ordered by (shard, rank): fixed for a generation of the index.

    Finding them costs one search; what is asked of them is looked up then. Indexing costs O(1), `documents` and
    `sample` cost O(number of occurrences). With `where` the first question costs O(number of occurrences) too, also
    that for the length.
    """

    __slots__ = ("_documents", "_filter", "_found", "_intervals", "_length")

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
        super().__init__(core, read, decode, question)
        self._intervals = intervals
        self._length = length
        self._filter = chosen
        self._documents: tuple[Int64Array, Int64Array] | None = None
        self._found: _core.SelectedOccurrences | None = None

    def __len__(self) -> int:
        if self._filter is None:
            return sum(end - begin for begin, end in self._intervals)
        return len(self._selected())

    def _listed_from(self, begin: int, end: int) -> list[Occurrence]:
        return [self._occurrence(found) for found in self._selected().list(begin, max(begin, end))]

    def _selected(self) -> _core.SelectedOccurrences:
        if self._found is None:
            self._found = self._core.select(self._intervals, self._length, self._filter)
        return self._found

    def _sampled(self, k: int, seed: int) -> list[Occurrence]:
        drawn = self._core.sample(self._intervals, self._length, k, seed, self._filter)
        return [self._occurrence(found) for found in drawn]

    def _listed(self) -> tuple[Int64Array, Int64Array]:
        if self._documents is None:
            documents, counts = self._core.list_documents(self._intervals, self._filter)
            self._documents = read_only(documents, "int64"), read_only(counts, "int64")
        return self._documents

    def _fitted(self, place: Occurrence, context: Context, width: int, unit: Unit) -> Context:  # noqa: ARG002
        return context

    def _occurrence(self, found: tuple[int, int, int, int, int]) -> Occurrence:
        return Occurrence(*found, length=self._length, read=self._read, decode=self._decode)


class StringPlaces(NamedTuple):
    """Where a string stands: the columns of `StringOccurrence`, int64 (n,) each, in the order of the documents."""

    documents: Int64Array
    offsets: Int64Array
    shards: Int64Array
    positions: Int64Array
    begins: Int64Array
    lengths: Int64Array
    ends: Int64Array

    def chosen(self, mask: npt.NDArray[np.bool_]) -> StringPlaces:
        """Those in documents for which a mask has True."""
        kept = mask[self.documents]
        return StringPlaces(*(column[kept] for column in self))


class StringOccurrences(_Places[StringOccurrence]):
    """All occurrences of a string in the documents' texts, in the order of the documents.

    They were found when this was made: 56 bytes for each.
    """

    __slots__ = ("_places", "_text", "_tokenizer")

    def __init__(
        self,
        core: _core.Index,
        places: StringPlaces,
        text: str,
        tokenizer: Tokenizer,
        read: Callable[[int, int, int], Int64Array],
        decode: Decode | None,
        question: Callable[[], bytes],
    ) -> None:
        super().__init__(core, read, decode, question)
        self._places = places
        self._text = text
        self._tokenizer = tokenizer

    def __len__(self) -> int:
        return len(self._places.documents)

    def _listed_from(self, begin: int, end: int) -> list[StringOccurrence]:
        return self._at(np.arange(begin, max(begin, min(end, len(self)))))

    def _at(self, rows: Int64Array) -> list[StringOccurrence]:
        columns = StringPlaces(*(column[rows].tolist() for column in self._places))
        return [
            StringOccurrence(
                document=document,
                offset=offset,
                begin=begin,
                length=length,
                end=end,
                shard=shard,
                position=position,
                text=self._text,
                token_bytes=self._tokenizer.token_bytes,
                separator=self._tokenizer.separator,  # type: ignore[attr-defined]  # has one, or no text is found
                read=self._read,
                decode=self._decode,
            )
            for document, offset, shard, position, begin, length, end in zip(*columns, strict=True)
        ]

    def _sampled(self, k: int, seed: int) -> list[StringOccurrence]:
        places = self._places
        keys = _hashed(np.full(len(self), seed, np.uint64))
        for column in (places.documents, places.offsets, places.begins):
            keys = _hashed(keys ^ column.astype(np.uint64))
        return self._at(np.argsort(keys, kind="stable")[:k])

    def _listed(self) -> tuple[Int64Array, Int64Array]:
        documents, counts = np.unique(self._places.documents, return_counts=True)
        return read_only(documents, "int64"), read_only(counts, "int64")

    def _fitted(self, place: StringOccurrence, context: Context, width: int, unit: Unit) -> Context:
        return place.narrowed(context, width, unit)


def _hashed(numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Numbers that look like random ones: SplitMix64."""
    with np.errstate(over="ignore"):
        mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return mixed ^ (mixed >> np.uint64(31))
