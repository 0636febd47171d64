"""Places in a long list of answers, as short strings that one gives back to read on."""

from __future__ import annotations

import base64
import binascii

from anygram.errors import InvalidQueryError

_DIGEST_BYTES = 9
_NUMBER_BYTES = 6


def write_cursor(number: int, question: bytes) -> str:
    """The cursor of place `number` among the answers to a question: 20 characters that a URL can hold."""
    return base64.urlsafe_b64encode(_digest(question) + number.to_bytes(_NUMBER_BYTES)).decode()


def read_cursor(cursor: object, question: bytes, size: int) -> int:
    """The place that a cursor stands for.

    Raises:
        InvalidQueryError: it is no cursor, or one of another question or index.
    """
    try:
        raw = base64.b64decode(cursor.encode("ascii"), b"-_", validate=True) if isinstance(cursor, str) else b""
    except (binascii.Error, UnicodeEncodeError):
        raw = b""
    number = int.from_bytes(raw[_DIGEST_BYTES:])
    if len(raw) != _DIGEST_BYTES + _NUMBER_BYTES:
        raise InvalidQueryError(f"a cursor is what a page gave as its `next`, found {cursor!r:.60}")
    if raw[:_DIGEST_BYTES] != _digest(question) or number > size:
        raise InvalidQueryError(
            f"the cursor {cursor!r} belongs to another question, or to another generation of the index: "
            "ask for the first page again, without a cursor"
        )
    return number


def _digest(question: bytes) -> bytes:
    import hashlib

    return hashlib.blake2b(question, digest_size=_DIGEST_BYTES).digest()
