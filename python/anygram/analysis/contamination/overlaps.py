"""What decon (OLMo 3's SIMPLE) counts: how much of an item stands in one place of a text, by how rare it is.

The definition is that of its documents and code, read exhaustively: every n-gram of a text is looked at, where decon
samples every tenth and skips those that very many questions share. One definition for both of its uses: which items are
in a corpus, and which documents of a corpus have an item.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import chain
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from anygram.analysis.contamination.gram_sets import GramSets, Windows, ranges, runs
from anygram.analysis.contamination.normalisers import DECON_WORDS
from anygram.errors import InvalidQueryError
from anygram.gram_finder import GramFinder
from anygram.scanning import WORD_END, GramPlaces, NormalisedText
from anygram.types import Int64Array

_ROUNDING = 1e-9  # sums that choose what is looked at closely have room for rounding
_PERFECT = 1e-12
_ROWS_AT_ONCE = 1 << 21

#: Finds grams in some of the texts, by their numbers.
Find: TypeAlias = Callable[[GramFinder, Int64Array], GramPlaces]


@dataclass(frozen=True)
class DeconParameters:
    """Decon's parameters, as published.

    Attributes:
        length: words of a question's n-gram.
        answer_length: words of an answer's n-gram.
        passage_length: words of a passage's n-gram.
        max_misses: so many n-grams in a row that are none of the question end a cluster.
        passage_max_misses: more of them in a row end a passage.
        score: the score from which on an item is there.
        perfect_until: items of up to so many words need a score of 1,
        usual_from: and items of so many words or more the usual one.
        short_answer: answers of at most so many words must stand there as a whole,
        short_answer_window: beginning within so many words behind the question.
        long_answer_window: the same for the n-grams of longer answers, or twice the answer's length if that is more.
        passage_window: words before the question in which a passage may be, or twice its length if that is more.
        min_words: items of fewer words are passed over,
        min_distinct_words: and those with fewer different words.
    """

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

    def __post_init__(self) -> None:
        least = dict.fromkeys(
            ("length", "answer_length", "passage_length", "max_misses", "min_words", "min_distinct_words"), 1
        )
        for name in (parameter.name for parameter in fields(DeconParameters)):
            value, lowest = getattr(self, name), self.perfect_until if name == "usual_from" else least.get(name, 0)
            if name == "score":
                if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
                    raise InvalidQueryError(f"decon: score is above 0 and at most 1, found {value!r}")
            elif isinstance(value, bool) or not isinstance(value, int) or value < lowest:
                raise InvalidQueryError(f"decon: {name} is an int from {lowest} up, found {value!r}")

    def least_question(self, num_words: int) -> float:
        """The least share of a question of so many words that can make the score, whatever answer and passage give."""
        return self.required(num_words, max(0.0, (self.score - 0.3) / 0.7))

    def required(self, num_words: int, usual: float) -> float:
        """What is asked of texts of a length: 1 of short ones, the usual of long ones, and between them between."""
        if num_words <= self.perfect_until:
            return 1.0
        if num_words >= self.usual_from:
            return usual
        return 1 - (1 - usual) * (num_words - self.perfect_until) / (self.usual_from - self.perfect_until)

    def adjusted(self, score: float, num_words: int) -> float:
        """The score of an item of so many words, of all that was found: that of a short one is less, unless perfect."""
        required = self.required(num_words, self.score)
        return score if score == 1.0 or required <= self.score else score * self.score / required


class ItemWords(NamedTuple):
    """An item as decon sees it: the words of its parts, each of which may have none."""

    question: NormalisedText
    answer: NormalisedText
    passage: NormalisedText


class Match(NamedTuple):
    """A stretch of a text that has enough n-grams of an item's question.

    Attributes:
        text: the text, by the number that it was asked about with.
        item: the item.
        score: of question, answer and passage together.
        grams: the question's n-grams that it has, by number, ascending.
    """

    text: int
    item: int
    score: float
    grams: Int64Array


class DeconItems:
    """Items as decon sees them: their n-grams, what these weigh, and where a text has enough of them.

    Args:
        rule: the parameters.
        items: their words; None for those that are passed over in any case.
        least_items: the weights are as if there were so many items at least. One alone would weigh nothing.

    Attributes:
        is_applicable: bool (items,): False for those that are passed over, or of whose question each n-gram is in all.
        num_weighed: how many items the weights are by.
    """

    def __init__(self, rule: DeconParameters, items: Sequence[ItemWords | None], least_items: int = 1) -> None:
        self.rule = rule
        self._items = items
        applicable = [number for number, item in enumerate(items) if item is not None and self._tells(item)]
        self.num_weighed = len(applicable)
        weigh = max(self.num_weighed, least_items)
        chosen = [(number, item) for number in applicable if (item := items[number]) is not None]

        questions = Windows()
        for number, item in chosen:
            questions.add(number, item.question, min(rule.length, len(item.question)))
        self._question_finder = GramFinder(Windows.family(DECON_WORDS, questions))
        self._question_offsets = np.searchsorted(questions.owners(), np.arange(len(items) + 1))
        self._questions = GramSets(questions.owners(), self._question_finder.first_equal, len(items), weigh)

        answers, passages, whole = Windows(), Windows(), Windows()
        for number, item in chosen:
            if len(item.answer) > rule.short_answer:
                answers.add(number, item.answer, rule.answer_length)
            elif len(item.answer):
                whole.add(number, item.answer, len(item.answer))
            passages.add(number, item.passage, rule.passage_length)
        self._other_finder = GramFinder(Windows.family(DECON_WORDS, answers, passages, whole))
        grams = self._other_finder.first_equal
        ends = np.cumsum([len(answers.owners()), len(passages.owners())])
        self._answers = GramSets(answers.owners(), grams[: ends[0]], len(items), weigh)
        self._passages = GramSets(passages.owners(), grams[ends[0] : ends[1]], len(items), weigh)
        counts = _word_counts([item for _, item in chosen], rule.short_answer)
        #: By item: a short answer as one n-gram; None for one that tells nothing.
        self._whole_answers = {
            number: gram if any(counts[word] < weigh for word in _words(item.answer)) else None
            for (number, item), gram in zip(
                ((number, item) for number, item in chosen if 0 < len(item.answer) <= rule.short_answer),
                grams[ends[1] :].tolist(),
                strict=True,
            )
        }

        self.is_applicable = np.zeros(len(items), np.bool_)
        self.is_applicable[applicable] = self._questions.totals[applicable] > 0
        self._sizes = np.array([0 if one is None else min(rule.length, len(one.question)) for one in items], np.int64)
        lengths = [0 if one is None else len(one.question) for one in items]
        #: By item: the least share of its question that can make the score.
        self.least = np.array([rule.least_question(length) for length in lengths], np.float64)

    def __len__(self) -> int:
        return len(self._items)

    def _tells(self, item: ItemWords) -> bool:
        words = [word for part in item for word in _words(part)]
        enough = len(words) >= self.rule.min_words and len(set(words)) >= self.rule.min_distinct_words
        return enough and len(item.question) > 0

    def question(self, item: int) -> Int64Array:
        """The n-grams of an item's question, by number, one after the other: one of all words if they are fewer."""
        return self._question_finder.first_equal[self._question_offsets[item] : self._question_offsets[item + 1]]

    def weights(self, grams: Int64Array) -> NDArray[np.float64]:
        """What n-grams of questions weigh."""
        return self._questions.weights[grams]

    def matches(
        self,
        find: Find,
        texts: Int64Array,
        pairs: tuple[Int64Array, Int64Array] | None = None,
        is_wanted: Callable[[int, float], bool] | None = None,
    ) -> Iterator[Match]:
        """The stretches of texts that have enough of an item's question, with their scores.

        Args:
            find: finds n-grams in texts, by their numbers.
            texts: the numbers of the texts to look at, ascending.
            pairs: of them, by their places in `texts`, which are looked at for which item; by text, then by item. None
                for all.
            is_wanted: of an item and a score that its next match does not exceed, whether that match is worth
                scoring. None for all.

        Returns:
            By text, then by item, then by place.
        """
        places = find(self._question_finder, texts)
        clusters = self._clusters(places, *(self._candidates(places) if pairs is None else pairs))
        has_more = np.array(
            [one is not None and len(one.answer) + len(one.passage) > 0 for one in self._items], np.bool_
        )
        rows = np.unique(clusters.texts[has_more[clusters.items]])
        others = find(self._other_finder, texts[rows]) if len(rows) else None
        at = np.searchsorted(rows, clusters.texts).tolist()
        for number, (row, item) in enumerate(zip(clusters.texts.tolist(), clusters.items.tolist(), strict=True)):
            grams = clusters.grams[clusters.offsets[number] : clusters.offsets[number + 1]]
            share = self._questions.share(item, grams)
            if share < self.least[item]:
                continue
            if is_wanted is not None and not is_wanted(item, self._score(item, share, 1.0, 1.0)):
                continue
            answer = passage = 0.0
            if others is not None and has_more[item]:
                text = _text_places(others, at[number])
                begin, end = int(clusters.begins[number]), int(clusters.ends[number])
                answer = self._answer_share(item, text, begin, end)
                passage = self._passage_share(item, text, begin)
            yield Match(int(texts[row]), item, self._score(item, share, answer, passage), grams)

    # --- where

    def _candidates(self, places: GramPlaces) -> tuple[Int64Array, Int64Array]:
        """The texts and items that may have a match.

        A text that has enough of a question has one of any of its n-grams that together weigh more than it may lack:
        the rarest are looked for.
        """
        items, offsets = self._seeds
        counts = (offsets[1:] - offsets[:-1])[places.grams]
        pairs = np.repeat(places.texts, counts) * max(1, len(self)) + items[ranges(offsets[places.grams], counts)]
        distinct = np.unique(pairs)
        return distinct // max(1, len(self)), distinct % max(1, len(self))

    @cached_property
    def _seeds(self) -> tuple[Int64Array, Int64Array]:
        """By n-gram, the items that it is one of the rarest of; and where those of each n-gram begin."""
        grams: list[Int64Array] = []
        applicable = np.flatnonzero(self.is_applicable)
        for number in applicable.tolist():
            own = self._questions.of(number)
            own = own[np.argsort(-self._questions.weights[own], kind="stable")]
            may_lack = (1 - self.least[number]) * self._questions.totals[number] * (1 + _ROUNDING)
            enough = np.searchsorted(np.cumsum(self._questions.weights[own]), may_lack, side="right") + 1
            grams.append(own[:enough])
        gram = np.concatenate([np.empty(0, np.int64), *grams])
        item = np.repeat(applicable, [len(own) for own in grams])
        order = np.argsort(gram, kind="stable")
        return item[order], np.searchsorted(gram[order], np.arange(len(self._question_finder) + 1))

    def _clusters(self, places: GramPlaces, texts: Int64Array, items: Int64Array) -> _Clusters:
        """The stretches of texts that may have enough of a question."""
        sizes = (places.offsets[1:] - places.offsets[:-1])[texts]
        parts = []
        for begin, end in runs(sizes, _ROWS_AT_ONCE):
            parts.append(self._clusters_of(places, texts[begin:end], items[begin:end]))
        if not parts:
            parts.append(self._clusters_of(places, texts[:0], items[:0]))
        texts, items, begins, ends, grams, counts = (np.concatenate(column) for column in zip(*parts, strict=True))
        return _Clusters(texts, items, begins, ends, grams, np.concatenate([[0], np.cumsum(counts)]))

    def _clusters_of(self, places: GramPlaces, texts: Int64Array, items: Int64Array) -> tuple[Int64Array, ...]:
        """The same, the last column being how many n-grams each has."""
        # All n-grams of a text for each of its items; then those that are the item's.
        counts = (places.offsets[1:] - places.offsets[:-1])[texts]
        rows = ranges(places.offsets[texts], counts)
        pairs = np.repeat(np.arange(len(texts)), counts)
        own = self._questions.have(items[pairs], places.grams[rows])
        rows, pairs = rows[own], pairs[own]
        units, grams = places.units[rows], places.grams[rows]
        # A cluster begins where another item or text does, or behind so many misses.
        begins = np.ones(len(rows), np.bool_)
        begins[1:] = (pairs[1:] != pairs[:-1]) | (units[1:] - units[:-1] - 1 >= self.rule.max_misses)
        firsts = np.flatnonzero(begins)
        # Each n-gram counts once.
        base = max(1, len(self._question_finder))
        cluster, grams = np.divmod(np.unique((np.cumsum(begins) - 1) * base + grams), base)
        weights = np.bincount(cluster, self._questions.weights[grams], minlength=len(firsts))
        item = items[pairs[firsts]]
        enough = weights >= (self.least[item] - _ROUNDING) * self._questions.totals[item] - _ROUNDING
        lasts = np.append(firsts[1:], len(rows))[enough] - 1
        firsts, item = firsts[enough], item[enough]
        return (
            texts[pairs[firsts]],
            item,
            units[firsts],
            units[lasts] + self._sizes[item],
            grams[enough[cluster]],
            np.bincount(cluster, minlength=len(enough))[enough],
        )

    # --- how much

    def _score(self, item: int, question: float, answer: float, passage: float) -> float:
        """The score, of the share that was found of each part."""
        words = self._items[item]
        assert words is not None
        of_question, of_answer, of_passage = self._part_weights(item, words)
        total = question * of_question
        if len(words.answer):
            total += of_answer * answer
        if len(words.passage):
            total += of_passage * passage
        # Where all was found the score is perfect, whatever the rounding of the weights.
        return self.rule.adjusted(1.0 if total > 1 - _PERFECT else total, sum(map(len, words)))

    def _part_weights(self, item: int, words: ItemWords) -> tuple[float, float, float]:
        """Of question, answer and passage: what a short one loses goes to the others."""
        trust = min(1.0, 0.5 + 0.5 * len(self._questions.of(item)) / 20)
        if len(words.answer) and len(words.passage):
            lost = 0.7 * (1 - trust)
            answer, passage = 0.2 + 0.5 * lost, 0.1 + 0.5 * lost
            answer_trust = min(1.0, 0.5 + 0.5 * len(words.answer) / 4)
            return 0.7 * trust, answer * answer_trust, passage + answer * (1 - answer_trust)
        if len(words.answer):
            return 0.75 * trust, 0.25 + 0.75 * (1 - trust), 0.0
        if len(words.passage):
            return 0.85 * trust, 0.0, 0.15 + 0.85 * (1 - trust)
        return 1.0, 0.0, 0.0

    def _answer_share(self, item: int, text: _TextPlaces, begin: int, end: int) -> float:
        """How much of the answer stands behind a cluster."""
        words = self._items[item]
        assert words is not None
        size = len(words.answer)
        # A cluster that is longer than the question has words of the answer at its end.
        end = min(end, begin + len(words.question))
        if item in self._whole_answers:
            grams = text.grams_between(end, end + self.rule.short_answer_window)
            return float(self._whole_answers[item] is not None and bool(np.any(grams == self._whole_answers[item])))
        window = max(2 * size, self.rule.long_answer_window)
        found = np.unique(text.grams_between(end, end + window - self.rule.answer_length + 1))
        return self._answers.share(item, found[self._answers.have(np.full(len(found), item), found)])

    def _passage_share(self, item: int, text: _TextPlaces, begin: int) -> float:
        """How much of the passage stands before a cluster."""
        words = self._items[item]
        assert words is not None
        window = max(2 * len(words.passage), self.rule.passage_window)
        first, last = max(0, begin - window), begin - self.rule.passage_length + 1
        grams, units = text.grams_between(first, last), text.units_between(first, last)
        own = self._passages.have(np.full(len(grams), item), grams)
        grams, units = grams[own][::-1], units[own][::-1]
        breaks = np.flatnonzero(units[:-1] - units[1:] - 1 > self.rule.passage_max_misses)
        return self._passages.share(item, np.unique(grams[: breaks[0] + 1] if len(breaks) else grams))


