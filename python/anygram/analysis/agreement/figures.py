"""The paper's figures as points and bars, whoever draws them: figures 3 to 8 of Liu et al. (2024)."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from anygram.analysis.agreement.bins import LAST_SINGLE
from anygram.analysis.agreement.tabulate import model_name
from anygram.analysis.statistics import wilson
from anygram.errors import InvalidQueryError
from anygram.results.text import shortened, visible

if TYPE_CHECKING:
    from anygram.analysis.agreement.report import AgreementReport

_Row: TypeAlias = dict[str, Any]

#: Fewer tokens than this say little: their points stand alone, off the line.
_FIRM = 20

#: Frequencies from here on are drawn as one line.
_FREQUENT = 1000

ALL, SPARSE, ARGMAX = 0, 1, 2
"""Colours of lines that are not one a set or a frequency."""


@dataclass(frozen=True)
class Point:
    """A share at a place, with its interval.

    Attributes:
        x: the place.
        share: the share.
        low: where it lies with 95 % confidence, from here
        high: to here.
        tokens: of how many tokens.
        label: what they are, in words.
    """

    x: float
    share: float
    low: float
    high: float
    tokens: int
    label: str

    @property
    def firm(self) -> bool:
        """Whether there are enough tokens to join the line."""
        return self.tokens >= _FIRM


@dataclass(frozen=True)
class Line:
    """Points under one name and in one colour, from left to right."""

    label: str
    colour: int
    points: Sequence[Point]

    def runs(self, step: float) -> list[list[Point]]:
        """Firm points that stand side by side, `step` apart: what a line joins."""
        runs: list[list[Point]] = []
        for point in self.points:
            if not point.firm:
                continue
            if not runs or point.x - runs[-1][-1].x > 1.5 * step:
                runs.append([])
            runs[-1].append(point)
        return runs


@dataclass(frozen=True)
class Bar:
    """How many of all tokens stand at a place."""

    x: float
    share: float
    tokens: int
    label: str


@dataclass(frozen=True)
class Panel:
    """One pair of axes.

    Attributes:
        title: what it is of.
        x_label: what is to the right.
        y_label: what is up.
        x_range: the first place and the last.
        ticks: places with their names.
        bar_width: of a bar, in the units of x.
        lines: the lines.
        bars: the histogram behind them, on a scale of its own.
        most: the top of the scale of the lines.
        pooled_from: where places begin that stand for many effective n; None if there are none.
    """

    title: str
    x_label: str
    y_label: str
    x_range: tuple[float, float]
    ticks: Sequence[tuple[float, str]]
    bar_width: float
    lines: Sequence[Line]
    bars: Sequence[Bar] = ()
    most: float = 1.0
    pooled_from: float | None = None


@dataclass(frozen=True)
class Figure:
    """Panels that belong together.

    Attributes:
        name: what `plot` calls it.
        title: what it shows.
        caption: how to read it.
        columns: how many panels stand in a row.
        panels: the panels.
    """

    name: str
    title: str
    caption: str
    columns: int
    panels: Sequence[Panel] = field(repr=False)


NAMES = ("effective_n", "sets", "frequency", "model_prob")
"""The figures there can be, in the order in which a report shows them."""


def figures(report: AgreementReport) -> list[Figure]:
    """All that the report has what it takes for."""
    made = [effective_n_figure(report)]
    if len(report.sets) > 1:
        made.append(sets_figure(report))
    made.append(frequency_figure(report))
    if any(measured.model_probs is not None for measured in report.sets):
        made.append(model_prob_figure(report))
    return made


def figure(report: AgreementReport, name: str) -> Figure:
    """One figure by its name.

    Raises:
        InvalidQueryError: there is none of that name, or the report has not what it takes.
    """
    if name not in NAMES:
        raise InvalidQueryError(f"the figures of a report are {', '.join(map(repr, NAMES))}; found {name!r}")
    found = [one for one in figures(report) if one.name == name]
    if not found:
        needed = {"sets": "several sets of texts", "model_prob": "a model's probabilities (model_probs=)"}
        raise InvalidQueryError(f"the figure {name!r} needs {needed[name]}")
    return found[0]


def main_order(report: AgreementReport) -> int | None:
    """The order that is shown where one must do: the ∞-gram, or else the largest."""
    return None if None in report.orders else max(order for order in report.orders if order is not None)


def range_name(first: int, last: int) -> str:
    """A range of numbers in words."""
    return f"{first:,}" if first == last else f"{first:,}–{last:,}"


def effective_n_figure(report: AgreementReport) -> Figure:
    """Figure 3: agreement by effective n and how many tokens there are, for each set and order, and sparse ones."""
    rows = report.by_effective_n.rows()
    panels = []
    for measured in report.sets:
        for order in report.orders:
            own = _of(rows, measured.name, order)
            lines = [Line("P > 0.5", ALL, _points(own))]
            if own and "argmax_agreement" in own[0]:
                lines.append(Line("argmax", ARGMAX, _argmax_points(own)))
            panels.append(
                _n_panel(_titled(report, measured.name, f"{model_name(order)}, all tokens"), lines, _bars(own))
            )
        order = main_order(report)
        own = [row for row in _of(rows, measured.name, order) if row["sparse"]]
        lines = [Line("sparse", SPARSE, _points(own, "sparse"))]
        title = _titled(report, measured.name, f"{model_name(order)}, sparse tokens")
        panels.append(_n_panel(title, lines, _bars(own, "sparse")))
    return Figure(
        name="effective_n",
        title="Agreement by effective n",
        caption="The line is the share of tokens to which the corpus gives more than half of the probability, with its "
        "95 % interval; the bars are how many of the set's tokens have that effective n. A sparse token follows a "
        f"context after which one continuation only was ever seen. Points of fewer than {_FIRM} tokens stand alone; "
        f"from {LAST_SINGLE + 1} on, effective n is pooled: to 64, 128 and so on.",
        columns=len(report.orders) + 1,
        panels=panels,
    )


def sets_figure(report: AgreementReport) -> Figure:
    """Figures 5 and 6: the sets side by side, such as human text and a model's by decoding method."""
    rows = report.by_effective_n.rows()
    order = main_order(report)
    panels = [
        _n_panel(f"{model_name(one)}, all tokens", _set_lines(report, rows, one, _points)) for one in report.orders
    ]
    panels.append(
        _n_panel(
            f"{model_name(order)}, sparse tokens",
            _set_lines(report, rows, order, lambda own: _points([row for row in own if row["sparse"]], "sparse")),
        )
    )
    lines = _set_lines(report, rows, order, lambda own: _share_points(own, sum(row["tokens"] for row in own)))
    most = max((point.high for line in lines for point in line.points), default=1.0)
    panels.append(
        _n_panel(
            f"{model_name(order)}, share of tokens",
            lines,
            y_label="share of tokens",
            most=math.ceil(most / 0.04) * 0.04,  # a whole number of percents for each quarter of the scale
        )
    )
    return Figure(
        name="sets",
        title="The sets side by side",
        caption="Agreement by effective n of each set, and how their tokens spread over effective n.",
        columns=len(panels),
        panels=panels,
    )


