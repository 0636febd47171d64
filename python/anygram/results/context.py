"""A match, and what stands around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from anygram.results.base import Decode, Result, html_table, read_only
from anygram.results.spelling import Spelling
from anygram.results.text import visible
from anygram.types import Int64Array

#: Tokens that complete a character whose other bytes stand in the tokens beside them: it has four at most.
BEYOND = 4

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Context(Result):
    """A match where it stands: the tokens before it in its document, its own, and those after.

    Its texts never show half a character that is whole in the document: one that lies across two of the parts belongs
    to the match, and one that lies across an outer edge is shown whole.

    Attributes:
        before: int64, the tokens that hold what is shown before the match; fewer at the document's beginning.
        match: int64, the match's tokens.
        after: int64, the same after it; fewer at the document's end.
        decode: token ids to text; no part of the answer.
        beyond: a few tokens that stand beyond either edge, to complete characters; no part of the answer.
        shown: the texts, if they are cut inside of tokens; no part of the answer.
    """

    before: Int64Array
    match: Int64Array
    after: Int64Array
    decode: Decode | None = field(default=None, compare=False)
    beyond: tuple[Int64Array, Int64Array] | None = field(default=None, compare=False)
    shown: tuple[str, str, str] | None = field(default=None, compare=False)

    _dtypes: ClassVar[Mapping[str, npt.DTypeLike]] = {"before": np.int64, "match": np.int64, "after": np.int64}

    def __post_init__(self) -> None:
        for name, dtype in self._dtypes.items():
            object.__setattr__(self, name, read_only(getattr(self, name), dtype))

    @property
    def texts(self) -> tuple[str, str, str] | None:
        """The text before, of the match, and after; None without a tokenizer. Each access decodes."""
        if self.shown is not None:
            return self.shown
        return None if self.decode is None else self._texts(self.decode)

    @property
    def text(self) -> str | None:
        """The whole as text; None without a tokenizer. Each access decodes."""
        texts = self.texts
        return None if texts is None else "".join(texts)

    def _texts(self, decode: Decode) -> tuple[str, str, str]:
        parts = [self.before.tolist(), self.match.tolist(), self.after.tolist()]
        spelling = Spelling(decode, [token for part in parts for token in part])
        # Beginnings are decoded, not parts: a part decoded alone can lose its leading space.
        left, right = self._beyond(spelling.text)
        if left or right:
            spelling = Spelling(decode, [token for part in (left, *parts, right) for token in part])
        seams = np.cumsum([len(left), *map(len, parts)]).tolist()
        begin, match = (spelling.whole_before(seam) for seam in seams[:2])
        match_end, end = (spelling.begun_before(seam) for seam in seams[2:])
        if not spelling.is_regular:
            return decode(parts[0]), decode(parts[1]), decode(parts[2])
        return spelling.text[begin:match], spelling.text[match:match_end], spelling.text[match_end:end]

    def _beyond(self, text: str) -> tuple[list[int], list[int]]:
        """The tokens to decode beside the context's, where its edges may be halves of characters."""
        if self.beyond is None:
            return [], []
        left = self.beyond[0].tolist() if text.startswith(_REPLACEMENT) else []
        return left, self.beyond[1].tolist() if text.endswith(_REPLACEMENT) else []

    def _parts(self) -> tuple[str, str, str]:
        texts = self.texts
        if texts is not None:
            return texts
        before, match, after = (" ".join(map(str, part)) for part in (self.before, self.match, self.after))
        return before, match, after

    def __str__(self) -> str:
        before, match, after = map(visible, self._parts())
        has_text = self.decode is not None or self.shown is not None
        return f"{before}[{match}]{after}" if has_text else f"{before} [{match}] {after}".strip()

    def __repr__(self) -> str:
        before, match, after = self._parts()
        return f"Context({before!r}, {match!r}, {after!r})"

    def _repr_html_(self) -> str:
        return html_table("Context", ["before", "match", "after"], [self._parts()])
