"""The answer to `index.search`: windows of documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from anygram.errors import InvalidQueryError
from anygram.results.base import Decode, Table
from anygram.results.context import Context
from anygram.results.excerpt import Span, Unit, checked_width, contexts
from anygram.types import Int64Array

_SHOWN_WIDTH = 8  # tokens on either side, where hits are shown


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Hits(Table):
    """Windows that hold a match of every clause, and none smaller inside them does: one row each, in corpus order.

    Attributes:
        documents: int64 (n,), the number of the document.
        begins: int64 (n,), the window's first token, counted from the document's first.
        ends: int64 (n,), the token after its last.
        num_candidates: documents that hold a match of the rarest clause; no others can have a window.
        num_examined: how many of these were searched, in order; all of them, but for a limit that was reached.
        read: (document, begin, end) -> those tokens of the document; no part of the answer.
        decode: token ids to text; no part of the answer.
    """

    documents: Int64Array
    begins: Int64Array
    ends: Int64Array
    num_candidates: int
    num_examined: int
    read: Callable[[int, int, int], Int64Array] | None = field(default=None, compare=False)
    decode: Decode | None = field(default=None, compare=False)

    _dtypes: ClassVar[Mapping[str, npt.DTypeLike]] = {"documents": np.int64, "begins": np.int64, "ends": np.int64}

    @property
    def complete(self) -> bool:
        """Whether these are all windows: no limit cut them off."""
        return self.num_examined == self.num_candidates

    @property
    def num_documents(self) -> int:
        """Documents with a window."""
        return len(np.unique(self.documents))

    @property
    def estimated_total(self) -> float:
        """How many windows there are: exact if `complete`, else those found, scaled up to all candidates."""
        return len(self) * (self.num_candidates / self.num_examined if self.num_examined else 1.0)

    def context(self, row: int, width: int = 20, unit: Unit = "tokens") -> Context:
        """A window with at most `width` units of its document on either side, as `Occurrence.context`.

        Raises:
            InvalidQueryError: the width is negative, the unit is none or needs a tokenizer, or the hits were pickled,
                which leaves their index behind.
            IndexError: there is no such row.
        """
        checked_width(width, unit, self.decode)
        read = self.read
        if read is None:
            raise InvalidQueryError("these hits have left their index (they were pickled or made by hand)")
        window = Span(int(self.documents[row]), int(self.begins[row]), int(self.ends[row]))
        return contexts([window], width, unit, lambda spans: [read(*span) for span in spans], self.decode)[0]

    def _heading(self) -> str:
        found = f"Hits: {len(self):,} windows in {self.num_documents:,} documents"
        if self.complete:
            return found
        part = f"{self.num_examined:,} of {self.num_candidates:,} candidate documents"
        return f"{found}, after {part} (about {self.estimated_total:,.0f} in all)"

    def _preview(self, limit: int) -> tuple[list[str], list[list[str]]]:
        rows = []
        for row in range(min(limit, len(self))):
            shown = "" if self.read is None else str(self.context(row, _SHOWN_WIDTH))
            rows.append([str(self.documents[row]), str(self.begins[row]), str(self.ends[row]), shown])
        return ["document", "begin", "end", "window"], rows
