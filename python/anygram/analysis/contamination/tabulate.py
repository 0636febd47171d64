"""The tables of a report, made from its verdicts."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

from anygram.analysis.contamination.benchmarks import Benchmark
from anygram.analysis.contamination.items import Evidence, Verdict
from anygram.analysis.contamination.tables import (
    ItemVerdicts,
    MatchedSpans,
    Rates,
    RuleAgreement,
    SpanDocuments,
    Subsets,
)
from anygram.analysis.report_table import from_rows
from anygram.analysis.statistics import cohen_kappa, difference, mean, wilson
from anygram.results.base import plain

if TYPE_CHECKING:
    from anygram.analysis.contamination.report import ContaminationReport

SCORED = "scored"
"""The label of an item that a rule without a threshold gives a score and no verdict."""

ALL = "(all)"
"""What stands for all benchmarks together."""


class Tally(NamedTuple):
    """How many of a benchmark's items a rule finds contaminated."""

    items: int
    applicable: int
    contaminated: int
    decides: bool  # False for a rule that gives scores and no verdicts
    mean_score: float  # of the items that the rule applies to

    @property
    def rate(self) -> float:
        """Contaminated of applicable."""
        return self.contaminated / self.applicable if self.applicable and self.decides else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Where the rate lies with 95 % confidence."""
        return wilson(self.contaminated, self.applicable) if self.decides else (math.nan, math.nan)


def tally(verdicts: Sequence[Verdict]) -> Tally:
    """Counts verdicts."""
    applicable = [verdict for verdict in verdicts if verdict.applicable]
    decides = all(verdict.label != SCORED for verdict in applicable)
    contaminated = sum(one.contaminated for one in applicable)
    return Tally(len(verdicts), len(applicable), contaminated, decides, mean([one.score for one in applicable]).value)


def rates(report: ContaminationReport) -> Rates:
    """See `ContaminationReport.rates`."""
    rows = []
    for benchmark, rule, verdicts in _each(report):
        counted = tally(verdicts)
        rows.append(
            (
                *(benchmark.name, rule, counted.items, counted.applicable, counted.contaminated),
                *(counted.rate, *counted.interval),
            )
        )
    return from_rows(Rates, rows)


def items(report: ContaminationReport) -> ItemVerdicts:
    """See `ContaminationReport.items`."""
    return from_rows(
        ItemVerdicts,
        [
            (
                *(benchmark.name, one.item, benchmark.items[one.item].id, rule),
                *(one.applicable, one.contaminated, one.score, one.label),
            )
            for benchmark, rule, verdicts in _each(report)
            for one in verdicts
        ],
    )


def spans(report: ContaminationReport) -> MatchedSpans:
    """See `ContaminationReport.spans`."""
    rows = []
    for number, (benchmark, rule, verdict, found) in enumerate(_evidence(report)):
        item = benchmark.items[verdict.item]
        text = item.fields[found.field][found.begin : found.end]
        place = (found.field, found.begin, found.end, text, found.count)
        rows.append((number, benchmark.name, item.number, item.id, rule, *place))
    return from_rows(MatchedSpans, rows)


def documents(report: ContaminationReport) -> SpanDocuments:
    """See `ContaminationReport.documents`."""
    rows = []
    for number, (_, _, _, found) in enumerate(_evidence(report)):
        for document in found.documents:
            facts = report.found.documents[int(document)]
            metadata = json.dumps(plain(facts.metadata), ensure_ascii=False)
            rows.append((number, facts.number, facts.id, facts.source, metadata))
    return from_rows(SpanDocuments, rows)


def rule_agreement(report: ContaminationReport) -> RuleAgreement:
    """See `ContaminationReport.rule_agreement`."""
    rows: list[tuple[object, ...]] = []
    deciding = [rule.name for rule in report.rules if _decides(report, rule.name)]
    for one, other in combinations(deciding, 2):
        total: Counter[tuple[bool, bool]] = Counter()
        for benchmark in report.benchmarks:
            by_rule = report.verdicts[benchmark.name]
            pairs = Counter(
                (bool(mine.contaminated), bool(theirs.contaminated))
                for mine, theirs in zip(by_rule[one], by_rule[other], strict=True)
                if mine.applicable and theirs.applicable
            )
            total += pairs
            rows.append((benchmark.name, one, other, *_agreement(pairs)))
        if len(report.benchmarks) > 1:
            rows.append((ALL, one, other, *_agreement(total)))
    return from_rows(RuleAgreement, rows)


def _agreement(pairs: Counter[tuple[bool, bool]]) -> tuple[object, ...]:
    both, only_one, only_other, neither = (pairs[pair] for pair in _PAIRS)
    total, any_of_both = both + only_one + only_other + neither, both + only_one + only_other
    return (
        *(total, both, only_one, only_other, neither),
        (both + neither) / total if total else math.nan,
        both / any_of_both if any_of_both else math.nan,
        cohen_kappa(both, only_one, only_other, neither),
    )


_PAIRS = ((True, True), (True, False), (False, True), (False, False))


def subsets(report: ContaminationReport) -> Subsets:
    """See `ContaminationReport.subsets`."""
    rows = []
    for benchmark, rule, verdicts in _each(report):
        results = report.results.get(benchmark.name)
        if results is None or not tally(verdicts).decides:
            continue
        known = [(v, r) for v, r in zip(verdicts, results, strict=True) if v.applicable and not math.isnan(r)]
        clean = [result for verdict, result in known if not verdict.contaminated]
        dirty = [result for verdict, result in known if verdict.contaminated]
        clean_mean = mean(clean)
        gain = mean([result for _, result in known]).value - clean_mean.value
        rows.append(
            (
                *(benchmark.name, rule, len(clean), *clean_mean, len(dirty), *mean(dirty)),
                *(*difference(dirty, clean), gain),
            )
        )
    return from_rows(Subsets, rows)


def rule_summaries(report: ContaminationReport, benchmark: str) -> dict[str, Any]:
    """What each rule says of a benchmark, as `--json` gives it."""
    summaries = {}
    for rule in report.rules:
        verdicts = report.verdicts[benchmark][rule.name]
        counted = tally(verdicts)
        labels = Counter(verdict.label for verdict in verdicts if verdict.applicable)
        summaries[rule.name] = {
            "contaminated": counted.contaminated if counted.decides else None,
            "not_applicable": counted.items - counted.applicable,
            "rate": plain(counted.rate),
            "interval": plain(counted.interval),
            "labels": dict(sorted(labels.items())),
            "mean_score": plain(counted.mean_score),
            "way": rule.way,
        }
    return summaries


def to_dict(report: ContaminationReport) -> dict[str, Any]:
    """See `ContaminationReport.to_dict`."""
    return {
        "schema": "anygram.contamination/1",
        **report.summary(),
        "corpus": _facts(report.corpus),
        "rules": [_facts(rule) for rule in report.rules],
        "rates": plain(report.rates.rows()),
        "items": plain(report.items.rows()),
        "spans": plain(report.spans.rows()),
        "documents": plain(report.documents.rows()),
        "rule_agreement": plain(report.rule_agreement.rows()),
        "subsets": plain(report.subsets.rows()),
        "statistics": {
            rule: [{"kind": type(one).__name__, **_facts(one)} for one in found]
            for rule, found in report.statistics.items()
        },
        "calibration": None if report.calibration is None else plain(report.calibration.rows()),
    }


def _facts(facts: object) -> dict[str, Any]:
    return {name: plain(value) for name, value in vars(facts).items()}


def _each(report: ContaminationReport) -> Iterator[tuple[Benchmark, str, Sequence[Verdict]]]:
    for benchmark in report.benchmarks:
        for rule in report.rules:
            yield benchmark, rule.name, report.verdicts[benchmark.name][rule.name]


def _evidence(report: ContaminationReport) -> Iterator[tuple[Benchmark, str, Verdict, Evidence]]:
    for benchmark, rule, verdicts in _each(report):
        for verdict in verdicts:
            for found in verdict.evidence:
                yield benchmark, rule, verdict, found


def _decides(report: ContaminationReport, rule: str) -> bool:
    return all(tally(by_rule[rule]).decides for by_rule in report.verdicts.values())
