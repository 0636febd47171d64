"""Rules about tokens: how much of an item's token sequence the corpus has."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from anygram.analysis.contamination.items import Evidence, Item, Verdict
from anygram.analysis.contamination.rules.base import (
    FittedCutoff,
    Results,
    Ruling,
    Statistic,
    SubsetResult,
    SubsetTest,
    TokenBatch,
    TokenRule,
    not_applicable,
    verdict,
)
from anygram.analysis.contamination.texts import merged
from anygram.results import NearSpans
from anygram.types import Ragged

_MANY = 1000  # occurrences of a span, from which on its documents are not all listed


class SpanFinder:
    """Evidence for spans of tokens."""

    def __init__(self, batch: TokenBatch) -> None:
        self._index = batch.index
        self._batch = batch
        self._wanted: list[tuple[int, int, int, tuple[int, ...]]] = []

    def want(self, item: int, begin: int, end: int, document: int | None = None) -> None:
        """Asks for evidence of tokens [begin, end); of a span that is not verbatim, for the document that is known."""
        self._wanted.append((item, begin, end, () if document is None else (document,)))

    def find(self) -> dict[int, tuple[Evidence, ...]]:
        """The evidence, by item."""
        verbatim = [span for span in self._wanted if not span[3]]
        found = self._index.find_batch(
            Ragged.from_sequences([self._batch.tokens[item][begin:end] for item, begin, end, _ in verbatim])
        )
        documents = {span: (len(places), self._documents(places)) for span, places in zip(verbatim, found, strict=True)}
        evidence: dict[int, list[Evidence]] = {}
        for span in self._wanted:
            item, begin, end, known = span
            text, offsets = self._batch.places(item)
            count, holding = (0, known) if known else documents[span]
            fields = text.locate(int(offsets[begin, 0]), int(offsets[end - 1, 1]))
            if len(fields) > 1:  # as many pieces of evidence, of each of which the count is not known
                count = 0
            evidence.setdefault(item, []).extend(
                Evidence(place.field, place.begin, place.end, count, holding) for place in fields
            )
        return {item: tuple(spans) for item, spans in evidence.items()}

    @staticmethod
    def _documents(places: object) -> tuple[int, ...]:
        from anygram.occurrences import Occurrences

        assert isinstance(places, Occurrences)
        if len(places) <= _MANY:
            return tuple(places.documents()[:10].tolist())
        return tuple(sorted({place.document for place in places[:100]})[:10])


@dataclass(frozen=True)
class Llama2(TokenRule):
    """The share of tokens in a skipgram that the corpus has too."""

    length: int = 10
    skip_budget: int = 4
    exact_prefix: int = 10
    clean_below: float = 0.2
    dirty_from: float = 0.8

    name: ClassVar[str] = "llama2"
    unit: ClassVar[str] = "tokens in n-grams of at least 10, up to 4 of which may differ"
    normalisation: ClassVar[str] = "the index's tokenizer, on the fields joined by newlines"
    source: ClassVar[str] = "Touvron et al. 2023 (Llama 2), appendix A.6"

    def __post_init__(self) -> None:
        self._check("length", 1)
        self._check("skip_budget", 0)
        self._check("exact_prefix", 1)
        self._check_share("clean_below")
        self._check_share("dirty_from")

    @property
    def threshold(self) -> str:
        """See `Rule`."""
        return (
            f"share of tokens < {self.clean_below:g}: clean, else not clean; "
            f">= {self.dirty_from:g}: dirty; contaminated: not clean"
        )

    def judge(self, batch: TokenBatch) -> Ruling:
        """See `TokenRule`."""
        spans = batch.index.near_spans_batch(
            Ragged.from_sequences(batch.tokens),
            min_length=self.length,
            exact_prefix=self.exact_prefix,
            max_substitutions=self.skip_budget,
        )
        finder = SpanFinder(batch)
        for item, found in enumerate(spans):
            want_spans(finder, item, found)
        evidence = finder.find()
        verdicts = []
        for item, (tokens, found) in enumerate(zip(batch.tokens, spans, strict=True)):
            if len(tokens) < self.length:
                verdicts.append(not_applicable(item))
                continue
            share = int(np.count_nonzero(found.matched)) / len(tokens)
            verdicts.append(verdict(item, share >= self.clean_below, share, self._label(share), evidence.get(item, ())))
        return Ruling(verdicts, statistics=self._tests(batch, verdicts))

    def _label(self, share: float) -> str:
        if share >= self.dirty_from:
            return "dirty"
        return "clean" if share < self.clean_below else "not clean"

    def _tests(self, batch: TokenBatch, verdicts: list[Verdict]) -> tuple[Statistic, ...]:
        """Whether the cleanest items do worse than all, and the dirtiest better."""
        statistics: list[Statistic] = []
        for benchmark, members in by_benchmark(batch.items).items():
            judged = [item for item in members if verdicts[item].applicable]
            scores = np.array([verdicts[item].score for item in judged])
            subsets = {
                "clean": scores < self.clean_below,
                "not clean": scores >= self.clean_below,
                "not dirty": scores < self.dirty_from,
                "dirty": scores >= self.dirty_from,
            }
            for model, results in batch.results.items():
                mine = results[judged]
                tests = [
                    SubsetResult(benchmark, model, name, *z_test(mine, chosen)) for name, chosen in subsets.items()
                ]
                statistics += tests
                z = [test.z for test in tests]
                significant = all(abs(one) > 2 for one in z) and z[0] < 0 < z[-1]
                statistics.append(SubsetTest(benchmark, model, significant))
        return tuple(statistics)


def want_spans(finder: SpanFinder, item: int, found: NearSpans) -> None:
    """Asks for evidence of an item's spans."""
    columns = (found.begins, found.ends, found.substitutions, found.documents)
    for begin, end, substitutions, document in zip(*(column.tolist() for column in columns), strict=True):
        finder.want(item, begin, end, document if substitutions else None)


