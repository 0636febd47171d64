"""One match of `index.find`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from anygram.errors import InvalidQueryError
from anygram.results.base import Decode, Result
from anygram.results.context import Context
from anygram.results.excerpt import Span, Unit, checked_width, contexts
from anygram.types import Int64Array


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Occurrence(Result):
    """One place where an n-gram stands.

    Attributes:
        document: the number of the document that holds it.
        offset: its first token, counted from the document's first, which is 0.
        shard: the number of the shard that holds the document.
        rank: its place in that shard's suffix array.
        position: its first token, as an offset into that shard's token stream (document ends take a place there).
        length: the n-gram's length in tokens.
        read: (document, begin, end) -> those tokens of the document, cut at its end; no part of the answer.
        decode: token ids to text; no part of the answer.
    """

    document: int
    offset: int
    shard: int
    rank: int
    position: int
    length: int
    read: Callable[[int, int, int], Int64Array] | None = field(default=None, compare=False)
    decode: Decode | None = field(default=None, compare=False)

    @property
    def span(self) -> Span:
        """Its document, and its tokens in it: from, to."""
        return Span(self.document, self.offset, self.offset + self.length)

    def context(self, width: int = 20, unit: Unit = "tokens") -> Context:
        """The occurrence with at most `width` units of its document on either side.

        Args:
            width: how many.
            unit: "tokens"; "words", which the tokenizer `words` would make of the text; or "characters" (code points).

        Raises:
            InvalidQueryError: the width is negative, the unit is none or needs a tokenizer, or the occurrence was
                pickled, which leaves its index behind.
        """
        checked_width(width, unit, self.decode)
        read = self.read
        if read is None:
            raise InvalidQueryError(
                "this occurrence has left its index (it was pickled or made by hand): "
                f"ask index.document({self.document}).tokens, from offset {self.offset}"
            )
        return contexts([self.span], width, unit, lambda spans: [read(*span) for span in spans], self.decode)[0]

    def __repr__(self) -> str:
        numbers = Result.__repr__(self)
        if self.read is None or self.decode is None:
            return numbers
        return f"{numbers[:-1]}, context={str(self.context(8))!r})"
