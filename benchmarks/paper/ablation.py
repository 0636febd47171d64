"""Item 7: which reference helps: the domain's own, others', all; the documents beside the evaluated ones."""

from __future__ import annotations

from typing import Any

import numpy as np

import anygram
from common import markdown_table
from paper.facts import Facts, ask
from paper.findings import Condition, Findings, percent
from paper.mixing import Mixed, Setting, mix, read
from paper.neural import Plan, plans
from paper.references import Workplace
from paper.settings import HALVINGS

_HARM = 0.01  # a gain that all domains together may lack of the domain's own


def run(workplace: Workplace) -> Findings:
    large, small, *_ = plans(workplace.settings)
    found = Findings(figures={"domains": {}})
    rows: list[tuple[object, ...]] = []
    for domain in workplace.evaluated_domains:
        figures = {}
        for name, index in _references(workplace, domain).items():
            setting = Setting.of(workplace, index, domain)
            facts = ask(index, setting.test.texts.tokens)
            mixed = {plan.name: mix(setting, *read(workplace, plan, domain)) for plan in (large, small)}
            figures[name] = _figures(index, facts, mixed)
            rows.append(_row(domain, name, figures[name], (large, small)))
        found.figures["domains"][domain] = figures
        for plan in (large, small):
            found.conditions += _conditions(domain, plan, figures)
    header = ["evaluated", "reference", "tokens", "P > .5", "effective n", f"gain, {large.name}", f"gain, {small.name}"]
    found.tables["Whose reference"] = markdown_table(header, rows)
    return found


def _references(workplace: Workplace, domain: str) -> dict[str, anygram.Index]:
    others = [name for name in workplace.domains if name != domain]
    beside = workplace.neighbours(domain)
    sizes = [workplace.reference_tokens([domain], halvings) for halvings in range(HALVINGS + 1)]
    alike = int(np.argmin([abs(np.log(size / beside.num_tokens)) for size in sizes]))
    return {
        "its own": workplace.reference([domain]),
        "others'": workplace.reference(others),
        "all": workplace.reference(workplace.domains),
        f"its own, 2^-{alike}": workplace.reference([domain], alike),
        "same sources": beside,
    }


def _figures(index: anygram.Index, facts: Facts, mixed: dict[str, Mixed]) -> dict[str, Any]:
    return {
        "tokens": index.num_tokens,
        "agreement": facts.agreement,
        "n_mean": float(facts.n.mean()),
        "gains": {name: one.gain_two for name, one in mixed.items()},
    }


def _row(domain: str, name: str, figures: dict[str, Any], models: tuple[Plan, ...]) -> tuple[object, ...]:
    gains = (percent(figures["gains"][plan.name]) for plan in models)
    return domain, name, f"{figures['tokens']:,}", percent(figures["agreement"]), f"{figures['n_mean']:.2f}", *gains


def _conditions(domain: str, plan: Plan, figures: dict[str, Any]) -> list[Condition]:
    gains = {name: one["gains"][plan.name] for name, one in figures.items()}
    own, others, everything, beside = (gains[name] for name in ("its own", "others'", "all", "same sources"))
    part = next(name for name in gains if name.startswith("its own, "))
    where = f"{domain}, {plan.name}"
    return [
        Condition(
            "7",
            f"{where}: the domain's own reference has ≥ 90 % of the gain of all",
            f"{percent(own)} of {percent(everything)}; others' alone {percent(others)}",
            own >= 0.9 * everything,
            "almost all of it",
        ),
        Condition(
            "7",
            f"{where}: the rest does no harm: all ≥ its own - {percent(_HARM, 0)}",
            f"{percent(everything)} and {percent(own)}",
            everything >= own - _HARM,
            "no harm",
        ),
        Condition(
            "7",
            f"{where}: documents of the same sources help more than about as many tokens of other sources",
            f"{percent(beside)} with {figures['same sources']['tokens']:,} tokens, "
            f"{percent(gains[part])} with {figures[part]['tokens']:,}",
            beside > gains[part],
            "0 to 6 % where the reference is older than the text, 10 to 40 % for the Pile by the Pile",
        ),
    ]
