"""Plots of a folder of results, and a page that leads to everything in it: `report.py FOLDER [STEP=OUTCOME...]`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from common import machine_facts, markdown_table

_OURS, _THEIRS, _GOAL = "#0b6e4f", "#b8b8b8", "#c1121f"

#: The order of the pages, and what each is about.
_PAGES = {
    "build": "Building from a token stream",
    "budgets": "Building within a budget of memory",
    "repetition": "Building what is hard to sort",
    "text": "Building from text",
    "space": "Space",
    "query": "Counts",
    "continuations": "Continuations",
    "scores": "Scores and spans",
    "documents": "Documents",
    "search": "Search and filters",
    "cold": "Cold",
    "memory": "Memory of a process that asks",
    "others": "tokengrams and fast-gram",
    "language_models": "Kneser-Ney and KenLM",
    "exactness": "Exactness",
    "micro": "Parts of the core",
    "scale": "Scale",
}


def load(folder: Path) -> dict[str, dict[str, Any]]:
    """What each benchmark wrote, by its name."""
    return {
        name: json.loads((folder / f"{name}.json").read_text("utf-8"))
        for name in _PAGES
        if (folder / f"{name}.json").exists()
    }


# --- plots


def new_grid(rows: int, columns: int, size: tuple[float, float]) -> tuple[Any, Any]:
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    style = {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    plt.rcParams.update(style)
    return plt.subplots(rows, columns, figsize=size, layout="constrained")


def new_axes(title: str, width: float = 9.0, height: float = 4.0) -> tuple[Any, Any]:
    figure, axes = new_grid(1, 1, (width, height))
    axes.set_title(title, loc="left", fontsize=10, fontweight="bold")
    return figure, axes


def save(figure: Any, path: Path) -> str:
    figure.savefig(path, dpi=100, bbox_inches="tight")
    return path.name


def plot_ratios(lines: Sequence[dict[str, Any]], title: str, path: Path) -> str:
    """How many times as good as the peer, with the goals."""
    figure, axes = new_axes(title, height=1.2 + 0.28 * len(lines))
    ratios = [line["ratio"] for line in lines]
    places = range(len(lines))
    bars = axes.barh(places, ratios, color=_OURS, height=0.65, left=0)
    axes.bar_label(bars, [f"{ratio:,.0f}×" if ratio >= 10 else f"{ratio:.2g}×" for ratio in ratios], padding=3)
    axes.set_yticks(places, [f"{line['question']}, {line['unit']}" for line in lines], fontsize=7)
    for place, line in enumerate(lines):
        if line["goal"] and line["goal"]["kind"] == "ratio":
            axes.plot([line["goal"]["bound"]] * 2, [place - 0.4, place + 0.4], color=_GOAL, linewidth=2)
    axes.set_xscale("log")
    axes.set_xlim(min(1.0, 0.8 * min(ratios)), max(ratios) * 3)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.invert_yaxis()
    axes.set_xlabel("times as good as the peer (red: the goal)")
    return save(figure, path)


def plot_pages(lines: Sequence[dict[str, Any]], path: Path) -> str:
    """Pages by the n-gram's length, for each index."""
    figure, axes = new_axes("Distinct 4 KB pages a cold count touches, mean")
    series: dict[str, list[tuple[int, float]]] = {}
    for line in lines:
        name, _, rest = line["question"].rpartition(", n = ")
        if name and rest.endswith(": mean"):
            length = int(rest.removesuffix(": mean"))
            series.setdefault(name, []).append((length, line["anygram"]["median"]))
            if line["peer"]:
                series.setdefault("infini-gram", []).append((length, line["peer"]["median"]))
    for name, points in series.items():
        places, values = zip(*points, strict=True)
        style = {"color": _THEIRS} if name == "infini-gram" else {}
        axes.plot(range(len(places)), values, marker="o", label=name, **style)
        axes.set_xticks(range(len(places)), [str(place) for place in places])
    axes.plot([0, 3], [4, 4], color=_GOAL, linewidth=1, label="goal, fast")
    axes.plot([4, 9], [6, 6], color=_GOAL, linewidth=1)
    axes.set_yscale("symlog", linthresh=10)
    axes.set_yticks([0, 2, 4, 6, 8, 10, 20, 50, 100], ["0", "2", "4", "6", "8", "10", "20", "50", "100"])
    axes.set_ylim(0)
    axes.set_xlabel("tokens of the n-gram")
    axes.set_ylabel("pages (linear to 10, then logarithmic)")
    figure.legend(frameon=False, ncols=5, loc="outside lower center")
    return save(figure, path)


def plot_stages(found: dict[str, Any], path: Path) -> str:
    """The stages of both builds, the median of each."""
    figure, axes = new_axes("Build, from token stream to published index", height=2.6)
    colours = iter(["#9bd1b8", "#5fb38f", "#0b6e4f", "#064734", "#dddddd", "#b8b8b8", "#888888"])
    for name, runs in found["runs"].items():
        begin = 0.0
        for stage in runs[0]["stages"]:
            taken = median_of([run["stages"][stage] for run in runs])
            axes.barh(name, taken, left=begin, color=next(colours), label=f"{name}: {stage}")
            begin += taken
        axes.annotate(f" {begin:.1f} s", (begin, name), va="center")
    axes.margins(x=0.1)
    axes.set_xlabel("seconds within the process")
    figure.legend(frameon=False, ncols=4, fontsize=7, loc="outside lower center")
    return save(figure, path)


