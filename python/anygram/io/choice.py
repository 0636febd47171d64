"""Which reader reads a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from anygram.errors import InputError
from anygram.io.arrays import ArrayFacts, array_facts, read_array
from anygram.io.arrow import read_arrow, read_parquet
from anygram.io.folders import (
    ARRAY_SUFFIXES,
    ARROW_SUFFIXES,
    DATATROVE_SUFFIXES,
    JSONL_SUFFIXES,
    MEGATRON_SUFFIXES,
    PARQUET_SUFFIXES,
    suffix_of,
)
from anygram.io.jsonl import read_jsonl
from anygram.io.records import Fields, Reader
from anygram.io.remote import is_url
from anygram.io.streams import stream_reason
from anygram.io.text import read_text, read_text_lines
from anygram.io.token_files import (
    has_numpy_header,
    is_llmc,
    megatron_index,
    offsets_file,
    read_datatrove,
    read_llmc,
    read_megatron,
    read_olmo,
)


@dataclass(frozen=True)
class Choice:
    """What the user said of all files.

    Attributes:
        fields: of records and tables, which field holds what.
        dtype: the type of raw ids.
        end_token: the id that ends a document.
        lines: whether each line of a text is a document.
    """

    fields: Fields
    dtype: np.dtype[Any] | None
    end_token: int | None
    lines: bool

    def reader(self, path: str) -> Reader:
        """What reads a file, by its name and its first bytes.

        Raises:
            InputError: it is one whose ids need to be explained, or one that cannot be opened.
        """
        try:
            return self._reader(path)
        except OSError as error:
            raise InputError(stream_reason(error), path) from error

    def _reader(self, path: str) -> Reader:
        suffix = suffix_of(path)
        table_fields = replace(self.fields, trusted=False)
        if suffix in JSONL_SUFFIXES:
            return partial(read_jsonl, path, self.fields)
        if suffix in PARQUET_SUFFIXES:
            return partial(read_parquet, path, table_fields)
        if suffix in ARROW_SUFFIXES:
            return partial(read_arrow, path, table_fields)
        if suffix in DATATROVE_SUFFIXES:
            return partial(read_datatrove, path, self.end_token)
        if suffix in ARRAY_SUFFIXES + MEGATRON_SUFFIXES:
            return self._token_reader(path, suffix)
        return partial(read_text_lines if self.lines else read_text, path)

    def _token_reader(self, path: str, suffix: str | None) -> Reader:
        if suffix == ".npy":
            return self._array_reader(path)
        index = megatron_index(path)
        if index is not None:
            return partial(read_megatron, index, self.end_token)
        if suffix == ".idx":
            raise InputError("expected the index of a Megatron data set, found something else", path)
        if is_llmc(path):
            return partial(read_llmc, path, self.end_token)
        if self.dtype is None:
            raise InputError("a .bin file does not say what its ids are: give token_dtype, such as 'uint16'", path)
        return partial(read_array, path, self.dtype, self.end_token)

    def _array_reader(self, path: str) -> Reader:
        if has_numpy_header(path):
            return partial(read_array, path, None, self.end_token)
        if self.dtype is None:
            raise InputError(
                "an .npy file without NumPy's header, as OLMo's are: give token_dtype, such as 'uint16'", path
            )
        table = offsets_file(path)
        if table is None:
            return partial(read_array, path, self.dtype, self.end_token)
        # The table's columns are metadata; the ids are no field of a record.
        fields = replace(self.fields, required="tokens", tokens="tokens", trusted=True)
        return partial(read_olmo, path, table, self.dtype, self.end_token, fields)

    def array_facts(self, paths: Sequence[str]) -> ArrayFacts | None:
        """About all files, if they are plain arrays of ids on this machine."""
        found = []
        for path in paths:
            if is_url(path) or suffix_of(path) not in ARRAY_SUFFIXES:
                return None
            reader = self.reader(path)
            if not isinstance(reader, partial) or reader.func is not read_array:
                return None
            found.append(array_facts(path, reader.args[1], self.end_token))
        known = [facts for facts in found if facts is not None]
        return ArrayFacts(
            sum(facts.stream_length for facts in known), max((facts.largest for facts in known), default=0)
        )
