"""The report as one page of HTML that needs nothing else: what it shows, and where."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

from anygram.analysis.contamination.calibration import CANARIES, CONTROL
from anygram.analysis.contamination.contexts import WIDTH, DocumentFacts
from anygram.analysis.contamination.items import Item, Verdict
from anygram.analysis.contamination.tabulate import ALL, SCORED, tally
from anygram.analysis.page.rendering import render_page
from anygram.results.base import plain

if TYPE_CHECKING:
    from anygram.analysis.contamination.benchmarks import Benchmark
    from anygram.analysis.contamination.report import ContaminationReport

_Span: TypeAlias = tuple[int, int, int]
"""Where a match begins and ends, in characters, and the number of the rule that found it."""

_MOST_ITEMS = 300  # of a benchmark, with their evidence; the tables have all
_MOST_PASSAGES = 3  # of an item and a rule
_GAP = 320  # characters of a field without a match that are shown on either side of what is left out


def render(report: ContaminationReport) -> str:
    """The page.

    Raises:
        MissingExtraError: jinja2 is not installed.
    """
    return render_page("anygram.analysis.contamination", {"corpus": report.corpus, **_view(report)})


def _view(report: ContaminationReport) -> dict[str, Any]:
    numbers = {rule.name: place for place, rule in enumerate(report.rules)}
    shown_items = [_Evidence.of(report, benchmark, numbers) for benchmark in report.benchmarks]
    return {
        "report": report,
        "num_items": sum(map(len, report.benchmarks)),
        "num_by_any": sum(_num_contaminated(report, benchmark.name, 0.0) for benchmark in report.benchmarks),
        "num_by_most": sum(_num_contaminated(report, benchmark.name, 0.5) for benchmark in report.benchmarks),
        "rate_rows": _rate_rows(report),
        "forests": [_forest(report, place) for place in range(len(report.benchmarks))],
        "agreements": _agreements(report),
        "subset_plots": _subset_plots(report),
        "calibration": _calibration(report),
        "canaries": CANARIES,
        "control": CONTROL,
        "evidence": shown_items,
    }


def _num_contaminated(report: ContaminationReport, benchmark: str, share: float) -> int:
    """Items that more than this share of the rules that have a verdict on them find contaminated."""
    judged: Counter[int] = Counter()
    found: Counter[int] = Counter()
    for verdicts in report.verdicts[benchmark].values():
        judged.update(verdict.item for verdict in verdicts if verdict.applicable and verdict.label != SCORED)
        found.update(verdict.item for verdict in verdicts if verdict.contaminated)
    return sum(found[item] > share * judged[item] for item in found)


def _rate_rows(report: ContaminationReport) -> list[dict[str, Any]]:
    return [
        {
            "rule": rule,
            "number": place,
            "cells": [tally(report.verdicts[benchmark.name][rule.name]) for benchmark in report.benchmarks],
        }
        for place, rule in enumerate(report.rules)
    ]


# --- plots: their geometry; the template draws it

_LEFT, _WIDTH, _RIGHT, _ROW = 150, 360, 70, 22


def _forest(report: ContaminationReport, place: int) -> dict[str, Any]:
    """A rate with its interval for each rule: a point and a line."""
    benchmark = report.benchmarks[place]
    rows = []
    for rule_number, rule in enumerate(report.rules):
        counted = tally(report.verdicts[benchmark.name][rule.name])
        low, high = counted.interval
        known = not math.isnan(counted.rate)
        if not counted.decides:
            continue
        row = {"rule": rule.name, "number": rule_number, "tally": counted, "low": low, "high": high, "known": known}
        if known:
            row |= {"x": _x(counted.rate), "x_low": _x(low), "x_high": _x(high)}
        rows.append(row)
    return {"benchmark": benchmark, "number": place, "rows": rows, **_axis(len(rows))}


def _axis(num_rows: int) -> dict[str, Any]:
    ticks = [(_x(share), f"{share:.0%}") for share in (0, 0.2, 0.4, 0.6, 0.8, 1)]
    return {
        "left": _LEFT,
        "width": _LEFT + _WIDTH + _RIGHT,
        "height": num_rows * _ROW + 30,
        "row": _ROW,
        "ticks": ticks,
    }


def _x(share: float) -> float:
    return round(_LEFT + _WIDTH * share, 1)


def _subset_plots(report: ContaminationReport) -> list[dict[str, Any]]:
    """Means of clean and of dirty items, on one scale for a benchmark."""
    plots = []
    rules = {rule.name: place for place, rule in enumerate(report.rules)}
    for place, benchmark in enumerate(report.benchmarks):
        rows = [row for row in report.subsets.rows() if row["benchmark"] == benchmark.name]
        if not rows:
            continue
        ends = [float(row[name]) for row in rows for name in _SUBSET_ENDS]  # type: ignore[arg-type]  # all are floats
        known = [end for end in ends if not math.isnan(end)]
        low, high = min([0.0, *known]), max([1.0, *known])
        for row in rows:
            row["number"] = rules[str(row["rule"])]
            for name in _SUBSET_ENDS:
                value = (float(row[name]) - low) / (high - low)  # type: ignore[arg-type]  # as above
                row[f"x_{name}"] = None if math.isnan(value) else _x(value)
        ticks = [(_x(share), f"{low + share * (high - low):.3g}") for share in (0, 0.25, 0.5, 0.75, 1)]
        plots.append({"benchmark": benchmark, "number": place, "rows": rows, **_axis(len(rows)), "ticks": ticks})
    return plots


_SUBSET_ENDS = ("clean_score", "clean_low", "clean_high", "dirty_score", "dirty_low", "dirty_high")


def _agreements(report: ContaminationReport) -> list[dict[str, Any]]:
    """A matrix for each benchmark, and for all: overlap above the diagonal, kappa below."""
    rows = report.rule_agreement.rows()
    names = [benchmark.name for benchmark in report.benchmarks]
    matrices = []
    for place, name in enumerate([*names, ALL] if len(names) > 1 else names):
        pairs = {(row["rule"], row["other"]): row for row in rows if row["benchmark"] == name}
        rules = [rule for rule in report.rules if any(rule.name in pair for pair in pairs)]
        lines = [
            [pairs.get((one.name, other.name)) or pairs.get((other.name, one.name)) for other in rules] for one in rules
        ]
        matrices.append({"name": name, "number": place if name != ALL else "all", "rules": rules, "lines": lines})
    return [matrix for matrix in matrices if matrix["rules"]]


def _calibration(report: ContaminationReport) -> list[dict[str, Any]]:
    if report.calibration is None:
        return []
    by_rule: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in report.calibration.rows():
        by_rule[str(row["rule"])].append(row)
    lines: list[dict[str, Any]] = [
        {"rule": rule, "number": place, "cells": by_rule[rule.name]} for place, rule in enumerate(report.rules)
    ]
    # A rule that gives scores and no verdicts finds nothing, and misses nothing.
    return [
        line for line in lines if any(cell["rate"] == cell["rate"] or not cell["applicable"] for cell in line["cells"])
    ]


# --- the evidence


@dataclass(frozen=True)
class _Evidence:
    """The items of a benchmark that are shown."""

    benchmark: Benchmark
    number: int
    items: Sequence[Mapping[str, Any]]
    num_left_out: int

    @classmethod
    def of(cls, report: ContaminationReport, benchmark: Benchmark, numbers: Mapping[str, int]) -> _Evidence:
        by_item: dict[int, list[tuple[str, Verdict]]] = defaultdict(list)
        for rule, verdicts in report.verdicts[benchmark.name].items():
            for verdict in verdicts:
                if verdict.contaminated or verdict.evidence:
                    by_item[verdict.item].append((rule, verdict))
        ordered = sorted(by_item, key=lambda item: (-sum(v.contaminated for _, v in by_item[item]), item))
        kept = [_item(report, benchmark.items[item], by_item[item], numbers) for item in ordered[:_MOST_ITEMS]]
        return cls(benchmark, report.benchmarks.index(benchmark), kept, len(ordered) - len(kept))


def _item(
    report: ContaminationReport, item: Item, found: Sequence[tuple[str, Verdict]], numbers: Mapping[str, int]
) -> dict[str, Any]:
    fields = [(role, list(_pieces(text, _spans(role, found, numbers)))) for role, text in item.fields.items()]
    return {
        "item": item,
        "verdicts": [{"rule": rule, "number": numbers[rule], "verdict": verdict} for rule, verdict in found],
        "contaminated": [numbers[rule] for rule, verdict in found if verdict.contaminated],
        "named": [numbers[rule] for rule, _ in found],
        "fields": fields,
        "passages": list(_passages(report, item, found, numbers)),
    }


def _spans(role: str, found: Sequence[tuple[str, Verdict]], numbers: Mapping[str, int]) -> list[_Span]:
    return [
        (one.begin, one.end, numbers[rule]) for rule, verdict in found for one in verdict.evidence if one.field == role
    ]


def _pieces(text: str, spans: Sequence[_Span]) -> Iterator[tuple[str, list[int]]]:
    """The text cut at the ends of spans, each piece with the rules that matched it; long gaps are left out."""
    cuts = sorted({0, len(text), *(end for span in spans for end in span[:2])})
    pieces: list[tuple[int, int, list[int]]] = []
    for cut, end in pairwise(cuts):
        rules = sorted({rule for first, last, rule in spans if first <= cut and end <= last})
        begin = pieces.pop()[0] if pieces and pieces[-1][2] == rules else cut
        pieces.append((begin, end, rules))
    for begin, end, rules in pieces:
        if rules or end - begin <= 2 * _GAP + 40:
            yield text[begin:end], rules
        else:
            yield f"{text[begin : begin + _GAP]} […] {text[end - _GAP : end]}", rules


def _passages(
    report: ContaminationReport, item: Item, found: Sequence[tuple[str, Verdict]], numbers: Mapping[str, int]
) -> Iterator[dict[str, Any]]:
    """What documents say: the most telling first; each rule has its say."""
    num_shown: dict[int, int] = defaultdict(int)
    for document, spans in sorted(
        _clusters(_places(report, item, found, numbers)), key=lambda one: (-_covered(one[1]), one[0])
    ):
        rules = sorted({rule for _, _, rule in spans})
        # A passage is left out only where all of its rules have enough.
        if min(num_shown[rule] for rule in rules) >= _MOST_PASSAGES:
            continue
        for rule in rules:
            num_shown[rule] += 1
        around = report.found.around(document, min(begin for begin, _, _ in spans), max(end for _, end, _ in spans))
        inside = [(begin - around.begin, end - around.begin, rule) for begin, end, rule in spans]
        yield {
            "pieces": list(_pieces(around.text, inside)),
            "rules": rules,
            **_facts(report.found.documents[document]),
        }


def _places(
    report: ContaminationReport, item: Item, found: Sequence[tuple[str, Verdict]], numbers: Mapping[str, int]
) -> dict[int, set[_Span]]:
    """Where in documents the item's matches stand, with the rules that found them."""
    places: dict[int, set[_Span]] = defaultdict(set)
    for rule, verdict in found:
        for one in verdict.evidence:
            for place in report.found.places.get(item.fields[one.field][one.begin : one.end], ()):
                if place.document in one.documents:
                    places[place.document].add((place.begin, place.end, numbers[rule]))
    return places


def _clusters(places: Mapping[int, set[_Span]]) -> Iterator[tuple[int, list[_Span]]]:
    """Matches that stand near each other in a document, together."""
    for document, spans in places.items():
        cluster: list[_Span] = []
        reached = 0
        for span in sorted(spans):
            if cluster and span[0] > reached + 2 * WIDTH:
                yield document, cluster
                cluster = []
            cluster.append(span)
            reached = max(reached, span[1])
        yield document, cluster


def _covered(spans: Sequence[_Span]) -> int:
    """Characters in at least one of the spans, which are in order."""
    covered = reached = 0
    for begin, end, _ in spans:
        covered += max(0, end - max(begin, reached))
        reached = max(reached, end)
    return covered


def _facts(document: DocumentFacts) -> dict[str, Any]:
    metadata = {key: value for key, value in plain(document.metadata).items() if value is not None}
    source = document.source if document.source and not document.id.startswith(document.source) else None
    return {"document": document, "source": source, "metadata": metadata}
