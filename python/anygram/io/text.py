"""Text files: the whole file is one document, or each line is."""

from __future__ import annotations

from collections.abc import Iterator

from anygram.io.records import Counter, Record, RefusedError, Reject, decoded, escaped
from anygram.io.streams import STREAM_ERRORS, open_stream, read_lines, stream_reason, without_byte_order_mark


def read_text(path: str, counter: Counter) -> Iterator[Record | Reject]:
    """The file as one document, its line ends as they are."""
    try:
        with open_stream(path, counter) as stream:
            raw = without_byte_order_mark(stream.read())
    except STREAM_ERRORS as error:
        yield Reject(stream_reason(error), path)
        return
    try:
        yield Record(decoded(raw), None, {}, path)
    except RefusedError as error:
        yield Reject(str(error), path, None, escaped(raw))


def read_text_lines(path: str, counter: Counter) -> Iterator[Record | Reject]:
    """Each line as a document, without its line end; an empty line is an empty document."""
    for line in read_lines(path, counter):
        if isinstance(line, Reject):
            yield line
            continue
        number, raw = line
        raw = raw.removesuffix(b"\n").removesuffix(b"\r")
        try:
            yield Record(decoded(raw), None, {}, path, number)
        except RefusedError as error:
            yield Reject(str(error), path, number, escaped(raw))
