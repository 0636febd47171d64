"""What the user asks about: literals, lines of a file and token ids, in this order, as tokens."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from anygram.cli.exits import UsageError
from anygram.errors import InputError, InvalidQueryError
from anygram.types import DOCUMENT_END

if TYPE_CHECKING:
    from anygram.index import Index


@dataclass(frozen=True)
class Query:
    """One thing to ask about.

    Attributes:
        text: as the user wrote it; None if token ids were given.
        tokens: what it is to the index.
    """

    text: str | None
    tokens: list[int]


def read_queries(
    index: Index, texts: Sequence[str] | None, file: str | None, token_ids: Sequence[str] | None
) -> list[Query]:
    """All that was asked, encoded.

    Raises:
        UsageError: nothing was asked, or token ids are no numbers.
        InputError: the file cannot be read.
        InvalidQueryError: the index has no tokenizer.
    """
    if not texts and file is None and not token_ids:
        raise UsageError("nothing to ask about: give a TEXT, -f FILE or --token-ids IDS")
    literals = [*(texts or []), *(read_lines(file) if file is not None else [])]
    queries = [Query(text, encode(index, text)) for text in literals]
    return queries + [Query(None, parse_token_ids(ids)) for ids in token_ids or []]


def asked(query: Query, match: str) -> str | list[int]:
    """What to ask the index for.

    Raises:
        UsageError: text is looked for, and token ids were given.
    """
    if match == "tokens":
        return query.tokens
    if query.text is None:
        raise UsageError("--match text looks for TEXT: token ids are asked for without it")
    return query.text


def encode(index: Index, text: str) -> list[int]:
    """The text's token ids."""
    tokens: list[int] = index.encode(text).tolist()
    return tokens


def parse_token_ids(text: str) -> list[int]:
    """Token ids from "5 6 7" or "5,6,7"."""
    try:
        return [int(part) for part in text.replace(",", " ").split()]
    except ValueError:
        raise UsageError(f'--token-ids takes numbers such as "5 6 7", found {text!r}') from None


def read_lines(file: str) -> list[str]:
    """The lines of a UTF-8 file, or of stdin for "-", without their ends. An empty line is an empty text.

    Raises:
        InputError: it cannot be read, or is not UTF-8.
    """
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise InputError(error.strerror or str(error), file) from error
    lines = data.removesuffix(b"\n").split(b"\n") if data else []
    return [_decoded(line.removesuffix(b"\r"), file, number) for number, line in enumerate(lines, 1)]


def _decoded(line: bytes, file: str, number: int) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise InputError(
            f"expected UTF-8, found byte 0x{line[error.start]:02x} at {error.start}", file, number
        ) from None


def one_token(index: Index, text: str) -> int:
    """The id of a text that is one token.

    Raises:
        InvalidQueryError: it is none, or several.
    """
    tokens = encode(index, text)
    if len(tokens) != 1:
        split = f" ({split_text(index, tokens)})" if tokens else ""
        raise InvalidQueryError(
            f"expected a text of one token, found {text!r} of {len(tokens)}{split}: "
            'give one token, or ids: --token-ids "PROMPT IDS TOKEN ID"'
        )
    return tokens[0]


def token_text(index: Index, token: int) -> str | None:
    """What a token looks like alone; None for the document's end and without a tokenizer."""
    return None if token == DOCUMENT_END or index.tokenizer is None else index.decode([token])


def split_text(index: Index, tokens: Sequence[int]) -> str:
    """How a text falls into tokens: their texts between bars, or their ids without a tokenizer."""
    if index.tokenizer is None:
        return " ".join(map(str, tokens))
    return "|".join(index.decode([token]) for token in tokens)
