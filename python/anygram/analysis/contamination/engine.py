"""Items are judged by rules: those about tokens by the index, the others by one scan of all documents for all of them.

A rule whose units are those of the index's own tokenizer is answered by the index too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from anygram.analysis.contamination.items import Item, Verdict
from anygram.analysis.contamination.normalisers import FOLDED_WORDS
from anygram.analysis.contamination.plans import GramPlan, Views
from anygram.analysis.contamination.rules.base import (
    GramRule,
    Results,
    Rule,
    Ruling,
    Statistic,
    TokenBatch,
    TokenRule,
    without_surrogates,
)
from anygram.analysis.contamination.texts import ItemText
from anygram.errors import InvalidQueryError
from anygram.gram_finder import GramFinder
from anygram.index import Index
from anygram.scanning import GramFamily, GramGroup, GramPlaces, GramScan, GroupScore, Normaliser
from anygram.types import Int64Array, Ragged, TokenArray

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Judgements:
    """What rules say of items.

    Attributes:
        verdicts: by the rule's key: one verdict an item, in their order.
        ways: by key: "index" or "scan", how the corpus was asked.
        notes: by key: what the reader should know of how the rule was applied.
        statistics: by key: tests and fits over benchmarks, where results were given.
    """

    verdicts: dict[str, list[Verdict]]
    ways: dict[str, str]
    notes: dict[str, tuple[str, ...]]
    statistics: dict[str, tuple[Statistic, ...]]


def judge(
    index: Index,
    items: Sequence[Item],
    rules: Sequence[Rule],
    *,
    threads: int | None = None,
    progress: Progress | None = None,
    results: Sequence[float] | Mapping[str, Sequence[float]] | None = None,
) -> Judgements:
    """Judges items by rules.

    Args:
        index: the corpus.
        items: the examples.
        rules: each with a key of its own: the same rule may come with different parameters.
        threads: how many a scan uses; None for the index's own.
        progress: called with what is done and what there is to do, in tokens read by the scan.
        results: how a model did on each item, nan where that is not known; or that by the model's name. Llama 2's test
            and ConTAM's cutoffs need it.

    Raises:
        InvalidQueryError: the index has no tokenizer, two rules have the same key, or results do not fit the items.
    """
    by_key = _by_key(rules)
    by_model = _results(results, len(items))
    if index.tokenizer is None:
        raise InvalidQueryError("contamination needs texts, and the index has no tokenizer: open it with tokenizer=...")
    rulings: dict[str, Ruling] = {}
    ways: dict[str, str] = {}
    token_rules = {key: rule for key, rule in by_key.items() if isinstance(rule, TokenRule)}
    if token_rules:
        batch = TokenBatch(index, items, encoded(index, items), by_model)
        for key, rule in token_rules.items():
            rulings[key], ways[key] = rule.judge(batch), "index"
    views = Views(items)
    plans = {key: rule.plan(views) for key, rule in by_key.items() if isinstance(rule, GramRule)}
    kinds = {key: rule for key, rule in by_key.items() if isinstance(rule, GramRule)}
    indexed = {key for key, rule in kinds.items() if _shares_units(index, rule.normaliser)}
    for key in indexed:
        rulings[key] = kinds[key].decide(views, plans[key], IndexAnswers(index, plans[key]))
        ways[key] = "index"
    scanned = [key for key in kinds if key not in indexed]
    if scanned:
        answers = scan(index, [(kinds[key].normaliser, plans[key]) for key in scanned], threads, progress)
        for key, one in zip(scanned, answers, strict=True):
            rulings[key], ways[key] = kinds[key].decide(views, plans[key], one), "scan"
        if not index.round_trips:
            spec = index.tokenizer.spec
            note = f"the scan read documents as {spec} renders them, which is not exactly the text they were built from"
            rulings |= {key: dataclasses.replace(rulings[key], notes=(*rulings[key].notes, note)) for key in scanned}
    return Judgements(
        {key: rulings[key].verdicts for key in by_key},
        {key: ways[key] for key in by_key},
        {key: rulings[key].notes for key in by_key},
        {key: rulings[key].statistics for key in by_key},
    )


def _by_key(rules: Sequence[Rule]) -> dict[str, Rule]:
    by_key: dict[str, Rule] = {}
    for rule in rules:
        if not isinstance(rule, Rule):
            raise InvalidQueryError(
                f"expected a rule of anygram.rules, found {rule!r}; parse_rule makes one of its name"
            )
        if rule.key in by_key:
            raise InvalidQueryError(f"the rule {rule.key} is given twice")
        by_key[rule.key] = rule
    return by_key


def _results(results: Sequence[float] | Mapping[str, Sequence[float]] | None, number: int) -> Results:
    if results is None:
        return {}
    given = results if isinstance(results, Mapping) else {"model": results}
    by_model = {}
    for model, values in given.items():
        array = np.asarray(values, np.float64)
        if array.shape != (number,):
            raise InvalidQueryError(
                f"results of {model!r}: expected a number for each of {number} items, found shape {array.shape}"
            )
        by_model[model] = array
    return by_model


def encoded(index: Index, items: Sequence[Item]) -> list[Int64Array]:
    """Each item's text in the index's tokens."""
    tokenizer = index.tokenizer
    assert tokenizer is not None
    tokens = tokenizer.encode_batch([without_surrogates(item.text) for item in items])
    return [one.astype(np.int64) for one in tokens]


def _shares_units(index: Index, normaliser: Normaliser) -> bool:
    return normaliser is FOLDED_WORDS and index.tokenizer is not None and index.tokenizer.kind == "words:fold"


class ScanAnswers:
    """A scan's answers to one of the plans that it was made for."""

    def __init__(
        self, index: Index, found: GramScan, first: int, number: int, first_group: int, threads: int | None
    ) -> None:
        self._index = index
        self._threads = threads
        self._found = found
        self._first = first
        self._first_group = first_group
        self.counts: Int64Array = found.counts[first : first + number]

    def documents(self, gram: int) -> tuple[int, ...]:
        """See `Answers`."""
        return self._found.documents(self._first + gram)

    def group(self, number: int) -> GroupScore:
        """See `Answers`."""
        return self._found.group(self._first_group + number)

    def places(self, finder: GramFinder, documents: Int64Array) -> GramPlaces:
        """See `ReadableAnswers`."""
        return self._index.find_grams(finder, documents.tolist(), threads=self._threads)


