"""The documents that are judged: of an index, of files, of anything that `build` takes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from anygram.analysis.decontamination.texts import GivenTexts, Texts
from anygram.errors import InputError, InvalidQueryError
from anygram.gram_finder import GramFinder
from anygram.io import Corpus, Record, as_corpus, read_corpus
from anygram.scanning import GramPlaces
from anygram.types import Int64Array

if TYPE_CHECKING:
    from anygram.index import Index


_BATCH_CHARACTERS = 1 << 22
_MOST_DOCUMENTS = 1 << 14  # of a batch
_FIRST_DOCUMENTS = 256  # of an index: how long they are is not known yet


class CorpusDocument(NamedTuple):
    """A document, with what names it and what else its record has."""

    number: int
    text: str
    id: str
    source: str | None
    line: int | None
    metadata: Mapping[str, Any]
    has_id: bool


class Batch(Texts, Protocol):
    """Consecutive documents of a corpus."""

    @property
    def num_bytes(self) -> int:
        """The UTF-8 of their texts."""
        ...

    def documents(self, numbers: Sequence[int]) -> Iterable[CorpusDocument]:
        """Some of them, by their places in the batch."""
        ...


class _GivenBatch(GivenTexts):
    """Documents that were read."""

    def __init__(self, documents: Sequence[CorpusDocument], threads: int | None) -> None:
        super().__init__([document.text for document in documents], threads)
        self._documents = documents

    @property
    def num_bytes(self) -> int:
        """See `Batch`."""
        texts = self._texts
        return sum(len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass")) for text in texts)

    def documents(self, numbers: Sequence[int]) -> Iterable[CorpusDocument]:
        """See `Batch`."""
        return [self._documents[number] for number in numbers]


class _IndexBatch:
    """Documents of an index, which are decoded in the core, or when they are asked for."""

    def __init__(self, index: Index, numbers: range, threads: int | None) -> None:
        self._index = index
        self._numbers = np.arange(numbers.start, numbers.stop)
        self._threads = threads
        self._num_bytes: int | None = None

    def __len__(self) -> int:
        return len(self._numbers)

    @cached_property
    def _texts(self) -> list[str]:
        return [document.text or "" for document in self._index.documents(self._numbers.tolist())]

    def text(self, number: int) -> str:
        """See `Texts`."""
        return self._texts[number]

    def find(self, finder: GramFinder, numbers: Int64Array | None = None) -> GramPlaces:
        """See `Texts`."""
        chosen = self._numbers if numbers is None else self._numbers[numbers]
        places = self._index.find_grams(finder, chosen.tolist(), threads=self._threads)
        if len(chosen) == len(self):
            self._num_bytes = int(places.num_bytes.sum())
        return places

    @property
    def num_bytes(self) -> int:
        """See `Batch`."""
        if self._num_bytes is None:
            self._num_bytes = sum(len(text.encode("utf-8", "replace")) for text in self._texts)
        return self._num_bytes

    def documents(self, numbers: Sequence[int]) -> Iterable[CorpusDocument]:
        """See `Batch`."""
        for found in self._index.documents(self._numbers[list(numbers)].tolist()):
            name = found.id or str(found.number)
            place = (name, found.source, None, found.metadata, name != str(found.number))
            yield CorpusDocument(found.number, found.text or "", *place)


class Documents:
    """Documents in their order, read once.

    Args:
        corpus: an index, a path or several, a `Corpus`, or an iterable of texts or mappings.
        text_field: of JSON lines, the field that holds the text.
        id_field: the field that names the document.
        threads: how many search them; None for all CPUs.

    Attributes:
        num_read: how much was read, of `total`.

    Raises:
        InputError: there is no such file.
        InvalidQueryError: the index has no tokenizer, so that its documents have no text.
    """

    def __init__(
        self, corpus: object, *, text_field: str = "text", id_field: str | None = None, threads: int | None = None
    ) -> None:
        from anygram.index import Index

        self.text_field = text_field
        self.id_field = id_field or "id"
        self.num_read = 0
        self._threads = threads
        self.index: Index | None = None
        self._corpus: Corpus | None = None
        if isinstance(corpus, Index):
            if corpus.tokenizer is None:
                raise InvalidQueryError("the index has no tokenizer, so its documents have no text: open it with one")
            self.index = corpus
        elif isinstance(corpus, str | os.PathLike):
            self._corpus = read_corpus(corpus, text_field=text_field, id_field=id_field)
        elif isinstance(corpus, list | tuple) and corpus and all(isinstance(one, os.PathLike) for one in corpus):
            self._corpus = read_corpus(*corpus, text_field=text_field, id_field=id_field)
        else:
            self._corpus = as_corpus(corpus)

    @property
    def is_exact(self) -> bool:
        """Whether the texts are those that the documents were made of."""
        return self.index is None or self.index.round_trips

    @property
    def total(self) -> int | None:
        """How much there is: documents of an index, bytes of files, None if unknown."""
        if self.index is not None:
            return self.index.num_documents
        assert self._corpus is not None
        return self._corpus.num_bytes

    def batches(self) -> Iterator[Batch]:
        """The documents, some megabytes at a time."""
        if self.index is not None:
            return self._of_index(self.index)
        assert self._corpus is not None
        return self._of_corpus(self._corpus)

    def _of_index(self, index: Index) -> Iterator[Batch]:
        at_once = _FIRST_DOCUMENTS
        while self.num_read < index.num_documents:
            numbers = range(self.num_read, min(self.num_read + at_once, index.num_documents))
            batch = _IndexBatch(index, numbers, self._threads)
            self.num_read = numbers.stop
            yield batch
            at_once = min(max(1, len(numbers) * _BATCH_CHARACTERS // max(1, batch.num_bytes)), _MOST_DOCUMENTS)

    def _of_corpus(self, corpus: Corpus) -> Iterator[Batch]:
        batch: list[CorpusDocument] = []
        characters = 0
        for document in self._read(corpus):
            batch.append(document)
            characters += len(document.text)
            if characters >= _BATCH_CHARACTERS or len(batch) >= _MOST_DOCUMENTS:
                self.num_read = corpus.num_bytes_read
                yield _GivenBatch(batch, self._threads)
                batch, characters = [], 0
        if batch:
            self.num_read = corpus.num_bytes_read
            yield _GivenBatch(batch, self._threads)

    def _read(self, corpus: Corpus) -> Iterator[CorpusDocument]:
        for number, part in enumerate(chain.from_iterable(map(_records, corpus.parts()))):
            if part.text is None:
                raise InputError(
                    "the document is token ids: give texts, or an index with a tokenizer", part.source, part.line
                )
            name = part.id if part.id is not None else str(part.metadata.get("id", number))
            yield CorpusDocument(number, part.text, name, part.source, part.line, part.metadata, part.id is not None)


def _records(part: Any) -> Iterator[Record]:
    return iter((part,)) if isinstance(part, Record) else part.records()
