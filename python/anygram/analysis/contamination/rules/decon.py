"""OLMo 3's decon (SIMPLE): question, answer and passage near each other in one document, by how rare they are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from anygram.analysis.contamination.items import Evidence, Item, Verdict
from anygram.analysis.contamination.normalisers import DECON_WORDS
from anygram.analysis.contamination.overlaps import DeconItems, DeconParameters, ItemWords, Match
from anygram.analysis.contamination.plans import Block, GramPlan, Views, merged
from anygram.analysis.contamination.rules.base import GramRule, ReadableAnswers, Ruling, not_applicable, verdict
from anygram.analysis.contamination.texts import ItemText
from anygram.gram_finder import GramFinder
from anygram.scanning import GramGroup, GramPlaces
from anygram.types import Int64Array

_BYTES_AT_ONCE = 1 << 24  # of documents that are read again
_FIRST_DOCUMENTS = 256
_NONE = np.empty(0, np.int64)
_MOST_DOCUMENTS = 1 << 16


@dataclass
class _DeconPlan(GramPlan):
    """The plan, and the items that it is made of."""

    items: DeconItems | None = None


@dataclass(frozen=True)
class Decon(DeconParameters, GramRule):
    """The IDF-weighted overlap of question, answer and passage, the weights by how much each tells."""

    name: ClassVar[str] = "decon"
    unit: ClassVar[str] = "n-grams of words (question 5, passage 4, answer 3), in one document"
    normalisation: ClassVar[str] = "lower case, split at punctuation and white space"
    source: ClassVar[str] = "Olmo 3; allenai/decon, doc/simple.md and src/detect"
    normaliser = DECON_WORDS

    @property
    def threshold(self) -> str:
        """See `Rule`."""
        return f"score >= {self.score:g}; up to {self.perfect_until} words a perfect one"

    # --- what is looked for: the questions' n-grams, of which a document must have enough

    def plan(self, views: Views) -> GramPlan:
        """See `GramRule`."""
        items = DeconItems(self, [self._words(views, item) for item in views.items])
        plan = _DeconPlan(items=items)
        for number, item in enumerate(views.items):
            if not items.is_applicable[number]:
                plan.ranges.append(None)
                plan.groups.append(_group(_NONE, np.empty(0)))
                continue
            block = self._block(views, item, "question")
            numbers = plan.add_windows(block, min(self.length, len(block.view)))
            plan.ranges.append(numbers)
            # Documents by the weight of the question's n-grams they hold, an upper bound of any cluster's; with some
            # room for rounding: these are candidates only.
            grams, first = np.unique(items.question(number), return_index=True)
            plan.groups.append(_group(numbers.start + first, items.weights(grams), float(items.least[number]) - 1e-6))
        return plan

    def _block(self, views: Views, item: Item, role: str) -> Block:
        return views.block(ItemText.of(item, (role,)), self.normaliser)

    def _words(self, views: Views, item: Item) -> ItemWords:
        return ItemWords(*(self._block(views, item, role).view for role in ("question", "answer", "passage")))

    # --- what is decided: each document that has enough is read again

    def decide(self, views: Views, plan: GramPlan, answers: ReadableAnswers) -> Ruling:
        """See `GramRule`."""
        assert isinstance(plan, _DeconPlan)
        assert plan.items is not None
        items = plan.items
        held: list[Int64Array] = [
            answers.group(number).documents if items.is_applicable[number] else _NONE for number in range(len(items))
        ]
        documents = np.concatenate([_NONE, *held])
        numbers = np.repeat(np.arange(len(items)), list(map(len, held)))
        best = self._best(items, answers, documents, numbers)
        note = f"weights are by the {items.num_weighed:,} applicable items that were given together"
        verdicts = [
            self._verdict(views, items, number, best.get(number))
            if items.is_applicable[number]
            else not_applicable(number)
            for number in range(len(items))
        ]
        return Ruling(verdicts, (note,))

    def _best(
        self, items: DeconItems, answers: ReadableAnswers, documents: Int64Array, numbers: Int64Array
    ) -> dict[int, Match]:
        """The best match of each item, and of those as good the one in the first document."""
        order = np.lexsort((numbers, documents))
        documents, numbers = documents[order], numbers[order]
        best: dict[int, Match] = {}
        scores = np.zeros(len(items))

        at_once = _FIRST_DOCUMENTS

        def is_wanted(item: int, score: float) -> bool:
            return item not in best or score > scores[item]

        def find(finder: GramFinder, chosen: Int64Array) -> GramPlaces:
            nonlocal at_once
            places = answers.places(finder, chosen)
            fitting = len(chosen) * _BYTES_AT_ONCE // max(1, int(places.num_bytes.sum()))
            at_once = min(max(1, fitting), _MOST_DOCUMENTS)
            return places

        begin = 0
        distinct, begins = np.unique(documents, return_index=True)
        begins = np.append(begins, len(documents))
        while begin < len(distinct):
            end = min(begin + at_once, len(distinct))
            rows = np.arange(begins[begin], begins[end])
            # A document whose items all have a perfect match need not be read.
            rows = rows[scores[numbers[rows]] < 1.0]
            chosen, places = np.unique(documents[rows], return_inverse=True)
            begin = end
            if not len(chosen):
                continue
            for match in items.matches(find, chosen, (places, numbers[rows]), is_wanted):
                if is_wanted(match.item, match.score):
                    best[match.item], scores[match.item] = match, match.score
        return best

    def _verdict(self, views: Views, items: DeconItems, number: int, best: Match | None) -> Verdict:
        if best is None:
            return verdict(number, False, 0.0, "clean", ())
        contaminated = best.score >= self.score
        view = self._block(views, views.items[number], "question").view
        size = min(self.length, len(view))
        begins = np.flatnonzero(np.isin(items.question(number), best.grams)).tolist()
        evidence = tuple(
            Evidence("question", int(view.begins[begin]), int(view.ends[end - 1]), 0, (best.text,))
            for begin, end in merged((begin, begin + size) for begin in begins)
        )
        return verdict(number, contaminated, best.score, "contaminated" if contaminated else "clean", evidence)


def _group(grams: Int64Array, weights: np.ndarray, minimum: float = float("inf")) -> GramGroup:
    ends = np.cumsum(weights)
    length = np.array([math.fsum(weights.tolist()) or 1.0])
    return GramGroup(length, grams, np.zeros(len(grams), np.int64), ends - weights, ends, minimum)