class _Clusters(NamedTuple):
    """Stretches of texts that have n-grams of a question: by text, then by item, then by place.

    `grams[offsets[i] : offsets[i + 1]]` are those that stretch i has, ascending. It begins and ends at these words.
    """

    texts: Int64Array
    items: Int64Array
    begins: Int64Array
    ends: Int64Array
    grams: Int64Array
    offsets: Int64Array


class _TextPlaces(NamedTuple):
    """N-grams of one text, by where they begin."""

    units: Int64Array
    grams: Int64Array

    def grams_between(self, begin: int, end: int) -> Int64Array:
        """Those that begin at [begin, end)."""
        return self.grams[np.searchsorted(self.units, begin) : np.searchsorted(self.units, end)]

    def units_between(self, begin: int, end: int) -> Int64Array:
        """Where they begin."""
        return self.units[np.searchsorted(self.units, begin) : np.searchsorted(self.units, end)]


def _text_places(places: GramPlaces, text: int) -> _TextPlaces:
    begin, end = places.offsets[text : text + 2].tolist()
    return _TextPlaces(places.units[begin:end], places.grams[begin:end])


def _words(text: NormalisedText) -> list[bytes]:
    return text.encoded.split(WORD_END) if len(text) else []


def _word_counts(items: Sequence[ItemWords], short_answer: int) -> Counter[bytes]:
    """Of the words of short answers: in how many parts of items each is."""
    short = {word for item in items if len(item.answer) <= short_answer for word in _words(item.answer)}
    counts: Counter[bytes] = Counter()
    for part in chain.from_iterable(items) if short else ():
        counts.update(short.intersection(_words(part)))
    return counts
