"""The answer to `index.probability_batch`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from anygram.results.base import Float64Array, Table
from anygram.results.probability import Probability
from anygram.types import Int64Array


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Probabilities(Table):
    """How likely each of many tokens comes after its prompt: one row each; indexing and iterating give `Probability`.

    Attributes:
        probs: float64 (n,), continuation_counts / prompt_counts; nan where the prompt does not occur.
        prompt_counts: int64 (n,), as `Probability.prompt_count`.
        continuation_counts: int64 (n,), as `Probability.continuation_count`.
        suffix_lengths: int64 (n,), as `Probability.suffix_length`.
    """

    probs: Float64Array
    prompt_counts: Int64Array
    continuation_counts: Int64Array
    suffix_lengths: Int64Array

    _dtypes: ClassVar[Mapping[str, npt.DTypeLike]] = {
        "probs": np.float64,
        "prompt_counts": np.int64,
        "continuation_counts": np.int64,
        "suffix_lengths": np.int64,
    }

    def __getitem__(self, row: int) -> Probability:
        return Probability(
            float(self.probs[row]),
            int(self.prompt_counts[row]),
            int(self.continuation_counts[row]),
            int(self.suffix_lengths[row]),
        )

    def __iter__(self) -> Iterator[Probability]:
        return map(self.__getitem__, range(len(self)))

    def _heading(self) -> str:
        return f"Probabilities: {len(self):,}"

    def _preview(self, limit: int) -> tuple[list[str], list[list[str]]]:
        rows = [
            [f"{one.prob:.4f}", str(one.continuation_count), str(one.prompt_count), str(one.suffix_length)]
            for one in map(self.__getitem__, range(min(limit, len(self))))
        ]
        return ["prob", "continuation_count", "prompt_count", "suffix_length"], rows