def plot_budgets(found: dict[str, Any], path: Path) -> str:
    """Peak and time of each budget."""
    figure, (memory, time) = new_grid(1, 2, (9, 3))
    names = list(found["runs"])
    for axes, title, scale, of in (
        (memory, "peak resident memory, MB (red: the budget)", 1e-6, "peak_resident"),
        (time, "build, s", 1.0, "seconds"),
    ):
        values = [scale * median_of([run["cost"][of] for run in found["runs"][name]]) for name in names]
        bars = axes.barh(names, values, color=_OURS, height=0.6)
        axes.bar_label(bars, [f"{value:,.4g}" for value in values], padding=3)
        axes.invert_yaxis()
        axes.margins(x=0.15)
        axes.set_title(title, loc="left", fontsize=9)
    time.set_yticklabels([])
    for place, name in enumerate(names):
        if "(" in name:
            budget = float(name.partition("(")[2].partition(" MB")[0].replace(",", ""))
            memory.plot([budget] * 2, [place - 0.4, place + 0.4], color=_GOAL, linewidth=2)
    return save(figure, path)


def median_of(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def plot_scale(found: dict[str, Any], path: Path) -> str:
    points = found["points"]
    tokens = [point["tokens"] for point in points]
    panels = {
        "build, s": ({"build": "build_seconds"}, "log"),
        "peak anonymous memory, MB": ({"peak": "peak_anonymous_bytes"}, "log"),
        "one count, µs": ({"present": "count_present_us", "absent": "count_absent_us"}, "linear"),
        "count_batch, ns": ({"present": "batch_present_ns", "absent": "batch_absent_ns"}, "linear"),
        "score, µs a token, one core": ({"score": "score_us"}, "linear"),
        "cold pages a count": ({"n up to 5": "pages_to_5", "n from 6 to 50": "pages_to_50"}, "linear"),
    }
    figure, grid = new_grid(2, 3, (11, 6))
    for axes, (title, (series, kind)) in zip(grid.flat, panels.items(), strict=True):
        for name, key in series.items():
            scale = 1e-6 if key.endswith("bytes") else 1.0
            axes.plot(tokens, [point[key] * scale for point in points], "o-", label=name)
        axes.set_title(title, loc="left", fontsize=9)
        axes.set_xscale("log")
        axes.set_yscale(kind)
        if kind == "linear":
            axes.set_ylim(0)
        axes.set_xlabel("tokens")
        if len(series) > 1:
            axes.legend(frameon=False, fontsize=7)
    return save(figure, path)


def plots_of(results: dict[str, dict[str, Any]], folder: Path) -> dict[str, list[str]]:
    """Makes those that the results allow; the names of the files by page."""
    found: dict[str, list[str]] = {}
    for name in ("query", "continuations", "scores", "others"):
        lines = [line for line in results.get(name, {}).get("lines", []) if line["ratio"]]
        if lines:
            found[name] = [plot_ratios(lines, _PAGES[name], folder / f"{name}.png")]
    makers = {"build": plot_stages, "budgets": plot_budgets, "scale": plot_scale}
    for name, make in makers.items():
        if name in results:
            found[name] = [make(results[name], folder / f"{name}.png")]
    if "cold" in results:
        found["cold"] = [plot_pages(results["cold"]["lines"], folder / "cold.png")]
    return found


# --- the page


def goal_rows(results: dict[str, dict[str, Any]]) -> list[Sequence[object]]:
    """Every figure that has a goal."""
    rows: list[Sequence[object]] = []
    for name, found in results.items():
        for line in found.get("lines", []):
            if line["goal"]:
                kind, bound = line["goal"]["kind"], line["goal"]["bound"]
                figure = (
                    f"{line['ratio']:,.1f}×" if kind == "ratio" else f"{line['anygram']['median']:,.3g} {line['unit']}"
                )
                sign = "≤" if kind == "most" else "≥"
                wanted = f"{sign} {bound:.3g}{'×' if kind == 'ratio' else ''}"
                verdict = "yes" if line["reached"] else "**no**"
                rows.append((f"[{name}]({name}.md)", line["question"], figure, wanted, verdict))
    return rows


def write_page(
    folder: Path,
    results: dict[str, dict[str, Any]],
    plots: dict[str, list[str]],
    outcomes: Sequence[str],
    *,
    quick: bool,
) -> None:
    rows = goal_rows(results)
    reached = sum(row[-1] == "yes" for row in rows)
    parts = [
        f"# Benchmarks, {folder.name}\n",
        "What each measures, and what it does not, stands in [benchmarks/README.md](../../README.md).\n",
        f"{reached} of {len(rows)} figures that have a goal reached it.\n",
        *(["A quick run: sizes are too small to judge goals by.\n"] if quick else []),
        markdown_table(["page", "figure", "found", "goal", "reached"], rows),
    ]
    for name, title in _PAGES.items():
        if name in results:
            parts.append(f"## {title}\n")
            parts.append(f"[Table]({name}.md), [figures]({name}.json)\n")
            parts += [f"![{title}]({file})\n" for file in plots.get(name, [])]
    parts.append("## The machine\n")
    parts.append(markdown_table(["", ""], machine_facts().items()))
    if outcomes:
        parts.append("## The run\n")
        parts.append(markdown_table(["step", "outcome"], [outcome.split("=", 1) for outcome in outcomes]))
    (folder / "README.md").write_text("\n".join(parts), "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--quick", action="store_true", help="say that sizes were small")
    parser.add_argument("outcome", nargs="*", help="of the steps, for the page")
    arguments = parser.parse_args()
    results = load(arguments.folder)
    write_page(arguments.folder, results, plots_of(results, arguments.folder), arguments.outcome, quick=arguments.quick)


if __name__ == "__main__":
    main()
