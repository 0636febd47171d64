"""What rules about normalised texts ask of a corpus, and the answers: grams of items, and groups of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from anygram.analysis.contamination.items import Evidence, Item
from anygram.analysis.contamination.texts import ItemText, merged
from anygram.scanning import GramGroup, GroupScore, NormalisedText, Normaliser
from anygram.types import Int64Array


@dataclass(frozen=True)
class Block:
    """A text of an item, and how a normaliser sees it."""

    text: ItemText
    view: NormalisedText


class Views:
    """The texts of items as normalisers see them; each is made once, whatever rules ask for it."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        self._blocks: dict[tuple[str, str], NormalisedText] = {}

    def block(self, text: ItemText, normaliser: Normaliser) -> Block:
        """A text in a normaliser's view."""
        key = normaliser.name, text.text
        view = self._blocks.get(key)
        if view is None:
            view = self._blocks[key] = normaliser.view(text.text)
        return Block(text, view)


class Answers(Protocol):
    """How a corpus answers a plan, by gram and group as the plan numbers them."""

    @property
    def counts(self) -> Int64Array:
        """How often each gram occurs."""
        ...

    def documents(self, gram: int) -> tuple[int, ...]:
        """Some documents that hold it: at most 10, ascending."""
        ...

    def group(self, number: int) -> GroupScore:
        """The best score of a group."""
        ...


@dataclass
class GramPlan:
    """The grams that a rule looks for.

    Attributes:
        blocks: the texts they are of.
        block: by gram, its text's place in `blocks`.
        begin: by gram, its first unit there.
        end: by gram, the unit after its last.
        ranges: by item, its grams; None if the rule is not applicable.
        groups: what documents are scored by; they number this plan's grams.
        notes: what the reader should know.
    """

    blocks: list[Block] = field(default_factory=list)
    block: list[Int64Array] = field(default_factory=list)
    begin: list[Int64Array] = field(default_factory=list)
    end: list[Int64Array] = field(default_factory=list)
    ranges: list[range | None] = field(default_factory=list)
    groups: list[GramGroup] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    num_grams: int = 0

    def add(self, block: Block, begins: Int64Array, ends: Int64Array) -> range:
        """Adds grams of a text; returns their numbers."""
        numbers = range(self.num_grams, self.num_grams + len(begins))
        self.blocks.append(block)
        self.block.append(np.full(len(begins), len(self.blocks) - 1, np.int64))
        self.begin.append(np.asarray(begins, np.int64))
        self.end.append(np.asarray(ends, np.int64))
        self.num_grams = numbers.stop
        return numbers

    def add_windows(self, block: Block, length: int) -> range:
        """Adds every gram of so many units."""
        begins = np.arange(max(0, len(block.view) - length + 1))
        return self.add(block, begins, begins + length)

    def columns(self) -> tuple[Int64Array, Int64Array, Int64Array]:
        """`block`, `begin` and `end`, each as one array."""
        empty = [np.empty(0, np.int64)]
        block, begin, end = (np.concatenate(empty + parts) for parts in (self.block, self.begin, self.end))
        return block, begin, end


class Finder:
    """Evidence for grams of a plan that were found."""

    def __init__(self, plan: GramPlan, answers: Answers) -> None:
        self._plan = plan
        self._answers = answers
        self._block, self._begin, self._end = plan.columns()

    def evidence(
        self, grams: Sequence[int], documents: Callable[[int], tuple[int, ...]] | None = None
    ) -> tuple[Evidence, ...]:
        """Spans of the item that these grams, ascending, cover.

        Grams that overlap are one span. A span of one gram has its count and its documents; of several, the count is
        not known, and the documents are those that hold all, as far as they are listed, or else the first gram.
        """
        documents = documents or self._answers.documents
        found: list[Evidence] = []
        at = 0
        while at < len(grams):
            stop = at + 1
            while stop < len(grams) and self._joins(grams[stop - 1], grams[stop]):
                stop += 1
            found += self._span(grams[at:stop], documents)
            at = stop
        return tuple(found)

    def _joins(self, gram: int, following: int) -> bool:
        return bool(self._block[gram] == self._block[following] and self._begin[following] <= self._end[gram])

    def _span(self, grams: Sequence[int], documents: Callable[[int], tuple[int, ...]]) -> list[Evidence]:
        block = self._plan.blocks[int(self._block[grams[0]])]
        begin = int(block.view.begins[self._begin[grams[0]]])
        end = int(block.view.ends[self._end[grams[-1]] - 1])
        first = documents(grams[0])
        common = set(first).intersection(*map(documents, grams[1:])) if len(grams) > 1 else set()
        count = int(self._answers.counts[grams[0]]) if len(grams) == 1 else 0
        spans = block.text.locate(begin, end)
        holding = tuple(sorted(common)) or first
        if len(spans) > 1:  # as many pieces of evidence, of each of which the count is not known
            count = 0
        return [Evidence(span.field, span.begin, span.end, count, holding) for span in spans]


__all__ = ["Answers", "Block", "Finder", "GramPlan", "Views", "merged"]