def by_benchmark(items: Sequence[Item]) -> dict[str, list[int]]:
    """The items of each benchmark."""
    members: dict[str, list[int]] = {}
    for number, item in enumerate(items):
        members.setdefault(item.benchmark, []).append(number)
    return members


def z_test(results: np.ndarray, chosen: np.ndarray) -> tuple[int, float, float]:
    """How many of the chosen have a result, their mean, and how many standard errors it is from that of all."""
    known = ~np.isnan(results)
    mine = results[known & chosen]
    if not len(mine):
        return 0, math.nan, math.nan
    everything = results[known]
    spread = float(everything.std())
    mean = float(mine.mean())
    z = (mean - float(everything.mean())) / (spread / math.sqrt(len(mine))) if spread > 0 else math.nan
    return len(mine), mean, z


@dataclass(frozen=True)
class ContamRule(TokenRule):
    """A score of ConTAM's; items above a cutoff are contaminated, if one is given or fitted on results."""

    length: int = 8
    min_count: int = 1
    cutoff: float | None = None

    normalisation: ClassVar[str] = "the index's tokenizer, on the fields joined by newlines"
    source: ClassVar[str] = "Singh et al. 2024 (ConTAM), section 3"

    def __post_init__(self) -> None:
        self._check("length", 1)
        self._check("min_count", 1)
        if self.cutoff is not None:
            self._check_share("cutoff")

    @property
    def threshold(self) -> str:
        """See `Rule`."""
        return "none, unless fitted on results" if self.cutoff is None else f"score > {self.cutoff:g}"

    def _scores(self, batch: TokenBatch, finder: SpanFinder) -> list[float]:
        """The score of each item with at least `length` tokens, and nan of the others."""
        raise NotImplementedError

    def judge(self, batch: TokenBatch) -> Ruling:
        """See `TokenRule`."""
        finder = SpanFinder(batch)
        scores = np.array(self._scores(batch, finder))
        evidence = finder.find()
        cutoffs = np.full(len(scores), np.nan if self.cutoff is None else self.cutoff)
        statistics: list[FittedCutoff] = []
        if self.cutoff is None and batch.results:
            for benchmark, members in by_benchmark(batch.items).items():
                judged = np.array([item for item in members if not math.isnan(scores[item])], np.int64)
                fitted = fit_cutoff(benchmark, scores[judged], {k: v[judged] for k, v in batch.results.items()})
                cutoffs[members] = fitted.cutoff
                statistics.append(fitted)
        verdicts = [
            self._verdict(item, float(score), float(cutoff), evidence.get(item, ()))
            for item, (score, cutoff) in enumerate(zip(scores, cutoffs, strict=True))
        ]
        return Ruling(verdicts, statistics=tuple(statistics))

    @staticmethod
    def _verdict(item: int, score: float, cutoff: float, evidence: tuple[Evidence, ...]) -> Verdict:
        if math.isnan(score):
            return not_applicable(item)
        if math.isnan(cutoff):
            return verdict(item, False, score, "scored", evidence)
        return verdict(item, score > cutoff, score, "contaminated" if score > cutoff else "clean", evidence)


