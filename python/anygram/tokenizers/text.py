"""What the adapters share: texts that can be encoded, and the text of what cannot be decoded."""

from __future__ import annotations

import hashlib

import numpy as np

from anygram.errors import InvalidQueryError
from anygram.types import Int64Array

#: Stands for an id that has no text.
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def utf8(text: str) -> bytes:
    """The UTF-8 form of a text.

    Raises:
        InvalidQueryError: it is no str, or it holds a lone surrogate and so has no such form.
    """
    if not isinstance(text, str):
        raise InvalidQueryError(f"expected a str to encode, found {type(text).__name__}")
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise InvalidQueryError(
            f"the text has a lone surrogate, {text[error.start]!a}, at character {error.start}: it has no UTF-8 form"
        ) from None


def content_hash(content: bytes) -> str:
    """The SHA-256 of a tokenizer's content, in hex."""
    return hashlib.sha256(content).hexdigest()


def character_offsets(text: bytes, begins: Int64Array, ends: Int64Array) -> Int64Array:
    """Characters ``[begin, end)``, with shape (n, 2), of pieces of a UTF-8 text given in bytes.

    A piece that begins or ends inside a character stands for all of it; an empty one is empty where it stands.
    """
    starts = (np.frombuffer(text, np.uint8) & 0xC0) != 0x80
    # By byte: how many characters begin before it, with one more for the text's end.
    before = np.concatenate([np.zeros(1, np.int64), np.cumsum(starts, dtype=np.int64)])
    first = before[np.minimum(begins + 1, len(text))] - 1
    empty = ends <= begins
    first = np.where(empty, before[begins], first)
    return np.stack([first, np.where(empty, first, before[ends])], axis=1)
