"""Documents by the value of a field."""

from __future__ import annotations

import json
from typing import NamedTuple

import numpy as np

from anygram.errors import InvalidQueryError
from anygram.filters.columns import Columns, Source
from anygram.filters.language import Field, Place, kind_of, parse_field
from anygram.types import Int64Array, MetadataValue


class Groups(NamedTuple):
    """Which value each document has.

    Attributes:
        values: each once, by first appearance; null, which is also a field that is missing, as None.
        numbers: int64 (num_documents,), for each document the number of its value.
    """

    values: list[MetadataValue]
    numbers: Int64Array


def group_documents(field: str, columns: Columns) -> Groups:
    """Groups all documents by a field: its name as it is, or as in a filter (``meta.lang``).

    Raises:
        InvalidQueryError: no document has such a field.
    """
    if not isinstance(field, str):
        raise InvalidQueryError(f"a field is named by a str, found {type(field).__name__}")
    source = Source(field, (), False) if columns.has_field(field) else columns.source(_parsed(field), field)
    numbering: dict[object, int] = {}
    values: list[MetadataValue] = []
    numbers = np.zeros(columns.num_documents, np.int64)
    found = not source.inner
    for chunk in columns.chunks():
        codes, of_chunk = chunk.values(source)
        mapping = []
        for value in [*of_chunk, None]:  # code -1, no value, finds the last entry
            number = numbering.setdefault(_identity(value), len(values))
            if number == len(values):
                values.append(value)
            mapping.append(number)
            found = found or value is not None
        begin = chunk.first_document
        numbers[begin : begin + chunk.num_documents] = np.array(mapping, np.int64)[codes]
    if not found:
        keys = sorted({key for chunk in columns.chunks() for key in chunk.keys(source)})
        if source.inner[-1] not in keys:
            outer = ".".join((source.name, *source.inner[:-1]))
            raise columns.unknown(Field((source.name, *source.inner), Place(0, 0)), field, keys, f"{outer}.")
    return Groups(values, numbers)


def _parsed(field: str) -> Field:
    try:
        return parse_field(field)
    except InvalidQueryError:
        # A name as it is, with whatever characters: then it is unknown, which says more.
        return Field((field,), Place(0, len(field)))


def _identity(value: MetadataValue) -> object:
    """Equal for values that are one group: 1 and 1.0 are, 1 and true are not."""
    kind = kind_of(value)
    if kind in {"list", "object"}:
        return kind, json.dumps(value, sort_keys=True)
    return kind, "nan" if value != value else value  # noqa: PLR0124  # a nan is itself
