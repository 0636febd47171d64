"""What is judged, and what comes of it: an example, a verdict, the evidence for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    """One example of a benchmark.

    Attributes:
        benchmark: the name of the set it is from.
        number: which of the set's examples it is, from 0.
        id: its stable name.
        fields: role -> text, in reading order: "passage", "question", "choices", "answer"; those it has. Choices are
            joined by newlines.
    """

    benchmark: str
    number: int
    id: str
    fields: Mapping[str, str]

    @property
    def text(self) -> str:
        """The fields joined by newlines."""
        return "\n".join(self.fields.values())


@dataclass(frozen=True)
class Evidence:
    """A span of an item that was matched, and where it stands in the corpus.

    Attributes:
        field: the role of the field that it is a span of.
        begin: where it begins, in characters of the field's text.
        end: where it ends, half-open.
        count: how often the corpus holds the span; 0 if the way that was taken does not know.
        documents: numbers of some documents that hold it: at most 10, ascending.
    """

    field: str
    begin: int
    end: int
    count: int
    documents: tuple[int, ...]


@dataclass(frozen=True)
class Verdict:
    """What one rule says of one item.

    Attributes:
        item: the index of the item among those given.
        applicable: False if the rule cannot judge the item, for instance because it is too short.
        contaminated: what the rule decides; False where it is not applicable.
        score: the number that the rule decides by; nan where it is not applicable.
        label: the rule's own word: "clean", "dirty", "not clean", ...; "not applicable" where it is not.
        evidence: what was matched, in reading order.
    """

    item: int
    applicable: bool
    contaminated: bool
    score: float
    label: str
    evidence: tuple[Evidence, ...]
