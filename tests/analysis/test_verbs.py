"""The verbs `contamination` and `decontaminate`."""

import json
import sys

import pytest
from planted import DOCUMENTS, ITEMS

import anygram
from anygram.cli import main

pytestmark = pytest.mark.usefixtures("rules")


@pytest.fixture
def run(capsys):
    def _run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return _run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("verbs")
    for name, records in (("corpus", DOCUMENTS), ("items", ITEMS)):
        (path / f"{name}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    anygram.build(anygram.read_corpus(path / "corpus.jsonl"), path / "index", tokenizer="bytes")
    return path


def test_json_is_what_it_is_promised_to_be(run, folder):
    code, out, _ = run("contamination", folder / "index", folder / "items.jsonl", "-q", "--json")
    answer = json.loads(out)
    assert (code, answer["schema"]) == (0, "anygram.contamination/1")
    (benchmark,) = answer["benchmarks"]
    assert (benchmark["name"], benchmark["items"], list(benchmark["rules"])) == ("items", 4, ["share", "any", "scores"])
    share = benchmark["rules"]["share"]
    assert {name: share[name] for name in ("contaminated", "not_applicable", "labels")} == {
        "contaminated": 2,
        "not_applicable": 1,
        "labels": {"clean": 1, "dirty": 2},
    }
    assert share["rate"] == pytest.approx(2 / 3)
    assert benchmark["rules"]["scores"]["rate"] is None
    assert out.isascii()


@pytest.mark.parametrize(("limit", "code"), [(0.6, 1), (0.67, 0), (0, 1), (1, 0)])
def test_fail_over(run, folder, limit, code):
    arguments = ("contamination", folder / "index", folder / "items.jsonl", "--rule", "share", "-q")
    assert run(*arguments, "--fail-over", limit)[0] == code


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["index", "nope.jsonl"], 3),
        (["nope", "items.jsonl"], 4),
        (["index", "items.jsonl", "items.jsonl"], 2),
        (["index", "items.jsonl", "-o", "x.doc"], 2),
        (["index", "items.jsonl", "--table", "nope"], 2),
        (["index", "items.jsonl", "--field", "question"], 2),
        (["index", "items.jsonl", "--field", "question=nope"], 3),
        (["index", "items.jsonl", "--results", "nope=x"], 2),
        (["index"], 2),
    ],
)
def test_what_cannot_be_done(run, folder, monkeypatch, arguments, code):
    monkeypatch.chdir(folder)
    assert run("contamination", *arguments, "-q")[0] == code


def test_files(run, folder, tmp_path):
    pytest.importorskip("jinja2")
    (tmp_path / "results.jsonl").write_text('{"id": "copied", "score": 1}\n{"id": "clean", "correct": false}\n')
    outputs = [tmp_path / name for name in ("report.html", "report.json", "items.csv")]
    code, out, err = run(
        *("contamination", folder / "index", f"my set={folder / 'items.jsonl'}", "--field", "my set:question=question"),
        *("--results", tmp_path / "results.jsonl", "--clean", tmp_path / "clean", "-q"),
        *(word for path in outputs for word in ("-o", path)),
    )
    assert (code, out) == (0, "")
    assert all(path.stat().st_size > 100 for path in outputs)
    assert "1 of 4 items, clean by share" in err
    assert [json.loads(line)["id"] for line in (tmp_path / "clean" / "my_set.jsonl").read_text().splitlines()] == [
        "clean"
    ]
    saved = json.loads((tmp_path / "report.json").read_text())
    assert saved["subsets"][0]["difference"] == 1.0


def test_nothing_commands_the_terminal(run, folder, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    name = "\x1b[31m red \u202egnihton\u202c [bold]"
    code, out, err = run("contamination", folder / "index", f"{name}={folder / 'items.jsonl'}", "-q")
    assert code == 0
    assert "\u202e" not in out + err
    assert "\x1b[31m red" not in out
    assert "gnihton [bold]" in out


def test_decontaminate(run, folder, tmp_path):
    code, out, err = run(
        *("decontaminate", folder / "corpus.jsonl", folder / "items.jsonl", "--rule", "tulu3:length=4", "-q", "--json"),
        *("--kept", tmp_path / "kept.jsonl", "--document-id-field", "id", "-o", tmp_path / "dropped.csv"),
    )
    assert (code, err) == (0, "")
    answer = json.loads(out)
    assert answer["schema"] == "anygram.decontaminate/1"
    assert [row["id"] for row in answer["dropped"]] == ["fox", "<b>hostile</b>"]
    assert json.loads(answer["dropped"][0]["items"]) == ["items/copied"]
    kept = [json.loads(line) for line in (tmp_path / "kept.jsonl").read_text().splitlines()]
    assert kept == [DOCUMENTS[2], DOCUMENTS[3]]
    assert len((tmp_path / "dropped.csv").read_text().splitlines()) == 3
    code, out, _ = run("decontaminate", folder / "index", folder / "items.jsonl", "--rule", "tulu3:length=4", "-q")
    assert [line.split("\t")[0] for line in out.splitlines()] == ["document", "0", "1"]
    assert run("decontaminate", folder / "corpus.jsonl", folder / "items.jsonl", "--rule", "nope", "-q")[0] == 2
