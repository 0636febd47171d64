"""One match of `index.find(..., match="text")`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from anygram.errors import InvalidQueryError
from anygram.letters import fold
from anygram.results.base import Decode, Result
from anygram.results.context import Context
from anygram.results.excerpt import Span, Unit, checked_width, contexts
from anygram.types import Int64Array


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class StringOccurrence(Result):
    """One place where a string stands in a document's text, inside of tokens or across their borders.

    Attributes:
        document: the number of the document that holds it.
        offset: the token that holds its first byte, counted from the document's first, which is 0.
        begin: which byte of that token its first is.
        length: how many tokens hold it.
        end: how many bytes of the last of them belong to it and what is before it in that token.
        shard: the number of the shard that holds the document.
        position: that first token, as an offset into that shard's token stream.
        text: the string as it was asked for.
        token_bytes: a token's bytes; no part of the answer.
        separator: what stands between tokens, and counts to the one behind it; no part of the answer.
        read: (document, begin, end) -> those tokens of the document, cut at its end; no part of the answer.
        decode: token ids to text; no part of the answer.
    """

    document: int
    offset: int
    begin: int
    length: int
    end: int
    shard: int
    position: int
    text: str
    token_bytes: Callable[[int], bytes] | None = field(default=None, compare=False)
    separator: str = field(default="", compare=False)
    read: Callable[[int, int, int], Int64Array] | None = field(default=None, compare=False)
    decode: Decode | None = field(default=None, compare=False)

    @property
    def span(self) -> Span:
        """Its document, and the tokens that hold it: from, to."""
        return Span(self.document, self.offset, self.offset + self.length)

    def context(self, width: int = 20, unit: Unit = "tokens") -> Context:
        """The occurrence with at most `width` units of its document on either side.

        The context's `match` are the tokens that hold the string; of its `texts`, the middle one is the string alone.

        Args:
            width: how many.
            unit: "tokens"; "words", which the tokenizer `words` would make of the text; or "characters" (code points).

        Raises:
            InvalidQueryError: the width is negative, the unit is none, or the occurrence was pickled, which leaves its
                index behind.
        """
        checked_width(width, unit, self.decode)
        read = self.read
        if read is None:
            raise InvalidQueryError(
                "this occurrence has left its index (it was pickled or made by hand): "
                f"ask index.document({self.document}).tokens, from offset {self.offset}"
            )
        found = contexts([self.span], width, unit, lambda spans: [read(*span) for span in spans], self.decode)[0]
        return self.narrowed(found, width, unit)

    def narrowed(self, context: Context, width: int, unit: Unit) -> Context:
        """The context of the tokens that hold the string, as that of the string."""
        texts = context.texts
        if texts is None or self.token_bytes is None:
            return context
        before, tokens, after = texts
        skipped = self._characters_before(self.token_bytes(int(context.match[0])))
        begin = skipped if self._stands_at(tokens, skipped) else self._first_place(tokens)
        end = begin + len(self.text)
        before, match, after = before + tokens[:begin], tokens[begin:end], tokens[end:] + after
        if unit == "characters":
            before, after = before[len(before) - min(len(before), width) :], after[:width]
        return replace(context, shown=(before, match, after))

    def _characters_before(self, first: bytes) -> int:
        """How many characters stand before the string in its first token, one that began in another among them."""
        separator = self.separator.encode()
        # The first token of a document has no separator.
        head = (separator + first)[len(separator) if self.offset == 0 else 0 : self.begin]
        starts_inside = bool(head) and head[0] & 0xC0 == 0x80
        return starts_inside + sum(byte & 0xC0 != 0x80 for byte in head)

    def _stands_at(self, tokens: str, place: int) -> bool:
        found = tokens[place : place + len(self.text)]
        return list(map(fold, found)) == list(map(fold, self.text))

    def _first_place(self, tokens: str) -> int:
        """Where bytes that are no text stand before it, their characters are not known: the first place is taken."""
        return next((place for place in range(len(tokens)) if self._stands_at(tokens, place)), 0)

    def __repr__(self) -> str:
        numbers = Result.__repr__(self)
        if self.read is None or self.decode is None:
            return numbers
        return f"{numbers[:-1]}, context={str(self.context(8))!r})"
