"""What all rules are: their names and parameters, and what they decide."""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from anygram.analysis.contamination.items import Evidence, Item, Verdict
from anygram.analysis.contamination.plans import Answers, GramPlan, Views
from anygram.analysis.contamination.texts import ItemText
from anygram.errors import InvalidQueryError
from anygram.gram_finder import GramFinder
from anygram.scanning import GramPlaces, Normaliser
from anygram.types import Int64Array

if TYPE_CHECKING:
    from anygram.index import Index

NOT_APPLICABLE = "not applicable"

#: Results by model: a number for each item, nan where there is none.
Results: TypeAlias = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class SubsetResult:
    """How a model does on a part of a benchmark that a rule tells apart (Llama 2's test).

    Attributes:
        benchmark: the name of the set.
        model: the name of the results.
        subset: "clean", "not clean", "not dirty", "dirty".
        size: items in it that have a result.
        mean: their mean result; nan if there is none.
        z: (mean - mean of all) / (standard deviation of all / sqrt(size)); nan if it is not defined.
    """

    benchmark: str
    model: str
    subset: str
    size: int
    mean: float
    z: float


@dataclass(frozen=True)
class SubsetTest:
    """Llama 2's verdict on a benchmark and a model.

    Attributes:
        benchmark: the name of the set.
        model: the name of the results.
        significant: whether every subset has abs(z) > 2, the cleanest is worse than all and the dirtiest better.
    """

    benchmark: str
    model: str
    significant: bool


@dataclass(frozen=True)
class FittedCutoff:
    """A cutoff that was fitted on results (ConTAM).

    Attributes:
        benchmark: the name of the set.
        cutoff: items that score above are contaminated; nan if none gave a significant gain.
        gain: the estimated performance gain there: the mean result of all less that of the clean, over all models.
        z: the largest z of a model there.
        clean: how many items are clean.
    """

    benchmark: str
    cutoff: float
    gain: float
    z: float
    clean: int


Statistic: TypeAlias = SubsetResult | SubsetTest | FittedCutoff


@dataclass(frozen=True)
class Ruling:
    """What a rule says of all items."""

    verdicts: list[Verdict]
    notes: tuple[str, ...] = ()
    statistics: tuple[Statistic, ...] = ()


@dataclass(frozen=True)
class Rule(ABC):
    """A published definition of contamination, with its parameters as fields."""

    name: ClassVar[str]
    unit: ClassVar[str]
    normalisation: ClassVar[str]
    source: ClassVar[str]

    @property
    @abstractmethod
    def threshold(self) -> str:
        """From what score on an item is contaminated, and which side the threshold itself is on."""

    @property
    def key(self) -> str:
        """The name, and those parameters that are not as published: what `parse_rule` makes the rule of."""
        given = [
            f"{parameter.name}={getattr(self, parameter.name)}"
            for parameter in dataclasses.fields(self)
            if getattr(self, parameter.name) != parameter.default
        ]
        return f"{self.name}:{','.join(given)}" if given else self.name

    def _check(self, name: str, least: int) -> None:
        value = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise InvalidQueryError(f"{self.name}: {name} is an int from {least} up, found {value!r}")

    def _check_share(self, name: str) -> None:
        value = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise InvalidQueryError(f"{self.name}: {name} is a number from 0 to 1, found {value!r}")


@dataclass(frozen=True)
class TokenBatch:
    """Items as an index sees them.

    Attributes:
        index: the index.
        items: the items.
        tokens: each item's text, encoded.
        results: by model.
    """

    index: Index
    items: Sequence[Item]
    tokens: list[Int64Array]
    results: Results = field(default_factory=dict)
    _places: dict[int, tuple[ItemText, Int64Array]] = field(default_factory=dict)

    def places(self, item: int) -> tuple[ItemText, Int64Array]:
        """An item's text, and for each of its tokens the characters it stands for; found once, for all rules."""
        if item not in self._places:
            tokenizer = self.index.tokenizer
            assert tokenizer is not None
            text = ItemText.of(self.items[item])
            self._places[item] = text, tokenizer.encode_with_offsets(without_surrogates(text.text))[1]
        return self._places[item]


def without_surrogates(text: str) -> str:
    """The text with U+FFFD for each lone surrogate, which no tokenizer takes and no document holds."""
    return text if text.isascii() else "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)


@dataclass(frozen=True)
class TokenRule(Rule):
    """A rule about the index's own tokens."""

    @abstractmethod
    def judge(self, batch: TokenBatch) -> Ruling:
        """The verdicts on all items."""


class ReadableAnswers(Answers, Protocol):
    """A corpus that can be asked again, about some of its documents."""

    def places(self, finder: GramFinder, documents: Int64Array) -> GramPlaces:
        """Each place where grams stand in documents."""
        ...


@dataclass(frozen=True)
class GramRule(Rule):
    """A rule about normalised words or characters."""

    normaliser: ClassVar[Normaliser]

    @abstractmethod
    def plan(self, views: Views) -> GramPlan:
        """What the rule looks for."""

    @abstractmethod
    def decide(self, views: Views, plan: GramPlan, answers: ReadableAnswers) -> Ruling:
        """The verdicts on all items."""


def not_applicable(item: int) -> Verdict:
    """The verdict on an item that a rule cannot judge."""
    return Verdict(item, False, False, math.nan, NOT_APPLICABLE, ())


def verdict(item: int, contaminated: bool, score: float, label: str, evidence: tuple[Evidence, ...]) -> Verdict:
    """The verdict on an item that it can."""
    return Verdict(item, True, bool(contaminated), float(score), label, evidence)
