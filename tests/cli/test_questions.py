"""The verbs that ask an index something."""

import io
import json
import sys

import pytest


@pytest.fixture
def stdin(monkeypatch):
    def put(data):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    return put


class TestCount:
    def test_shows_the_token_split(self, run, index):
        ended = run("count", index, "to be", "or not", "unheard of")
        assert ended.code == 0
        assert ended.out.splitlines()[0].split("\t") == ["count", "in text", "ngram", "tokens"]
        assert [row[:3] for row in ended.rows] == [["2", "2", "to be"], ["1", "1", "or not"], ["0", "0", "unheard of"]]
        assert [row[3] for row in ended.rows[:2]] == ["to|be", "or|not"]

    def test_json(self, run, index):
        answer = run("count", index, "to be", "--json").json
        (result,) = answer.pop("results")
        assert answer == {"schema": "anygram.count/1"}
        assert (result["ngram"], result["count"], len(result["tokens"])) == ("to be", 2, 2)

    def test_token_ids_mean_themselves(self, run, index):
        tokens = run("count", index, "to be", "--json").json["results"][0]["tokens"]
        ids = " ".join(map(str, tokens))
        results = run("count", index, "--token-ids", ids, "--token-ids", ids.replace(" ", ","), "--json").json[
            "results"
        ]
        assert results == [{"ngram": None, "tokens": tokens, "count": 2}] * 2

    def test_literals_then_the_file_then_ids(self, run, index, tmp_path):
        file = tmp_path / "texts"
        file.write_bytes("to be\r\n\nnöt\n".encode())
        results = run("count", index, "or", "-f", file, "--token-ids", "0", "--json").json["results"]
        assert [result["ngram"] for result in results] == ["or", "to be", "", "nöt", None]

    def test_stdin(self, run, index, stdin):
        stdin(b"to\nbe")
        assert [row[:2] for row in run("count", index, "-f", "-").rows] == [["4", "to"], ["2", "be"]]

    def test_the_empty_text_counts_all_tokens(self, run, index):
        num_tokens = run("info", index, "--json").json["num_tokens"]
        assert run("count", index, "", "--json").json["results"] == [{"ngram": "", "tokens": [], "count": num_tokens}]

    @pytest.mark.parametrize("arguments", [[], ["--token-ids", "5 x"], ["--token-ids", "-1"], ["x", "--no-such-flag"]])
    def test_what_cannot_be_asked_is_a_usage_error(self, run, index, arguments):
        ended = run("count", index, *arguments)
        assert (ended.code, ended.out) == (2, "")
        assert "rror: " in ended.err

    def test_a_file_that_cannot_be_read_is_an_input_error(self, run, index, tmp_path):
        assert run("count", index, "-f", tmp_path / "none").code == 3
        bad = tmp_path / "latin-1"
        bad.write_bytes(b"fine\nf\xfcnf\n")
        ended = run("count", index, "-f", bad)
        assert ended.code == 3
        assert f"{bad}:2: expected UTF-8, found byte 0xfc at 1" in ended.err

    def test_tables(self, run, index, tmp_path):
        path = tmp_path / "counts.json"
        ended = run("count", index, "to be", "-o", path)
        assert (ended.code, ended.out) == (0, "")
        assert [row["count"] for row in json.loads(path.read_text())] == [2]
        assert run("count", index, "to be", "-o", tmp_path / "counts.doc").code == 2


class TestProbability:
    def test_backoff(self, run, index):
        plain, backoff = (
            run("probability", index, "be to", "be", "--json", *flags).json["results"][0]
            for flags in ([], ["--backoff"])
        )
        assert (plain["prob"], plain["prompt_count"]) == (None, 0)
        assert (backoff["prob"], backoff["prompt_count"], backoff["suffix_length"]) == (0.5, 4, 1)
        assert (backoff["prompt"], backoff["text"]) == ("be to", "be")

    def test_an_unseen_prompt_shows_nan(self, run, index):
        assert run("probability", index, "be to", "be").rows[0][0] == "nan"

    def test_pairs_from_a_file_and_ids(self, run, index, tmp_path):
        file = tmp_path / "pairs"
        file.write_text("to\tbe\n\tto\n")
        first = run("probability", index, "-f", file, "--json").json["results"]
        assert [result["prob"] for result in first] == [0.5, pytest.approx(4 / first[1]["prompt_count"])]
        ids = " ".join(map(str, [*first[0]["prompt_tokens"], first[0]["token"]]))
        assert run("probability", index, "--token-ids", ids, "--json").json["results"][0]["prob"] == 0.5

    def test_the_token_is_one(self, run, index):
        ended = run("probability", index, "to", "be or")
        assert ended.code == 2
        assert "(be|or)" in ended.err
        assert run("probability", index, "to").code == 2
        assert run("probability", index).code == 2
        assert run("probability", index, "--token-ids", "").code == 2


