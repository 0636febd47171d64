"""Files as streams of bytes: counted, decompressed on the way, and never silently short."""

from __future__ import annotations

import io
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol

from anygram.io.records import Counter, Reject
from anygram.io.remote import is_url, name_in, open_url

#: The name of standard input.
STDIN = "-"

#: What reading a stream may raise: the system refuses, the file ends early, or what is in it is damaged.
STREAM_ERRORS = (OSError, EOFError)

_COMPRESSED_BLOCK = 32_768  # small, since a block may expand by some thousands
_BUFFER = 262_144
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class _Decompressor(Protocol):
    """What `zlib` and `zstandard` have in common: reads one frame of a file that may have many."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


class _CountedFile(io.RawIOBase):
    """Counts what is read through it."""

    def __init__(self, file: io.FileIO | BinaryIO, counter: Counter, closes: bool) -> None:
        self._file = file
        self._counter = counter
        self._closes = closes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # narrower than any buffer, as it is called
        block = self._file.read(len(buffer)) or b""
        buffer[: len(block)] = block
        self._counter.num_bytes += len(block)
        return len(block)

    def close(self) -> None:
        if self._closes:
            self._file.close()
        super().close()


class _Frames(io.RawIOBase):
    """Decompresses frame after frame.

    The end of the file within a frame is an EOFError. (The library's own reader of zstd takes it for the end.)
    """

    def __init__(self, file: BinaryIO, kind: str, start: Callable[[], _Decompressor], error: type[Exception]) -> None:
        self._file = file
        self._kind = kind
        self._start = start
        self._error = error
        self._frame: _Decompressor | None = None
        self._input = b""
        self._output = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # narrower than any buffer, as it is called
        while not self._output:
            if not self._input:
                self._input = self._file.read(_COMPRESSED_BLOCK)
                if not self._input:
                    if self._frame is not None:
                        raise EOFError(f"the {self._kind} file is truncated")
                    return 0
            self._output = memoryview(self._decompress())
        size = min(len(buffer), len(self._output))
        buffer[:size] = self._output[:size]
        self._output = self._output[size:]
        return size

    def _decompress(self) -> bytes:
        if self._frame is None:
            # Files of gzip may be padded with zeros.
            self._input = self._input.lstrip(b"\0") if self._kind == "gzip" else self._input
            if not self._input:
                return b""
            self._frame = self._start()
        block, self._input = self._input, b""
        try:
            output = self._frame.decompress(block)
        except self._error as error:
            raise OSError(f"the {self._kind} file is damaged: {error}") from None
        if self._frame.eof:
            self._input = self._frame.unused_data
            self._frame = None
        return output

    def close(self) -> None:
        self._file.close()
        super().close()


def open_stream(path: str, counter: Counter) -> BinaryIO:
    """Opens a file for reading: `-` is standard input, and it may be a URL; .gz and .zst are decompressed."""
    raw = sys.stdin.buffer if path == STDIN else open_url(path) if is_url(path) else io.FileIO(path)
    counted = io.BufferedReader(_CountedFile(raw, counter, closes=path != STDIN), _BUFFER)
    name = name_in(path).lower()
    if name.endswith(".gz"):
        return io.BufferedReader(_Frames(counted, "gzip", lambda: zlib.decompressobj(wbits=31), zlib.error), _BUFFER)
    if name.endswith(".zst"):
        import zstandard

        # Archives of text are often written with the long windows that a decompressor refuses unless told.
        decompressor = zstandard.ZstdDecompressor(max_window_size=2**31)
        return io.BufferedReader(_Frames(counted, "zstd", decompressor.decompressobj, zstandard.ZstdError), _BUFFER)
    return counted


def stream_reason(error: Exception) -> str:
    """What to say about one of `STREAM_ERRORS`."""
    return getattr(error, "strerror", None) or str(error)


def without_byte_order_mark(raw: bytes) -> bytes:
    """The start of a file, without the mark that some programs put there."""
    return raw.removeprefix(_BYTE_ORDER_MARK)


def read_lines(path: str, counter: Counter) -> Iterator[tuple[int, bytes] | Reject]:
    """The lines of a file with their numbers, from 1; at most one reject, at the end, where reading failed."""
    number = 0
    try:
        with open_stream(path, counter) as stream:
            for number, line in enumerate(stream, 1):
                yield number, without_byte_order_mark(line) if number == 1 else line
    except STREAM_ERRORS as error:
        yield Reject(stream_reason(error), path, number + 1 if number else None)