@dataclass(frozen=True)
class ContamTokenMatch(ContamRule):
    """The share of tokens in an n-gram that occurs."""

    name: ClassVar[str] = "contam_token_match"
    unit: ClassVar[str] = "tokens in 8-grams"

    def _scores(self, batch: TokenBatch, finder: SpanFinder) -> list[float]:
        scores = []
        for item, starts in enumerate(matched_ngrams(batch, finder, self.length, self.min_count)):
            size = len(batch.tokens[item])
            spans = merged((begin, begin + self.length) for begin in starts)
            scores.append(sum(end - begin for begin, end in spans) / size if size >= self.length else math.nan)
        return scores


@dataclass(frozen=True)
class ContamNgramMatch(ContamRule):
    """The share of n-grams that occur."""

    name: ClassVar[str] = "contam_ngram_match"
    unit: ClassVar[str] = "8-grams of tokens"

    def _scores(self, batch: TokenBatch, finder: SpanFinder) -> list[float]:
        scores = []
        for item, starts in enumerate(matched_ngrams(batch, finder, self.length, self.min_count)):
            number = len(batch.tokens[item]) - self.length + 1
            scores.append(len(starts) / number if number > 0 else math.nan)
        return scores


def matched_ngrams(batch: TokenBatch, finder: SpanFinder, length: int, min_count: int) -> list[list[int]]:
    """Where n-grams begin that occur often enough, by item; asks for evidence of what holds them."""
    texts = Ragged.from_sequences(batch.tokens)
    found = []
    for item, matches in enumerate(batch.index.longest_matches_batch(texts, min_count=min_count)):
        lengths = matches.lengths
        found.append(np.flatnonzero(lengths >= length).tolist())
        reached = 0
        for begin in found[-1]:  # a match that reaches no further is inside the one before it
            end = begin + int(lengths[begin])
            if end > reached:
                finder.want(item, begin, end)
                reached = end
    return found


@dataclass(frozen=True)
class ContamExtendRule(ContamRule):
    """N-grams that occur are extended to the right, over tokens that differ."""

    skip_budget: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check("skip_budget", 0)

    def _matched(self, found: NearSpans) -> int:
        raise NotImplementedError

    def _scores(self, batch: TokenBatch, finder: SpanFinder) -> list[float]:
        spans = batch.index.near_spans_batch(
            Ragged.from_sequences(batch.tokens),
            min_length=self.length,
            exact_prefix=self.length,
            max_substitutions=self.skip_budget,
            min_count=self.min_count,
        )
        scores = []
        for item, (tokens, found) in enumerate(zip(batch.tokens, spans, strict=True)):
            want_spans(finder, item, found)
            scores.append(self._matched(found) / len(tokens) if len(tokens) >= self.length else math.nan)
        return scores


@dataclass(frozen=True)
class ContamTokenExtend(ContamExtendRule):
    """The share of tokens that some extended n-gram matches."""

    name: ClassVar[str] = "contam_token_extend"
    unit: ClassVar[str] = "tokens in 8-grams, extended"

    def _matched(self, found: NearSpans) -> int:
        return int(np.count_nonzero(found.matched))


@dataclass(frozen=True)
class ContamLongestMatch(ContamExtendRule):
    """The share of tokens that the longest extended n-gram matches."""

    name: ClassVar[str] = "contam_longest_match"
    unit: ClassVar[str] = "tokens in the longest extended 8-gram"

    def _matched(self, found: NearSpans) -> int:
        return found.longest


_SIGNIFICANT = 1.6448536269514722  # the standard normal's 95th percentile: a one-sided test at 5 %


def fit_cutoff(benchmark: str, scores: np.ndarray, results: Results) -> FittedCutoff:
    """The cutoff with the largest estimated performance gain: mean(all) - mean(clean), where z is significant.

    With several models, gains are added up over those for which they are significant. Of equal ones, the smallest
    cutoff. Items that score above it are contaminated; so the largest score is no candidate, and leaves all clean.
    """
    best = FittedCutoff(benchmark, math.nan, math.nan, math.nan, len(scores))
    for cutoff in np.unique(scores)[:-1]:
        clean = scores <= cutoff
        total, largest = 0.0, -math.inf
        for mine in results.values():
            gain, z = performance_gain(mine, clean)
            if z >= _SIGNIFICANT:
                total += gain
                largest = max(largest, z)
        if largest > -math.inf and (math.isnan(best.gain) or total > best.gain):
            best = FittedCutoff(benchmark, float(cutoff), total, largest, int(clean.sum()))
    return best


def performance_gain(results: np.ndarray, clean: np.ndarray) -> tuple[float, float]:
    """How much better all do than the clean, and that in standard errors."""
    size, mean, z = z_test(results, clean)
    if not size:
        return math.nan, math.nan
    return float(np.nanmean(results)) - mean, -z
