"""Documents given as objects of Python."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from anygram.errors import InputError, MissingExtraError
from anygram.io.arrays import facts_of, read_rows
from anygram.io.arrow import is_lists, pyarrow_or_error, read_lists, read_table
from anygram.io.corpus import Corpus
from anygram.io.datasets import dataset_batches, is_dataset, splits_of
from anygram.io.records import (
    Counter,
    Fields,
    Record,
    RefusedError,
    Reject,
    TokenBlock,
    checked_text,
    checked_tokens,
    shown,
)

_EXPECTED = 'documents are an iterable of str, of id sequences, or of mappings {"text" | "tokens", **metadata}'


def as_corpus(documents: object) -> Corpus:
    """A corpus of documents given as objects; a `Corpus` is returned as it is.

    Args:
        documents: an iterable of str, of sequences or 1-D arrays of token ids, or of mappings with a field "text" or
            "tokens" beside any metadata; or a 2-D integer array, of which each row is a document; or a table with such
            columns: a Dataset or IterableDataset, a data frame, anything that gives an Arrow stream. It is iterated
            once for each iteration of the corpus, lazily.

    Raises:
        InputError: it is none of these, such as one str.
    """
    if isinstance(documents, Corpus):
        return documents
    table = _as_table(documents)
    if table is not None:
        return table
    _check_collection(documents)
    assert isinstance(documents, Iterable)
    if isinstance(documents, np.ndarray) and documents.ndim == 2 and documents.dtype.kind in "iu":
        array = documents
        return Corpus([lambda counter: read_rows(array, None, counter)], num_bytes=None, arrays=lambda: facts_of(array))
    once = iter(documents) is documents
    return Corpus([lambda _: _read(documents)], num_bytes=None, once=once)


def _as_table(documents: object) -> Corpus | None:
    """A corpus of a table, or of an Arrow array of lists of ids, if the documents are that."""
    if is_dataset(documents):
        pyarrow_or_error("reading a dataset")
        return Corpus([lambda _: read_table(dataset_batches(documents), Fields())], num_bytes=None)
    if not (hasattr(documents, "__arrow_c_stream__") or hasattr(documents, "__arrow_c_array__")):
        return None
    # A column of text is iterated like any other sequence, and needs no library.
    is_frame = hasattr(documents, "columns") or not hasattr(documents, "__len__")
    try:
        pyarrow = pyarrow_or_error("reading a table")
    except MissingExtraError:
        if is_frame:
            raise
        return None
    if is_frame or hasattr(documents, "schema"):
        once = not hasattr(documents, "__len__")
        return Corpus([lambda _: read_table(_batches(documents), Fields())], num_bytes=None, once=once)
    try:
        lists = (
            pyarrow.chunked_array(documents) if hasattr(documents, "__arrow_c_stream__") else pyarrow.array(documents)
        )
    except (pyarrow.ArrowException, TypeError):  # a column of objects that are not all of one type
        return None
    if not is_lists(lists):
        return None
    chunks = lists.chunks if hasattr(lists, "chunks") else [lists]
    return Corpus([partial(_read_lists, chunk) for chunk in chunks], num_bytes=None)


def _read_lists(lists: Any, _: Counter) -> Iterator[Record | TokenBlock | Reject]:
    return read_lists(lists)


def _batches(table: Any) -> Iterator[Any]:
    import pyarrow

    if hasattr(table, "__arrow_c_stream__"):
        return iter(pyarrow.RecordBatchReader.from_stream(table))
    return iter([pyarrow.record_batch(table)])


def _check_collection(documents: object) -> None:
    if isinstance(documents, str | bytes):
        hint = "put one text in a list, and read a file with read_corpus(path)"
        raise InputError(f"{_EXPECTED}, found one {type(documents).__name__}: {hint}")
    splits = splits_of(documents)
    if splits is not None:
        raise InputError(f"a DatasetDict with the splits {', '.join(splits)}: give one, as documents[{splits[0]!r}]")
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
