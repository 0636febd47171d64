"""Rules about the share of an item's grams that occur anywhere in the corpus."""

from __future__ import annotations

import re
from abc import abstractmethod
from dataclasses import dataclass
from random import Random
from typing import ClassVar

import numpy as np

from anygram.analysis.contamination.items import Item
from anygram.analysis.contamination.normalisers import (
    ALPHANUMERIC_CHARACTERS,
    ALPHANUMERIC_WORDS,
    ASCII_UNPUNCTUATED_WORDS,
    CHARACTERS,
    FOLDED_WORDS,
    UNPUNCTUATED_WORDS,
)
from anygram.analysis.contamination.plans import Answers, Block, Finder, GramPlan, Views
from anygram.analysis.contamination.rules.base import GramRule, Ruling, not_applicable, verdict
from anygram.analysis.contamination.texts import ItemText

_WORD_BEGIN = re.compile(r"(?<!\S)\S")


@dataclass(frozen=True)
class ShareRule(GramRule):
    """Of each item some grams are looked for; the score is the share of them that occur."""

    @abstractmethod
    def _label(self, share: float) -> tuple[bool, str]:
        """Whether an item of such a score is contaminated, and what it is called."""

    def decide(self, views: Views, plan: GramPlan, answers: Answers) -> Ruling:  # noqa: ARG002  # not of use here
        """See `GramRule`."""
        finder = Finder(plan, answers)
        occur = answers.counts > 0
        verdicts = []
        for number, grams in enumerate(plan.ranges):
            if grams is None:
                verdicts.append(not_applicable(number))
                continue
            found = (np.flatnonzero(occur[grams.start : grams.stop]) + grams.start).tolist()
            share = len(found) / len(grams)
            verdicts.append(verdict(number, *self._labelled(share), finder.evidence(found)))
        return Ruling(verdicts, tuple(plan.notes))

    def _labelled(self, share: float) -> tuple[bool, float, str]:
        contaminated, label = self._label(share)
        return contaminated, share, label


@dataclass(frozen=True)
class ItemRule(ShareRule):
    """The grams of an item go by that item alone."""

    def _text(self, item: Item) -> ItemText:
        return ItemText.of(item)

    @abstractmethod
    def _grams(self, plan: GramPlan, block: Block) -> range:
        """Adds an item's grams; none: not applicable."""

    def plan(self, views: Views) -> GramPlan:
        """See `GramRule`."""
        plan = GramPlan()
        for item in views.items:
            numbers = self._grams(plan, views.block(self._text(item), self.normaliser))
            plan.ranges.append(numbers if len(numbers) else None)
        return plan


@dataclass(frozen=True)
class WindowRule(ItemRule):
    """All grams of one length."""

    def __post_init__(self) -> None:
        self._check("length", 1)

    def _grams(self, plan: GramPlan, block: Block) -> range:
        return plan.add_windows(block, self.length)  # type: ignore[attr-defined]  # a field of each such rule


@dataclass(frozen=True)
class Gpt2(WindowRule):
    """Any 8-gram of lower-case alphanumeric words."""

    length: int = 8

    name: ClassVar[str] = "gpt2"
    unit: ClassVar[str] = "8-grams of words"
    normalisation: ClassVar[str] = "lower case; what is no letter and no digit separates words"
    source: ClassVar[str] = "Radford et al. 2019, section 4"
    normaliser = ALPHANUMERIC_WORDS

    @property
    def threshold(self) -> str:
        """See `Rule`."""
        return f"any {self.length}-gram occurs"

    def _label(self, share: float) -> tuple[bool, str]:
        return share > 0, "overlapping" if share > 0 else "clean"


@dataclass(frozen=True)
class LmEval(WindowRule):
    """Any 13-gram, as lm-evaluation-harness cleans texts."""

    length: int = 13

    name: ClassVar[str] = "lm_eval"
    unit: ClassVar[str] = "13-grams of words"
    normalisation: ClassVar[str] = "ASCII in lower case, ASCII punctuation deleted, split at white space"
    source: ClassVar[str] = "EleutherAI/lm-evaluation-harness, lm_eval/decontamination"
    normaliser = ASCII_UNPUNCTUATED_WORDS

    @property
    def threshold(self) -> str:
        """See `Rule`."""
        return f"any {self.length}-gram occurs"

    def _label(self, share: float) -> tuple[bool, str]:
        return share > 0, "contaminated" if share > 0 else "clean"


@dataclass(frozen=True)
class Palm(WindowRule):
    """At least 70 % of the 8-grams."""

    length: int = 8
    share: float = 0.7

    name: ClassVar[str] = "palm"
    unit: ClassVar[str] = "8-grams of words"
    normalisation: ClassVar[str] = "Unicode words that have a letter or a digit, case-folded"
    source: ClassVar[str] = "Chowdhery et al. 2022 (PaLM), section 8"
    normaliser = FOLDED_WORDS

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_share("share")

    @property
    def threshold(self) -> str:
        """See `Rule`."""
        return f"share of 8-grams that occur >= {self.share:g}"

    def _label(self, share: float) -> tuple[bool, str]:
        return share >= self.share, "contaminated" if share >= self.share else "clean"


