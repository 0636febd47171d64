"""Rules as small as can be, behind the same functions as the real ones: for what a report makes of verdicts."""

from __future__ import annotations

from dataclasses import dataclass, fields
from types import SimpleNamespace

from anygram.analysis.contamination.items import Evidence, Verdict

asked = []
"""The benchmarks that were judged, in order: what was kept of an earlier run is not judged again."""


@dataclass(frozen=True)
class Rule:
    name: str = "share"
    length: int = 4
    threshold: float = 0.5
    decides: bool = True
    unit: str = "words"
    normalisation: str = "none"
    source: str = "tests"

    def verdict(self, number, item, texts):
        words = item.text.split()
        if len(words) < self.length:
            return Verdict(number, False, False, float("nan"), "not applicable", ())
        evidence = []
        grams = 0
        for role, text in item.fields.items():
            for begin, end in _grams(text, self.length):
                grams += 1
                holders = tuple(document for document, found in enumerate(texts) if text[begin:end] in found)
                if holders:
                    evidence.append(Evidence(role, begin, end, len(holders), holders[:10]))
        score = len(evidence) / grams if grams else 0.0
        dirty = score >= self.threshold
        label = ("dirty" if dirty else "clean") if self.decides else "scored"
        return Verdict(number, True, dirty and self.decides, score, label, tuple(evidence))


def _grams(text, length):
    places, at = [], 0
    for word in text.split():
        at = text.index(word, at)
        places.append((at, at + len(word)))
        at += len(word)
    return [(places[i][0], places[i + length - 1][1]) for i in range(len(places) - length + 1)]


ALL_RULES = (Rule(), Rule(name="any", length=3, threshold=1e-9), Rule(name="scores", length=2, decides=False))


def parse_rule(text):
    name, _, rest = text.partition(":")
    rule = next(rule for rule in ALL_RULES if rule.name == name)
    given = {field.name: getattr(rule, field.name) for field in fields(rule)}
    for part in filter(None, rest.split(",")):
        key, _, value = part.partition("=")
        given[key] = type(given[key])(value)
    return Rule(**given)


def judge(index, items, rules, **_):
    texts = [index.document(number).text for number in range(index.num_documents)]
    asked.extend(dict.fromkeys(item.benchmark for item in items))
    verdicts = {rule.name: [rule.verdict(n, item, texts) for n, item in enumerate(items)] for rule in rules}
    return SimpleNamespace(verdicts=verdicts, ways={rule.name: "scan" for rule in rules}, notes=["a <b>note</b>"])
