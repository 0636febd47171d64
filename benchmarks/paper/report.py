"""The page of results: every condition with its figures beside the paper's, plots, tables, what the text was."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common import machine_facts, markdown_table
from paper.agreement import PAPER_BY_N, PAPER_SPARSE_BY_N
from paper.findings import Condition, percent
from paper.settings import Settings
from report import new_grid, save

_OURS, _SECOND, _PAPER = "#0b6e4f", "#d98e04", "#b8b8b8"
_COLOURS = ("#0b6e4f", "#d98e04", "#3a6ea5", "#c1121f", "#7a5195", "#888888")

_TITLES = {
    "agreement": "1 · Agreement with human text",
    "scaling": "2 · The reference halved, eight times over",
    "interpolation": "3 · Mixed with neural models",
    "weakness": "4 · Where the neural model fails",
    "machine_text": "5 · Text of the model's own",
    "ablation": "7 · Whose reference",
}


def write_report(folder: Path, results: Path, settings: Settings) -> None:
    """Writes README.md and the plots into the folder of results."""
    found = {
        name: json.loads((results / f"{name}.json").read_text("utf-8"))
        for name in _TITLES
        if (results / f"{name}.json").exists()
    }
    conditions = [Condition(**one) for content in found.values() for one in content["conditions"]]
    judged = [one for one in conditions if one.met is not None]
    notes = results / "notes.md"
    parts = [
        "# The Infini-gram paper at small scale\n",
        "What is done, and what cannot be, stands in [benchmarks/paper/README.md](../../../paper/README.md).\n",
        f"{sum(bool(one.met) for one in judged)} of {len(judged)} conditions are met.\n",
        *(["A quick run: sizes are too small to judge by.\n"] if settings.domain_bytes < 100_000_000 else []),
        markdown_table(
            ["item", "condition", "found", "the paper", "met"],
            [(one.item, one.statement, _with_remark(one), one.paper, one.verdict) for one in conditions],
        ),
        *([notes.read_text("utf-8")] if notes.exists() else []),
    ]
    for name, content in found.items():
        file = _PLOTS[name](content, results / f"{name}.png")
        parts.append(f"## {_TITLES[name]}\n")
        parts.append(f"[Tables]({name}.md), [figures]({name}.json)\n")
        parts.append(f"![{_TITLES[name]}]({file})\n")
    parts += [*_texts(folder), "## The machine\n", markdown_table(["", ""], machine_facts().items())]
    (results / "README.md").write_text("\n".join(parts), "utf-8")


def _with_remark(condition: Condition) -> str:
    return f"{condition.found} ({condition.remark})" if condition.remark else condition.found


def _texts(folder: Path) -> list[str]:
    """What the text was, and what became of it."""
    sources = json.loads((folder / "sources.json").read_text("utf-8"))
    roles = json.loads((folder / "decontamination.json").read_text("utf-8"))
    rows = []
    for domain, facts in sources.items():
        tokens = {
            name.split(", ")[1]: size for name, size in roles["kept_tokens"].items() if name.startswith(f"{domain},")
        }
        judged = sum(roles[f"judged_{role}"].get(domain, 0) for role in ("reference", "neural", "neighbour"))
        dropped = sum(roles[f"contaminated_{role}"].get(domain, 0) for role in ("reference", "neural", "neighbour"))
        rows.append(
            (
                domain,
                f"{facts['documents_chosen']:,} of {facts['documents_read']:,}",
                f"{facts['sources']:,}",
                f"{roles['duplicates'].get(domain, 0):,}",
                f"{dropped:,} of {judged:,}",
                *(f"{tokens.get(role, 0):,}" for role in ("reference", "neural", "validation", "test", "neighbour")),
            )
        )
    header = [
        "domain", "documents", "sources", "near-duplicates", "contaminated", "tokens: reference", "other half",
        "validation", "test", "beside those",
    ]  # fmt: skip
    models = []
    for path in sorted((folder / "models").glob("*.json")):
        facts = json.loads(path.read_text("utf-8"))
        models.append(
            (path.stem, *(f"{facts[key]:,}" for key in ("parameters", "training_tokens", "epochs", "seconds")))
        )
    return [
        "## The text\n",
        markdown_table(header, rows),
        "Tokens of validation and test text are of whole documents, which the reference is decontaminated by; "
        "their first tokens are evaluated.\n",
        "## The models\n",
        markdown_table(["model", "parameters", "tokens it was trained on", "epochs", "seconds of training"], models),
    ]


# --- plots


def _plot_agreement(content: dict[str, Any], path: Path) -> str:
    figure, (left, right) = new_grid(1, 2, (11, 4))
    bins = content["by_n"]
    places = [one["n"] for one in bins]
    for axes, key, count, paper, title in (
        (left, "agreement", "tokens", PAPER_BY_N, "all tokens"),
        (right, "sparse_agreement", "sparse_tokens", PAPER_SPARSE_BY_N, "sparse tokens"),
    ):
        kept = [one for one in bins if one[count] >= 50]
        counts = axes.twinx()
        counts.bar(places, [one[count] for one in bins], color="#eeeeee")
        counts.set_ylabel("tokens")
        axes.set_zorder(counts.get_zorder() + 1)
        axes.patch.set_visible(False)
        axes.plot(list(paper), list(paper.values()), "o-", color=_PAPER, label="the paper (360 billion tokens)")
        axes.plot(
            [one["n"] for one in kept], [one[key] for one in kept], "o-", color=_OURS, label="∞-gram here", markersize=4
        )
        axes.set_title(title, loc="left", fontsize=9)
        axes.set_xlim(1, 33)
        axes.set_ylim(0, 1)
        axes.set_xlabel("effective n")
        axes.legend(frameon=False, fontsize=7, loc="upper left")
    left.set_ylabel("agreement, P > .5")
    return save(figure, path)


def _plot_scaling(content: dict[str, Any], path: Path) -> str:
    points = content["points"]
    tokens = [point["tokens"] for point in points]
    gains = [key for key in points[0] if key.startswith("gain_")]
    figure, panels = new_grid(1, 3, (12, 3.5))
    for axes, title, keys in (
        (panels[0], "agreement, P > .5", ["agreement", "sparse_share"]),
        (panels[1], "mean effective n", ["n_mean", "n_mean_capped"]),
        (panels[2], "gain in perplexity", gains),
    ):
        for key, colour in zip(keys, _COLOURS, strict=False):
            label = f"{key.removeprefix('gain_').replace('_', ' ')} (R² {content['r_squared'][key]:.3f})"
            axes.plot(tokens, [point[key] for point in points], "o-", color=colour, label=label)
        axes.set_xscale("log", base=2)
        axes.set_ylim(0)
        axes.set_title(title, loc="left", fontsize=9)
        axes.set_xlabel("reference tokens")
        axes.legend(frameon=False, fontsize=7)
    return save(figure, path)


def _plot_interpolation(content: dict[str, Any], path: Path) -> str:
    rows = content["rows"]
    paper = {"GPT-2 117M": (22.86, 13.58), "GPT-Neo 125M": (14.08, 10.79), "Llama-2 70B": (4.65, 3.95)}
    names = [*rows, *(f"paper: {name}" for name in paper)]
    pairs = [*((one["neural"], one["two"]) for one in rows.values()), *paper.values()]
    figure, axes = new_grid(1, 1, (9, 0.8 + 0.4 * len(names)))
    places = range(len(names))
    axes.barh(
        [place - 0.2 for place in places],
        [alone for alone, _ in pairs],
        height=0.38,
        color=_PAPER,
        label="neural alone",
    )
    bars = axes.barh(
        [place + 0.2 for place in places],
        [both for _, both in pairs],
        height=0.38,
        color=_OURS,
        label="mixed, two weights",
    )
    axes.bar_label(
        bars, [f"gain {percent(1 - (both - 1) / (alone - 1), 0)}" for alone, both in pairs], padding=3, fontsize=7
    )
    axes.set_yticks(places, names, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("perplexity of the test text (between tokenizers and texts not comparable)")
    axes.legend(frameon=False, fontsize=8)
    return save(figure, path)


def _plot_weakness(content: dict[str, Any], path: Path) -> str:
    models = {name: one for name, one in content.items() if isinstance(one, dict) and "buckets" in one}
    figure, panels = new_grid(1, len(models), (5 * len(models), 3.5))
    for axes, (name, one) in zip(panels, models.items(), strict=True):
        places = [bucket["begin"] + 0.05 for bucket in one["buckets"]]
        for key, colour, label in (("agreement", _OURS, "all tokens"), ("sparse_agreement", _SECOND, "sparse tokens")):
            axes.plot(places, [bucket[key] for bucket in one["buckets"]], "o-", color=colour, label=label)
        axes.set_ylim(0, 1)
        axes.set_title(name, loc="left", fontsize=9)
        axes.set_xlabel("the model's probability of the token")
        axes.set_ylabel("the ∞-gram agrees")
        axes.legend(frameon=False, fontsize=8)
    return save(figure, path)


def _plot_machine_text(content: dict[str, Any], path: Path) -> str:
    figure, (left, right) = new_grid(1, 2, (11, 4))
    for (name, bins), colour in zip(content["by_n"].items(), _COLOURS, strict=True):
        kept = [one for one in bins if one[0] <= 32]
        left.plot([one[0] for one in kept], [one[2] for one in kept], ".-", color=colour, label=name)
    left.set_ylim(0, 1)
    left.set_xlabel("effective n")
    left.set_ylabel("agreement, P > .5")
    left.legend(frameon=False, fontsize=7)
    names = list(content["texts"])
    for shift, key, colour, label in (
        (-0.2, "n_mean", _OURS, "mean"),
        (0.2, "n_mean_capped", _SECOND, "mean, 50 at most"),
    ):
        values = [content["texts"][name][key] for name in names]
        bars = right.barh(
            [place + shift for place in range(len(names))], values, height=0.38, color=colour, label=label
        )
        right.bar_label(bars, [f"{value:.1f}" for value in values], padding=3, fontsize=7)
    right.set_yticks(range(len(names)), names)
    right.invert_yaxis()
    right.set_xlabel("effective n")
    right.legend(frameon=False, fontsize=7)
    return save(figure, path)


def _plot_ablation(content: dict[str, Any], path: Path) -> str:
    domains = content["domains"]
    figure, panels = new_grid(1, len(domains), (5.5 * len(domains), 3.5))
    for axes, (domain, references) in zip(panels if len(domains) > 1 else [panels], domains.items(), strict=True):
        models = list(next(iter(references.values()))["gains"])
        for number, (model, colour) in enumerate(zip(models, _COLOURS, strict=False)):
            values = [one["gains"][model] for one in references.values()]
            places = [place + 0.4 * number - 0.2 for place in range(len(references))]
            bars = axes.barh(places, values, height=0.38, color=colour, label=model)
            axes.bar_label(bars, [percent(value) for value in values], padding=3, fontsize=7)
        names = [f"{name} ({one['tokens'] / 1e6:.1f} M)" for name, one in references.items()]
        axes.set_yticks(range(len(references)), names, fontsize=8)
        axes.invert_yaxis()
        axes.set_title(domain, loc="left", fontsize=9)
        axes.set_xlabel("gain in perplexity")
        axes.margins(x=0.15)
    figure.legend(*axes.get_legend_handles_labels(), frameon=False, ncols=2, fontsize=8, loc="outside lower center")
    return save(figure, path)


_PLOTS: dict[str, Callable[[dict[str, Any], Path], str]] = {
    "agreement": _plot_agreement,
    "scaling": _plot_scaling,
    "interpolation": _plot_interpolation,
    "weakness": _plot_weakness,
    "machine_text": _plot_machine_text,
    "ablation": _plot_ablation,
}
