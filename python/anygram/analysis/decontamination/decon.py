"""Decon, of OLMo 3: n-grams of an evaluation in a document, weighted by how telling they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from anygram.analysis.contamination.items import Item
from anygram.analysis.contamination.normalisers import DECON_WORDS
from anygram.analysis.contamination.overlaps import DeconItems, DeconParameters, ItemWords
from anygram.analysis.decontamination.rules import CLEAN, Filter, Judgement
from anygram.analysis.decontamination.texts import Texts


@dataclass(frozen=True)
class Decon(DeconParameters):
    """Decon (Allen AI 2025, "SIMPLE"), over words: a document is dropped if an item scores at least `score` in it.

    The score is that of the contamination rule of this name. What is done for evaluations as a whole: those that
    appear again count once, a passage without a question is the question, and the weights of a single item are as if
    there were another, that has none of its n-grams. Choices are passed over.
    """

    name: ClassVar[str] = "decon"

    def filter(self, items: Sequence[Item]) -> Filter:
        """See `TrainingRule.filter`."""
        return _DeconFilter(self, items)


class _DeconFilter(Filter):
    def __init__(self, rule: Decon, items: Sequence[Item]) -> None:
        self._rule = rule
        words: list[ItemWords | None] = []
        seen: set[tuple[bytes, ...]] = set()
        for item in items:
            found = _words(item)
            known = tuple(part.encoded for part in found)
            words.append(None if known in seen else found)
            seen.add(known)
        self._items = DeconItems(rule, words, least_items=2)

    def judge(self, texts: Texts) -> list[Judgement]:
        """See `Filter`."""
        scores: dict[int, dict[int, float]] = {}
        for match in self._items.matches(texts.find, np.arange(len(texts))):
            own = scores.setdefault(match.text, {})
            own[match.item] = max(own.get(match.item, 0.0), match.score)
        return [self._judgement(scores[text]) if text in scores else CLEAN for text in range(len(texts))]

    def _judgement(self, scores: dict[int, float]) -> Judgement:
        best = sorted(scores, key=lambda item: (-scores[item], item))
        dropped = [item for item in best if scores[item] >= self._rule.score]
        return Judgement(bool(dropped), scores[best[0]], tuple((dropped or best)[:10]))


def _words(item: Item) -> ItemWords:
    question, answer, passage = (
        DECON_WORDS.view(item.fields.get(role, "")) for role in ("question", "answer", "passage")
    )
    return ItemWords(question, answer, passage) if len(question) else ItemWords(passage, answer, question)
