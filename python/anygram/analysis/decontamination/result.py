"""What comes of decontamination: the documents to drop."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from anygram.analysis.report_table import ReportTable
from anygram.results.base import Column, Float64Array
from anygram.types import Int64Array


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DroppedDocuments(ReportTable):
    """The documents that a rule drops, in the corpus's order: one row for each. Made by `anygram.decontaminate`.

    Attributes:
        document: its number in the corpus, from 0.
        id: its stable name; its number if it has none.
        source: the file it came from; None if unknown.
        line: its line there, from 1; 0 if unknown.
        score: the number that the rule decides by.
        benchmark: the benchmark of the item that tells the most against it.
        items: the items, as "benchmark/id", the most telling first, at most ten; as JSON.
        rule: the rule, with its parameters.
        num_documents: how many documents there were.
        num_bytes: of their texts, in UTF-8.
    """

    document: Int64Array
    id: Column
    source: Column
    line: Int64Array
    score: Float64Array
    benchmark: Column
    items: Column
    rule: str
    num_documents: int
    num_bytes: int

    _dtypes: ClassVar[Mapping[str, npt.DTypeLike]] = {
        "document": np.int64,
        "id": np.object_,
        "source": np.object_,
        "line": np.int64,
        "score": np.float64,
        "benchmark": np.object_,
        "items": np.object_,
    }

    @property
    def share(self) -> float:
        """Dropped of all documents."""
        return len(self) / self.num_documents if self.num_documents else 0.0

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the list.

        Args:
            path: ends in .json, .jsonl, .csv, .parquet or .html.

        Raises:
            InputError: the suffix is unknown.
        """
        from anygram.io.tables import write_table

        write_table(self.columns(), path, title=f"Documents to drop by {self.rule}")

    def _heading(self) -> str:
        return f"DroppedDocuments: {len(self):,} of {self.num_documents:,} by {self.rule}"
