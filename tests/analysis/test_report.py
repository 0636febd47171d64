"""The report: its tables, hostile text in every form of it, stopping and resuming."""

import json
import math
import re
from html.parser import HTMLParser

import numpy as np
import polars
import pytest
from planted import DOCUMENTS, HOSTILE, ITEMS

import anygram
from anygram.analysis.contamination.contexts import Searched
from anygram.errors import InputError, InvalidQueryError

pytestmark = pytest.mark.usefixtures("rules")


@pytest.fixture
def report(corpus_index):
    return anygram.contamination(corpus_index, {"first": ITEMS, HOSTILE: ITEMS[:2]}, results={"first": [1, 1, 0, 0]})


class TestTables:
    def test_rates(self, report):
        rows = {(row["benchmark"], row["rule"]): row for row in report.rates.rows()}
        share = rows["first", "share"]
        assert (share["items"], share["applicable"], share["contaminated"]) == (4, 3, 2)
        assert share["rate"] == pytest.approx(2 / 3)
        assert 0 < share["low"] < share["rate"] < share["high"] < 1
        assert math.isnan(rows["first", "scores"]["rate"])
        assert report.worst_rate() == 1.0

    def test_items_that_are_too_short_are_never_clean(self, report):
        clean = report.clean("first", "share")
        assert [item.id for item in clean] == ["clean"]
        kept = report.clean("first", "share", not_applicable="keep")
        assert [item.id for item in kept] == ["clean", "short"]
        short = [row for row in report.items.rows() if row["id"] == "short" and row["rule"] == "share"]
        assert [(row["applicable"], row["contaminated"]) for row in short] == [(False, False)]

    def test_spans_are_characters_of_their_fields(self, report):
        spans = report.spans.rows()
        documents = {}
        for row in report.documents.rows():
            documents.setdefault(row["span"], []).append(row)
        for row in spans:
            item = report.benchmark(row["benchmark"]).items[row["number"]]
            assert item.fields[row["field"]][row["begin"] : row["end"]] == row["text"]
            for found in documents[row["span"]]:
                assert row["text"] in DOCUMENTS[found["document"]]["text"]
                assert json.loads(found["metadata"])["id"] == DOCUMENTS[found["document"]]["id"]
        assert [row["span"] for row in spans] == list(range(len(spans)))

    def test_rules_that_give_scores_have_no_part_in_agreement(self, report):
        (first, hostile, both) = report.rule_agreement.rows()
        assert (first["rule"], first["other"], first["items"], first["both"]) == ("share", "any", 3, 2)
        assert (hostile["both"], hostile["overlap"]) == (2, 1.0)
        assert (both["benchmark"], both["items"], both["agreement"], both["kappa"]) == ("(all)", 5, 1.0, 1.0)

    def test_results_on_clean_and_dirty_items(self, report):
        row = next(row for row in report.subsets.rows() if row["rule"] == "share")
        assert (row["clean"], row["clean_score"], row["dirty"], row["dirty_score"]) == (1, 0.0, 2, 1.0)
        assert row["difference"] == 1.0
        assert row["difference_low"] < 1.0 == row["difference_high"]
        assert row["gain"] == pytest.approx(2 / 3)

    def test_arrow(self, report):
        for table in (report.rates, report.items, report.spans, report.documents, report.rule_agreement):
            frame = polars.DataFrame(table)
            assert frame.shape == (len(table), len(table.columns()))
        frame = polars.DataFrame(report.items)
        assert frame["id"].to_list() == report.items.id.tolist()
        assert frame["applicable"].to_list() == report.items.applicable.tolist()

    def test_what_is_not_there_is_told(self, report):
        for ask, message in (
            (lambda: report.clean("nope", "share"), "no benchmark 'nope'"),
            (lambda: report.clean("first", "nope"), "no rule 'nope'"),
            (lambda: report.clean("first", "scores"), "gives scores and no verdicts"),
            (lambda: report.save("x.csv", table="nope"), "the tables of a report"),
            (lambda: report.save("x.csv", table="calibration"), "without calibration"),
        ):
            with pytest.raises(InvalidQueryError, match=message):
                ask()
        with pytest.raises(InputError, match=r"unknown suffix '\.doc'"):
            report.save("x.doc")


