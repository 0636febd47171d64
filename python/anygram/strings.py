"""Text as `match="text"` looks for it: by bytes, whatever its tokenization."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np

from anygram.arguments import Ngram
from anygram.errors import InvalidQueryError, LimitError
from anygram.letters import same_letters
from anygram.occurrences import StringOccurrences, StringPlaces
from anygram.results import Decode
from anygram.types import Int64Array, Tokenizer

if TYPE_CHECKING:
    from anygram import _core

#: Whether an n-gram is its tokens, or a string that stands in the documents' text whatever their tokens.
Match: TypeAlias = Literal["tokens", "text"]

#: The longest string that can be looked for.
MAX_BYTES = 4096

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class TokenTexts(NamedTuple):
    """The bytes of every token, as they stand in a document's text.

    Attributes:
        offsets: int64 (vocab_size + 1,): token i has ``data[offsets[i]:offsets[i + 1]]``.
        data: the bytes of all.
        drops_first_byte: whether the first token of a document is without its first byte, which is a space.
    """

    offsets: Int64Array
    data: bytes
    drops_first_byte: bool


def token_texts(tokenizer: Tokenizer, vocab_size: int) -> TokenTexts:
    """What text is made of, by a tokenizer whose `decode` puts its tokens' bytes one after another.

    Raises:
        InvalidQueryError: its `decode` does something else.
    """
    separator = getattr(tokenizer, "separator", None)
    if separator is None:
        raise InvalidQueryError(
            f"text cannot be found across the tokens of {tokenizer.spec}, whose decoding is more than putting them one "
            'after another: ask with match="tokens", or build the index with another tokenizer'
        )
    space = separator.encode()
    texts = [space + tokenizer.token_bytes(token) for token in range(vocab_size)]
    offsets = np.zeros(vocab_size + 1, np.int64)
    np.cumsum(np.fromiter(map(len, texts), np.int64, vocab_size), out=offsets[1:])
    return TokenTexts(offsets, b"".join(texts), bool(space))


class StringFinder:
    """Finds strings in an index's documents."""

    def __init__(self, core: _core.Index, tokens: _core.TokenBytes, tokenizer: Tokenizer) -> None:
        self._core = core
        self._tokens = tokens
        self._tokenizer = tokenizer

    def count(self, text: Ngram, chosen: _core.DocumentFilter | None, *, ignore_case: bool) -> int:
        """How often it stands there, in the documents that a filter chooses; None for all."""
        if chosen is not None:
            return int(self.documents(text, chosen, ignore_case=ignore_case)[1].sum())
        return self._core.count_string(self._tokens, characters(text, ignore_case=ignore_case))

    def document_count(self, text: Ngram, chosen: _core.DocumentFilter | None, *, ignore_case: bool) -> int:
        """In how many documents it stands."""
        return len(self.documents(text, chosen, ignore_case=ignore_case)[0])

    def documents(
        self, text: Ngram, chosen: _core.DocumentFilter | None, *, ignore_case: bool
    ) -> tuple[Int64Array, Int64Array]:
        """The documents that hold it, ascending, and how often it stands in each; without listing where."""
        ways = characters(text, ignore_case=ignore_case)
        documents, counts = self._core.list_string_documents(self._tokens, ways)
        if chosen is None:
            return documents, counts
        kept = chosen.mask()[documents]
        return documents[kept], counts[kept]

    def places(self, text: Ngram, chosen: _core.DocumentFilter | None, *, ignore_case: bool) -> StringPlaces:
        """Where it stands."""
        found = StringPlaces(*self._core.find_string(self._tokens, characters(text, ignore_case=ignore_case)))
        return found if chosen is None else found.chosen(chosen.mask())

    def find(
        self,
        text: Ngram,
        chosen: _core.DocumentFilter | None,
        *,
        ignore_case: bool,
        read: Callable[[int, int, int], Int64Array],
        decode: Decode | None,
        question: Callable[[], bytes],
    ) -> StringOccurrences:
        """The same, as a list."""
        places = self.places(text, chosen, ignore_case=ignore_case)
        return StringOccurrences(self._core, places, str(text), self._tokenizer, read, decode, question)


def is_text(match: str, *, ignore_case: bool) -> bool:
    """Whether strings are asked for, not tokens.

    Raises:
        InvalidQueryError: `match` is neither, or case is to be ignored in tokens.
    """
    if match not in ("tokens", "text"):
        raise InvalidQueryError(f'match is "tokens" or "text", found {match!r}')
    if ignore_case and match == "tokens":
        raise InvalidQueryError('case can be ignored in text only: ask with match="text"')
    return match == "text"


def characters(text: object, *, ignore_case: bool) -> list[list[bytes]]:
    """The ways to write each character of a string that is looked for, in UTF-8.

    Raises:
        InvalidQueryError: it is no str, is empty, or holds what no text does.
        LimitError: it is longer than `MAX_BYTES`.
    """
    if not isinstance(text, str):
        raise InvalidQueryError(f'match="text" looks for a str, found {type(text).__name__}: ask with match="tokens"')
    if not text:
        raise InvalidQueryError('match="text" looks for one character or more, found an empty str')
    if _REPLACEMENT in text:
        raise InvalidQueryError("U+FFFD stands for bytes that are no text, and cannot be looked for")
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise InvalidQueryError(f"a lone surrogate at character {error.start} has no UTF-8 form") from None
    if size > MAX_BYTES:
        raise LimitError(f"the string has {size:,} bytes, and at most {MAX_BYTES:,} can be looked for")
    ways = same_letters if ignore_case else lambda character: (character,)
    return [[way.encode() for way in ways(character)] for character in text]
