"""The numbers and structures of the format, which docs/metadata-format.md specifies."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from anygram.errors import IndexFormatError

MAGIC = b"ANYGMETA"
VERSION = 0

#: A chunk ends after this many documents, or when their values take this many bytes.
CHUNK_DOCUMENTS = 4096
CHUNK_BYTES = 1 << 22

#: No frame may be larger than this when decompressed, so that few bytes cannot ask for much memory.
MAX_FRAME_BYTES = 1 << 28

HEADER = struct.Struct("<8sII")  # magic, version, zero
CHUNK = struct.Struct("<QQII")  # first document, byte offset, bytes of its header's frame: compressed, decompressed
TRAILER = struct.Struct("<QQQII8s")  # directory's byte offset, chunks, documents, names' frame: compressed, not; magic
COLUMN = struct.Struct("<BBHII")  # coding, kind of all values or MIXED, zero, values, documents that have the field
INTEGERS = struct.Struct("<qBBH")  # base, differences?, width, zero

#: The first columns of each chunk; the fields' follow.
OWN_COLUMNS = ("shape", "source", "line", "id")


class Coding(IntEnum):
    """Which value each document has."""

    CONSTANT = 0
    OWN = 1
    CODES_8 = 2
    CODES_16 = 3


class Kind(IntEnum):
    """What a value is."""

    NULL = 0
    FALSE = 1
    TRUE = 2
    INTEGER = 3
    LARGE_INTEGER = 4
    FLOAT = 5
    STRING = 6
    JSON = 7


MIXED = 255


@contextmanager
def refusing(what: str) -> Iterator[None]:
    """Makes an IndexFormatError of all that reading bytes which do not follow the format can raise."""
    import zstandard

    try:
        yield
    except (ArithmeticError, LookupError, MemoryError, RecursionError, TypeError, ValueError) as error:
        raise IndexFormatError(f"metadata: {what} is malformed: {error}") from None
    except (struct.error, zstandard.ZstdError) as error:
        raise IndexFormatError(f"metadata: {what} is malformed: {error}") from None


def expect(condition: bool, message: str) -> None:
    """Raises a ValueError, for `refusing`, unless the condition holds."""
    if not condition:
        raise ValueError(message)


def compress(raw: bytes) -> bytes:
    """One frame, which says its size."""
    import zstandard

    return zstandard.ZstdCompressor(level=9).compress(raw)


def decompress(frame: memoryview, num_bytes: int) -> bytes:
    """What is in a frame that was said to hold so many bytes. For use within `refusing`."""
    import zstandard

    expect(num_bytes <= MAX_FRAME_BYTES, f"a frame of {num_bytes} bytes is larger than {MAX_FRAME_BYTES}")
    # Asked before memory is: a frame may claim any size.
    said = zstandard.get_frame_parameters(frame).content_size
    expect(said == num_bytes, f"expected a frame of {num_bytes} bytes, found one of {said}")
    raw = zstandard.ZstdDecompressor().decompress(frame, max_output_size=num_bytes, allow_extra_data=False)
    expect(len(raw) == num_bytes, f"expected a frame of {num_bytes} bytes, found {len(raw)}")
    return raw
