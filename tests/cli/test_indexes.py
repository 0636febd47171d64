"""The verbs that make indexes and look after them."""

import json
import sys

import pytest

import anygram


def build(run, corpus, path, *flags):
    return run("build", corpus, "-o", path, "--tokenizer", "words", *flags)


class TestBuild:
    def test_says_what_was_built(self, run, corpus, tmp_path):
        ended = build(run, corpus, tmp_path / "index", "--json", "--quiet")
        assert (ended.code, ended.err) == (0, "")
        assert ended.json["schema"] == "anygram.build/1"
        assert (ended.json["num_documents"], ended.json["num_rejected"]) == (3, 0)
        assert set(ended.json["stages"]) == {"reading", "metadata", "writing", "sorting", "syncing"}
        assert "3 documents" in build(run, corpus, tmp_path / "other").out

    def test_a_folder_that_is_taken(self, run, corpus, tmp_path):
        assert build(run, corpus, tmp_path / "index").code == 0
        assert build(run, corpus, tmp_path / "index").code == 4
        assert build(run, corpus, tmp_path / "index", "--overwrite").code == 0

    @pytest.mark.parametrize(
        "flags",
        [["--memory", "8XB"], ["--profile", "thin"], ["--on-error", "skip"], ["--rejects", "x"], ["--shards", "0"]],
    )
    def test_wrong_flags(self, run, corpus, tmp_path, flags):
        ended = build(run, corpus, tmp_path / "index", *flags)
        assert (ended.code, ended.out) == (2, "")
        assert not (tmp_path / "index").exists()

    def test_a_missing_tokenizer_is_explained(self, run, corpus, tmp_path):
        ended = run("build", corpus, "-o", tmp_path / "index")
        assert ended.code == 2
        assert "words" in ended.err
        assert "bytes" in ended.err
        assert "tokenizer.json" in ended.err

    def test_bad_input_stops_or_is_skipped_into_a_file(self, run, tmp_path):
        corpus = tmp_path / "bad.jsonl"
        corpus.write_text('{"text": "fine"}\n{"text": 5}\n')
        ended = build(run, corpus, tmp_path / "index")
        assert ended.code == 3
        assert "bad.jsonl:2" in ended.err
        rejects = tmp_path / "rejects.jsonl"
        ended = build(run, corpus, tmp_path / "index", "--on-error", "skip", "--rejects", rejects, "--json")
        assert (ended.code, ended.json["num_rejected"]) == (0, 1)
        assert "1 records" in ended.err
        assert len(rejects.read_text().splitlines()) == 1

    def test_a_plan_builds_nothing(self, run, corpus, tmp_path):
        ended = build(run, corpus, tmp_path / "index", "--plan", "--memory", "1GB")
        assert ended.code == 0
        assert [line.split()[0] for line in ended.out.splitlines()] == [
            "documents",
            "tokens",
            "shards",
            "memory",
            "scratch",
            "index",
            "time",
        ]
        assert build(run, corpus, tmp_path / "index", "--plan", "--json").json["schema"] == "anygram.plan/1"
        assert not (tmp_path / "index").exists()

    def test_an_interrupt(self, run, corpus, tmp_path, monkeypatch):
        def interrupted(*_, **__):
            raise KeyboardInterrupt

        monkeypatch.setattr(anygram, "build", interrupted)
        ended = build(run, corpus, tmp_path / "index")
        assert ended.code == 130
        assert ended.err == f"interrupted: nothing was left at {tmp_path / 'index'}\n"


def test_info(run, index):
    answer = run("info", index, "--json").json
    assert answer["schema"] == "anygram.info/1"
    assert (answer["num_documents"], answer["num_shards"], answer["tokenizer"]) == (3, 1, "words")
    assert answer["token_width"] in (1, 2, 3, 4)
    assert {"num_tokens", "vocab_size", "profile", "num_bytes", "path", "id"} <= answer.keys()
    assert "tokenizer   words" in run("info", index).out


def test_convert(run, index, tmp_path):
    answer = run("convert", index, "-o", tmp_path / "lean", "--profile", "lean", "--memory", "1GB", "--json").json
    assert (answer["schema"], answer["profile"]) == ("anygram.convert/1", "lean")
    assert "profile     lean" in run("info", tmp_path / "lean").out
    assert run("convert", index, "-o", tmp_path / "lean", "--profile", "fast").code == 4
    assert "profile fast" in run("convert", index, "-o", tmp_path / "lean", "--profile", "fast", "--overwrite").out


class TestVerify:
    def test_a_whole_index(self, run, index):
        assert run("verify", index).out.startswith("ok: ")
        assert run("verify", index, "--deep", "--json").json == {
            "schema": "anygram.verify/1",
            "ok": True,
            "problems": [],
        }

    def test_a_flipped_byte_is_found(self, run, corpus, tmp_path):
        build(run, corpus, tmp_path / "index")
        (section,) = (tmp_path / "index").glob("shards/*/position_pages")
        data = bytearray(section.read_bytes())
        data[4096] ^= 1
        section.write_bytes(data)
        ended = run("verify", tmp_path / "index", "--json")
        assert ended.code == 1
        assert not ended.json["ok"]
        assert ended.json["problems"][0]["path"].endswith("position_pages")
        assert set(ended.json["problems"][0]) == {"path", "offset", "expected", "found"}
        ended = run("verify", tmp_path / "index")
        assert ended.code == 1
        assert "1 problems" in ended.err


