"""Rules as small as can be: for what a report makes of verdicts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from anygram.analysis.contamination.items import Evidence, Verdict
from anygram.analysis.contamination.rules.base import Ruling, TokenRule

asked = []
"""The benchmarks that were judged, in order: what was kept of an earlier run is not judged again."""

refused = set()
"""The benchmarks at which work is stopped."""


@dataclass(frozen=True)
class Share(TokenRule):
    """Whether enough of an item's word n-grams stand in some document."""

    length: int = 4
    least: float = 0.5

    name: ClassVar[str] = "share"
    unit: ClassVar[str] = "words"
    normalisation: ClassVar[str] = "none"
    source: ClassVar[str] = "tests"
    decides: ClassVar[bool] = True

    @property
    def threshold(self):
        return f">= {self.least}"

    def judge(self, batch):
        benchmark = batch.items[0].benchmark
        if benchmark in refused:
            raise KeyboardInterrupt
        asked.append((benchmark, self.key))
        texts = [batch.index.document(number).text for number in range(batch.index.num_documents)]
        return Ruling(
            [self._verdict(number, item, texts) for number, item in enumerate(batch.items)], ("a <b>note</b>",)
        )

    def _verdict(self, number, item, texts):
        if len(item.text.split()) < self.length:
            return Verdict(number, False, False, math.nan, "not applicable", ())
        evidence = []
        grams = 0
        for role, text in item.fields.items():
            for begin, end in _grams(text, self.length):
                grams += 1
                holders = tuple(document for document, found in enumerate(texts) if text[begin:end] in found)
                if holders:
                    evidence.append(Evidence(role, begin, end, len(holders), holders[:10]))
        score = len(evidence) / grams if grams else 0.0
        dirty = score >= self.least
        label = ("dirty" if dirty else "clean") if self.decides else "scored"
        return Verdict(number, True, dirty and self.decides, score, label, tuple(evidence))


@dataclass(frozen=True)
class Some(Share):
    length: int = 3
    least: float = 1e-9

    name: ClassVar[str] = "any"


@dataclass(frozen=True)
class Scores(Share):
    length: int = 2

    name: ClassVar[str] = "scores"
    decides: ClassVar[bool] = False


def _grams(text, length):
    places, at = [], 0
    for word in text.split():
        at = text.index(word, at)
        places.append((at, at + len(word)))
        at += len(word)
    return [(places[i][0], places[i + length - 1][1]) for i in range(len(places) - length + 1)]


ALL_RULES = {rule.name: rule for rule in (Share, Some, Scores)}