@dataclass(frozen=True)
class Quip(WindowRule):
    """The share of 25-character grams: a score, with no threshold of its own."""

    length: int = 25
    cutoff: float | None = None

    name: ClassVar[str] = "quip"
    unit: ClassVar[str] = "25-grams of characters"
    normalisation: ClassVar[str] = "none"
    source: ClassVar[str] = "Weller et al. 2023 (According to ...); Marone and Van Durme 2023 (Data Portraits)"
    normaliser = CHARACTERS

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.cutoff is not None:
            self._check_share("cutoff")

    @property
    def threshold(self) -> str:
        """See `Rule`."""
        return "none: a score" if self.cutoff is None else f"share of grams that occur > {self.cutoff:g}"

    def _label(self, share: float) -> tuple[bool, str]:
        if self.cutoff is None:
            return False, "scored"
        return share > self.cutoff, "contaminated" if share > self.cutoff else "clean"


@dataclass(frozen=True)
class InfiniGramMini(ItemRule):
    """The share of the 50-character substrings that begin at a word."""

    length: int = 50
    clean_below: float = 0.2
    dirty_from: float = 0.8

    name: ClassVar[str] = "infini_gram_mini"
    unit: ClassVar[str] = "substrings of 50 characters, one from the begin of each word"
    normalisation: ClassVar[str] = "none"
    source: ClassVar[str] = "Xu et al. 2025 (infini-gram mini), section 5"
    normaliser = CHARACTERS

    def __post_init__(self) -> None:
        self._check("length", 1)
        self._check_share("clean_below")
        self._check_share("dirty_from")

    @property
    def threshold(self) -> str:
        """See `Rule`."""
        return f"share of substrings that occur >= {self.dirty_from:g}: dirty; >= {self.clean_below:g}: suspicious"

    def _text(self, item: Item) -> ItemText:
        """The context of reading comprehension, else the question; else all there is."""
        for role in ("passage", "question"):
            if role in item.fields:
                return ItemText.of(item, (role,))
        return ItemText.of(item)

    def _grams(self, plan: GramPlan, block: Block) -> range:
        places = [match.start() for match in _WORD_BEGIN.finditer(block.text.text)]
        begins = np.array(places, np.int64)
        begins = begins[begins + self.length <= len(block.text.text)]
        return plan.add(block, begins, begins + self.length)

    def _label(self, share: float) -> tuple[bool, str]:
        if share >= self.dirty_from:
            return True, "dirty"
        return False, "clean" if share < self.clean_below else "suspicious"


@dataclass(frozen=True)
class Gpt4(ItemRule):
    """Any of three random 50-character substrings of the letters and digits."""

    length: int = 50
    samples: int = 3
    seed: int = 0

    name: ClassVar[str] = "gpt4"
    unit: ClassVar[str] = "3 random substrings of 50 characters; the whole, if it is shorter"
    normalisation: ClassVar[str] = "letters and digits alone"
    source: ClassVar[str] = "OpenAI 2023 (GPT-4 technical report), appendix C"
    normaliser = ALPHANUMERIC_CHARACTERS

    @property
    def threshold(self) -> str:
        """See `Rule`."""
        return "any of them occurs"

    def __post_init__(self) -> None:
        self._check("length", 1)
        self._check("samples", 1)
        self._check("seed", 0)

    def _text(self, item: Item) -> ItemText:
        """Question, context or the like; not the answer."""
        return ItemText.of(item, ("passage", "question", "choices"))

    def _grams(self, plan: GramPlan, block: Block) -> range:
        places = len(block.view) - self.length + 1
        if not len(block.view):
            return range(0)
        if places < 1:
            return plan.add(block, np.zeros(1, np.int64), np.full(1, len(block.view), np.int64))
        # Drawn by the text alone: an item is judged the same whatever stands around it.
        random = Random(f"{self.seed}\n{block.view.encoded.decode()}")
        begins = np.array(sorted({random.randrange(places) for _ in range(self.samples)}), np.int64)
        return plan.add(block, begins, begins + self.length)

    def _label(self, share: float) -> tuple[bool, str]:
        return share > 0, "contaminated" if share > 0 else "clean"


@dataclass(frozen=True)
class Gpt3(ShareRule):
    """Any N-gram, N being the 5th percentile of the benchmark's lengths, from 8 to 13."""

    least: int = 8
    most: int = 13
    percentile: float = 5

    name: ClassVar[str] = "gpt3"
    unit: ClassVar[str] = "N-grams of words; N: the benchmark's 5th percentile of lengths, from 8 to 13"
    normalisation: ClassVar[str] = "lower case, no punctuation, split at white space"
    source: ClassVar[str] = "Brown et al. 2020 (GPT-3), appendix C"
    normaliser = UNPUNCTUATED_WORDS

    @property
    def threshold(self) -> str:
        """See `Rule`."""
        return "any N-gram occurs"

    def __post_init__(self) -> None:
        self._check("least", 1)
        self._check("most", self.least)

    def plan(self, views: Views) -> GramPlan:
        """See `GramRule`."""
        blocks = [views.block(ItemText.of(item), self.normaliser) for item in views.items]
        lengths: dict[str, list[int]] = {}
        for item, block in zip(views.items, blocks, strict=True):
            lengths.setdefault(item.benchmark, []).append(len(block.view))
        sizes = {benchmark: self._size(of_one) for benchmark, of_one in lengths.items()}
        plan = GramPlan(notes=[f"{benchmark}: N = {size}" for benchmark, size in sizes.items()])
        for item, block in zip(views.items, blocks, strict=True):
            numbers = plan.add_windows(block, sizes[item.benchmark])
            plan.ranges.append(numbers if len(numbers) else None)
        return plan

    def _size(self, lengths: list[int]) -> int:
        at = int(self.percentile / 100 * (len(lengths) - 1))
        return min(self.most, max(self.least, sorted(lengths)[at]))

    def _label(self, share: float) -> tuple[bool, str]:
        return share > 0, "dirty" if share > 0 else "clean"
