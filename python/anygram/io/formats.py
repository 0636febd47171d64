"""Which reader a file takes: by its suffix, by how it begins, and by what stands beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from anygram.errors import InputError
from anygram.io import remote
from anygram.io.arrays import ArrayFacts, array_facts, read_array
from anygram.io.arrow import pyarrow_or_error, read_arrow, read_parquet
from anygram.io.datatrove import datatrove_facts, has_ends, read_datatrove
from anygram.io.folders import ARRAY_SUFFIXES, JSONL_SUFFIXES, PARQUET_SUFFIXES, TABLE_SUFFIXES, suffix_of
from anygram.io.jsonl import read_jsonl
from anygram.io.llmc import is_llmc, llmc_facts, read_llmc
from anygram.io.megatron import is_megatron, megatron_facts, read_megatron
from anygram.io.olmo import is_raw, offsets_of, read_olmo
from anygram.io.records import Counter, Fields, Reader, Record, Reject, TokenBlock
from anygram.io.streams import STREAM_ERRORS, stream_reason
from anygram.io.text import read_text, read_text_lines


class Options(NamedTuple):
    """How files are read.

    Attributes:
        fields: of records.
        lines: whether each line of a text is a document.
        end_token: ends documents in files of token ids.
        dtype: of raw token ids.
    """

    fields: Fields
    lines: bool
    end_token: int | None
    dtype: np.dtype[Any] | None


class _Tokens(NamedTuple):
    """A file of token ids, recognized."""

    read: Reader
    facts: Callable[[], ArrayFacts | None]


def reader_of(path: str, options: Options) -> Reader:
    """The reader of a file.

    Raises:
        InputError: it cannot be known what the file is.
        MissingExtraError: a library that it needs is not installed.
    """
    suffix = suffix_of(path)
    if suffix in JSONL_SUFFIXES:
        return partial(read_jsonl, path, options.fields)
    if suffix in TABLE_SUFFIXES:
        pyarrow_or_error(f"{path}: reading tables")
        return partial(read_parquet if suffix in PARQUET_SUFFIXES else read_arrow, path, options.fields)
    if suffix in ARRAY_SUFFIXES:
        return partial(_read_remote, path, options) if remote.is_url(path) else _tokens(path, options).read
    return partial(read_text_lines if options.lines else read_text, path)


def facts_of_files(paths: Sequence[str], options: Options) -> ArrayFacts | None:
    """How much there is to index; None if not all files are token ids on this machine."""
    if not all(suffix_of(path) in ARRAY_SUFFIXES and not remote.is_url(path) for path in paths):
        return None
    known = [facts for path in paths if (facts := _tokens(path, options).facts()) is not None]
    return ArrayFacts(sum(facts.stream_length for facts in known), max((facts.largest for facts in known), default=0))


def _tokens(path: str, options: Options) -> _Tokens:
    lower, end_token, dtype = path.lower(), options.end_token, options.dtype
    if lower.endswith(".bin") and is_megatron(path):
        return _Tokens(partial(read_megatron, path, end_token), partial(megatron_facts, path))
    if lower.endswith(".bin") and is_llmc(path):
        return _Tokens(partial(read_llmc, path, end_token), partial(llmc_facts, path))
    if lower.endswith(".ds") and has_ends(path):
        return _Tokens(partial(read_datatrove, path, dtype, end_token), partial(datatrove_facts, path, dtype))
    if lower.endswith(".npy") and not is_raw(path):
        return _array(path, None, end_token)
    dtype = _needed(path, dtype)
    offsets = offsets_of(path) if lower.endswith(".npy") else None
    if offsets is not None:
        return _Tokens(partial(read_olmo, path, offsets, dtype, end_token), partial(array_facts, path, dtype, None))
    return _array(path, dtype, end_token)


def _array(path: str, dtype: np.dtype[Any] | None, end_token: int | None) -> _Tokens:
    return _Tokens(partial(read_array, path, dtype, end_token), partial(array_facts, path, dtype, end_token))


def _needed(path: str, dtype: np.dtype[Any] | None) -> np.dtype[Any]:
    if dtype is not None:
        return dtype
    what = {
        ".npy": "no file of NumPy, in spite of its name: if it is raw token ids, as OLMo writes them, it",
        ".bin": "no .idx of Megatron beside it and no header of llm.c: a raw .bin file",
        ".ds": "there is no .ds.index beside it: a .ds file alone",
    }
    found = next(text for suffix, text in what.items() if path.lower().endswith(suffix))
    raise InputError(f"{found} does not say what its ids are: give token_dtype, such as 'uint16'", path)


def _read_remote(url: str, options: Options, counter: Counter) -> Iterator[Record | TokenBlock | Reject]:
    """A copy of a file of token ids is mapped: it is read at random, and its size is checked before."""
    stem = url.rpartition(".")[0]
    beside = {".bin": f"{stem}.idx", ".ds": f"{url}.index", ".npy": f"{stem}.csv.gz"}
    try:
        with remote.local_copies(url, [beside[str(suffix_of(url))]]) as path:
            for item in _tokens(path, options).read(counter):
                if isinstance(item, Reject):
                    place = (
                        url if item.source is None else url.rpartition("/")[0] + "/" + item.source.rpartition("/")[2]
                    )
                    yield item._replace(source=place)
                else:
                    yield item._replace(source=url)
    except InputError as error:
        yield Reject(error.reason, url)
    except STREAM_ERRORS as error:
        yield Reject(stream_reason(error), url)
