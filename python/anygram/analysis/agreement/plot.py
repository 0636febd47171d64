"""The figures of a report, drawn by matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from anygram.analysis.agreement.figures import Figure, Line, Panel
from anygram.errors import InvalidQueryError, MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH, _HEIGHT = 4.2, 3.2  # of a panel, in inches


def plot(figures: Sequence[Figure], ax: Axes | Sequence[Axes] | None = None) -> list[Axes]:
    """Draws figures below one another; or one of them onto axes, of which it takes as many as it has panels.

    Raises:
        InvalidQueryError: there are more or fewer axes than panels.
        MissingExtraError: matplotlib is not installed.
    """
    try:
        import matplotlib.pyplot as plt
        import numpy as np
    except ImportError:
        raise MissingExtraError("plots need matplotlib: pip install 'anygram[plot]'") from None
    panels = [panel for figure in figures for panel in figure.panels]
    if ax is not None:
        axes = list(np.asarray(ax, dtype=object).reshape(-1))
        if len(axes) != len(panels):
            raise InvalidQueryError(f"this figure has {len(panels)} panels, and needs as many axes; found {len(axes)}")
    else:
        rows = [-(-len(figure.panels) // figure.columns) for figure in figures]
        size = _WIDTH * max(figure.columns for figure in figures), _HEIGHT * sum(rows) + 0.4 * len(rows)
        whole = plt.figure(figsize=size, layout="constrained")
        parts = whole.subfigures(len(figures), 1, height_ratios=rows, squeeze=False).reshape(-1)
        axes = []
        for part, figure, height in zip(parts, figures, rows, strict=True):
            part.suptitle(figure.title)
            grid = part.subplots(height, figure.columns, squeeze=False).reshape(-1)
            axes += list(grid[: len(figure.panels)])
            for unused in grid[len(figure.panels) :]:
                unused.set_axis_off()
    for one, panel in zip(axes, panels, strict=True):
        _draw(one, panel)
    return axes


def _draw(ax: Any, panel: Panel) -> None:
    if panel.bars:
        behind = ax.twinx()
        behind.bar(
            [bar.x for bar in panel.bars],
            [bar.share for bar in panel.bars],
            width=0.86 * panel.bar_width,
            color="0.85",
        )
        behind.set_ylim(0, max(bar.share for bar in panel.bars) * 1.02)
        behind.set_ylabel("share of tokens", color="0.5")
        behind.tick_params(axis="y", colors="0.5")
        ax.set_zorder(behind.get_zorder() + 1)
        ax.patch.set_visible(False)
    for line in panel.lines:
        _draw_line(ax, line, panel.bar_width)
    if panel.pooled_from is not None:
        ax.axvline(panel.pooled_from, color="0.6", linestyle=":", linewidth=1)
    ax.set_title(_literal(panel.title), fontsize="medium")
    ax.set_xlim(*panel.x_range)
    ax.set_ylim(0, 1.02 * panel.most)
    ax.set_xticks([place for place, _ in panel.ticks], [name for _, name in panel.ticks])
    ax.set_xlabel(panel.x_label)
    ax.set_ylabel(panel.y_label)
    ax.grid(axis="y", alpha=0.3)
    if len(panel.lines) > 1:
        ax.legend(frameon=False, fontsize="small")


def _draw_line(ax: Any, line: Line, step: float) -> None:
    colour = f"C{line.colour}"
    loose = [point for point in line.points if not point.firm]
    ax.plot([], [], color=colour, marker="o", markersize=3, label=_literal(line.label))
    for run in line.runs(step):
        places = [point.x for point in run]
        ax.plot(places, [point.share for point in run], color=colour, marker="o", markersize=3)
        low, high = [point.low for point in run], [point.high for point in run]
        ax.fill_between(places, low, high, color=colour, alpha=0.18, linewidth=0)
    ax.plot(
        [point.x for point in loose],
        [point.share for point in loose],
        color=colour,
        marker="o",
        markersize=3,
        markerfacecolor="none",
        linestyle="none",
        alpha=0.5,
    )


def _literal(text: str) -> str:
    return text.replace("$", r"\$")  # which would begin a formula
