"""The answers to `index.longest_matches` and `index.spans`: which parts of a text the corpus has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from anygram.results.base import Decode, Table, read_only
from anygram.results.text import shortened
from anygram.types import Int64Array

# A longer stretch is cut before it is decoded: a line shows no more of it anyway.
_SHOWN_TOKENS = 64


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Matches(Table):
    """At each token of a text, the longest n-gram beginning there that occurs anywhere in the corpus: n rows.

    Attributes:
        lengths: int64 (n,), its length in tokens; 0 if not even the token itself occurs.
        counts: int64 (n,), how often it occurs; 0 where the length is 0.
        query: int64 (n,), the tokens asked about, to show them; no part of the answer.
        decode: token ids to text, to show words beside ids; no part of the answer.
    """

    lengths: Int64Array
    counts: Int64Array
    query: Int64Array | None = field(default=None, compare=False)
    decode: Decode | None = field(default=None, compare=False)

    _dtypes: ClassVar[Mapping[str, npt.DTypeLike]] = {"lengths": np.int64, "counts": np.int64}

    def __post_init__(self) -> None:
        Table.__post_init__(self)
        _freeze_query(self)

    def _heading(self) -> str:
        longest = int(self.lengths.max()) if len(self) else 0
        return f"Matches: {len(self):,} starts; longest {longest} tokens"

    def _preview(self, limit: int) -> tuple[list[str], list[list[str]]]:
        rows = []
        for begin in range(min(limit, len(self))):
            shown = _shown(self.query, begin, begin + int(self.lengths[begin]), self.decode)
            rows.append([str(begin), str(self.lengths[begin]), str(self.counts[begin]), shown])
        return ["start", "length", "count", "n-gram"], rows


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Spans(Table):
    """The stretches of a text that occur in the corpus and cannot be made longer on either side: one row each.

    Attributes:
        begins: int64 (n,), ascending: the first token of each, as an offset into the text.
        ends: int64 (n,), ascending: the token after its last.
        counts: int64 (n,), how often it occurs in the corpus.
        query: the tokens asked about, to show them; no part of the answer.
        decode: token ids to text, to show words beside ids; no part of the answer.
    """

    begins: Int64Array
    ends: Int64Array
    counts: Int64Array
    query: Int64Array | None = field(default=None, compare=False)
    decode: Decode | None = field(default=None, compare=False)

    _dtypes: ClassVar[Mapping[str, npt.DTypeLike]] = {"begins": np.int64, "ends": np.int64, "counts": np.int64}

    def __post_init__(self) -> None:
        Table.__post_init__(self)
        _freeze_query(self)

    def _heading(self) -> str:
        longest = int((self.ends - self.begins).max()) if len(self) else 0
        return f"Spans: {len(self):,}; longest {longest} tokens"

    def _preview(self, limit: int) -> tuple[list[str], list[list[str]]]:
        rows = []
        for row in range(min(limit, len(self))):
            begin, end = int(self.begins[row]), int(self.ends[row])
            rows.append([str(begin), str(end), str(self.counts[row]), _shown(self.query, begin, end, self.decode)])
        return ["begin", "end", "count", "n-gram"], rows


def _freeze_query(table: Matches | Spans) -> None:
    if table.query is not None:
        object.__setattr__(table, "query", read_only(table.query, np.int64))


def _shown(query: Int64Array | None, begin: int, end: int, decode: Decode | None) -> str:
    if query is None:
        return ""
    tokens = query[begin : min(end, begin + _SHOWN_TOKENS)].tolist()
    return repr(shortened(decode(tokens))) if decode is not None else shortened(" ".join(map(str, tokens)))