def frequency_figure(report: AgreementReport) -> Figure:
    """Figure 7: agreement by effective n, a line for each range of the suffix's frequency."""
    rows = report.by_frequency.rows()
    order = main_order(report)
    panels = []
    for measured in report.sets:
        pooled: dict[tuple[int, int], list[_Row]] = defaultdict(list)
        for row in _of(rows, measured.name, order):
            ends = (row["frequency"], row["frequency_last"])
            pooled[ends if ends[0] < _FREQUENT else (_FREQUENT, 0)].append(row)
        lines = [
            Line(
                _times(first, last),
                colour,
                _points(_added_up(pooled[first, last])),
            )
            for colour, (first, last) in enumerate(sorted(pooled))
        ]
        panels.append(_n_panel(_titled(report, measured.name, f"{model_name(order)}, all tokens"), lines))
    return Figure(
        name="frequency",
        title="Agreement by the frequency of the suffix",
        caption="Within an effective n, a line for how often the suffix that the estimate rests on occurs in the "
        "corpus. Where the lines lie together, its frequency matters little.",
        columns=2 if len(panels) in (2, 4) else min(3, len(panels)),
        panels=panels,
    )


def model_prob_figure(report: AgreementReport) -> Figure:
    """Figures 4 and 8: agreement by a neural model's probability of the token."""
    rows = report.by_model_prob.rows()
    panels = []
    for measured in report.sets:
        if measured.model_probs is None:
            continue
        for order in report.orders:
            own = [row for row in _of(rows, measured.name, order) if row["tokens"]]
            all_tokens = sum(row["tokens"] for row in own)
            lines = [
                Line("all tokens", ALL, _prob_points(own, "agreeing", "tokens")),
                Line("sparse tokens", SPARSE, _prob_points(own, "sparse_agreeing", "sparse")),
            ]
            panels.append(
                Panel(
                    title=_titled(report, measured.name, model_name(order)),
                    x_label="the model's probability of the token",
                    y_label="agreement",
                    x_range=(0, 1),
                    ticks=[(tenth / 10, f"{tenth / 10:g}") for tenth in range(0, 11, 2)],
                    bar_width=0.1,
                    lines=lines,
                    bars=[Bar(_middle(row), row["tokens"] / all_tokens, row["tokens"], _prob_name(row)) for row in own],
                )
            )
    return Figure(
        name="model_prob",
        title="Agreement by the neural model's probability",
        caption="How often the corpus agrees with a token, by the probability that the model gives it: on the left are "
        "the tokens that the model finds improbable.",
        columns=len(report.orders),
        panels=panels,
    )


