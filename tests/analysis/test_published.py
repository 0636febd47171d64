"""The report with the published rules: those that the index answers and those that a scan does."""

import json

import pytest
from planted import HOSTILE, ITEMS

import anygram
from anygram.errors import InvalidQueryError

RULES = ("llama2", "contam_token_match", "gpt3", "palm:length=5", "infini_gram_mini", "decon:min_words=5", "wimbd")


@pytest.fixture(scope="module")
def whole(corpus_index):
    return anygram.contamination(corpus_index, {"first": ITEMS, HOSTILE: ITEMS[:2]}, RULES)


def test_each_has_its_say(whole):
    assert [rule.name for rule in whole.rules] == list(RULES)
    assert [rule.way for rule in whole.rules] == ["index"] * 2 + ["scan"] * 5
    rows = {(row["rule"], row["id"]): row for row in whole.items.rows() if row["benchmark"] == "first"}
    for rule in ("llama2", "palm:length=5"):
        assert rows[rule, "copied"]["score"] > rows[rule, "clean"]["score"]
    assert rows["contam_token_match", "copied"]["label"] == "scored"
    assert not rows["palm:length=5", "short"]["applicable"]
    with pytest.raises(InvalidQueryError, match="gives scores and no verdicts"):
        whole.clean("first", "contam_token_match")


def test_evidence_is_within_its_field(whole):
    for row in whole.spans.rows():
        item = whole.benchmark(row["benchmark"]).items[row["number"]]
        assert 0 <= row["begin"] < row["end"] <= len(item.fields[row["field"]])
    assert {row["rule"] for row in whole.spans.rows()} >= {"llama2", "palm:length=5", "infini_gram_mini"}


def test_resumed_it_is_the_same(whole, corpus_index, tmp_path):
    sets = {"first": ITEMS, HOSTILE: ITEMS[:2]}
    anygram.contamination(corpus_index, sets, RULES[:3], resume=tmp_path)
    resumed = anygram.contamination(corpus_index, sets, RULES, resume=tmp_path)
    assert resumed.items == whole.items
    assert resumed.spans == whole.spans
    assert resumed.documents == whole.documents
    assert set(resumed.notes) == {*whole.notes, "6 judgements were kept from an earlier run"}


def test_tests_and_fits_on_results(corpus_index, tmp_path):
    report = anygram.contamination(corpus_index, ITEMS, RULES, results=[1, 1, 0, 0])
    assert {type(one).__name__ for one in report.statistics["llama2"]} == {"SubsetResult", "SubsetTest"}
    assert {type(one).__name__ for one in report.statistics["contam_token_match"]} == {"FittedCutoff"}
    report.save(tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_text())["statistics"]["llama2"][0]["kind"] == "SubsetResult"


def test_page(whole, tmp_path):
    pytest.importorskip("jinja2")
    whole.save(tmp_path / "report.html")
    content = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert content.count("<script") == 1
    assert "infini_gram_mini" in content


def test_interrupted_in_the_scan_it_goes_on_and_is_the_same(whole, corpus_index, tmp_path):
    def interrupted(stage, *_):
        if stage == "scan":
            raise KeyboardInterrupt

    sets = {"first": ITEMS, HOSTILE: ITEMS[:2]}
    with pytest.raises(KeyboardInterrupt):
        anygram.contamination(corpus_index, sets, RULES, resume=tmp_path, progress=interrupted)
    resumed = anygram.contamination(corpus_index, sets, RULES, resume=tmp_path)
    assert "4 judgements were kept from an earlier run" in resumed.notes
    for table in ("rates", "items", "spans", "documents", "rule_agreement"):
        assert getattr(resumed, table) == getattr(whole, table)
