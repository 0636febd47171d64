"""What questions are asked with: n-grams and numbers, checked before the core sees them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from anygram.errors import DocumentNotFoundError, InvalidQueryError
from anygram.types import Ragged

#: One n-gram: text, which the index's tokenizer encodes, or token ids.
Ngram: TypeAlias = str | Sequence[int] | NDArray[np.integer[Any]]

#: Many n-grams; an Arrow list array will do as well.
Ngrams: TypeAlias = Iterable[Ngram] | NDArray[np.integer[Any]] | Ragged

#: Which documents a question is about: a condition on their fields, such as ``"source = 'web' AND year >= 2020"``; or
#: for each document, by its number, whether it counts.
Where: TypeAlias = str | NDArray[np.bool_]


def each_ngram(ngrams: Ngrams) -> Iterable[Ngram]:
    """The n-grams one by one, whatever holds them."""
    if isinstance(ngrams, str):
        raise InvalidQueryError("many n-grams are a sequence of them, found one str: put it in a list")
    if isinstance(ngrams, np.ndarray) and ngrams.ndim != 2:
        raise InvalidQueryError(
            f"many n-grams are a 2-D array, found {ngrams.ndim} dimensions; one n-gram is asked for without _batch"
        )
    if not isinstance(ngrams, list | tuple | np.ndarray | Ragged) and hasattr(ngrams, "__arrow_c_array__"):
        import nanoarrow

        return nanoarrow.Array(ngrams).to_pylist()  # type: ignore[no-any-return]
    if not isinstance(ngrams, Iterable):
        raise InvalidQueryError(f"many n-grams are a sequence of them, found {type(ngrams).__name__}")
    return ngrams


def document_number(number: object, num_documents: int) -> int:
    """The number of a document of an index that has so many."""
    checked = number if isinstance(number, int | np.integer) and not isinstance(number, bool) else None
    if checked is None:
        raise InvalidQueryError(f"a document's number is an int, found {number!r} ({type(number).__name__})")
    if not 0 <= checked < num_documents:
        raise DocumentNotFoundError(f"document {number} does not exist: there are {num_documents}, numbered from 0")
    return int(checked)


def integer(value: object, name: str, least: int) -> int:
    """An argument that is an int from `least` up."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InvalidQueryError(f"{name} is an int from {least} up, found {value!r}")
    return int(value)


def optional_integer(value: object, name: str, least: int) -> int | None:
    """The same, or None."""
    return None if value is None else integer(value, name, least)
