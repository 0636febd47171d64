"""OLMo 3's decon (SIMPLE): question, answer and passage near each other in one document, by how rare they are.

The definition is that of its documents and code, read exhaustively: every n-gram of a document is looked at, where
decon samples every tenth and skips those that very many questions share.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple, TypeAlias

import numpy as np

from anygram.analysis.contamination.items import Evidence, Item, Verdict
from anygram.analysis.contamination.normalisers import DECON_WORDS
from anygram.analysis.contamination.plans import Answers, Block, GramPlan, Views, merged
from anygram.analysis.contamination.rules.base import GramRule, Ruling, not_applicable, verdict
from anygram.analysis.contamination.texts import ItemText
from anygram.errors import InvalidQueryError
from anygram.scanning import WORD_END, GramGroup, NormalisedText

Gram: TypeAlias = tuple[bytes, ...]

_ROLES = ("passage", "question", "answer")


def _words(view: NormalisedText) -> list[bytes]:
    return view.encoded.split(WORD_END) if len(view) else []


def _grams(words: Sequence[bytes], size: int) -> list[Gram]:
    return [tuple(words[begin : begin + size]) for begin in range(len(words) - size + 1)]


@dataclass(frozen=True)
class _Entry:
    """One item, in words."""

    question: list[bytes]
    answer: list[bytes]
    passage: list[bytes]
    question_grams: list[Gram]  # one of all words, if they are fewer than a gram
    answer_grams: set[Gram]
    passage_grams: set[Gram]


class _Cluster(NamedTuple):
    """A stretch of a document that has n-grams of a question: where it begins and ends, in words."""

    begin: int
    end: int
    matched: set[Gram]


@dataclass
class _Frequencies:
    """How many items have what."""

    items: int = 0
    question_grams: Counter[Gram] = field(default_factory=Counter)
    answer_grams: Counter[Gram] = field(default_factory=Counter)
    passage_grams: Counter[Gram] = field(default_factory=Counter)
    words: Counter[bytes] = field(default_factory=Counter)

    def add(self, entry: _Entry) -> None:
        self.items += 1
        self.question_grams.update(set(entry.question_grams))
        self.answer_grams.update(entry.answer_grams)
        self.passage_grams.update(entry.passage_grams)
        for words in (entry.question, entry.answer, entry.passage):
            self.words.update(set(words))

    def weight(self, count: int) -> float:
        return math.log(self.items / count)

    def share(self, counts: Counter[Gram], matched: set[Gram], of: set[Gram]) -> float:
        total = math.fsum(self.weight(counts[gram]) for gram in of)
        return math.fsum(self.weight(counts[gram]) for gram in matched) / total if total > 0 else 0.0


@dataclass(frozen=True)
class Decon(GramRule):
    """The IDF-weighted overlap of question, answer and passage, the weights by how much each tells."""

    length: int = 5
    answer_length: int = 3
    passage_length: int = 4
    max_misses: int = 11
    passage_max_misses: int = 2
    score: float = 0.8
    perfect_until: int = 20
    usual_from: int = 50
    short_answer: int = 3
    short_answer_window: int = 50
    long_answer_window: int = 100
    passage_window: int = 100
    min_words: int = 20
    min_distinct_words: int = 4

    name: ClassVar[str] = "decon"
    unit: ClassVar[str] = "n-grams of words (question 5, passage 4, answer 3), in one document"
    normalisation: ClassVar[str] = "lower case, split at punctuation and white space"
    source: ClassVar[str] = "Olmo 3; allenai/decon, doc/simple.md and src/detect"
    normaliser = DECON_WORDS

    def __post_init__(self) -> None:
        for name in ("length", "answer_length", "passage_length", "max_misses", "min_words", "min_distinct_words"):
            self._check(name, 1)
        for name in ("passage_max_misses", "short_answer", "short_answer_window", "long_answer_window"):
            self._check(name, 0)
        self._check("perfect_until", 0)
        self._check("usual_from", self.perfect_until)
        self._check("passage_window", 0)
        if not 0 < self.score <= 1:
            raise InvalidQueryError(f"decon: score is above 0 and at most 1, found {self.score!r}")

    @property
    def threshold(self) -> str:
        """See `Rule`."""
        return f"score >= {self.score:g}; up to {self.perfect_until} words a perfect one"

    # --- what is looked for: the questions' n-grams, of which a document must have enough

    def plan(self, views: Views) -> GramPlan:
        """See `GramRule`."""
        entries, frequencies = self._entries(views)
        plan = GramPlan()
        for item, entry in zip(views.items, entries, strict=True):
            if entry is None:
                plan.ranges.append(None)
                plan.groups.append(_group(np.ones(1), [], []))
                continue
            block = self._block(views, item, "question")
            numbers = (
                plan.add_windows(block, self.length)
                if len(entry.question) >= self.length
                else plan.add(block, np.zeros(1, np.int64), np.full(1, len(block.view), np.int64))
            )
            plan.ranges.append(numbers)
            plan.groups.append(self._question_group(entry, frequencies, numbers))
        return plan

    def _question_group(self, entry: _Entry, frequencies: _Frequencies, numbers: range) -> GramGroup:
        """Scores documents by the weight of the question's n-grams they hold: an upper bound of any cluster's."""
        first = dict(zip(reversed(entry.question_grams), reversed(numbers), strict=True))
        weights = [frequencies.weight(frequencies.question_grams[gram]) for gram in first]
        # Some room for rounding: these are candidates only.
        return _group(np.array([math.fsum(weights)]), list(first.values()), weights, self._least_question - 1e-6)

    @property
    def _least_question(self) -> float:
        """No smaller share of a question can make the score, whatever answer and passage give."""
        return max(0.0, (self.score - 0.3) / 0.7)

    def _block(self, views: Views, item: Item, role: str) -> Block:
        return views.block(ItemText.of(item, (role,)), self.normaliser)

    def _entries(self, views: Views) -> tuple[list[_Entry | None], _Frequencies]:
        entries: list[_Entry | None] = []
        frequencies = _Frequencies()
        for item in views.items:
            passage, question, answer = (_words(self._block(views, item, role).view) for role in _ROLES)
            words = passage + question + answer
            if not question or len(words) < self.min_words or len(set(words)) < self.min_distinct_words:
                entries.append(None)
                continue
            long_answer = answer if len(answer) > self.short_answer else []
            grams = _grams(question, self.length) or [tuple(question)]
            entry = _Entry(
                question,
                answer,
                passage,
                grams,
                set(_grams(long_answer, self.answer_length)),
                set(_grams(passage, self.passage_length)),
            )
            entries.append(entry)
            frequencies.add(entry)
        return [self._weighty(entry, frequencies) for entry in entries], frequencies

    def _weighty(self, entry: _Entry | None, frequencies: _Frequencies) -> _Entry | None:
        """None if every n-gram of the question is in all items: then nothing can be told."""
        if entry is None or all(frequencies.question_grams[g] == frequencies.items for g in entry.question_grams):
            return None
        return entry

    # --- what is decided: each document that has enough is read

    def decide(self, views: Views, plan: GramPlan, answers: Answers) -> Ruling:  # noqa: ARG002  # not of use here
        """See `GramRule`."""
        entries, frequencies = self._entries(views)
        candidates = [
            (int(document), number)
            for number, entry in enumerate(entries)
            if entry is not None
            for document in answers.group(number).documents
        ]
        best: dict[int, tuple[float, int, _Cluster]] = {}
        read, words = -1, []
        for document, number in sorted(candidates):
            if document != read:
                read, words = document, _words(self.normaliser.view(answers.text(document)))
            entry = entries[number]
            assert entry is not None
            for score, cluster in self._scores(entry, words, frequencies):
                if number not in best or score > best[number][0]:
                    best[number] = score, document, cluster
        note = f"weights are by the {frequencies.items:,} applicable items that were given together"
        verdicts = [
            not_applicable(number) if entry is None else self._verdict(views, number, entry, best.get(number))
            for number, entry in enumerate(entries)
        ]
        return Ruling(verdicts, (note,))

    def _verdict(self, views: Views, number: int, entry: _Entry, best: tuple[float, int, _Cluster] | None) -> Verdict:
        if best is None:
            return verdict(number, False, 0.0, "clean", ())
        score, document, cluster = best
        contaminated = score >= self.score
        view = self._block(views, views.items[number], "question").view
        size = min(self.length, len(entry.question))
        spans = merged(
            (begin, begin + size) for begin, gram in enumerate(entry.question_grams) if gram in cluster.matched
        )
        evidence = tuple(
            Evidence("question", int(view.begins[begin]), int(view.ends[end - 1]), 0, (document,))
            for begin, end in spans
        )
        return verdict(number, contaminated, score, "contaminated" if contaminated else "clean", evidence)

    def _scores(self, entry: _Entry, words: list[bytes], frequencies: _Frequencies) -> Iterator[tuple[float, _Cluster]]:
        """The score of each cluster of a document that has enough of the question."""
        least = self._interpolated(len(entry.question), self._least_question)
        for cluster in self._clusters(entry, words):
            share = frequencies.share(frequencies.question_grams, cluster.matched, set(entry.question_grams))
            if share >= least:
                yield self._score(entry, words, cluster, share, frequencies), cluster

    def _clusters(self, entry: _Entry, words: list[bytes]) -> Iterator[_Cluster]:
        """Runs of the question's n-grams, with fewer misses between neighbours than end a run."""
        wanted = set(entry.question_grams)
        size = len(entry.question_grams[0])
        begin, last, matched = -1, -1, set[Gram]()
        for at, gram in enumerate(_grams(words, size)):
            if gram not in wanted:
                continue
            if matched and at - last - 1 >= self.max_misses:
                yield _Cluster(begin, last + size, matched)
                matched = set()
            begin = begin if matched else at
            last = at
            matched.add(gram)
        if matched:
            yield _Cluster(begin, last + size, matched)

    def _score(
        self, entry: _Entry, words: list[bytes], cluster: _Cluster, share: float, frequencies: _Frequencies
    ) -> float:
        question, answer, passage = self._weights(entry)
        # A cluster that is longer than the question has words of the answer at its end.
        end = cluster.end - max(0, cluster.end - cluster.begin - len(entry.question))
        total = share * question
        if entry.answer:
            total += answer * self._answer_share(entry, words[end:], frequencies)
        if entry.passage:
            total += passage * self._passage_share(entry, words[: cluster.begin], frequencies)
        return self._adjusted(min(1.0, total), len(entry.question) + len(entry.answer) + len(entry.passage))

    def _weights(self, entry: _Entry) -> tuple[float, float, float]:
        """Of question, answer and passage: what a short one loses goes to the others."""
        trust = min(1.0, 0.5 + 0.5 * len(set(entry.question_grams)) / 20)
        if entry.answer and entry.passage:
            lost = 0.7 * (1 - trust)
            answer, passage = 0.2 + 0.5 * lost, 0.1 + 0.5 * lost
            answer_trust = min(1.0, 0.5 + 0.5 * len(entry.answer) / 4)
            return 0.7 * trust, answer * answer_trust, passage + answer * (1 - answer_trust)
        if entry.answer:
            return 0.75 * trust, 0.25 + 0.75 * (1 - trust), 0.0
        if entry.passage:
            return 0.85 * trust, 0.0, 0.15 + 0.85 * (1 - trust)
        return 1.0, 0.0, 0.0

    def _answer_share(self, entry: _Entry, after: list[bytes], frequencies: _Frequencies) -> float:
        size = len(entry.answer)
        if size <= self.short_answer:
            begins = range(min(self.short_answer_window, len(after) - size + 1))
            if not any(after[begin : begin + size] == entry.answer for begin in begins):
                return 0.0
            return 1.0 if any(frequencies.words[word] < frequencies.items for word in entry.answer) else 0.0
        window = after[: max(2 * size, self.long_answer_window)]
        matched = entry.answer_grams.intersection(_grams(window, self.answer_length))
        return frequencies.share(frequencies.answer_grams, matched, entry.answer_grams)

    def _passage_share(self, entry: _Entry, before: list[bytes], frequencies: _Frequencies) -> float:
        window = max(2 * len(entry.passage), self.passage_window)
        matched: set[Gram] = set()
        misses = 0
        for gram in reversed(_grams(before[max(0, len(before) - window) :], self.passage_length)):
            if gram in entry.passage_grams:
                matched.add(gram)
                misses = 0
            elif matched:
                misses += 1
                if misses > self.passage_max_misses:
                    break
        return frequencies.share(frequencies.passage_grams, matched, entry.passage_grams)

    def _interpolated(self, length: int, usual: float) -> float:
        """What is asked of texts of a length: 1 of short ones, the usual of long ones, and between them between."""
        if length <= self.perfect_until:
            return 1.0
        if length >= self.usual_from:
            return usual
        return 1 - (1 - usual) * (length - self.perfect_until) / (self.usual_from - self.perfect_until)

    def _adjusted(self, score: float, length: int) -> float:
        required = self._interpolated(length, self.score)
        return score if score == 1.0 or required <= self.score else score * self.score / required


def _group(
    part_lengths: np.ndarray, grams: list[int], weights: list[float], minimum: float = float("inf")
) -> GramGroup:
    ends = np.cumsum(np.array(weights, np.float64))
    begins = ends - np.array(weights, np.float64)
    return GramGroup(part_lengths, np.array(grams, np.int64), np.zeros(len(grams), np.int64), begins, ends, minimum)
