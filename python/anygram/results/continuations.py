"""The answer to `index.continuations`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, overload

import numpy as np
import numpy.typing as npt

from anygram.errors import InvalidQueryError
from anygram.results.base import Decode, Float64Array, Table
from anygram.results.text import token_label
from anygram.types import DOCUMENT_END, Int64Array


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Continuations(Table):
    """What follows a prompt in this corpus, and how often: one row for each distinct continuation.

    Attributes:
        tokens: int64 (n,), ascending; the document's end (`DOCUMENT_END`) is the last if it occurs.
        counts: int64 (n,), how often each token comes right after the prompt.
        probs: float64 (n,), counts / prompt_count.
        prompt_count: how often the prompt occurs; without `top_k` the counts sum to it.
        suffix_length: how many tokens at the prompt's end were looked up: all, or with `backoff` as many as occur.
        num_distinct: how many distinct continuations there are, counting the document's end and what `top_k` left out.
        top_k: the limit asked for: only the most frequent are kept; None if all are here.
        decode: token ids to text, to show words beside ids; no part of the answer.
    """

    tokens: Int64Array
    counts: Int64Array
    probs: Float64Array
    prompt_count: int
    suffix_length: int
    num_distinct: int
    top_k: int | None = None
    decode: Decode | None = field(default=None, compare=False)

    _dtypes: ClassVar[Mapping[str, npt.DTypeLike]] = {"tokens": np.int64, "counts": np.int64, "probs": np.float64}

    @overload
    def dense(self, size: int, *, values: Literal["probs"] = "probs") -> Float64Array: ...

    @overload
    def dense(self, size: int, *, values: Literal["counts"]) -> Int64Array: ...

    def dense(self, size: int, *, values: Literal["probs", "counts"] = "probs") -> Float64Array | Int64Array:
        """The table as one array with a place for every token id, as a language model would give it.

        The document's end is left out (its share is what the probs lack to 1), and so is what `top_k` left out.
        If the prompt does not occur, no distribution exists: all probs are nan, all counts 0.

        Args:
            size: the array's length, usually the vocabulary's.
            values: "probs" for float64, "counts" for int64.

        Raises:
            InvalidQueryError: a continuation does not fit, being a token id of `size` or above.
        """
        if values not in ("probs", "counts"):
            raise InvalidQueryError(f'values must be "probs" or "counts", not {values!r}')
        within = self.tokens != DOCUMENT_END
        tokens = self.tokens[within]
        if len(tokens) and tokens[-1] >= size:
            raise InvalidQueryError(f"token {tokens[-1]} follows the prompt and does not fit a size of {size}")
        if values == "counts":
            counts = np.zeros(size, dtype=np.int64)
            counts[tokens] = self.counts[within]
            return counts
        probs = np.full(size, 0.0 if self.prompt_count else np.nan)
        probs[tokens] = self.probs[within]
        return probs

    def _heading(self) -> str:
        kept = f"the {len(self):,} most frequent of " if len(self) < self.num_distinct else ""
        return (
            f"Continuations: {kept}{self.num_distinct:,} distinct; "
            f"prompt_count={self.prompt_count}, suffix_length={self.suffix_length}"
        )

    def _preview(self, limit: int) -> tuple[list[str], list[list[str]]]:
        rows = []
        for row in np.argsort(-self.counts, kind="stable")[:limit]:
            label = token_label(int(self.tokens[row]), self.decode)
            rows.append([str(self.counts[row]), f"{self.probs[row]:.4f}", label])
        return ["count", "prob", "token"], rows
