"""The rates as a figure of matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anygram.analysis.contamination.tables import Rates
from anygram.errors import MissingExtraError
from anygram.results.text import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_rates(rates: Rates, ax: Axes | None = None) -> Axes:
    """A point with its interval for each rule, a row each, and a colour for each benchmark."""
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise MissingExtraError("plots need matplotlib: pip install 'anygram[plot]'") from None
    rules, benchmarks = (list(dict.fromkeys(column.tolist())) for column in (rates.rule, rates.benchmark))
    if ax is None:
        _, ax = plt.subplots(figsize=(7, 0.6 + 0.35 * len(rules)), layout="constrained")
    step = 0.7 / len(benchmarks)
    for place, benchmark in enumerate(benchmarks):
        rows = rates.benchmark == benchmark
        rate, low, high = rates.rate[rows], rates.low[rows], rates.high[rows]
        heights = (
            np.array([rules.index(rule) for rule in rates.rule[rows]]) + (place - (len(benchmarks) - 1) / 2) * step
        )
        name = visible(str(benchmark)).replace("$", r"\$")  # which would begin a formula
        ax.errorbar(rate, heights, xerr=[rate - low, high - rate], fmt="o", markersize=4, capsize=2, label=name)
    ax.set_yticks(range(len(rules)), rules)
    ax.invert_yaxis()
    ax.set_xlim(-0.02, 1.02)
    ax.set_xlabel("contaminated of applicable items, with 95 % interval")
    ax.grid(axis="x", alpha=0.3)
    if len(benchmarks) > 1:
        ax.legend(frameon=False)
    return ax
