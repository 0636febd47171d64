"""Item 2: how agreement, effective n and the gain grow with the reference (the paper's figure 10)."""

from __future__ import annotations

from typing import Any

import numpy as np

from common import markdown_table
from paper.facts import ask
from paper.findings import Condition, Findings, percent
from paper.measures import r_squared
from paper.mixing import Setting, mix, read
from paper.neural import plans
from paper.references import Workplace
from paper.settings import HALVINGS


def run(workplace: Workplace) -> Findings:
    large, small, *_ = plans(workplace.settings)
    points: list[dict[str, Any]] = []
    for halvings in range(HALVINGS, -1, -1):
        index = workplace.reference(halvings=halvings)
        setting = Setting.of(workplace, index)
        facts = ask(index, setting.test.texts.tokens)
        point = {
            "tokens": index.num_tokens,
            "agreement": facts.agreement,
            "n_mean": float(facts.n.mean()),
            "n_mean_capped": float(np.minimum(facts.n, 50).mean()),
            "sparse_share": float(facts.sparse.mean()),
        }
        for plan in (small, large):
            found = mix(setting, *read(workplace, plan))
            point[f"gain_{plan.name}"] = found.gain_two
            point[f"weights_{plan.name}"] = [found.sparse, found.other]
        points.append(point)
    sizes = [float(np.log2(point["tokens"])) for point in points]
    fits = {
        name: r_squared(sizes, [point[name] for point in points])
        for name in points[0]
        if name != "tokens" and not name.startswith("weights")
    }
    found_all = Findings(figures={"points": points, "r_squared": fits})
    for plan in (small, large):
        gains = [point[f"gain_{plan.name}"] for point in points]
        found_all.conditions.append(
            Condition(
                "2",
                f"the gain of the {plan.size} model is linear in the log of the reference's size, "
                "nine nested sizes: R² ≥ 0.95",
                f"{fits[f'gain_{plan.name}']:.3f}; from {percent(gains[0])} to {percent(gains[-1])}",
                fits[f"gain_{plan.name}"] >= 0.95,
                "roughly log-linear, except NIH where too small",
            )
        )
    found_all.conditions += [
        Condition("2", f"{title} against the log of the size: R²", f"{fits[name]:.3f}", None)
        for name, title in (
            ("agreement", "agreement"),
            ("n_mean", "mean effective n"),
            ("n_mean_capped", "mean of effective n, 50 at most,"),
        )
    ]
    header = ["reference tokens", "agreement", "effective n", "sparse", f"gain, {small.size}", f"gain, {large.size}"]
    found_all.tables["Nested halvings of the reference"] = markdown_table(
        header,
        [
            (
                f"{point['tokens']:,}",
                percent(point["agreement"]),
                f"{point['n_mean']:.2f}",
                percent(point["sparse_share"]),
                percent(point[f"gain_{small.name}"]),
                percent(point[f"gain_{large.name}"]),
            )
            for point in points
        ],
    )
    return found_all
