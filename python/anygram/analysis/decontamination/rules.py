"""The rules by which training documents are dropped, each as its source defines it, over words.

A rule makes a filter of the evaluations' items; the filter says of a document's text what share of it, or of an item in
it, was found, and which items these are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import ClassVar, NamedTuple, Protocol, TypeAlias

from anygram.analysis.contamination.items import Item
from anygram.analysis.decontamination.grams import Grams, folded_words, words
from anygram.errors import InvalidQueryError


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

#: Judges the text of a document.
Filter: TypeAlias = Callable[[str], Judgement]

_MOST_ITEMS = 10


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
        grams = Grams(self.length, words)
        for number, item in enumerate(items):
            grams.add(number, item.text)

        def judge(text: str) -> Judgement:
            document = grams.numbers(text)
            found = [gram for _, gram in grams.found(document)]
            if not found:
                return CLEAN
            share = len(found) / (len(document) - self.length + 1)
            times: dict[int, int] = {}
            for gram in found:
                for item in grams.items(gram):
                    times[item] = times.get(item, 0) + 1
            return Judgement(share >= self.threshold, share, _largest(times))

        return judge


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
        paragraphs: dict[str, dict[int, None]] = {}
        for number, item in enumerate(items):
            for paragraph in item.text.split("\n"):
                if self._counts(paragraph):
                    paragraphs.setdefault(paragraph, {})[number] = None

        def judge(text: str) -> Judgement:
            found = [paragraph for paragraph in text.split("\n") if paragraph in paragraphs]
            if not found:
                return CLEAN
            times: dict[int, int] = {}
            for paragraph in found:
                for item in paragraphs[paragraph]:
                    times[item] = times.get(item, 0) + 1
            return Judgement(True, float(len(found)), _largest(times))

        return judge

    def _counts(self, paragraph: str) -> bool:
        return any(map(str.isalnum, paragraph)) and len(words(paragraph)) >= self.least_words


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
        grams = Grams(self.length, folded_words)
        begins: list[dict[tuple[int, ...], list[int]]] = []
        lengths: list[int] = []
        for number, item in enumerate(items):
            prompt = item.fields.get("question", item.text)
            places: dict[tuple[int, ...], list[int]] = {}
            for begin, gram in enumerate(grams.add(number, prompt)):
                places.setdefault(gram, []).append(begin)
            begins.append(places)
            lengths.append(len(folded_words(prompt)))

        def judge(text: str) -> Judgement:
            matched: dict[int, set[int]] = {}
            for gram in {gram for _, gram in grams.found(grams.numbers(text))}:
                for item in grams.items(gram):
                    for begin in begins[item][gram]:
                        matched.setdefault(item, set()).update(range(begin, begin + self.length))
            if not matched:
                return CLEAN
            shares = {item: len(covered) / lengths[item] for item, covered in matched.items()}
            best = max(shares.values())
            over = {item: share for item, share in shares.items() if share > self.threshold}
            return Judgement(bool(over), best, _largest(over or shares))

        return judge


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


def _largest(scores: Mapping[int, float]) -> tuple[int, ...]:
    return tuple(sorted(scores, key=lambda item: (-scores[item], item))[:_MOST_ITEMS])


def _check_length(length: int) -> None:
    if length < 1:
        raise InvalidQueryError(f"a length is a number of words from 1 up, found {length!r}")


def _check_share(share: float) -> None:
    if not 0 <= share <= 1:
        raise InvalidQueryError(f"a threshold is a share from 0 to 1, found {share!r}")