def _times(first: int, last: int) -> str:
    if first == last == 1:
        return "once"
    return f"{range_name(first, last)} times" if last else f"{first:,} times and more"


def _of(rows: Sequence[_Row], name: str, order: int | None) -> list[_Row]:
    return [row for row in rows if row["set"] == name and row["order"] == model_name(order)]


def _titled(report: AgreementReport, name: str, title: str) -> str:
    return f"{_short(name)}: {title}" if len(report.sets) > 1 else title


def _short(name: str) -> str:
    """A set's name, as much of it as there is room for in a figure."""
    return shortened(visible(name), 40)


def _set_lines(report: AgreementReport, rows: Sequence[_Row], order: int | None, points: Any) -> list[Line]:
    return [
        Line(_short(measured.name), colour, points(_of(rows, measured.name, order)))
        for colour, measured in enumerate(report.sets)
    ]


def _points(rows: Sequence[_Row], kind: str = "tokens") -> list[Point]:
    """Agreement of all tokens, or of sparse ones."""
    part = "agreeing" if kind == "tokens" else "sparse_agreeing"
    return [_point(row, row[part], row[kind]) for row in rows]


def _argmax_points(rows: Sequence[_Row]) -> list[Point]:
    return [_point(row, round(row["argmax_agreement"] * row["tokens"]), row["tokens"]) for row in rows]


def _share_points(rows: Sequence[_Row], whole: int) -> list[Point]:
    return [
        Point(_n_place(row), row["tokens"] / whole, *wilson(row["tokens"], whole), whole, _n_name(row)) for row in rows
    ]


def _point(row: _Row, part: int, whole: int) -> Point:
    return Point(_n_place(row), part / whole, *wilson(part, whole), whole, _n_name(row))


def _added_up(rows: Sequence[_Row]) -> list[_Row]:
    """Rows of one effective n as one."""
    sums: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        counts = sums[row["effective_n"], row["effective_n_last"]]
        counts[0] += row["agreeing"]
        counts[1] += row["tokens"]
    return [
        {
            "effective_n": first,
            "effective_n_last": last,
            "agreeing": agreeing,
            "tokens": tokens,
        }
        for (first, last), (agreeing, tokens) in sorted(sums.items())
    ]


def _bars(rows: Sequence[_Row], kind: str = "tokens") -> list[Bar]:
    return [Bar(_n_place(row), row["share"] * row[kind] / row["tokens"], row[kind], _n_name(row)) for row in rows]


def _n_panel(
    title: str, lines: Sequence[Line], bars: Sequence[Bar] = (), *, y_label: str = "agreement", most: float = 1.0
) -> Panel:
    places = [point.x for line in lines for point in line.points] + [bar.x for bar in bars]
    last = max(places, default=5)
    return Panel(
        title=title,
        x_label="effective n",
        y_label=y_label,
        x_range=(0.5, max(last, 5) + 0.5),
        ticks=list(_n_ticks(last)),
        bar_width=1,
        lines=lines,
        bars=bars,
        most=most,
        pooled_from=LAST_SINGLE + 0.5 if last > LAST_SINGLE else None,
    )


def _n_place(row: _Row) -> float:
    """Each effective n has its place, and pooled ones stand behind them, one after another."""
    if row["effective_n"] <= LAST_SINGLE:
        return float(row["effective_n"])
    return LAST_SINGLE + math.log2(row["effective_n_last"] / LAST_SINGLE)


def _n_ticks(last: float) -> Iterator[tuple[float, str]]:
    step = 1 if last <= 10 else 2 if last <= 20 else 4
    # The name of the last one takes the room of those just before it.
    end = last + 1 if last <= LAST_SINGLE else min(LAST_SINGLE, last - step) + 1
    singles = [n for n in range(1, LAST_SINGLE + 1) if n < end and (n % step == 0 or n == 1)]
    yield from ((float(n), str(n)) for n in singles)
    if last > LAST_SINGLE:
        yield last, f"≤{LAST_SINGLE * 2 ** round(last - LAST_SINGLE):,}"


def _n_name(row: _Row) -> str:
    return f"effective n {range_name(row['effective_n'], row['effective_n_last'])}"


def _prob_points(rows: Sequence[_Row], part: str, whole: str) -> list[Point]:
    return [
        Point(_middle(row), row[part] / row[whole], *wilson(row[part], row[whole]), row[whole], _prob_name(row))
        for row in rows
        if row[whole]
    ]


def _middle(row: _Row) -> float:
    return float(row["from_prob"] + row["to_prob"]) / 2


def _prob_name(row: _Row) -> str:
    return f"model probability {row['from_prob']:g}–{row['to_prob']:g}"
