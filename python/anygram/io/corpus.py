"""A corpus: documents in order, read lazily, as often as asked."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Literal, TextIO

import numpy as np

from anygram.errors import InputError
from anygram.io.arrays import ArrayFacts
from anygram.io.folders import expand
from anygram.io.formats import Options, facts_of_files, reader_of
from anygram.io.records import Counter, Fields, Reader, Record, Reject, TokenBlock
from anygram.io.remote import is_url, size_of
from anygram.io.streams import STDIN
from anygram.types import DOCUMENT_END


class Corpus:
    """Documents to build an index from. Iterating gives a `Record` for each; it may be iterated again.

    Made by `read_corpus`, or by `build` from objects.

    Attributes:
        num_bytes: size of the files, as they lie on the disk; None if unknown.
        num_records: documents given by the iteration that runs, or ran last.
        num_rejected: what that iteration skipped.
    """

    def __init__(
        self,
        readers: Sequence[Reader],
        *,
        num_bytes: int | None,
        arrays: Callable[[], ArrayFacts | None] = lambda: None,
        once: bool = False,
        rejects: str | os.PathLike[str] | None = None,
    ) -> None:
        self.num_bytes = num_bytes
        self.num_records = 0
        self.num_rejected = 0
        self._readers = list(readers)
        self._arrays = arrays
        self._once = once
        self._was_read = False
        self._rejects = rejects
        self._counter = Counter()

    @property
    def num_bytes_read(self) -> int:
        """Bytes of the files read by the iteration that runs, or ran last."""
        return self._counter.num_bytes

    def array_facts(self) -> ArrayFacts | None:
        """How much there is to index, if all of it is arrays of token ids; costs a look at their beginnings."""
        return self._arrays()

    def __iter__(self) -> Iterator[Record]:
        """Reads the documents.

        Raises:
            InputError: a document or a file is bad, and bad ones are not skipped; or there is none at all.
        """
        for item in self.parts():
            if isinstance(item, TokenBlock):
                yield from item.records()
            else:
                yield item

    def parts(self) -> Iterator[Record | TokenBlock]:
        """Reads the documents; many at a time where they are arrays of token ids.

        Raises:
            InputError: as in iterating.
        """
        if self._once and self._was_read:
            raise InputError("the documents can be read once only, and were: give a list, or files")
        self._was_read = True
        self._counter = Counter()
        self.num_records = self.num_rejected = 0
        with ExitStack() as stack:
            rejects = None if self._rejects is None else stack.enter_context(_open_rejects(self._rejects))
            for reader in self._readers:
                for item in reader(self._counter):
                    if isinstance(item, Reject):
                        self._reject(item, rejects)
                    else:
                        self.num_records += len(item.lengths) if isinstance(item, TokenBlock) else 1
                        yield item
        if self.num_records == 0:
            skipped = f"; {self.num_rejected} were skipped" if self.num_rejected else ""
            raise InputError(f"no document at all{skipped}")

    def _reject(self, reject: Reject, rejects: TextIO | None) -> None:
        if rejects is None:
            raise InputError(reject.reason, reject.source, reject.line)
        self.num_rejected += 1
        line = {"source": reject.source, "line": reject.line, "reason": reject.reason, "record": reject.record}
        rejects.write(json.dumps(line) + "\n")


def read_corpus(
    *inputs: str | os.PathLike[str],
    text_field: str = "text",
    tokens_field: str | None = None,
    id_field: str | None = None,
    metadata: str | Sequence[str] = "all",
    lines: bool = False,
    end_token: int | None = None,
    token_dtype: str | np.dtype[Any] | None = None,
    on_error: Literal["stop", "skip"] = "stop",
    rejects: str | os.PathLike[str] | None = None,
) -> Corpus:
    """A corpus of files, read when it is iterated.

    Args:
        inputs: files, folders (all readable files in them and below, by name) and patterns such as ``data/**/*.jsonl``,
            here or behind URLs (``s3://``, ``gs://``, ``hf://``, ``https://``, ...); "-" is text from standard input.
            Read are .txt, .jsonl and .json (one object a line), each also as .gz and .zst; .parquet, .arrow and
            .feather; folders of ``save_to_disk``; and token ids: .npy, .bin (raw, of Megatron with its .idx, or of
            llm.c) and .ds (of datatrove).
        text_field: of JSON lines and tables, the field that holds the text.
        tokens_field: the field that holds token ids, if they are to be read instead of text.
        id_field: the field that names the document.
        metadata: which other fields to keep: "all", "none", or names (a sequence, or a str with commas).
        lines: whether each line of a text file is a document, instead of the whole file.
        end_token: the id that ends each document in files of token ids and is none of its tokens. A file that says
            nothing of documents is one document without it; where documents' borders are known, it is dropped from
            their ends. (In llm.c's files it begins them, and need not be given.)
        token_dtype: the type of the ids in files that do not say it (raw .bin, and .npy as OLMo writes it), such as
            "uint16".
        on_error: "stop" at a bad record with an InputError, or "skip" it into the file `rejects`.
        rejects: where to write what was skipped, as JSON lines {source, line, reason, record}.

    Raises:
        InputError: a file is missing, nothing matches, a suffix is unknown, or the arguments contradict each other.
        MissingExtraError: a library is missing that a format or a kind of URL needs.
    """
    if not inputs:
        raise InputError("no input: name files, folders or patterns")
    if on_error not in {"stop", "skip"}:
        raise InputError(f"on_error is 'stop' or 'skip', found {on_error!r}")
    if (on_error == "skip") != (rejects is not None):
        raise InputError("on_error='skip' and rejects=FILE go together, so that nothing is skipped in silence")
    if end_token is not None and (isinstance(end_token, bool) or not 0 <= end_token <= DOCUMENT_END):
        raise InputError(f"end_token is an id from 0 to {DOCUMENT_END}, found {end_token!r}")
    fields = Fields(
        text=text_field,
        tokens=tokens_field,
        required=tokens_field or text_field,
        id=id_field,
        metadata=_metadata_fields(metadata),
        trusted=True,
    )
    dtype = _token_dtype(token_dtype)
    paths = [path for name in inputs for path in expand(os.fspath(name))]
    if paths.count(STDIN) > 1:
        raise InputError("standard input can be read once only", STDIN)

    options = Options(fields, lines, end_token, dtype)
    once = STDIN in paths
    num_bytes = None if once else sum(map(_size, paths))
    readers = [reader_of(path, options) for path in paths]
    arrays = partial(facts_of_files, paths, options)
    return Corpus(readers, num_bytes=num_bytes, arrays=arrays, once=once, rejects=rejects)


def _open_rejects(path: str | os.PathLike[str]) -> TextIO:
    try:
        return Path(path).open("w", encoding="ascii")
    except OSError as error:
        raise InputError(f"the file for rejects cannot be written: {error.strerror}", os.fspath(path)) from None


def _metadata_fields(metadata: str | Sequence[str]) -> frozenset[str] | None:
    if metadata == "all":
        return None
    if metadata == "none":
        return frozenset()
    return frozenset(metadata.split(",") if isinstance(metadata, str) else metadata)


def _token_dtype(token_dtype: str | np.dtype[Any] | None) -> np.dtype[Any] | None:
    if token_dtype is None:
        return None
    try:
        dtype = np.dtype(token_dtype)
    except TypeError:
        dtype = None
    if dtype is None or dtype.kind not in "iu":
        raise InputError(f"token_dtype is a type of integers, such as 'uint16', found {token_dtype!r}")
    return dtype


def _size(path: str) -> int:
    try:
        return (size_of(path) or 0) if is_url(path) else Path(path).stat().st_size
    except OSError:
        return 0  # reading it will say what is wrong
