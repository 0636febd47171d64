"""One document of the corpus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from anygram.results.base import Decode, Result, html_table, plain, read_only
from anygram.results.text import shortened
from anygram.types import Int64Array

# Enough for a line of text in any tokenizer, and quick to decode however long the document is.
_SHOWN_TOKENS = 200


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Document(Result):
    """A document as it was indexed.

    Attributes:
        number: its number in the index, from 0 in input order.
        tokens: int64 (n,), its token ids, without the document's end.
        metadata: the fields of its record besides the text, as they came in.
        source: where it was read from, usually a file's name; None if unknown.
        id: its stable name, if the corpus gave one.
        decode: token ids to text; no part of the answer.
    """

    number: int
    tokens: Int64Array
    metadata: Mapping[str, Any] = field(default_factory=dict)
    source: str | None = None
    id: str | None = None
    decode: Decode | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tokens", read_only(self.tokens, np.int64))

    @property
    def text(self) -> str | None:
        """The tokens decoded; None without a tokenizer. Each access decodes the whole document."""
        return None if self.decode is None else self.decode(self.tokens.tolist())

    def to_dict(self) -> dict[str, Any]:
        """The document as plain data that `json.dumps` takes: number, source, id, text, tokens and metadata."""
        return {
            "number": self.number,
            "source": self.source,
            "id": self.id,
            "text": self.text,
            "tokens": self.tokens.tolist(),
            "metadata": plain(self.metadata),
        }

    def __len__(self) -> int:
        """The number of tokens."""
        return len(self.tokens)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the text in place of the tokenizer."""
        text = self.text
        decode = None if text is None else _KnownText(text)
        return type(self), (self.number, self.tokens, self.metadata, self.source, self.id, decode)

    def _facts(self) -> dict[str, object]:
        facts = {"source": self.source, "id": self.id, "metadata": dict(self.metadata) or None}
        return {name: value for name, value in facts.items() if value is not None}

    def _beginning(self) -> str:
        tokens = self.tokens[:_SHOWN_TOKENS].tolist()
        return repr(shortened(self.decode(tokens))) if self.decode is not None else shortened(str(tokens))

    def __repr__(self) -> str:
        facts = "".join(f", {name}={value!r}" for name, value in self._facts().items())
        return f"Document(number={self.number}, {len(self):,} tokens{facts}, {self._beginning()})"

    def _repr_html_(self) -> str:
        rows = [[name, str(value)] for name, value in self._facts().items()]
        return html_table(f"Document {self.number}, {len(self):,} tokens", [], [*rows, ["", self._beginning()]])


@dataclass(frozen=True, slots=True)
class _KnownText:
    """Stands in for a tokenizer where the whole text is already known, whichever part of the tokens is asked for."""

    text: str

    def __call__(self, _tokens: Sequence[int]) -> str:
        return self.text