class TestDemo:
    @pytest.fixture(autouse=True)
    def small_library(self, tmp_path, monkeypatch):
        from anygram.cli import demo

        library = tmp_path / "library"
        (library / "site-packages").mkdir(parents=True)
        (library / "a.py").write_text("for i in range(5):\n    raise ValueError  # the standard library\n")
        (library / "latin.py").write_bytes(b"# coding: latin-1\n# \xfc\n")
        (library / "broken.py").write_bytes(b"# \xfc\n")
        (library / "site-packages" / "b.py").write_text("not the library's")
        monkeypatch.setattr(demo.sysconfig, "get_path", lambda _: str(library))

    def test_builds_and_answers(self, run, tmp_path):
        path = tmp_path / "demo"
        ended = run("demo", "-o", path)
        assert ended.code == 0
        assert f"anygram count {path}" in ended.out
        again = run("demo", "-o", path, "--json")
        assert again.json["num_documents"] == 2
        assert again.json["backoff"]["suffix_length"] == 3
        assert again.json["find"]["count"] == 1

    def test_leaves_other_things_alone(self, run, index, tmp_path):
        before = run("info", index, "--json").out
        assert run("demo", "-o", index).code == 4
        assert run("info", index, "--json").out == before
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "letter").write_text("dear")
        assert run("demo", "-o", tmp_path / "mine").code == 4
        assert (tmp_path / "mine" / "letter").read_text() == "dear"

    def test_the_library_is_cut_at_whole_modules(self, tmp_path):
        from anygram.cli.demo import standard_library

        (tmp_path / "library" / "z.py").write_text("z" * 1000)
        names = [document["path"] for document in standard_library(tmp_path / "library", max_bytes=500)]
        assert names == ["a.py", "latin.py"]


def test_progress_in_a_log(run, corpus, tmp_path):
    err = build(run, corpus, tmp_path / "index").err
    lines = [line for line in err.splitlines() if line]
    assert lines[0].endswith(": started")
    assert any(" done in " in line for line in lines)
    assert [line.split()[0] for line in lines[-5:]] == ["reading", "metadata", "writing", "sorting", "syncing"]
    assert all(line.endswith(" s") for line in lines[-5:])


def test_progress_on_a_terminal(run, corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    ended = build(run, corpus, tmp_path / "index", "--json")
    assert ended.code == 0
    assert json.loads(ended.out)["num_documents"] == 3


def test_combine(run, corpus, index, tmp_path):
    parts = [tmp_path / "a", tmp_path / "b"]
    for part in parts:
        run("build", corpus, "-o", part, "--tokenizer", "bytes", "--quiet")
    assert run("combine", *parts, "-o", tmp_path / "new").code == 3
    answer = run("combine", *parts, "-o", tmp_path / "new", "--allow-repeated", "--copy", "copy", "--json").json
    assert (answer["schema"], answer["num_documents"], answer["num_shards"]) == ("anygram.combine/1", 6, 2)
    assert run("combine", parts[0], index, "-o", tmp_path / "other").code == 4
    assert run("verify", tmp_path / "new").code == 0


def test_convert_to_infini_gram(run, index, tmp_path):
    flags = ["--to", "infini-gram", "--token-dtype", "u32", "--shards", "2", "--reversed", "--unigrams"]
    answer = run("convert", index, "-o", tmp_path / "new", *flags, "--memory", "2GB", "--json").json
    assert (answer["format"], answer["profile"], answer["num_tokens"] > 0) == ("infini-gram", None, True)
    kinds = ("metadata", "metaoff", "offset", "table", "tokenized", "unigram")
    assert sorted(file.name for file in (tmp_path / "new").iterdir()) == [f"{k}.{n}" for k in kinds for n in "01"]
    assert answer["num_bytes"] == sum(file.stat().st_size for file in (tmp_path / "new").iterdir())
    assert run("convert", index, "-o", tmp_path / "new", "--to", "infini-gram").code == 4
    assert "infini-gram" in run("convert", index, "-o", tmp_path / "new", "--to", "infini-gram", "--overwrite").out
    assert run("convert", index, "-o", tmp_path / "no", "--to", "infini-gram", "--profile", "lean").code == 3
    assert run("convert", index, "-o", tmp_path / "no", "--to", "suffix-gram").code == 2
    back = run("convert", tmp_path / "new", "-o", tmp_path / "back", "--profile", "lean", "--json").json
    assert (back["profile"], back["num_tokens"]) == ("lean", answer["num_tokens"])
    assert run("convert", tmp_path / "new", "-o", tmp_path / "no", "--token-dtype", "u32").code == 4
    assert run("convert", tmp_path / "new", "-o", tmp_path / "no", "--tokenizer", "nothing").code == 3


class TestLanguageModel:
    def test_keeps_the_counts(self, run, corpus, tmp_path):
        path = tmp_path / "index"
        build(run, corpus, path)
        ended = run("language-model", path, "--order", "3", "--json", "--quiet")
        assert (ended.code, ended.err) == (0, "")
        assert (ended.json["schema"], ended.json["order"]) == ("anygram.language-model/1", 3)
        assert len(ended.json["discounts"]) == 3
        (kept,) = (path / "language_models").iterdir()
        assert kept.name.startswith("kneser_ney-3-")
        assert "order 3" in run("language-model", path, "--order", "3").out
        assert run("verify", path).code == 0
        kept.write_bytes(kept.read_bytes()[:-1])
        assert run("verify", path).code == 1

    def test_an_order_of_nothing(self, run, index):
        assert run("language-model", index, "--order", "0").code == 2