class TestContinuations:
    def test_the_most_frequent_first(self, run, index):
        ended = run("continuations", index, "to")
        assert [row[:2] for row in ended.rows] == [["2", "0.5"], ["1", "0.25"], ["1", "0.25"]]
        assert ended.rows[0][3] == "be"
        assert "occurs 4 times; all of 3" in ended.err

    def test_json_says_what_the_limit_left_out(self, run, index):
        (result,) = run("continuations", index, "to", "--top-k", "1", "--json").json["results"]
        assert (result["num_distinct"], result["top_k"], len(result["continuations"])) == (3, 1, 1)
        (result,) = run("continuations", index, "", "--top-k", "0", "--json").json["results"]
        assert result["top_k"] is None
        assert sum(row["count"] for row in result["continuations"]) == result["prompt_count"]

    def test_the_documents_end_is_named(self, run, index):
        assert "(document end)" in run("continuations", index, "not to be").out
        assert run("continuations", index, "not to be", "--json").json["results"][0]["continuations"] == [
            {"token": 2**32 - 1, "text": None, "count": 1, "prob": 1.0}
        ]

    def test_backoff_is_told(self, run, index):
        assert "by its last 1 tokens" in run("continuations", index, "or to", "--backoff").err


class TestScore:
    def test_json(self, run, index):
        (result,) = run("score", index, "to be or", "--end", "--json").json["results"]
        assert result["text"] == "to be or"
        assert result["token_texts"] == ["to", "be", "or", None]
        assert result["probs"][1:3] == [0.5, 0.5]
        assert result["agrees"] == [False, False, False, False]

    def test_a_table_of_several_texts(self, run, index, tmp_path):
        path = tmp_path / "scores.jsonl"
        assert run("score", index, "to be", "or", "", "-o", path, "--top-k", "2").code == 0
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        assert [(row["query"], row["text"]) for row in rows] == [(0, "to"), (0, "be"), (1, "or")]
        assert all(len(row["top_tokens"]) == 2 for row in rows)

    def test_for_people(self, run, index):
        ended = run("score", index, "to be")
        assert ended.rows[1][0] == "0.5"
        assert "2 tokens, 0.0% agree" in ended.err


class TestFind:
    def test_in_context(self, run, index):
        ended = run("find", index, "or not", "--width", "2")
        ((document, source, offset, before, match, after),) = ended.rows
        assert (document, offset) == ("0", "2")
        assert source.endswith("corpus.jsonl")
        assert (before.strip(), match.strip(), after.strip()) == ("to be", "or not", "to be")

    def test_json(self, run, index):
        (result,) = run("find", index, "to", "--limit", "3", "--json").json["results"]
        assert (result["count"], len(result["occurrences"])) == (4, 3)
        names = {"document", "source", "offset", "shard", "rank", "position", "before", "match", "after"}
        assert set(result["occurrences"][0]) == names

    def test_a_sample_is_the_same_for_the_same_seed(self, run, index):
        samples = [run("find", index, "to", "--sample", "--limit", "2", "--seed", seed).out for seed in (1, 1)]
        assert samples[0] == samples[1]
        assert len(run("find", index, "to", "--sample", "--limit", "99").rows) == 4

    def test_nothing_found_is_no_error(self, run, index):
        ended = run("find", index, "unheard of")
        assert (ended.code, ended.rows) == (0, [])

    def test_a_terminal_gets_aligned_lines_and_no_control_of_itself(self, run, index, monkeypatch):
        from anygram.cli import find

        monkeypatch.setattr(find, "on_terminal", lambda: True)
        out = run("find", index, "to", "--width", "12").out
        assert "\x1b]" not in out
        assert "\x07" not in out
        plain = out.replace("\x1b[1m", "").replace("\x1b[0m", "")
        assert "\x1b" not in plain
        assert len(plain.splitlines()) == 4


class TestDocument:
    def test_text_and_json(self, run, index):
        ended = run("document", index, "0", "2")
        assert ended.out == "to be or not to be\n\n"
        assert "document 0" in ended.err
        assert "hamlet" in ended.err
        result = run("document", index, "0", "--json").json["results"][0]
        assert (result["number"], result["id"], result["text"]) == (0, "hamlet", "to be or not to be")
        assert result["metadata"]["act"] == 3

    def test_a_number_that_is_none(self, run, index):
        ended = run("document", index, "3")
        assert (ended.code, ended.out) == (2, "")

    def test_a_terminal_is_not_controlled(self, run, index, monkeypatch):
        from anygram.cli import document

        monkeypatch.setattr(document, "on_terminal", lambda: True)
        out = run("document", index, "1").out
        assert "\x1b" not in out
        assert "to sleep" in out


def test_an_index_that_is_not_there(run, tmp_path):
    ended = run("count", tmp_path / "none", "x")
    assert (ended.code, ended.out) == (4, "")
    assert ended.err.startswith("error: ")
    assert "Traceback" not in ended.err
    assert "Traceback" in run("--debug", "count", tmp_path / "none", "x").err


