"""Item 5: what the ∞-gram says of text that a model wrote (the paper's figures 6 and 9)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

import anygram
from common import markdown_table
from paper.facts import Facts, ask
from paper.findings import Condition, Findings, percent
from paper.machine import DECODINGS, PROMPT, human_texts, read
from paper.measures import draws, loop_begin
from paper.neural import plans
from paper.references import Tokens, Workplace

_ENOUGH = 100  # tokens of a bin: there is less of such text
_COPIED = 50  # an effective n above it is a passage that was copied
_HUMAN, _WITHOUT_LOOPS = "human", "greedy, without loops"


def run(workplace: Workplace) -> Findings:
    index = workplace.reference()
    large, small = (plan.size for plan in plans(workplace.settings)[:2])
    texts = {_HUMAN: human_texts(workplace).tokens, **read(workplace, large)}
    anygram.agreement(index, texts).save(workplace.folder / "machine_text.html")
    texts[_WITHOUT_LOOPS] = _without_loops(texts["greedy"])
    asked = {name: ask(index, written) for name, written in texts.items()}
    facts = {name: _after_prompt(one, texts[name]) for name, one in asked.items()}
    means = {name: _by_document(one, texts[name]) for name, one in asked.items()}
    of_small = read(workplace, small)
    of_small[_WITHOUT_LOOPS] = _without_loops(of_small["greedy"])
    smaller = {name: _after_prompt(ask(index, written), written) for name, written in of_small.items()}
    loops = float(np.mean([loop_begin(text) < len(text) for text in texts["greedy"]]))
    by_n = {name: _by_n(one) for name, one in facts.items()}
    found = Findings(
        figures={
            "texts": {name: _figures(one) for name, one in facts.items()},
            "texts_of_small": {name: _figures(one) for name, one in smaller.items()},
            "by_n": by_n,
            "greedy_texts_that_loop": loops,
            "roughness": {name: _roughness(bins) for name, bins in by_n.items()},
        },
    )
    found.conditions = [
        *_effective_n(facts, means, workplace),
        _not_copied(facts),
        _agreement(facts),
        _size(facts, smaller),
        _roughnesses(found.figures["roughness"]),
    ]
    found.tables["Text of the larger model, after the prompt"] = _table(found.figures["texts"])
    found.tables["Text of the smaller one"] = _table(found.figures["texts_of_small"])
    return found


def _without_loops(texts: Sequence[Tokens]) -> list[Tokens]:
    return [text[: max(PROMPT, loop_begin(text))] for text in texts]


def _after_prompt(facts: Facts, texts: Sequence[Tokens]) -> Facts:
    return facts.where(np.concatenate([np.arange(len(text)) >= PROMPT for text in texts]))


def _figures(facts: Facts) -> dict[str, float]:
    return {
        "tokens": len(facts),
        "n_mean": float(facts.n.mean()),
        "n_median": float(np.median(facts.n)),
        "n_mean_capped": float(np.minimum(facts.n, _COPIED).mean()),
        "copied_share": float((facts.n > _COPIED).mean()),
        "n_mean_not_copied": float(facts.n[facts.n <= _COPIED].mean()),
        "agreement": facts.agreement,
        "sparse_share": float(facts.sparse.mean()),
        "sparse_agreement": facts.where(facts.sparse).agreement,
        "zero_share": float(facts.zero.mean()),
    }


def _by_n(facts: Facts) -> list[tuple[int, int, float]]:
    return [(n, int((facts.n == n).sum()), facts.where(facts.n == n).agreement) for n in facts.bins(_ENOUGH)]


def _roughness(bins: Sequence[tuple[int, int, float]]) -> float:
    """How far agreement falls from one effective n to the next, of all its ups and downs: 0 where it only rises."""
    steps = np.diff([agreement for _, _, agreement in bins])
    return float(-steps[steps < 0].sum() / np.abs(steps).sum()) if len(steps) and np.abs(steps).sum() else 0.0


def _by_document(facts: Facts, texts: Sequence[Tokens]) -> tuple[np.ndarray, np.ndarray]:
    """Of each text after the prompt: the sum of effective n, and the number of tokens."""
    ends = np.cumsum([len(text) for text in texts])
    parts = [facts.n[end - len(text) + PROMPT : end] for text, end in zip(texts, ends, strict=True)]
    return np.array([part.sum() for part in parts]), np.array([len(part) for part in parts])


def _effective_n(facts: dict[str, Facts], means: dict[str, Any], workplace: Workplace) -> list[Condition]:
    found = []
    for larger, smaller, strict, paper in (
        ("greedy", _HUMAN, True, "greedy is above human text"),
        (_HUMAN, "nucleus 0.9", False, "nucleus is closest to human text"),
        ("nucleus 0.9", "temperature 1", False, "more random: smaller"),
    ):
        one, other = float(facts[larger].n.mean()), float(facts[smaller].n.mean())
        sure = _share_above(means[larger], means[smaller], workplace.settings.seed)
        median = f"medians {np.median(facts[larger].n):.0f} and {np.median(facts[smaller].n):.0f}"
        remark = ""
        if larger == "greedy":
            remark = f"without the loops that end {percent(np.mean(_shorter(means)), 0)} of the greedy texts: " + (
                f"{facts[_WITHOUT_LOOPS].n.mean():.2f} (of {len(facts[_WITHOUT_LOOPS]):,} tokens)"
            )
        found.append(
            Condition(
                "5",
                f"mean effective n: {larger} {'>' if strict else '≥'} {smaller}",
                f"{one:.2f} and {other:.2f}; {median}; so in {percent(sure)} of bootstrap rounds over documents",
                one > other if strict else one >= other,
                paper,
                remark,
            )
        )
    return found


def _not_copied(facts: dict[str, Facts]) -> Condition:
    """Is it verbatim passages that make the difference between a mean and its median?"""
    parts = {name: (float((one.n > _COPIED).mean()), one.n[one.n <= _COPIED].mean()) for name, one in facts.items()}
    return Condition(
        "5",
        f"mean effective n where it is at most {_COPIED}, and the share of tokens where it is more, as in passages "
        "that were copied",
        "; ".join(f"{name} {mean:.2f}, {percent(share)}" for name, (share, mean) in parts.items()),
        None,
    )


def _shorter(means: dict[str, Any]) -> np.ndarray:
    return means[_WITHOUT_LOOPS][1] < means["greedy"][1]


def _share_above(left: Any, right: Any, seed: int) -> float:
    chosen = draws(len(left[0]), seed, 2000)
    one, other = (
        sums[chosen].sum(axis=1) / np.maximum(1, tokens[chosen].sum(axis=1)) for sums, tokens in (left, right)
    )
    return float((one > other).mean())


def _agreement(facts: dict[str, Facts]) -> Condition:
    order = list(DECODINGS)
    values = [facts[name].agreement for name in order]
    return Condition(
        "5",
        f"agreement falls with randomness: {' > '.join(order)}",
        ", ".join(percent(value) for value in values) + f"; human {percent(facts[_HUMAN].agreement)}",
        all(left > right for left, right in pairwise(values)),
        "more random: lower",
        f"greedy without loops: {percent(facts[_WITHOUT_LOOPS].agreement)}",
    )


def _size(large: dict[str, Facts], small: dict[str, Facts]) -> Condition:
    pairs = [(large[name], small[name]) for name in DECODINGS]
    return Condition(
        "5",
        "the larger model's text has a larger effective n and agrees more, however it is decoded",
        "; ".join(
            f"{name}: {one.n.mean():.2f} and {other.n.mean():.2f}, "
            f"{percent(one.agreement)} and {percent(other.agreement)}"
            for name, (one, other) in zip(DECODINGS, pairs, strict=True)
        ),
        all(one.n.mean() > other.n.mean() and one.agreement > other.agreement for one, other in pairs),
        "slightly larger",
        f"greedy without loops: {large[_WITHOUT_LOOPS].n.mean():.2f} and {small[_WITHOUT_LOOPS].n.mean():.2f}, "
        f"{percent(large[_WITHOUT_LOOPS].agreement)} and {percent(small[_WITHOUT_LOOPS].agreement)}",
    )


def _roughnesses(roughness: dict[str, float]) -> Condition:
    return Condition(
        "5",
        "under greedy decoding agreement goes up and down with effective n (share of its movement that is down)",
        ", ".join(f"{name} {value:.2f}" for name, value in roughness.items()),
        None,
        "fluctuates for greedy; almost monotonic for nucleus and temperature",
        "found of models with positional embeddings, which these here have none of",
    )


def _table(texts: dict[str, dict[str, float]]) -> str:
    header = [
        "text",
        "tokens",
        "effective n: mean",
        "50 at most",
        "median",
        "P > .5",
        "sparse",
        "sparse: P > .5",
        "P = 0",
    ]
    rows = [
        (
            name, f"{one['tokens']:,}", f"{one['n_mean']:.2f}", f"{one['n_mean_capped']:.2f}", f"{one['n_median']:.0f}",
            percent(one["agreement"]), percent(one["sparse_share"]), percent(one["sparse_agreement"]),
            percent(one["zero_share"]),
        )
        for name, one in texts.items()
    ]  # fmt: skip
    return markdown_table(header, rows)
