"""The rules by which training documents are dropped, each as its source defines it, over words.

A rule makes a filter of the evaluations' items; the filter says of a document's text what share of it, or of an item in
it, was found, and which items these are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import ClassVar, NamedTuple, Protocol

import numpy as np

from anygram.analysis.contamination.items import Item
from anygram.analysis.contamination.normalisers import FOLDED_WORDS
from anygram.analysis.decontamination.grams import SEGMENTS, ItemGrams
from anygram.analysis.decontamination.texts import GivenTexts, Texts
from anygram.errors import InvalidQueryError
from anygram.results.base import Float64Array
from anygram.segments import segments
from anygram.types import Int64Array


class Judgement(NamedTuple):
    """What a filter says of a document.

    Attributes:
        dropped: whether the rule drops it.
        score: the number that it decides by; 0 if nothing was found.
        items: the items that were found, by their place among those given; the most telling first, at most ten.
    """

    dropped: bool
    score: float
    items: tuple[int, ...]


CLEAN = Judgement(False, 0.0, ())

_MOST_ITEMS = 10
_LONG = 1 << 24  # characters that take no time to cut


class Filter(ABC):
    """Judges the texts of documents."""

    @abstractmethod
    def judge(self, texts: Texts) -> list[Judgement]:
        """Judges texts together: on all threads, where the rule is one about words."""

    def __call__(self, text: str) -> Judgement:
        """Judges one text."""
        return self.judge(GivenTexts([text], threads=1))[0]


class TrainingRule(Protocol):
    """A rule for training documents: a frozen dataclass of its parameters."""

    name: ClassVar[str]

    def filter(self, items: Sequence[Item]) -> Filter:
        """What judges documents for these items."""
        ...


@dataclass(frozen=True)
class Bff:
    """BFF (Big Friendly Filter, Groeneveld 2023), as Infini-gram used it: whole documents, 13-grams, 80 %.

    A document is dropped if at least `threshold` of ITS n-grams stand in the evaluations. Words are the segments of
    Unicode's word boundaries without those of white space, punctuation included, case as it is. A document of fewer
    words than an n-gram has none, and stays. Every n-gram counts, the last one too, which the first public code left
    out. N-grams are kept as they are, where BFF has a Bloom filter.

    Attributes:
        length: words of an n-gram.
        threshold: the share from which on a document is dropped.
    """

    name: ClassVar[str] = "bff"
    length: int = 13
    threshold: float = 0.8

    def __post_init__(self) -> None:
        _check_length(self.length)
        _check_share(self.threshold)

    def filter(self, items: Sequence[Item]) -> Filter:
        """See `TrainingRule.filter`."""
        return _BffFilter(self, items)


class _BffFilter(Filter):
    def __init__(self, rule: Bff, items: Sequence[Item]) -> None:
        self._rule = rule
        self._grams = ItemGrams(SEGMENTS, rule.length, [item.text for item in items])

    def judge(self, texts: Texts) -> list[Judgement]:
        """See `Filter`."""
        places = texts.find(self._grams.finder)
        judgements = [CLEAN] * len(texts)
        # Each n-gram of a text is one of the items' at most: they are all of one length.
        counts = np.diff(places.offsets)
        for text in np.flatnonzero(counts).tolist():
            share = int(counts[text]) / (int(places.num_units[text]) - self._rule.length + 1)
            found = places.grams[places.offsets[text] : places.offsets[text + 1]]
            items, times = np.unique(self._grams.holders(found), return_counts=True)
            judgements[text] = Judgement(share >= self._rule.threshold, share, _largest(items, times))
        return judgements


@dataclass(frozen=True)
class Dolma:
    """Paragraphs of Dolma v1.6, Paloma and OLMo 1: a document is dropped if it has one of an evaluation's paragraphs.

    Paragraphs are what stands between line ends, compared as they are. Those of fewer than `least_words` words
    (segments of Unicode's word boundaries without white space), and those without a letter or a digit, are passed over.

    Attributes:
        least_words: words that a paragraph must have.
    """

    name: ClassVar[str] = "dolma"
    least_words: int = 13

    def __post_init__(self) -> None:
        _check_length(self.least_words)

    def filter(self, items: Sequence[Item]) -> Filter:
        """See `TrainingRule.filter`."""
        return _DolmaFilter(self, items)


class _DolmaFilter(Filter):
    def __init__(self, rule: Dolma, items: Sequence[Item]) -> None:
        self._rule = rule
        self._items: dict[str, list[int]] = {}
        for number, item in enumerate(items):
            for paragraph in set(_paragraphs(item.text)):
                if self._counts(paragraph):
                    self._items.setdefault(paragraph, []).append(number)

    def _counts(self, paragraph: str) -> bool:
        return any(map(str.isalnum, paragraph)) and len(segments(paragraph)) >= self._rule.least_words

    def judge(self, texts: Texts) -> list[Judgement]:
        """See `Filter`."""
        return [self._judged(texts.text(number)) for number in range(len(texts))]

    def _judged(self, text: str) -> Judgement:
        found = [self._items[paragraph] for paragraph in _paragraphs(text) if paragraph in self._items]
        if not found:
            return CLEAN
        items, times = np.unique(np.concatenate(found), return_counts=True)
        return Judgement(True, float(len(found)), _largest(items, times))


def _paragraphs(text: str) -> Iterator[str]:
    """What stands between line ends; of a long text one at a time, so that the work can be interrupted."""
    if len(text) <= _LONG:
        yield from text.split("\n")
        return
    begin = 0
    while (end := text.find("\n", begin)) >= 0:
        yield text[begin:end]
        begin = end + 1
    yield text[begin:]


@dataclass(frozen=True)
class Tulu3:
    """Tülu 3 (Lambert et al. 2024): a document is dropped if it holds more than half of a prompt, in 8-grams.

    A word of an item's question (of all its text, if it has none) is matched if it is in an n-gram that also stands in
    the document. The document overlaps with the item if MORE than `threshold` of the item's words are matched, all by
    this one document. Words are case-folded and without punctuation, as the search engine behind it has them.

    Attributes:
        length: words of an n-gram.
        threshold: the share above which a document is dropped.
    """

    name: ClassVar[str] = "tulu3"
    length: int = 8
    threshold: float = 0.5

    def __post_init__(self) -> None:
        _check_length(self.length)
        _check_share(self.threshold)

    def filter(self, items: Sequence[Item]) -> Filter:
        """See `TrainingRule.filter`."""
        return _Tulu3Filter(self, items)


class _Tulu3Filter(Filter):
    def __init__(self, rule: Tulu3, items: Sequence[Item]) -> None:
        self._rule = rule
        self._grams = ItemGrams(FOLDED_WORDS, rule.length, [item.fields.get("question", item.text) for item in items])

    def judge(self, texts: Texts) -> list[Judgement]:
        """See `Filter`."""
        places = texts.find(self._grams.finder)
        judgements = [CLEAN] * len(texts)
        for text in np.unique(places.texts).tolist():
            found = np.unique(places.grams[places.offsets[text] : places.offsets[text + 1]])
            items, shares = self._shares(found)
            over = shares > self._rule.threshold
            chosen = over if over.any() else slice(None)
            judgements[text] = Judgement(bool(over.any()), float(shares.max()), _largest(items[chosen], shares[chosen]))
        return judgements

    def _shares(self, grams: Int64Array) -> tuple[Int64Array, Float64Array]:
        """The items that hold some of the n-grams, ascending, and what share of its words is in them."""
        items, begins = self._grams.places(grams)
        order = np.lexsort((begins, items))
        items, begins = items[order], begins[order]
        # Each n-gram covers as many words as it has, or up to where the item's next one begins.
        covered = np.full(len(items), self._rule.length)
        same = items[1:] == items[:-1]
        covered[:-1][same] = np.minimum(self._rule.length, np.diff(begins)[same])
        words = np.bincount(items, covered).astype(np.int64)
        held = np.unique(items)
        return held, words[held] / self._grams.num_units[held]


def parse_training_rule(text: str) -> TrainingRule:
    """A rule from what the shell says: "bff", or with parameters "bff:length=13,threshold=0.8".

    Raises:
        InvalidQueryError: there is no such rule or parameter, or a value is none for it.
    """
    from anygram.analysis.decontamination.decon import Decon

    kinds = {kind.name: kind for kind in (Bff, Dolma, Tulu3, Decon)}
    name, _, rest = text.partition(":")
    if name not in kinds:
        raise InvalidQueryError(f"the rules for training documents are {', '.join(kinds)}; found {name!r}")
    kind: Callable[..., TrainingRule] = kinds[name]
    # Each parameter is a number, of the kind that its default is.
    known = {field.name: type(getattr(kind(), field.name)) for field in fields(kinds[name])}
    values: dict[str, int | float] = {}
    for part in filter(None, rest.split(",")):
        parameter, equals, value = part.partition("=")
        if parameter not in known or not equals:
            raise InvalidQueryError(f"{name} has the parameters {', '.join(known)} (as NAME=NUMBER); found {part!r}")
        try:
            values[parameter] = known[parameter](value)
        except ValueError:
            raise InvalidQueryError(f"{name}: {parameter} is a number, found {value!r}") from None
    return kind(**values)


def _largest(items: Int64Array, scores: Int64Array | Float64Array) -> tuple[int, ...]:
    """The items that score the most, the most first, and of those that score alike the first ones first."""
    return tuple(items[np.lexsort((items, -scores))][:_MOST_ITEMS].tolist())


def _check_length(length: int) -> None:
    if length < 1:
        raise InvalidQueryError(f"a length is a number of words from 1 up, found {length!r}")


def _check_share(share: float) -> None:
    if not 0 <= share <= 1:
        raise InvalidQueryError(f"a threshold is a share from 0 to 1, found {share!r}")
