"""Texts that are judged together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from anygram.gram_finder import GramFinder
from anygram.scanning import GramPlaces
from anygram.types import Int64Array


class Texts(Protocol):
    """Some texts."""

    def __len__(self) -> int:
        """How many."""
        ...

    def text(self, number: int) -> str:
        """One of them."""
        ...

    def find(self, finder: GramFinder, numbers: Int64Array | None = None) -> GramPlaces:
        """Each place where grams stand in them, or in those of some numbers."""
        ...


class GivenTexts:
    """Texts as Python has them.

    Args:
        texts: the texts.
        threads: how many search them; None for all CPUs.
    """

    def __init__(self, texts: Sequence[str], threads: int | None = None) -> None:
        self._texts = texts
        self._threads = threads

    def __len__(self) -> int:
        return len(self._texts)

    def text(self, number: int) -> str:
        """See `Texts`."""
        return self._texts[number]

    def find(self, finder: GramFinder, numbers: Int64Array | None = None) -> GramPlaces:
        """See `Texts`."""
        chosen = self._texts if numbers is None else [self._texts[number] for number in numbers.tolist()]
        return finder.find(chosen, threads=self._threads)
