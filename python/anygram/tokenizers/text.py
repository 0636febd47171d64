"""What the adapters share: texts that can be encoded, and the text of what cannot be decoded."""

from __future__ import annotations

import hashlib

from anygram.errors import InvalidQueryError

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
