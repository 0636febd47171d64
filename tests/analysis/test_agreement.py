"""Agreement against its definition, over the oracle's lists; the report in all its forms; the verb."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import anygram
from oracle import Oracle
from strategies import Documents, corpora, ngrams, shard_counts

TABLES = ("overall", "by_effective_n", "by_frequency", "by_domain", "by_model_prob", "model_relation", "tokens")

Row = dict[str, Any]


@st.composite
def questions(draw: st.DrawFn) -> tuple[Documents, dict[str, list[Row]]]:
    """Documents, and sets of texts with a domain and a model's probabilities; some empty, some of one token."""
    documents = draw(corpora())
    sets = {}
    for name in draw(st.sampled_from([["texts"], ["human", "greedy"], ["a", "b", "c"]])):
        texts = draw(st.lists(st.one_of(ngrams(documents), ngrams(documents, max_size=1)), min_size=1, max_size=5))
        sets[name] = [
            {
                "tokens": tokens,
                "domain": draw(st.sampled_from(["x", "y", None])),
                "probs": [draw(st.sampled_from([0.0, 0.25, 0.5, 0.95, 1.0, None])) for _ in tokens],
            }
            for tokens in texts
        ]
    return documents, sets


def naive_rows(documents: Documents, sets: dict[str, list[Row]], orders: Iterable[int | None]) -> list[Row]:
    """One row a token, from the definitions."""
    oracle = Oracle(documents)
    return [
        {
            "set": name,
            "order": "inf" if order is None else str(order),
            "domain": text["domain"] or "(none)",
            "text": number,
            "position": position,
            "token": row.token,
            "effective_n": row.probability.suffix_length + 1,
            "prompt_count": row.probability.prompt_count,
            "prob": row.probability.prob,
            # More than half: of two that are equally frequent, neither agrees.
            "agrees": 2 * row.probability.continuation_count > row.probability.prompt_count,
            "sparse": row.sparse,
            "argmax": row.top[0][0] == row.token,
            "model_prob": text["probs"][position],
        }
        for name, texts in sets.items()
        for order in orders
        for number, text in enumerate(texts)
        for position, row in enumerate(oracle.score(text["tokens"], order=order, top_k=1))
    ]


def share(values: list[bool]) -> float:
    return sum(values) / len(values) if values else math.nan


def counted(rows: list[Row]) -> Row:
    """The columns that all tables of counts have, without their intervals."""
    sparse = [row for row in rows if row["sparse"]]
    return {
        "tokens": len(rows),
        "agreeing": sum(row["agrees"] for row in rows),
        "agreement": share([row["agrees"] for row in rows]),
        "sparse": len(sparse),
        "sparse_share": share([row["sparse"] for row in rows]),
        "sparse_agreeing": sum(row["agrees"] for row in sparse),
        "sparse_agreement": share([row["agrees"] for row in sparse]),
        "zero_share": share([row["prob"] == 0 for row in rows]),
        "argmax_agreement": share([row["argmax"] for row in rows]),
    }


def lengths(rows: list[Row]) -> Row:
    values = [row["effective_n"] for row in rows]
    return {
        "mean_effective_n": statistics.fmean(values) if values else math.nan,
        "median_effective_n": statistics.median(values) if values else math.nan,
        "effective_n_5_share": share([n >= 5 for n in values]),
    }


