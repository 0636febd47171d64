"""The report as one page of HTML that needs nothing else: what it shows, and where."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from anygram.analysis.agreement.excerpts import Excerpt
from anygram.analysis.agreement.figures import Figure, Line, Panel, Point, figures, main_order
from anygram.analysis.agreement.tabulate import model_name
from anygram.analysis.page.filters import number, percent
from anygram.analysis.page.rendering import render_page

if TYPE_CHECKING:
    from anygram.analysis.agreement.report import AgreementReport, MeasuredSet

#: Effective n from which on a token has the next colour.
N_LEVELS = (1, 2, 3, 4, 5, 7, 9, 13, 17, 33)

# A panel's place for the drawing, in pixels of its own.
_WIDTH, _HEIGHT = 430, 270
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 44, 12, 42

_COLOURS = 8


def render(report: AgreementReport) -> str:
    """The page.

    Raises:
        MissingExtraError: jinja2 is not installed.
    """
    return render_page("anygram.analysis.agreement", {"corpus": report.corpus, **_view(report)})


def _view(report: AgreementReport) -> dict[str, Any]:
    order = main_order(report)
    overall = report.overall.rows()
    return {
        "report": report,
        "main": [row for row in overall if row["order"] == model_name(order)],
        "main_name": model_name(order),
        "overall": overall,
        "figures": [_drawn(figure) for figure in figures(report)],
        "relations": report.model_relation.rows(),
        "domains": _domains(report, order),
        "texts": list(_texts(report, order)),
        "n_levels": [*(_level_name(*ends) for ends in pairwise(N_LEVELS)), f"{N_LEVELS[-1]} and more"],
        "has_argmax": report.overall.argmax_agreement is not None,
        "has_model": any(measured.model_probs is not None for measured in report.sets),
    }


def _level_name(first: int, after: int) -> str:
    return str(first) if after == first + 1 else f"{first}–{after - 1}"


# --- figures: their geometry; the template draws it


def _drawn(figure: Figure) -> dict[str, Any]:
    return {"figure": figure, "panels": [_drawn_panel(panel) for panel in figure.panels]}


def _drawn_panel(panel: Panel) -> dict[str, Any]:
    most_tokens = max((bar.share for bar in panel.bars), default=0.0)
    width = _x(panel, panel.x_range[0] + panel.bar_width) - _x(panel, panel.x_range[0])
    bars = [
        {
            "x": round(_x(panel, bar.x) - 0.43 * width, 1),
            "width": round(0.86 * width, 1),
            "y": _y(bar.share / most_tokens),
            "height": round(_y(0) - _y(bar.share / most_tokens), 1),
            "title": f"{bar.label}: {percent(bar.share)} of all tokens ({number(bar.tokens)})",
        }
        for bar in panel.bars
        if bar.share
    ]
    return {
        "panel": panel,
        "width": _WIDTH,
        "height": _HEIGHT,
        "left": _LEFT,
        "right": _WIDTH - _RIGHT,
        "top": _y(1),
        "bottom": _y(0),
        "pooled": None if panel.pooled_from is None else round(_x(panel, panel.pooled_from), 1),
        "bars": bars,
        "lines": [_drawn_line(panel, line) for line in panel.lines],
        "x_ticks": [(round(_x(panel, place), 1), name) for place, name in panel.ticks],
        "y_ticks": [(_y(part), f"{100 * part * panel.most:.3g} %") for part in (0, 0.25, 0.5, 0.75, 1)],
        "bar_ticks": [(_y(1), percent(most_tokens))] if bars else [],
    }


def _drawn_line(panel: Panel, line: Line) -> dict[str, Any]:
    return {
        "label": line.label,
        "colour": line.colour % _COLOURS,
        "runs": [_drawn_run(panel, run) for run in line.runs(panel.bar_width)],
        "points": [_drawn_point(panel, line, point) for point in line.points],
    }


def _drawn_run(panel: Panel, run: Sequence[Point]) -> tuple[str, str]:
    """A line through points, and the band of their intervals around it."""

    def place(point: Point, share: float) -> str:
        return f"{_x(panel, point.x):.1f},{_y(share / panel.most)}"

    upper = [place(point, point.high) for point in run]
    lower = [place(point, point.low) for point in reversed(run)]
    return " ".join(place(point, point.share) for point in run), " ".join(upper + lower)


def _drawn_point(panel: Panel, line: Line, point: Point) -> dict[str, Any]:
    interval = f"{percent(point.low)} to {percent(point.high)}"
    return {
        "x": round(_x(panel, point.x), 1),
        "y": _y(point.share / panel.most),
        "firm": point.firm,
        "title": f"{line.label}, {point.label}: {percent(point.share)} ({interval}) of {number(point.tokens)} tokens",
    }


def _x(panel: Panel, place: float) -> float:
    first, last = panel.x_range
    return _LEFT + (place - first) / (last - first) * (_WIDTH - _LEFT - _RIGHT)


def _y(part: float) -> float:
    """Where a part of the scale is; what is beyond it stays at its top."""
    return round(_TOP + (1 - min(part, 1.0)) * (_HEIGHT - _TOP - _BOTTOM), 1)


# --- domains


def _domains(report: AgreementReport, order: int | None) -> list[dict[str, Any]]:
    """Each domain with a cell for each set: those with the most tokens first."""
    cells: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for row in report.by_domain.rows():
        if row["order"] == model_name(order):
            cells[str(row["domain"])][str(row["set"])] = row
    tokens = {name: sum(row["tokens"] for row in by_set.values()) for name, by_set in cells.items()}
    return [
        {"name": name, "tokens": tokens[name], "cells": [cells[name].get(one.name) for one in report.sets]}
        for name in sorted(cells, key=lambda name: (-tokens[name], name))
    ]


# --- texts


def _texts(report: AgreementReport, order: int | None) -> Iterator[dict[str, Any]]:
    """The excerpts, those of one number together."""
    by_number: dict[int, list[Excerpt]] = defaultdict(list)
    for excerpt in report.excerpts:
        by_number[excerpt.text].append(excerpt)
    for text, excerpts in by_number.items():
        yield {
            "number": text,
            "excerpts": [_shown_excerpt(report.set(one.set), one, report, order) for one in excerpts],
        }


def _shown_excerpt(
    measured: MeasuredSet, excerpt: Excerpt, report: AgreementReport, order: int | None
) -> dict[str, Any]:
    facts = report.facts(measured.name, order)
    begin = int(measured.tokens.offsets[excerpt.text])
    rows = slice(begin, begin + len(excerpt.pieces))
    model = None if measured.model_probs is None else measured.model_probs[rows].tolist()
    columns: Sequence[Sequence[Any]] = (
        excerpt.pieces,
        facts.effective_n[rows].tolist(),
        facts.prompt_counts[rows].tolist(),
        facts.probs[rows].tolist(),
        facts.sparse[rows].tolist(),
        model if model is not None else [math.nan] * len(excerpt.pieces),
    )
    whole = slice(begin, begin + excerpt.num_tokens)
    agrees = facts.agrees[whole]
    return {
        "excerpt": excerpt,
        "number": [one.name for one in report.sets].index(measured.name),
        "agreement": float(agrees.mean()) if len(agrees) else math.nan,
        "domain": None if measured.domains is None else measured.domains[excerpt.text],
        "tokens": [_shown_token(*row) for row in zip(*columns, strict=True)],
        "num_left_out": excerpt.num_tokens - len(excerpt.pieces),
    }


def _shown_token(
    piece: str, effective_n: int, prompt_count: int, prob: float, sparse: bool, model_prob: float
) -> tuple[str, str, str]:
    """The piece, its classes, and what is told of it."""
    level = sum(effective_n >= first for first in N_LEVELS) - 1
    agreement = "a2" if prob > 0.5 else "a1" if prob > 0 else "a0"
    classes = f"n{level} {agreement} p{_tenth(prob)}" + (" s" if sparse else "")
    title = f"effective n {effective_n} · suffix seen {number(prompt_count)} times · P {number(prob)}"
    if sparse:
        title += " · sparse"
    if not math.isnan(model_prob):
        classes += f" m{_tenth(model_prob)}"
        title += f" · model {number(model_prob)}"
    return piece, classes, title


def _tenth(share: float) -> int:
    return 0 if math.isnan(share) else min(9, int(share * 10))
