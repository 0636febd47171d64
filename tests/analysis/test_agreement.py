"""Agreement against its definition, over the oracle's lists; the report in all its forms; the verb."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import math
import pickle
import re
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable
from html.parser import HTMLParser
from typing import Any

import numpy as np
import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import anygram
from anygram.analysis.agreement.report import AgreementReport
from anygram.cli import main
from anygram.errors import InputError, InvalidQueryError
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
            "order": label(order),
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


def label(order: int | None) -> str:
    return "∞-gram" if order is None else f"{order}-gram"


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

    labels = list(map(label, orders))
    every = {(name, order): [] for name in sets for order in labels}
    groups = every | grouped(rows, lambda row: (row["set"], row["order"]))
    check(
        report.overall,
        ("set", "order"),
        {key: {"texts": len(sets[key[0]]), **counts(group), **lengths(group)} for key, group in groups.items()},
    )
    domains = {
        (name, text["domain"] or "(none)", order): []
        for name, texts in sets.items()
        for text in texts
        for order in labels
    } | grouped(rows, lambda row: (row["set"], row["domain"], row["order"]))
    check(
        report.by_domain,
        ("set", "domain", "order"),
        {
            (name, domain, order): {
                "texts": sum((text["domain"] or "(none)") == domain for text in sets[name]),
                **counts(group),
                **lengths(group),
            }
            for (name, domain, order), group in domains.items()
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
    buckets = {(name, order, k / 10): [] for name in sets for order in labels for k in range(10)} | grouped(
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
    related = {(name, order): [] for name in sets for order in labels} | grouped(
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


HOSTILE = "</style><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }} \u202egnihton \x1b[31m"


@pytest.fixture(scope="module")
def index() -> anygram.Index:
    return anygram.build(
        ["to be or not to be, that is the question", "the cat sat on the mat", "the cat sat on the hat", HOSTILE],
        tokenizer="bytes",
    )


@pytest.fixture(scope="module")
def report(index: anygram.Index) -> AgreementReport:
    human = [{"text": "to be or not, the cat", "kind": "prose"}, {"text": HOSTILE, "kind": HOSTILE}, {"text": ""}]
    machine = [{"text": "the cat sat on the cat sat on the mat", "kind": "prose"}, {"text": "x", "kind": "prose"}]
    probs = [np.linspace(0, 1, len(text["text"].encode())) for text in human]
    return anygram.agreement(
        index, {"human": human, HOSTILE: machine}, by="kind", model_probs={"human": probs}, argmax=True
    )


def test_half_of_the_probability_is_not_agreement() -> None:
    with anygram.build([[1, 2], [1, 3]], tokenizer=None) as index:
        report = anygram.agreement(index, [[1, 2]], orders=[None], argmax=True)
    row = report.tokens.rows()[1]
    assert (row["prob"], row["agrees"], row["argmax"], row["effective_n"]) == (0.5, False, True, 2)
    assert report.overall.rows()[0]["agreeing"] == 0


def test_effective_n_is_pooled_beyond_32() -> None:
    text = list(range(200))
    with anygram.build([text], tokenizer=None) as index:
        report = anygram.agreement(index, [text], orders=[None])
    rows = report.by_effective_n.rows()
    ends = [(row["effective_n"], row["effective_n_last"], row["tokens"]) for row in rows]
    assert ends == [*((n, n, 1) for n in range(1, 33)), (33, 64, 32), (65, 128, 64), (129, 256, 72)]
    assert sum(row["share"] for row in rows) == pytest.approx(1)


class TestTexts:
    """What may be given, and what is refused."""

    def test_texts_and_ids_are_the_same(self, index, tmp_path):
        texts = ["the cat", "", "to be"]
        path = tmp_path / "some.texts.jsonl"
        path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
        expected = anygram.agreement(index, texts).overall.rows()
        for source, name in (
            ([index.encode(text) for text in texts], "texts"),
            ([{"tokens": list(text.encode())} for text in texts], "texts"),
            (iter(texts), "texts"),
            (polars.DataFrame({"text": texts}), "texts"),
            (path, "some.texts"),
            (str(path), "some.texts"),
            ({"mine": anygram.read_corpus(path)}, "mine"),
        ):
            rows = anygram.agreement(index, source).overall.rows()
            assert rows == [{**row, "set": name} for row in expected]

    def test_the_source_is_the_file_or_a_field_of_that_name(self, index, tmp_path):
        for name, record in (("a", {"text": "to be"}), ("b", {"text": "the", "source": "web"})):
            (tmp_path / f"{name}.jsonl").write_text(json.dumps(record) + "\n")
        corpus = anygram.read_corpus(tmp_path / "a.jsonl", tmp_path / "b.jsonl")
        report = anygram.agreement(index, corpus, by="source", orders=[None])
        assert report.by_domain.domain.tolist() == [str(tmp_path / "a.jsonl"), "web"]

    def test_model_probs_may_be_a_field_and_be_unknown(self, index):
        texts = [{"text": "to be", "p": [None, 0.1, 0.2, 1.0, 0.4]}]
        report = anygram.agreement(index, texts, model_probs="p", orders=[None])
        assert report.by_model_prob.tokens.tolist() == [0, 1, 1, 0, 1, 0, 0, 0, 0, 1]
        assert report.model_relation.tokens.tolist() == [4]
        both = anygram.agreement(index, {"a": texts, "b": ["to be"]}, model_probs="p", orders=[None])
        assert both.model_relation.set.tolist() == ["a"]

    @pytest.mark.parametrize(
        ("texts", "options", "message"),
        [
            (["a"], {"orders": ()}, "orders are different ints"),
            (["a"], {"orders": (0,)}, "orders are different ints"),
            (["a"], {"orders": (True,)}, "orders are different ints"),
            (["a"], {"orders": (5, 5)}, "orders are different ints"),
            (["a"], {"orders": 5}, "orders are different ints"),
            (["a"], {"orders": "5"}, "orders are different ints"),
            ({}, {}, "no set of texts at all"),
            ([{"text": "a", "kind": 1}], {"by": "sort"}, "no text has a field 'sort'; they have 'kind'"),
            (["a"], {"model_probs": []}, "has 1 texts, found probabilities of 0"),
            (["ab"], {"model_probs": [[0.5]]}, "has 2 tokens by the index's tokenizer, found 1 probabilities"),
            (["ab"], {"model_probs": [[[0.5, 1]]]}, "an array of shape"),
            (["ab"], {"model_probs": [[0.5, 1.5]]}, "probabilities are from 0 to 1, found 1.5"),
            (["ab"], {"model_probs": [[-0.5, 0.5]]}, "of log probabilities give numpy.exp"),
            (["ab"], {"model_probs": [["x", "y"]]}, "expected numbers"),
            (["ab"], {"model_probs": {"y": [[0.5]]}}, "no set is called 'y'; there are 'texts'"),
            ({"a": ["x"], "b": ["y"]}, {"model_probs": [[0.5]]}, "there are 2 sets"),
            ([{"text": "a"}], {"model_probs": "p"}, "no text of 'texts' has a field 'p'"),
            ([{"text": "a", "p": [1]}, {"text": "a"}], {"model_probs": "p"}, "text 1 of 'texts' has no field 'p'"),
            ([{"text": "a"}, {"text": "a", "p": [1]}], {"model_probs": "p"}, "text 0 of 'texts' has no field 'p'"),
            (
                {"a": [{"text": "a", "p": [1]}], "b": ["x"]},
                {"model_probs": {"b": "p"}},
                "no text of 'b' has a field 'p'",
            ),
        ],
    )
    def test_what_does_not_fit_is_told(self, index, texts, options, message):
        with pytest.raises(InvalidQueryError, match=message):
            anygram.agreement(index, texts, **options)

    def test_what_cannot_be_read_is_told(self, index):
        for texts, message in (
            ([], "no document at all"),
            ("to be or not", "no such file"),
            (["\ud800"], "lone surrogate"),
            ([-1], "found one number"),
        ):
            with pytest.raises(InputError, match=message):
                anygram.agreement(index, texts)
        with (
            anygram.build([[1, 2]], tokenizer=None) as ids,
            pytest.raises(InvalidQueryError, match="no tokenizer to encode texts"),
        ):
            anygram.agreement(ids, ["a"])

    def test_progress(self, index):
        told = []
        anygram.agreement(index, {"a": ["to be"]}, progress=lambda *facts: told.append(facts))
        assert told == [("a: 5-gram", 5, 5), ("a: ∞-gram", 5, 5)]


class TestReport:
    def test_it_is_pickled_whole(self, report):
        again = pickle.loads(pickle.dumps(report))
        for name in TABLES:
            assert getattr(again, name) == getattr(report, name)

    def test_arrow(self, report):
        for name in TABLES:
            table = getattr(report, name)
            frame = polars.DataFrame(table)
            assert frame.columns == list(table.columns())
            for column, values in table.columns().items():
                np.testing.assert_array_equal(frame[column].to_numpy(), values)

    def test_facts_are_the_rows_of_a_set(self, report):
        facts = report.facts("human", 5)
        rows = [row for row in report.tokens.rows() if row["set"] == "human" and row["order"] == "5-gram"]
        assert facts.effective_n.tolist() == [row["effective_n"] for row in rows]
        assert facts.agrees.tolist() == [row["agrees"] for row in rows]
        for ask, message in (
            (lambda: report.facts("human", 4), "no order 4 in this report; it has 5, None"),
            (lambda: report.facts("nope"), "no set 'nope' in this report"),
            (lambda: report.save("x.csv", table="nope"), "the tables of a report are overall"),
            (lambda: report.plot("nope"), "the figures of a report are"),
        ):
            with pytest.raises(InvalidQueryError, match=message):
                ask()
        with pytest.raises(InputError, match=r"unknown suffix '\.doc'"):
            report.save("x.doc")

    def test_excerpts_are_the_texts(self, report):
        shown = {(one.set, one.text): "".join(one.pieces) for one in report.excerpts}
        assert shown[HOSTILE, 0] == "the cat sat on the cat sat on the mat"
        assert shown["human", 0] == "to be or not, the cat"
        assert ("human", 2) not in shown  # the other set has two texts

    @pytest.mark.parametrize("tokenizer", ["bytes", "words", "words:fold"])
    def test_excerpts_whatever_the_tokenizer(self, tokenizer):
        text = "  naïve, “Über” 数 tokens!\n"
        with anygram.build(["some tokens: naïve"], tokenizer=tokenizer) as index:
            (of_text,) = anygram.agreement(index, [text]).excerpts
            (of_ids,) = anygram.agreement(index, [index.encode(text)]).excerpts
            assert "".join(of_text.pieces) == text
            assert len(of_text.pieces) == len(of_ids.pieces) == len(index.encode(text))
            if tokenizer == "bytes":
                assert "".join(of_ids.pieces) == text

    def test_json_is_ascii_and_whole(self, report, tmp_path):
        report.save(tmp_path / "report.json")
        raw = (tmp_path / "report.json").read_bytes()
        saved = json.loads(raw)
        assert raw.isascii()
        assert (saved["schema"], saved["orders"], saved["by"]) == ("anygram.agreement/1", [5, None], "kind")
        for name in TABLES[:-1]:
            assert len(saved[name]) == len(getattr(report, name)), name

    @pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
    @pytest.mark.parametrize("table", ["overall", "by_domain", "tokens"])
    def test_tables(self, report, tmp_path, suffix, table):
        if suffix == "parquet":
            pytest.importorskip("pyarrow")
        path = tmp_path / f"table.{suffix}"
        report.save(path, table=table)
        read = {"csv": polars.read_csv, "jsonl": polars.read_ndjson, "parquet": polars.read_parquet}[suffix]
        assert len(read(path)) == len(getattr(report, table))

    def test_repr(self, report):
        shown = repr(report) + "".join(repr(getattr(report, name)) for name in TABLES)
        assert not any(character in shown for character in "\x1b\u202e")
        assert "<script>" not in report._repr_html_()

    def test_what_was_not_asked_for_has_no_rows(self, index):
        plain = anygram.agreement(index, ["the cat"], orders=[None])
        assert [len(getattr(plain, name)) for name in TABLES] == [1, 7, 7, 0, 0, 0, 7]
        assert "argmax_agreement" not in plain.overall.columns()
        assert "model_prob" not in plain.tokens.columns()


class Page(HTMLParser):
    """All that a page holds but text, and whether each thing that begins ends."""

    def __init__(self) -> None:
        super().__init__()
        self.tags, self.attributes, self.texts, self.open = [], [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes
        if tag not in {"meta", "input"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_data(self, data):
        self.texts.append(data)


class TestPage:
    def test_hostile_text(self, report, tmp_path):
        pytest.importorskip("jinja2")
        report.save(tmp_path / "report.html")
        content = (tmp_path / "report.html").read_text(encoding="utf-8")
        page = Page()
        page.feed(content)
        # The page's own script and style, no image, nothing from elsewhere, no handler, no style that the policy stops.
        assert page.tags.count("script") == page.tags.count("style") == 1
        assert not {"img", "iframe", "link", "object"} & set(page.tags)
        assert not [name for name, _ in page.attributes if name.startswith("on") or name in {"src", "href", "style"}]
        assert not any(character in content for character in "\x1b\u202e")
        text = "".join(page.texts)
        assert "<img src=x onerror=alert(2)>{{ 7*7 }} ⟨U+202E⟩gnihton ⟨U+001B⟩[31m" in text
        assert page.open == []
        for number in ("nan", "inf,", "inf "):
            assert f'"{number}' not in content  # a place that could not be computed

    def test_the_policy_names_the_script_and_the_style(self, report, tmp_path):
        pytest.importorskip("jinja2")
        report.save(tmp_path / "report.html")
        content = (tmp_path / "report.html").read_text(encoding="utf-8")
        policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', content)[1])
        for tag in ("script", "style"):
            inside = re.search(rf"<{tag}>(.*?)</{tag}>", content, re.DOTALL)[1]
            digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
            assert f"{tag}-src 'sha256-{digest}'" in policy

    @pytest.mark.parametrize("texts", [["x"], [""], ["", "to be"], {"a": [""], "b": ["to be"]}])
    def test_any_report_has_a_page(self, index, texts, tmp_path):
        pytest.importorskip("jinja2")
        for options in ({}, {"orders": [3]}, {"argmax": True}):
            report = anygram.agreement(index, texts, **options)
            report.save(tmp_path / "report.html")
            page = Page()
            page.feed((tmp_path / "report.html").read_text(encoding="utf-8"))
            assert page.open == []


class TestPlot:
    @pytest.fixture(autouse=True)
    def _agg(self):
        matplotlib = pytest.importorskip("matplotlib")
        matplotlib.use("Agg")
        yield
        matplotlib.pyplot.close("all")

    def test_all_figures_at_once(self, report):
        axes = report.plot()
        # By effective n: two sets of three panels; side by side: four; by frequency: two; by the model: two orders.
        assert len(axes) == 6 + 4 + 2 + 2
        axes[0].get_figure(root=True).canvas.draw()

    def test_one_figure_on_given_axes(self, report):
        from matplotlib import pyplot

        _, axes = pyplot.subplots(1, 2)
        assert report.plot("model_prob", axes) == list(axes)
        assert axes[1].get_title() == "human: ∞-gram"
        with pytest.raises(InvalidQueryError, match="this figure has 4 panels"):
            report.plot("sets", axes)

    def test_a_figure_needs_its_inputs(self, index):
        report = anygram.agreement(index, [""])
        assert len(report.plot()) == 4
        for name, needed in (("sets", "several sets"), ("model_prob", "a model's probabilities")):
            with pytest.raises(InvalidQueryError, match=needed):
                report.plot(name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("agreement")
    anygram.build(["to be or not to be", "the cat sat"], path / "index", tokenizer="bytes")
    records = [
        {"body": "to be", "kind": "a", "p": [0.1, 0.2, 0.3, 0.4, None]},
        {"body": "x", "kind": "b", "p": [1]},
    ]
    (path / "human.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    (path / "lines.txt").write_text("to be\nthe cat\n")
    return path


@pytest.fixture
def run(capsys, folder):
    def _run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["agreement", str(folder / "index"), *map(str, arguments)])
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return _run


class TestVerb:
    def test_json(self, run, folder):
        texts = folder / "human.jsonl"
        options = ("--text-field", "body", "--by", "kind", "--model-probs-field", "p", "--argmax", "--orders", "3,inf")
        code, out, err = run(texts, f"B={texts}", *options, "--json")
        answer = json.loads(out)
        assert (code, answer["schema"], answer["orders"]) == (0, "anygram.agreement/1", [3, None])
        assert [row["set"] for row in answer["overall"]] == ["human", "human", "B", "B"]
        assert answer["overall"][0]["argmax_agreement"] is not None
        assert {row["domain"] for row in answer["by_domain"]} == {"a", "b"}
        assert answer["model_relation"][0]["tokens"] == 5
        assert "human: 3-gram" in err

    def test_files(self, run, folder, tmp_path):
        pytest.importorskip("jinja2")
        arguments = (folder / "lines.txt", "--lines", "-q", "-o", tmp_path / "r.html", "-o", tmp_path / "r.csv")
        assert run(*arguments, "--table", "tokens") == (0, "", "")
        assert len(polars.read_csv(tmp_path / "r.csv")) == 2 * len("to bethe cat")
        assert "agreement report" in (tmp_path / "r.html").read_text(encoding="utf-8")

    def test_a_table_for_the_shell(self, run, folder):
        code, out, _ = run(folder / "lines.txt", "-q")
        header, *rows = [line.split("\t") for line in out.splitlines()]
        assert (code, header[:2], [row[:3] for row in rows]) == (
            0,
            ["set", "order"],
            [["lines", "5-gram", "1"], ["lines", "∞-gram", "1"]],
        )

    def test_a_table_for_people(self, run, folder, monkeypatch):
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.setattr("anygram.cli.agreement.on_terminal", lambda: True)
        code, out, _ = run(folder / "human.jsonl", "--text-field", "body", "--by", "kind", "--argmax", "-q")
        assert code == 0
        assert "∞-gram" in out
        assert "by kind" in out

    @pytest.mark.parametrize(
        ("arguments", "code", "message"),
        [
            (["nope.jsonl"], 3, "no such file"),
            (["{}/human.jsonl"], 3, "no field 'text'"),
            (["{}/lines.txt", "--orders", "x"], 2, "--orders: expected numbers and inf"),
            (["{}/lines.txt", "--orders", "0"], 2, "orders are different ints"),
            (["{}/lines.txt", "{}/lines.txt"], 2, "two sets of texts are called 'lines'"),
            (["{}/lines.txt", "--by", "kind"], 2, "no text has a field 'kind'"),
            (["{}/lines.txt", "-o", "x.doc"], 2, "expected a name that ends in"),
            (["{}/lines.txt", "--table", "x"], 2, "--table: expected one of"),
        ],
    )
    def test_errors(self, run, folder, arguments, code, message):
        ended, _, err = run(*(argument.format(folder) for argument in arguments), "-q")
        assert ended == code
        assert message in err