def grouped(rows: list[Row], key: Callable[[Row], tuple[object, ...]]) -> dict[tuple[object, ...], list[Row]]:
    groups: dict[tuple[object, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def n_bin(n: int) -> tuple[int, int]:
    """Each to 32, then 33 to 64, 65 to 128, ..."""
    if n <= 32:
        return n, n
    last = next(2**k for k in range(6, 40) if n <= 2**k)
    return last // 2 + 1, last


def frequency_bin(count: int) -> tuple[int, int]:
    """0, 1, 2 to 9, 10 to 99, ..."""
    if count < 2:
        return count, count
    digits = len(str(count))
    return max(2, 10 ** (digits - 1)), 10**digits - 1


def check(table: Any, keys: tuple[str, ...], expected: dict[tuple[object, ...], Row]) -> None:
    found = {tuple(row[key] for key in keys): row for row in table.rows()}
    assert found.keys() == expected.keys()
    assert len(found) == len(table)
    for key, row in expected.items():
        for name, value in row.items():
            assert found[key][name] == pytest.approx(value, nan_ok=True), (key, name)
        if "agreement" in row and row["tokens"]:
            assert 0 <= found[key]["low"] <= found[key]["agreement"] <= found[key]["high"] <= 1


@settings(max_examples=3 * settings.default.max_examples)
@given(questions(), shard_counts(), st.sampled_from([(5, None), (None,), (1, 2, 3)]), st.booleans())
def test_every_table_is_that_of_the_definition(
    question: tuple[Documents, dict[str, list[Row]]], shards: int, orders: tuple[int | None, ...], argmax: bool
) -> None:
    documents, sets = question
    with anygram.build(documents, tokenizer=None, shards=shards) as index:
        report = anygram.agreement(index, sets, by="domain", orders=orders, model_probs="probs", argmax=argmax)
    rows = naive_rows(documents, sets, orders)

    def counts(group: list[Row]) -> Row:
        counts = counted(group)
        if not argmax:
            del counts["argmax_agreement"]
        return counts

    assert ("argmax_agreement" in report.overall.columns()) == ("argmax" in report.tokens.columns()) == argmax
    single = report.tokens.rows()
    assert len(single) == len(rows)
    for found, expected in zip(single, rows, strict=True):
        model_prob = math.nan if expected["model_prob"] is None else expected["model_prob"]
        for name, value in ({**expected, "model_prob": model_prob}).items():
            if name in found:
                assert found[name] == pytest.approx(value, nan_ok=True), name

    labels = ["inf" if order is None else str(order) for order in orders]
    every = {(name, label): [] for name in sets for label in labels}
    groups = every | grouped(rows, lambda row: (row["set"], row["order"]))
    check(
        report.overall,
        ("set", "order"),
        {key: {"texts": len(sets[key[0]]), **counts(group), **lengths(group)} for key, group in groups.items()},
    )
    domains = {
        (name, text["domain"] or "(none)", label): []
        for name, texts in sets.items()
        for text in texts
        for label in labels
    } | grouped(rows, lambda row: (row["set"], row["domain"], row["order"]))
    check(
        report.by_domain,
        ("set", "domain", "order"),
        {
            (name, domain, label): {
                "texts": sum((text["domain"] or "(none)") == domain for text in sets[name]),
                **counts(group),
                **lengths(group),
            }
            for (name, domain, label), group in domains.items()
        },
    )
    by_n = grouped(rows, lambda row: (row["set"], row["order"], *n_bin(row["effective_n"])))
    check(
        report.by_effective_n,
        ("set", "order", "effective_n", "effective_n_last"),
        {key: {"share": len(group) / len(groups[key[:2]]), **counts(group)} for key, group in by_n.items()},
    )
    by_frequency = grouped(
        rows,
        lambda row: (row["set"], row["order"], *n_bin(row["effective_n"]), *frequency_bin(row["prompt_count"])),
    )
    check(
        report.by_frequency,
        ("set", "order", "effective_n", "effective_n_last", "frequency", "frequency_last"),
        {key: counts(group) for key, group in by_frequency.items()},
    )
    known = [row for row in rows if row["model_prob"] is not None]
    buckets = {(name, label, k / 10): [] for name in sets for label in labels for k in range(10)} | grouped(
        known, lambda row: (row["set"], row["order"], min(int(row["model_prob"] * 10), 9) / 10)
    )
    check(
        report.by_model_prob,
        ("set", "order", "from_prob"),
        {
            key: {
                "to_prob": round(key[2] + 0.1, 1),
                "mean_model_prob": statistics.fmean(r["model_prob"] for r in group) if group else math.nan,
                **counts(group),
            }
            for key, group in buckets.items()
        },
    )
    related = {(name, label): [] for name in sets for label in labels} | grouped(
        known, lambda row: (row["set"], row["order"])
    )
    check(report.model_relation, ("set", "order"), {key: relation(group) for key, group in related.items()})


def relation(rows: list[Row]) -> Row:
    def correlations(some: list[Row]) -> list[float]:
        pairs = [[row["model_prob"] for row in some], [row["prob"] for row in some]]
        if any(len(set(values)) < 2 for values in pairs):
            return [math.nan, math.nan]
        ranks = [
            [sum(other < one for other in values) + sum(other == one for other in values) / 2 for one in values]
            for values in pairs
        ]
        return [statistics.correlation(*pairs), statistics.correlation(*ranks)]

    both = [(row["agrees"], row["model_prob"] > 0.5) for row in rows]
    sparse = [row for row in rows if row["sparse"]]
    names = ("correlation", "rank_correlation", "sparse_correlation", "sparse_rank_correlation")
    return {
        "tokens": len(rows),
        "both": both.count((True, True)),
        "only_corpus": both.count((True, False)),
        "only_model": both.count((False, True)),
        "neither": both.count((False, False)),
        "model_agreement": share([theirs for _, theirs in both]),
        "sparse": len(sparse),
        **dict(zip(names, correlations(rows) + correlations(sparse), strict=True)),
    }
