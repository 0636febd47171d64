"""The index that a report is about, without the index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from anygram.index import Index


@dataclass(frozen=True)
class CorpusFacts:
    """The index that was asked."""

    id: str
    path: str
    num_tokens: int
    num_documents: int
    tokenizer: str

    @classmethod
    def of(cls, index: Index) -> CorpusFacts:
        """What a report tells of this index."""
        path = index.path
        where = "in memory" if path is None else ", ".join(map(str, path)) if isinstance(path, list) else str(path)
        tokenizer = "none" if index.tokenizer is None else index.tokenizer.spec
        return cls(index.id, where, index.num_tokens, index.num_documents, tokenizer)
