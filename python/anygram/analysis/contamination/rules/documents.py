"""Rules that want one document to hold much of an item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from anygram.analysis.contamination.items import Item
from anygram.analysis.contamination.normalisers import FOLDED_WORDS
from anygram.analysis.contamination.plans import Answers, Block, Finder, GramPlan, Views
from anygram.analysis.contamination.rules.base import GramRule, Ruling, not_applicable, verdict
from anygram.analysis.contamination.texts import ItemText
from anygram.scanning import GramGroup


def coverage(parts: list[tuple[float, range, list[tuple[float, float]]]], minimum: float = float("inf")) -> GramGroup:
    """A group: of each part its length, its grams and what each covers."""
    return GramGroup(
        np.array([length for length, _, _ in parts], np.float64),
        np.array([gram for _, grams, _ in parts for gram in grams], np.int64),
        np.array([part for part, (_, grams, _) in enumerate(parts) for _ in grams], np.int64),
        np.array([begin for _, _, spans in parts for begin, _ in spans], np.float64),
        np.array([end for _, _, spans in parts for _, end in spans], np.float64),
        minimum,
    )


@dataclass(frozen=True)
class DocumentRule(GramRule):
    """Each item is one group of grams, which documents are scored by."""

    def _parts(
        self, views: Views, plan: GramPlan, item: Item
    ) -> list[tuple[float, range, list[tuple[float, float]]]] | None:
        """The parts of an item's group; None if the rule is not applicable."""
        raise NotImplementedError

    def _label(self, score: float) -> tuple[bool, str]:
        """Whether an item of such a score is contaminated, and what it is called."""
        raise NotImplementedError

    def plan(self, views: Views) -> GramPlan:
        """See `GramRule`."""
        plan = GramPlan()
        for item in views.items:
            first = plan.num_grams
            parts = self._parts(views, plan, item)
            plan.ranges.append(None if parts is None else range(first, plan.num_grams))
            plan.groups.append(coverage(parts or [(1.0, range(0), [])]))
        return plan

    def decide(self, views: Views, plan: GramPlan, answers: Answers) -> Ruling:  # noqa: ARG002  # not of use here
        """See `GramRule`."""
        finder = Finder(plan, answers)
        verdicts = []
        for number, grams in enumerate(plan.ranges):
            if grams is None:
                verdicts.append(not_applicable(number))
                continue
            best = answers.group(number)
            contaminated, label = self._label(best.score)
            held = plan.groups[number].grams[best.pieces].tolist()
            evidence = finder.evidence(held, lambda _, document=best.document: (document,))  # type: ignore[misc]
            verdicts.append(verdict(number, contaminated, best.score, label, evidence))
        return Ruling(verdicts)


@dataclass(frozen=True)
class Tulu3(DocumentRule):
    """More than half of the prompt's words are in 8-grams that one document has."""

    length: int = 8
    share: float = 0.5

    name: ClassVar[str] = "tulu3"
    unit: ClassVar[str] = "words in 8-grams, of one document"
    normalisation: ClassVar[str] = "Unicode words that have a letter or a digit, case-folded"
    source: ClassVar[str] = "Lambert et al. 2024 (Tülu 3), section 3.2; allenai/open-instruct, decontamination"
    normaliser = FOLDED_WORDS

    def __post_init__(self) -> None:
        self._check("length", 1)
        self._check_share("share")

    @property
    def threshold(self) -> str:
        """See `Rule`."""
        return f"share of words, the mean of the prompt's fields, > {self.share:g}"

    def _parts(
        self, views: Views, plan: GramPlan, item: Item
    ) -> list[tuple[float, range, list[tuple[float, float]]]] | None:
        parts = []
        for role in ("passage", "question"):
            block = views.block(ItemText.of(item, (role,)), self.normaliser)
            if not len(block.view):
                continue
            grams = plan.add_windows(block, self.length)
            spans = [(float(begin), float(begin + self.length)) for begin in range(len(grams))]
            parts.append((float(len(block.view)), grams, spans))
        return parts if any(len(grams) for _, grams, _ in parts) else None

    def _label(self, score: float) -> tuple[bool, str]:
        return score > self.share, "overlapping" if score > self.share else "clean"


@dataclass(frozen=True)
class Wimbd(DocumentRule):
    """One document holds all input fields."""

    name: ClassVar[str] = "wimbd"
    unit: ClassVar[str] = "whole input fields, in one document"
    normalisation: ClassVar[str] = "phrases of Unicode words that have a letter or a digit, case-folded"
    source: ClassVar[str] = "Elazar et al. 2024 (What's in my big data?), section 4.4; allenai/wimbd"
    normaliser = FOLDED_WORDS

    @property
    def threshold(self) -> str:
        """See `Rule`."""
        return "all fields are in one document"

    def _parts(
        self, views: Views, plan: GramPlan, item: Item
    ) -> list[tuple[float, range, list[tuple[float, float]]]] | None:
        parts = []
        for block in self._phrases(views, item):
            grams = plan.add(block, np.zeros(1, np.int64), np.full(1, len(block.view), np.int64))
            parts.append((1.0, grams, [(0.0, 1.0)]))
        return parts or None

    def _phrases(self, views: Views, item: Item) -> list[Block]:
        texts = [ItemText.of(item, (role,)) for role in ("passage", "question") if role in item.fields]
        choices, begin = item.fields.get("choices", ""), 0
        for choice in choices.split("\n"):
            texts.append(ItemText.part("choices", choices, begin, begin + len(choice)))
            begin += len(choice) + 1
        blocks = [views.block(text, self.normaliser) for text in texts]
        return [block for block in blocks if len(block.view)]

    def _label(self, score: float) -> tuple[bool, str]:
        return score == 1.0, "contaminated" if score == 1.0 else "clean"
