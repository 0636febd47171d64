"""What a rule reads of an item, and where in the item's fields that stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from anygram.analysis.contamination.items import Item


class FieldSpan(NamedTuple):
    """Characters of one field's text."""

    field: str
    begin: int
    end: int


@dataclass(frozen=True)
class ItemText:
    """Fields of an item as one text, with newlines between them.

    Attributes:
        text: the text.
        places: the fields, and where each stands in the text.
    """

    text: str
    places: tuple[FieldSpan, ...]

    @classmethod
    def of(cls, item: Item, roles: Sequence[str] | None = None) -> ItemText:
        """The fields of those roles that the item has, in its order; None for all."""
        fields = [(role, text) for role, text in item.fields.items() if roles is None or role in roles]
        places, begin = [], 0
        for role, text in fields:
            places.append(FieldSpan(role, begin, begin + len(text)))
            begin += len(text) + 1
        return cls("\n".join(text for _, text in fields), tuple(places))

    @classmethod
    def part(cls, field: str, text: str, begin: int, end: int) -> ItemText:
        """Characters [begin, end) of one field's text."""
        return cls(text[begin:end], (FieldSpan(field, -begin, len(text) - begin),))

    def locate(self, begin: int, end: int) -> list[FieldSpan]:
        """Where characters [begin, end) of the text stand in the fields: one span for each field it touches."""
        return [
            FieldSpan(place.field, max(begin, place.begin) - place.begin, min(end, place.end) - place.begin)
            for place in self.places
            if max(begin, place.begin) < min(end, place.end)
        ]


def merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans, ascending by begin, with those joined that overlap or touch."""
    result: list[tuple[int, int]] = []
    for begin, end in spans:
        if result and begin <= result[-1][1]:
            result[-1] = result[-1][0], max(result[-1][1], end)
        else:
            result.append((begin, end))
    return result
