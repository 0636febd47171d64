"""One match of `index.find`, and the tokens around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from anygram.errors import InvalidQueryError
from anygram.results.base import Decode, Result, html_table, read_only
from anygram.results.text import visible
from anygram.types import Int64Array


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Context(Result):
    """An n-gram where it stands: the tokens before it in its document, its own, and those after.

    Attributes:
        before: int64, at most `width` tokens; fewer at the document's beginning.
        match: int64, the n-gram's tokens.
        after: int64, at most `width` tokens; fewer at the document's end.
        decode: token ids to text; no part of the answer.
    """

    before: Int64Array
    match: Int64Array
    after: Int64Array
    decode: Decode | None = field(default=None, compare=False)

    _dtypes: ClassVar[Mapping[str, npt.DTypeLike]] = {"before": np.int64, "match": np.int64, "after": np.int64}

    def __post_init__(self) -> None:
        for name, dtype in self._dtypes.items():
            object.__setattr__(self, name, read_only(getattr(self, name), dtype))

    @property
    def texts(self) -> tuple[str, str, str] | None:
        """The text before, of the match, and after; None without a tokenizer. Each access decodes."""
        return None if self.decode is None else self._texts(self.decode)

    @property
    def text(self) -> str | None:
        """The whole as text; None without a tokenizer. Each access decodes."""
        return None if self.decode is None else self.decode([*self.before, *self.match, *self.after])

    def _texts(self, decode: Decode) -> tuple[str, str, str]:
        # Decoded from the left in growing runs and cut apart: a run decoded alone can lose its leading space.
        left = self.before.tolist()
        middle = left + self.match.tolist()
        whole = middle + self.after.tolist()
        texts = decode(left), decode(middle), decode(whole)
        if texts[1].startswith(texts[0]) and texts[2].startswith(texts[1]):
            return texts[0], texts[1][len(texts[0]) :], texts[2][len(texts[1]) :]
        # A character lies across the seam of two tokens: the parts are then shown each for itself.
        return decode(left), decode(self.match.tolist()), decode(self.after.tolist())

    def _parts(self) -> tuple[str, str, str]:
        if self.decode is not None:
            return self._texts(self.decode)
        before, match, after = (" ".join(map(str, part)) for part in (self.before, self.match, self.after))
        return before, match, after

    def __str__(self) -> str:
        before, match, after = map(visible, self._parts())
        return f"{before}[{match}]{after}" if self.decode is not None else f"{before} [{match}] {after}".strip()

    def __repr__(self) -> str:
        before, match, after = self._parts()
        return f"Context({before!r}, {match!r}, {after!r})"

    def _repr_html_(self) -> str:
        return html_table("Context", ["before", "match", "after"], [self._parts()])


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

    def context(self, width: int = 20) -> Context:
        """The occurrence with at most `width` tokens of its document on either side.

        Raises:
            InvalidQueryError: the width is negative, or the occurrence was pickled, which leaves its index behind.
        """
        if width < 0:
            raise InvalidQueryError(f"a context's width is a number of tokens from 0 up, not {width}")
        if self.read is None:
            raise InvalidQueryError(
                "this occurrence has left its index (it was pickled or made by hand): "
                f"ask index.document({self.document}).tokens, from offset {self.offset}"
            )
        begin = max(0, self.offset - width)
        tokens = self.read(self.document, begin, self.offset + self.length + width)
        match = self.offset - begin
        after = match + self.length
        return Context(tokens[:match], tokens[match:after], tokens[after:], self.decode)

    def __repr__(self) -> str:
        numbers = Result.__repr__(self)
        if self.read is None or self.decode is None:
            return numbers
        return f"{numbers[:-1]}, context={str(self.context(8))!r})"
