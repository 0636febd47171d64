"""Decon, of OLMo 3: n-grams of an evaluation in a document, weighted by how telling they are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

from anygram.analysis.contamination.items import Item
from anygram.analysis.decontamination.grams import Gram, Grams
from anygram.analysis.decontamination.rules import CLEAN, Filter, Judgement
from anygram.types import Int64Array

_PUNCTUATION = "!’\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~”“‘—"
_BLANKS = str.maketrans(dict.fromkeys(_PUNCTUATION, " "))


def cleaned_words(text: str) -> list[str]:
    """In lower case, punctuation made blanks, cut at white space."""
    return text.lower().translate(_BLANKS).split()


@dataclass(frozen=True)
class Decon:
    """Decon (Allen AI 2025, "SIMPLE"), over words.

    Where n-grams of an item's question stand in a document, the matches are followed to both sides until so many in a
    row are no new ones of the item. The score is the sum of the inverse document frequencies of the question's n-grams
    found, by that of all it has; with the same of the answer, looked for behind the question, and of the passage,
    looked for around it: 0.7 question, 0.2 answer, 0.1 passage; without a passage 0.75 and 0.25; without an answer 0.85
    and 0.15. Short questions and answers weigh less, in favour of the others. Items of few words need more than the
    threshold: up to 20 words a full score, from 50 on the threshold, in between in proportion. Choices are passed
    over.

    Departures: words of the cleaned text where Decon has tokens of cl100k, every n-gram where it samples each tenth
    one, and no n-gram is passed over for being frequent.

    Attributes:
        length: words of a question's n-gram.
        threshold: the score from which on a document is dropped.
        misses: n-grams in a row that are no new ones of the item, at which a match ends.
        answer_length: words of an answer's n-gram.
        passage_length: words of a passage's n-gram.
        short_answer: answers of at most so many words must stand there as a whole,
        short_window: within so many words behind the question.
        long_window: the same for the n-grams of longer answers, or twice the answer's length if that is more.
        passage_distance: how many words before or behind the question a passage may be.
        strict: items of up to so many words need a score of 1.
        lenient: items of so many words or more need the threshold.
        least_words: items of fewer words are passed over,
        least_unique: and those with fewer different words.
    """

    name: ClassVar[str] = "decon"
    length: int = 5
    threshold: float = 0.8
    misses: int = 11
    answer_length: int = 3
    passage_length: int = 4
    short_answer: int = 3
    short_window: int = 50
    long_window: int = 100
    passage_distance: int = 100
    strict: int = 20
    lenient: int = 50
    least_words: int = 20
    least_unique: int = 4

    def filter(self, items: Sequence[Item]) -> Filter:
        """See `TrainingRule.filter`."""
        return _DeconFilter(self, items).judge


class _Part(NamedTuple):
    """The n-grams of an answer or a passage."""

    length: int
    words: tuple[str, ...]
    weights: dict[tuple[str, ...], float]

    def share(self, found: Iterable[str]) -> float:
        """The weight of what stands in a piece of a document, by that of all."""
        total = math.fsum(self.weights.values())
        there = set(_grams(list(found), self.length)) & self.weights.keys()
        return math.fsum(self.weights[gram] for gram in sorted(there)) / total if total else 0.0


@dataclass
class _Target:
    """An item, ready to be looked for."""

    num_words: int
    question: set[Gram]
    total: float = 0.0
    answer: _Part | None = None
    passage: _Part | None = None


@dataclass
class _Cluster:
    """Matches of one item that stand near each other, as n-grams of the document."""

    begin: int
    end: int
    grams: set[Gram] = field(default_factory=set)


class _DeconFilter:
    def __init__(self, rule: Decon, items: Sequence[Item]) -> None:
        self._rule = rule
        self._grams = Grams(rule.length, cleaned_words)
        self._targets: dict[int, _Target] = {}
        parts: dict[int, dict[str, list[str]]] = {}
        seen: set[tuple[tuple[str, str], ...]] = set()
        for number, item in enumerate(items):
            cleaned = _parts(item)
            every = [word for words in cleaned.values() for word in words]
            fingerprint = tuple((role, " ".join(cleaned[role])) for role in cleaned)
            if fingerprint in seen or len(every) < rule.least_words or len(set(every)) < rule.least_unique:
                continue
            seen.add(fingerprint)
            self._targets[number] = _Target(len(every), set(self._grams.add(number, " ".join(cleaned["question"]))))
            parts[number] = cleaned
        for target in self._targets.values():
            target.total = math.fsum(self._weight(gram) for gram in sorted(target.question))
        self._add_parts(parts)

    def _add_parts(self, parts: dict[int, dict[str, list[str]]]) -> None:
        lengths = {"answer": self._rule.answer_length, "passage": self._rule.passage_length}
        for role, length in lengths.items():
            frequency: dict[tuple[str, ...], int] = {}
            for cleaned in parts.values():
                for gram in set(_grams(cleaned.get(role, []), length)):
                    frequency[gram] = frequency.get(gram, 0) + 1
            for number, cleaned in parts.items():
                if not cleaned.get(role):
                    continue
                grams = sorted(set(_grams(cleaned[role], length)))
                weights = {gram: self._idf(frequency[gram]) for gram in grams}
                setattr(self._targets[number], role, _Part(length, tuple(cleaned[role]), weights))

    def _idf(self, frequency: int) -> float:
        # One item alone would weigh nothing at all.
        return math.log(max(2, len(self._targets)) / frequency)

    def _weight(self, gram: Gram) -> float:
        return self._idf(len(list(self._grams.items(gram))))

    def judge(self, text: str) -> Judgement:
        """See `Filter`."""
        clusters = self._clusters(self._grams.numbers(text))
        if not clusters:
            return CLEAN
        document = cleaned_words(text)
        scores: dict[int, float] = {}
        for item, own in clusters.items():
            scores[item] = max(self._score(self._targets[item], cluster, document) for cluster in own)
        best = sorted(scores, key=lambda item: (-scores[item], item))
        dropped = [item for item in best if scores[item] >= self._rule.threshold]
        return Judgement(bool(dropped), scores[best[0]], tuple((dropped or best)[:10]))

    def _clusters(self, document: Int64Array) -> dict[int, list[_Cluster]]:
        """For each item, its matches, cut where so many n-grams in a row are no new ones."""
        clusters: dict[int, list[_Cluster]] = {}
        newest: dict[int, int] = {}
        for begin, gram in self._grams.found(document):
            for item in self._grams.items(gram):
                own = clusters.setdefault(item, [])
                if not own or begin - newest[item] > self._rule.misses:
                    own.append(_Cluster(begin, begin))
                cluster = own[-1]
                cluster.end = begin
                if gram not in cluster.grams or cluster.begin == begin:
                    cluster.grams.add(gram)
                    newest[item] = begin
        return clusters

    def _score(self, target: _Target, cluster: _Cluster, document: Sequence[str]) -> float:
        question = (
            math.fsum(self._weight(gram) for gram in sorted(cluster.grams)) / target.total if target.total else 0.0
        )
        end = cluster.end + self._rule.length
        answer = None if target.answer is None else self._answer(target.answer, document[end:])
        passage = None
        if target.passage is not None:
            reach = self._rule.passage_distance + len(target.passage.words)
            passage = target.passage.share(
                [*document[max(0, cluster.begin - reach) : cluster.begin], *document[end : end + reach]]
            )
        score = min(1.0, self._combined(target, question, answer, passage))
        # A full score is full, whatever the length.
        return score if score > 1 - 1e-9 else score * self._rule.threshold / self._required(target.num_words)

    def _answer(self, answer: _Part, behind: Sequence[str]) -> float:
        if len(answer.words) <= self._rule.short_answer:
            window, size = behind[: self._rule.short_window], len(answer.words)
            return float(any(tuple(window[begin : begin + size]) == answer.words for begin in range(len(window))))
        return answer.share(behind[: max(self._rule.long_window, 2 * len(answer.words))])

    def _combined(self, target: _Target, question: float, answer: float | None, passage: float | None) -> float:
        sure = _confidence(len(target.question), 20)
        if answer is not None and passage is not None:
            lost = 0.7 * (1 - sure)
            assert target.answer is not None
            answer_sure = _confidence(len(target.answer.words), 4)
            of_answer, of_passage = 0.2 + lost / 2, 0.1 + lost / 2
            of_passage += of_answer * (1 - answer_sure)
            return question * 0.7 * sure + answer * of_answer * answer_sure + passage * of_passage
        if answer is not None:
            return question * 0.75 * sure + answer * (0.25 + 0.75 * (1 - sure))
        if passage is not None:
            return question * 0.85 * sure + passage * (0.15 + 0.85 * (1 - sure))
        return question

    def _required(self, num_words: int) -> float:
        rule = self._rule
        if num_words <= rule.strict:
            return 1.0
        if num_words >= rule.lenient:
            return rule.threshold
        return 1 - (1 - rule.threshold) * (num_words - rule.strict) / (rule.lenient - rule.strict)


def _parts(item: Item) -> dict[str, list[str]]:
    """The words of question, answer and passage; a passage without a question is the question."""
    parts = {role: cleaned_words(text) for role, text in item.fields.items() if role != "choices"}
    if not parts.get("question"):
        parts["question"] = parts.pop("passage", [])
    return parts


def _confidence(count: int, informative: int) -> float:
    return min(1.0, 0.5 + 0.5 * count / informative)


def _grams(words: Sequence[str], length: int) -> Iterable[tuple[str, ...]]:
    return zip(*(words[begin:] for begin in range(length)), strict=False)