def test_without_a_tokenizer_ids_are_asked_and_shown(run, tmp_path):
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text('{"ids": [5, 6, 7]}\n{"ids": [5, 6]}\n')
    index = tmp_path / "index"
    assert run("build", corpus, "-o", index, "--tokenizer", "none", "--tokens-field", "ids", "--quiet").code == 0
    assert run("count", index, "--token-ids", "5 6").rows == [["2", "", "5 6"]]
    assert run("count", index, "text").code == 2
    assert run("document", index, "0").out == "5 6 7\n"
    assert run("find", index, "--token-ids", "6", "--limit", "1").code == 0
    assert run("info", index, "--json").json["tokenizer"] is None
    assert run("score", index, "--token-ids", "5 6", "--json").json["results"][0]["token_texts"] == [None, None]


class TestBench:
    def test_measures_every_question(self, run, index):
        answer = run("bench", index, "--queries", "200", "--threads", "1", "--json").json
        assert answer["schema"] == "anygram.bench/1"
        assert answer["num_tokens"] == run("info", index, "--json").json["num_tokens"]
        questions = {result["question"].split(",")[0].split(" of ")[0] for result in answer["results"]}
        assert questions == {
            *("count", "count_batch", "probability", "continuations", "document_count", "find().documents()"),
            *("score", "score_batch", "spans"),
        }
        assert all(result["value"] > 0 and result["samples"] > 0 for result in answer["results"])
        assert all(result["p99"] is None or result["p99"] >= result["value"] for result in answer["results"])

    def test_the_seed_decides_what_is_asked(self, run, index):
        asked = [run("bench", index, "--queries", "50", "--seed", seed, "--json").json for seed in ("3", "3")]
        samples = [[each["samples"] for each in answer["results"] if each["p99"] is None] for answer in asked]
        assert samples[0] == samples[1]

    def test_writes_a_table(self, run, index, tmp_path):
        assert run("bench", index, "--queries", "20", "-o", tmp_path / "bench.csv").code == 0
        assert (tmp_path / "bench.csv").read_text().startswith("question,value,p99,unit,samples")


class TestWhere:
    @pytest.fixture
    def shelf(self, tmp_path):
        import anygram

        rows = [
            {"text": "to be or not to be", "lang": "en", "year": 1600},
            {"text": "to be", "lang": "de", "year": 1999},
            {"text": "to do", "year": 2001},
        ]
        anygram.build(rows, tmp_path / "shelf", tokenizer="words").close()
        return tmp_path / "shelf"

    def test_counts_only_there(self, run, shelf):
        assert [row[0] for row in run("count", shelf, "to be", "to", "--where", "lang = 'en'").rows] == ["2", "2"]
        answer = run("count", shelf, "to", "--where", "year > 1900", "--per-million", "--json").json
        assert answer["results"][0]["count"] == 2
        assert answer["results"][0]["per_million"] == 500_000
        ended = run("count", shelf, "to", "--where", "year > ")
        assert ended.code == 2
        assert "at character 6" in ended.err

    def test_counts_by_field(self, run, shelf, tmp_path):
        ended = run("count", shelf, "to", "--by", "lang", "--per-million")
        assert [[row[0], row[-1]] for row in ended.rows] == [["2", "en"], ["1", "de"], ["1", "(none)"]]
        assert "4 in 3 groups by lang" in ended.err
        (result,) = run("count", shelf, "to", "--by", "lang", "--top", "1", "--json").json["results"]
        assert (result["count"], result["num_groups"], len(result["groups"])) == (4, 3, 1)
        assert result["groups"][0] == {
            "value": "en",
            "count": 2,
            "document_count": 1,
            "num_documents": 1,
            "num_tokens": 6,
        }
        table = tmp_path / "table.csv"
        assert run("count", shelf, "to", "--by", "year", "--per-million", "-o", table).code == 0
        assert len(table.read_text().splitlines()) == 4
        assert run("count", shelf, "to", "--top", "1").code == 2

    def test_finds_and_searches_only_there(self, run, shelf):
        (result,) = run("find", shelf, "to", "--where", "lang = 'en'", "--json").json["results"]
        assert {row["document"] for row in result["occurrences"]} == {0}
        assert result["next"] is None
        answer = run("search", shelf, "to AND be", "--where", "year > 1900", "--unit", "words", "--json").json
        assert [row["document"] for row in answer["windows"]] == [1]

    def test_pages_follow_one_another(self, run, shelf):
        everything = run("find", shelf, "to", "--json").json["results"][0]["occurrences"]
        read, cursor = [], []
        while True:
            (result,) = run("find", shelf, "to", "--limit", "3", *cursor, "--json").json["results"]
            read += result["occurrences"]
            if result["next"] is None:
                break
            cursor = [f"--cursor={result['next']}"]
        assert read == everything
        assert f"next: {cursor[0]}" in run("find", shelf, "to", "--limit", "3").err
        assert run("find", shelf, "be", *cursor).code == 2
        assert run("find", shelf, "to", "be", *cursor).code == 2
        assert run("find", shelf, "to", "--sample", *cursor).code == 2

    def test_contexts_in_characters(self, run, shelf):
        (result,) = run("find", shelf, "or", "--width", "3", "--unit", "characters", "--json").json["results"]
        row = result["occurrences"][0]
        assert (row["before"], row["match"], row["after"]) == (" be", " or", " no")
