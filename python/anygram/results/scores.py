"""The answer to `index.score`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from anygram.results.base import BoolArray, Decode, Float64Array, Table
from anygram.results.text import token_label
from anygram.types import Int64Array


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Scores(Table):
    """Each token of a text under the ∞-gram (or n-gram) model of the corpus: one row a token, n rows.

    Row i answers `probability(tokens[:i], tokens[i], backoff=True)`.

    Attributes:
        tokens: int64 (n,), the tokens scored; with `end=True` one more row, `DOCUMENT_END`.
        probs: float64 (n,), continuation_counts / prompt_counts; nan in an empty corpus only.
        prompt_counts: int64 (n,), how often the suffix of what came before, the longest that occurs, occurs.
        continuation_counts: int64 (n,), how often this token comes right after it.
        suffix_lengths: int64 (n,), that suffix's length in tokens; the effective n is one more.
        sparse: bool (n,), whether exactly one distinct continuation was ever seen there (the document's end is one).
        top_tokens: int64 (n, k), the k most frequent continuations at each place, the most frequent first; None if not
            asked for. A place with fewer is filled up with `DOCUMENT_END` at prob 0.0.
        top_probs: float64 (n, k), their probs.
        decode: token ids to text, to show words beside ids; no part of the answer.
    """

    tokens: Int64Array
    probs: Float64Array
    prompt_counts: Int64Array
    continuation_counts: Int64Array
    suffix_lengths: Int64Array
    sparse: BoolArray
    top_tokens: Int64Array | None = None
    top_probs: Float64Array | None = None
    decode: Decode | None = field(default=None, compare=False)

    _dtypes: ClassVar[Mapping[str, npt.DTypeLike]] = {
        "tokens": np.int64,
        "probs": np.float64,
        "prompt_counts": np.int64,
        "continuation_counts": np.int64,
        "suffix_lengths": np.int64,
        "sparse": np.bool_,
        "top_tokens": np.int64,
        "top_probs": np.float64,
    }

    @property
    def agrees(self) -> BoolArray:
        """Bool (n,): whether the corpus gives the token more than half of the probability, `probs > 0.5`."""
        agrees: BoolArray = self.probs > 0.5
        agrees.flags.writeable = False
        return agrees

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """The table as arrays by name, `agrees` among them, without the columns that were not asked for."""
        columns = Table.columns(self)
        top = {name: columns.pop(name) for name in list(columns) if name.startswith("top_")}
        return columns | {"agrees": self.agrees} | top

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain data that `json.dumps` takes: arrays as lists, nan as None."""
        return {**Table.to_dict(self), "agrees": self.agrees.tolist()}

    def _heading(self) -> str:
        if not len(self):
            return "Scores: 0 tokens"
        return (
            f"Scores: {len(self):,} tokens; {self.agrees.mean():.1%} agree, {self.sparse.mean():.1%} sparse, "
            f"mean suffix_length {self.suffix_lengths.mean():.2f}"
        )

    def _preview(self, limit: int) -> tuple[list[str], list[list[str]]]:
        rows = [
            [
                f"{self.probs[row]:.4f}",
                str(self.continuation_counts[row]),
                str(self.prompt_counts[row]),
                str(self.suffix_lengths[row]),
                "yes" if self.sparse[row] else "",
                token_label(int(self.tokens[row]), self.decode),
            ]
            for row in range(min(limit, len(self)))
        ]
        return ["prob", "count", "of", "suffix", "sparse", "token"], rows
