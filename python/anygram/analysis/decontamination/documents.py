"""The documents that are judged: of an index, of files, of anything that `build` takes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from anygram.errors import InputError, InvalidQueryError
from anygram.io import Corpus, Record, as_corpus, read_corpus

if TYPE_CHECKING:
    from anygram.index import Index


class CorpusDocument(NamedTuple):
    """A document, with what names it and what else its record has."""

    number: int
    text: str
    id: str
    source: str | None
    line: int | None
    metadata: Mapping[str, Any]
    num_bytes_read: int
    has_id: bool


class Documents:
    """Documents in their order, read once.

    Args:
        corpus: an index, a path or several, a `Corpus`, or an iterable of texts or mappings.
        text_field: of JSON lines, the field that holds the text.
        id_field: the field that names the document.

    Raises:
        InputError: there is no such file.
        InvalidQueryError: the index has no tokenizer, so that its documents have no text.
    """

    def __init__(self, corpus: object, *, text_field: str = "text", id_field: str | None = None) -> None:
        from anygram.index import Index

        self.text_field = text_field
        self.id_field = id_field or "id"
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

    def __iter__(self) -> Iterator[CorpusDocument]:
        if self.index is not None:
            return self._of_index(self.index)
        assert self._corpus is not None
        return self._of_corpus(self._corpus)

    def _of_index(self, index: Index) -> Iterator[CorpusDocument]:
        for number in range(index.num_documents):
            found = index.document(number)
            name = found.id or str(number)
            place = (name, found.source, None, found.metadata, number + 1, name != str(number))
            yield CorpusDocument(number, found.text or "", *place)

    def _of_corpus(self, corpus: Corpus) -> Iterator[CorpusDocument]:
        for number, part in enumerate(chain.from_iterable(map(_records, corpus.parts()))):
            if part.text is None:
                raise InputError(
                    "the document is token ids: give texts, or an index with a tokenizer", part.source, part.line
                )
            name = part.id if part.id is not None else str(part.metadata.get("id", number))
            place = (name, part.source, part.line, part.metadata, corpus.num_bytes_read, part.id is not None)
            yield CorpusDocument(number, part.text, *place)


def _records(part: Any) -> Iterator[Record]:
    return iter((part,)) if isinstance(part, Record) else part.records()
