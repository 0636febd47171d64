"""The answers to `index.near_matches` and `index.near_spans`: what the corpus has, but for some tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from anygram.results.base import BoolArray, Decode, Table, read_only
from anygram.results.text import shortened
from anygram.types import Int64Array


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class NearMatches(Table):
    """Places that differ from an n-gram in few tokens: one row each, in corpus order.

    Attributes:
        documents: int64 (n,), ascending: the number of the document.
        offsets: int64 (n,), where it stands there, in tokens.
        substitutions: int64 (n,), how many of its tokens are others.
        complete: whether these are all: no limit cut them off.
        length: how many tokens each place has.
        read: (document, begin, end) -> those tokens of the document; no part of the answer.
        decode: token ids to text; no part of the answer.
    """

    documents: Int64Array
    offsets: Int64Array
    substitutions: Int64Array
    complete: bool
    length: int
    read: Callable[[int, int, int], Int64Array] | None = field(default=None, compare=False)
    decode: Decode | None = field(default=None, compare=False)

    _dtypes: ClassVar[Mapping[str, npt.DTypeLike]] = {
        "documents": np.int64,
        "offsets": np.int64,
        "substitutions": np.int64,
    }

    def _heading(self) -> str:
        return f"NearMatches: {len(self):,}" + ("" if self.complete else ", and more")

    def _preview(self, limit: int) -> tuple[list[str], list[list[str]]]:
        rows = []
        for row in range(min(limit, len(self))):
            document, offset = int(self.documents[row]), int(self.offsets[row])
            shown = "" if self.read is None else self._shown(document, offset)
            rows.append([str(document), str(offset), str(self.substitutions[row]), shown])
        return ["document", "offset", "substitutions", "text"], rows

    def _shown(self, document: int, offset: int) -> str:
        assert self.read is not None
        tokens = self.read(document, offset, offset + self.length).tolist()
        return repr(shortened(self.decode(tokens))) if self.decode else shortened(" ".join(map(str, tokens)))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class NearSpans(Table):
    """The stretches of a text that the corpus has but for some tokens: one row each, none inside another.

    Attributes:
        begins: int64 (n,), ascending: the first token of each, as an offset into the text.
        ends: int64 (n,), ascending: the token after its last.
        substitutions: int64 (n,), how many of its tokens are others in the corpus.
        documents: int64 (n,), the number of a document that has it.
        matched: bool (tokens,), by token of the text: whether it is in some span and not substituted there. (A span
            that is not listed, because another contains it, may match what the other substitutes.)
        longest: the most tokens that one span matches.
    """

    begins: Int64Array
    ends: Int64Array
    substitutions: Int64Array
    documents: Int64Array
    matched: BoolArray
    longest: int

    _dtypes: ClassVar[Mapping[str, npt.DTypeLike]] = {
        "begins": np.int64,
        "ends": np.int64,
        "substitutions": np.int64,
        "documents": np.int64,
    }

    def __post_init__(self) -> None:
        Table.__post_init__(self)
        object.__setattr__(self, "matched", read_only(self.matched, np.bool_))

    def _heading(self) -> str:
        return f"NearSpans: {len(self):,}; {np.count_nonzero(self.matched):,} of {len(self.matched):,} tokens matched"

    def _preview(self, limit: int) -> tuple[list[str], list[list[str]]]:
        columns = (self.begins, self.ends, self.substitutions, self.documents)
        rows = [[str(column[row]) for column in columns] for row in range(min(limit, len(self)))]
        return ["begin", "end", "substitutions", "document"], rows
