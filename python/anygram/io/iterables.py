"""Documents given as objects of Python."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from anygram.errors import InputError
from anygram.io.arrays import facts_of, read_rows
from anygram.io.corpus import Corpus
from anygram.io.records import Fields, Record, RefusedError, Reject, checked_text, checked_tokens, shown

_EXPECTED = 'documents are an iterable of str, of id sequences, or of mappings {"text" | "tokens", **metadata}'


def as_corpus(documents: object) -> Corpus:
    """A corpus of documents given as objects; a `Corpus` is returned as it is.

    Args:
        documents: an iterable of str, of sequences or 1-D arrays of token ids, or of mappings with a field "text" or
            "tokens" beside any metadata; or a 2-D integer array, of which each row is a document. It is iterated once
            for each iteration of the corpus, lazily.

    Raises:
        InputError: it is none of these, such as one str.
    """
    if isinstance(documents, Corpus):
        return documents
    _check_collection(documents)
    assert isinstance(documents, Iterable)
    if isinstance(documents, np.ndarray) and documents.ndim == 2 and documents.dtype.kind in "iu":
        array = documents
        return Corpus([lambda counter: read_rows(array, None, counter)], num_bytes=None, arrays=lambda: facts_of(array))
    once = iter(documents) is documents
    return Corpus([lambda _: _read(documents)], num_bytes=None, once=once)


def _check_collection(documents: object) -> None:
    if isinstance(documents, str | bytes):
        hint = "put one text in a list, and read a file with read_corpus(path)"
        raise InputError(f"{_EXPECTED}, found one {type(documents).__name__}: {hint}")
    if isinstance(documents, Mapping):
        raise InputError(f"{_EXPECTED}, found one mapping: put it in a list")
    if isinstance(documents, np.ndarray) and documents.ndim == 1 and documents.dtype.kind in "iufb":
        raise InputError(f"{_EXPECTED}, found one array of {documents.dtype}: put one document's ids in a list")
    if isinstance(documents, np.ndarray) and documents.ndim not in (1, 2):
        raise InputError(f"{_EXPECTED}, found an array of {documents.ndim} dimensions")
    if hasattr(documents, "columns"):  # a data frame, which would iterate over the names of its columns
        raise InputError(f'{_EXPECTED}, found a table: give one column, as table["text"], or its rows as mappings')
    if not isinstance(documents, Iterable):
        raise InputError(f"{_EXPECTED}, found {type(documents).__name__}; read files with read_corpus(path)")


def _read(documents: Iterable[Any]) -> Iterator[Record | Reject]:
    fields = Fields()
    for number, document in enumerate(documents, 1):
        try:
            yield _record(document, fields)
        except RefusedError as error:
            yield Reject(str(error), None, number, shown(document))


def _record(document: object, fields: Fields) -> Record:
    if isinstance(document, str):
        return Record(checked_text(document), None, {})
    if isinstance(document, Mapping):
        return fields.record(document, None, None)
    if isinstance(document, int | float | np.number):
        raise RefusedError(f"{_EXPECTED}, found one number: put one document's ids in a list")
    return Record(None, checked_tokens(document), {})
