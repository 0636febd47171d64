"""Text of a corpus, made fit to be shown: it may hold escape sequences, markup, and marks that reorder a line."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence

from anygram.types import DOCUMENT_END

# Cc: controls (ESC starts a terminal's commands) · Cf: marks that reorder or hide text · Cs: halves of a pair, which no
# stream can encode · Zl, Zp: line breaks by other names.
_UNSHOWN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Joiners that scripts need to be written right; they neither reorder nor hide anything.
_NEEDED = frozenset("\u200c\u200d")


def visible(text: str) -> str:
    """The text on one line: white space becomes blanks, and what would control a terminal or a page is left out."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible_character(character) for character in text)


def _visible_character(character: str) -> str:
    if character.isspace():
        return " "
    if character in _NEEDED or unicodedata.category(character) not in _UNSHOWN:
        return character
    return ""


def token_label(token: int, decode: Callable[[Sequence[int]], str] | None) -> str:
    """A token for people: its id, and its text in quotes when a tokenizer is known."""
    if token == DOCUMENT_END:
        return "(document end)"
    return str(token) if decode is None else f"{token} {decode([token])!r}"


def shortened(text: str, limit: int = 60) -> str:
    """The text, or its beginning and an ellipsis if it is longer than `limit` characters."""
    return text if len(text) <= limit else text[: limit - 3] + "..."