def scan(
    index: Index,
    plans: Sequence[tuple[Normaliser, GramPlan]],
    threads: int | None = None,
    progress: Progress | None = None,
) -> list[ScanAnswers]:
    """Answers plans by one scan."""
    normalisers = list({normaliser.name: normaliser for normaliser, _ in plans}.values())
    families: list[GramFamily] = []
    firsts: dict[int, int] = {}
    first = 0
    for normaliser in normalisers:
        chosen = [number for number, (mine, _) in enumerate(plans) if mine.name == normaliser.name]
        family = _family(normaliser, [plans[number][1] for number in chosen])
        for number in chosen:
            firsts[number] = first
            first += plans[number][1].num_grams
        families.append(family)
    groups: list[GramGroup] = []
    first_groups = []
    for number, (_, plan) in enumerate(plans):
        first_groups.append(len(groups))
        groups += [_shifted(group, firsts[number]) for group in plan.groups]
    found = index.scan_grams(families, groups, threads=threads, progress=progress)
    return [
        ScanAnswers(index, found, firsts[number], plan.num_grams, first_groups[number], threads)
        for number, (_, plan) in enumerate(plans)
    ]


def _shifted(group: GramGroup, first: int) -> GramGroup:
    return GramGroup(group.part_lengths, group.grams + first, group.parts, group.begins, group.ends, group.minimum)


def _family(normaliser: Normaliser, plans: Sequence[GramPlan]) -> GramFamily:
    """The grams of plans that see texts alike: texts that they share stand there once."""
    places: dict[int, int] = {}
    pieces: list[bytes] = []
    size = 0
    begins, ends = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for plan in plans:
        for block, first, last in zip(plan.blocks, plan.begin, plan.end, strict=True):
            view = block.view
            if id(view) not in places:
                places[id(view)] = size
                pieces.append(view.encoded)
                size += len(view.encoded)
            if len(first):
                begins.append(places[id(view)] + view.byte_begins[first])
                ends.append(places[id(view)] + view.byte_ends[last - 1])
    return GramFamily(normaliser, b"".join(pieces), np.concatenate(begins), np.concatenate(ends))


class IndexAnswers:
    """The answers of an index whose tokens are the plan's units."""

    def __init__(self, index: Index, plan: GramPlan) -> None:
        tokenizer = index.tokenizer
        assert tokenizer is not None
        self._index = index
        self._plan = plan
        grams: list[TokenArray] = []
        tokens = tokenizer.encode_batch([without_surrogates(block.text.text) for block in plan.blocks])
        for block, ids, begins, ends in zip(plan.blocks, tokens, plan.begin, plan.end, strict=True):
            assert len(ids) == len(block.view), "the tokens are the units"
            grams += [ids[begin:end] for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)]
        self._grams = grams
        self.counts = index.count_batch(Ragged.from_sequences(grams))
        self._holding: dict[bytes, Int64Array] = {}

    def _documents(self, gram: int) -> Int64Array:
        key = self._grams[gram].tobytes()
        if key not in self._holding:
            self._holding[key] = self._index.find(self._grams[gram]).documents()
        return self._holding[key]

    def documents(self, gram: int) -> tuple[int, ...]:
        """See `Answers`."""
        return tuple(self._documents(gram)[:10].tolist())

    def group(self, number: int) -> GroupScore:
        """See `Answers`."""
        group = self._plan.groups[number]
        held: dict[int, list[int]] = {}
        for piece, gram in enumerate(group.grams.tolist()):
            if self.counts[gram]:
                for document in self._documents(gram).tolist():
                    held.setdefault(document, []).append(piece)
        scores = {document: covered(group, pieces) for document, pieces in held.items()}
        listed = sorted(document for document, score in scores.items() if score >= group.minimum)
        best = min(held, key=lambda document: (-scores[document], document), default=-1)
        return GroupScore(
            scores.get(best, 0.0),
            best,
            np.array(held.get(best, []), np.int64),
            np.array(listed, np.int64),
            np.array([scores[document] for document in listed], np.float64),
        )

    def places(self, finder: GramFinder, documents: Int64Array) -> GramPlaces:
        """See `ReadableAnswers`."""
        return self._index.find_grams(finder, documents.tolist())


def covered(group: GramGroup, pieces: Sequence[int]) -> float:
    """The score of a document that holds these pieces, ascending."""
    lengths = [0.0] * len(group.part_lengths)
    ends = [0.0] * len(group.part_lengths)
    for piece in pieces:
        part, begin, end = int(group.parts[piece]), float(group.begins[piece]), float(group.ends[piece])
        if end > ends[part]:
            lengths[part] += end - max(begin, ends[part])
            ends[part] = end
    shares = [length / whole for length, whole in zip(lengths, group.part_lengths.tolist(), strict=True)]
    score = 0.0
    for share in shares:
        score += share
    return score / len(shares)


__all__ = ["ItemText", "Judgements", "judge", "scan"]