class _Page(HTMLParser):
    """All that a page holds but text."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.texts = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_data(self, data):
        self.texts.append(data)


class TestHostileText:
    def test_page(self, report, tmp_path):
        pytest.importorskip("jinja2")
        report.save(tmp_path / "report.html")
        content = (tmp_path / "report.html").read_text(encoding="utf-8")
        page = _Page()
        page.feed(content)
        # The page's own script and style, no image, nothing from elsewhere, no handler.
        assert page.tags.count("script") == page.tags.count("style") == 1
        assert not {"img", "iframe", "link", "object", "b-hostile"} & set(page.tags)
        assert not [name for name, _ in page.attributes if name.startswith("on") or name in {"src", "href", "style"}]
        assert not re.search("[\x00-\x08\x1b\u202a-\u202e\u2066-\u2069]", content)
        text = "".join(page.texts)
        assert "⟨U+202E⟩gnihton" in text
        assert "49" not in {word for word in text.split() if "7*7" in word}
        assert "{{ 7*7 }}" in text
        assert "<img src=x onerror=alert(1)>" in text
        assert "default-src 'none'" in dict(page.attributes)["content"] or "default-src 'none'" in content

    def test_the_policy_names_the_script_and_the_style(self, report, tmp_path):
        pytest.importorskip("jinja2")
        import base64
        import hashlib

        report.save(tmp_path / "report.html")
        content = (tmp_path / "report.html").read_bytes()
        for tag in (b"script", b"style"):
            inside = re.search(rb"<%s>(.*?)</%s>" % (tag, tag), content, re.DOTALL)[1]
            digest = base64.b64encode(hashlib.sha256(inside).digest()).decode()
            assert f"{tag.decode()}-src &#39;sha256-{digest}" in content.decode() or (
                f"{tag.decode()}-src 'sha256-{digest.replace('+', '&#43;')}'" in content.decode()
                or f"{tag.decode()}-src 'sha256-{digest}'" in content.decode()
            )

    def test_json_is_ascii_and_whole(self, report, tmp_path):
        report.save(tmp_path / "report.json")
        raw = (tmp_path / "report.json").read_bytes()
        assert raw.isascii()
        saved = json.loads(raw)
        assert saved["schema"] == "anygram.contamination/1"
        assert [one["name"] for one in saved["benchmarks"]] == ["first", HOSTILE]
        assert len(saved["items"]) == len(report.items)
        assert HOSTILE in {row["id"] for row in saved["items"]}

    @pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
    def test_tables(self, report, tmp_path, suffix):
        if suffix == "parquet":
            pytest.importorskip("pyarrow")
        path = tmp_path / f"spans.{suffix}"
        report.save(path, table="spans")
        read = {"csv": polars.read_csv, "jsonl": polars.read_ndjson, "parquet": polars.read_parquet}[suffix]
        assert len(read(path)) == len(report.spans)

    def test_repr(self, report):
        shown = repr(report) + repr(report.spans) + repr(report.items)
        assert not re.search("[\x1b\u202e]", shown)
        assert "<script>" not in report._repr_html_()


def test_the_clean_subset_is_the_records_as_they_came(report, tmp_path):
    assert report.save_clean(tmp_path / "clean.jsonl", "first", "share") == 1
    assert [json.loads(line) for line in (tmp_path / "clean.jsonl").read_text().splitlines()] == [ITEMS[2]]


def test_plot(report):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    ax = report.plot()
    assert [label.get_text() for label in ax.get_yticklabels()] == ["share", "any", "scores"]
    ax.figure.canvas.draw()
    matplotlib.pyplot.close(ax.figure)


class TestResume:
    def _run(self, corpus_index, folder, **options):
        return anygram.contamination(corpus_index, {"a": ITEMS, "b": ITEMS[:2]}, resume=folder, **options)

    def test_equals_what_was_never_stopped(self, rules, corpus_index, tmp_path):
        whole = anygram.contamination(corpus_index, {"a": ITEMS, "b": ITEMS[:2]})
        rules.refused.add("b")
        with pytest.raises(KeyboardInterrupt):
            self._run(corpus_index, tmp_path)
        rules.refused.clear()
        rules.asked.clear()
        resumed = self._run(corpus_index, tmp_path)
        assert {name for name, _ in rules.asked} == {"b"}
        for table in ("rates", "items", "spans", "documents", "rule_agreement"):
            assert getattr(resumed, table) == getattr(whole, table)
        assert [rule.way for rule in resumed.rules] == [rule.way for rule in whole.rules]
        rules.asked.clear()
        again = self._run(corpus_index, tmp_path)
        assert rules.asked == []
        assert again.items == whole.items
        assert "6 judgements were kept from an earlier run" in again.notes

    def test_damaged_checkpoints_are_judged_anew(self, corpus_index, tmp_path):
        whole = self._run(corpus_index, tmp_path)
        kept = sorted(tmp_path.iterdir())
        for place, path in enumerate(kept):
            content = bytearray(path.read_bytes())
            if place % 3 == 0:
                content[len(content) // 2] ^= 1
            elif place % 3 == 1:
                del content[-10:]
            else:
                content = bytearray(kept[0].read_bytes())  # whole, and another's
            path.write_bytes(content)
        resumed = self._run(corpus_index, tmp_path)
        assert resumed.items == whole.items
        assert "6 checkpoints were damaged, and were judged anew" in resumed.notes

    def test_what_depends_on_something_else_is_not_used(self, rules, corpus_index, tmp_path):
        self._run(corpus_index, tmp_path)
        rules.asked.clear()
        self._run(corpus_index, tmp_path, rules=["share:length=5"])
        assert {name for name, _ in rules.asked} == {"a", "b"}
        rules.asked.clear()
        self._run(corpus_index, tmp_path, results={"b": [1, 0]})
        assert {name for name, _ in rules.asked} == {"b"}
        rules.asked.clear()
        other = anygram.build(["the quick brown fox"], tokenizer="bytes")
        self._run(other, tmp_path)
        assert {name for name, _ in rules.asked} == {"a", "b"}

    def test_a_folder_that_cannot_be(self, corpus_index, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(InputError, match="no folder for checkpoints"):
            self._run(corpus_index, tmp_path / "file" / "below")


class TestCalibration:
    @pytest.fixture(scope="class")
    @classmethod
    def index(cls):
        words = [f"word{number}" for number in range(400)]
        rng = np.random.default_rng(5)
        return anygram.build(
            [". ".join(" ".join(rng.choice(words, 12)) for _ in range(12)) for _ in range(14)], tokenizer="bytes"
        )

    def test_what_is_planted_is_found(self, index):
        report = anygram.contamination(index, ITEMS, ["share", "any"], calibrate=8, seed=3)
        rate = {(row["rule"], row["canary"]): row["rate"] for row in report.calibration.rows()}
        assert rate["share", "verbatim"] == rate["any", "verbatim"] == 1.0
        assert rate["any", "5 substitutions"] == 1.0
        assert rate["share", "shuffled text"] == rate["any", "shuffled text"] == 0.0
        assert [benchmark.name for benchmark in report.benchmarks] == ["benchmark"]
        assert set(report.calibration.items.tolist()) == {8}
        again = anygram.contamination(index, ITEMS, ["share", "any"], calibrate=8, seed=3)
        assert again.calibration == report.calibration

    def test_the_canaries_are_what_they_say(self, index):
        from anygram.analysis.contamination.calibration import CANARIES, canaries

        kinds = dict(zip(CANARIES, canaries(index, 8, 0), strict=True))
        texts = {kind: [item.text for item in benchmark.items] for kind, benchmark in kinds.items()}
        corpus = [index.document(number).text for number in range(index.num_documents)]
        for place, passage in enumerate(texts["verbatim"]):
            assert any(passage in text for text in corpus)
            for count in range(1, 6):
                name = f"{count} substitution" + "s" * (count > 1)
                changed = texts[name][place].split()
                assert sum(one != other for one, other in zip(changed, passage.split(), strict=True)) == count
            assert sorted(texts["shuffled text"][place].split()) == sorted(passage.split())
            assert texts["shuffled sentences"][place] != passage
        assert texts != {
            kind: [item.text for item in one.items] for kind, one in zip(kinds, canaries(index, 8, 1), strict=True)
        }

    def test_an_index_without_long_texts(self, corpus_index):
        with pytest.raises(InvalidQueryError, match="plants passages of 40 words"):
            anygram.contamination(corpus_index, ITEMS, calibrate=True)


@pytest.mark.parametrize(
    ("rules_given", "message"),
    [(["share", "share"], "given twice"), ([], "no rule at all")],
)
def test_rules_that_make_no_sense(corpus_index, rules_given, message):
    with pytest.raises(InvalidQueryError, match=message):
        anygram.contamination(corpus_index, ITEMS, rules_given)


def test_results_of_no_benchmark(corpus_index):
    with pytest.raises(InputError, match="of none of the benchmarks 'a'"):
        anygram.contamination(corpus_index, {"a": ITEMS}, results={"b": [1]})


@pytest.mark.parametrize(
    ("text", "wanted", "found"),
    [
        ("one two three", "two", "two"),
        ("He said: “To be,\n or NOT to be!”", "to be or not to be", "To be,\n or NOT to be"),
        ("STRASSE und Weg", "straße und weg", "STRASSE und Weg"),
        (
            "and the quick brown fox jumped over the lazy dog",
            "the quick brown fox jumped over a dog",
            "the quick",
        ),
        ("nothing of it", "something else entirely", None),
        ("", "x", None),
        ("x", "!!!", None),
    ],
)
def test_matches_are_found_in_their_documents(text, wanted, found):
    place = Searched(text).find(wanted)
    if found is None:
        assert place is None
    else:
        begin, end = place
        assert text[begin:end].startswith(found)
