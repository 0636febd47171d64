"""infini-gram's flags: the files that a correct builder of theirs writes; tests/peers has their own beside."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest
import zstandard

from anygram.compat.infini_gram import indexing
from folders import contents
from naive_infini_gram import naive_files

FILES = {"b.jsonl": 7, "a/x.jsonl.gz": 5, "a.jsonl.zst": 4}

Line = tuple[str, int, dict[str, object]]  # file, number in it, record


def write_corpus(folder: Path) -> list[Line]:
    """Files in folders, plain and compressed; their lines in the order of the files' paths."""
    lines: list[Line] = []
    for name, count in FILES.items():
        records = [{"n": number, "text": f"{name} {number} ö" * (number % 3), "x": [None]} for number in range(count)]
        content = "".join(json.dumps(record) + "\n" for record in records).encode()
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".gz"):
            content = gzip.compress(content)
        elif name.endswith(".zst"):
            content = zstandard.compress(content)
        path.write_bytes(content)
        lines += [(name, number, record) for number, record in enumerate(records)]
    return sorted(lines, key=lambda line: (str(folder / line[0]), line[1]))


def run(folder: Path, *flags: object) -> None:
    fixed = ["--data_dir", folder / "corpus", "--save_dir", folder / "index", "--mem", 1, "--cpus", 2, "--ulimit", 9]
    indexing.main([str(flag) for flag in (*fixed, *flags)])


def expected(lines: list[Line], shards: int, workers: int, batch_size: int, version: int) -> dict[str, bytes]:
    """Blocks of lines of a file; every worker its lines of one; its shards in turns."""
    of_shard: dict[int, list[Line]] = {shard: [] for shard in range(shards)}
    for name in dict.fromkeys(line[0] for line in lines):
        own = [line for line in lines if line[0] == name]
        for at in range(0, len(own), workers * batch_size):
            block = own[at : at + workers * batch_size]
            for worker in range(workers):
                for i, line in enumerate(block[worker::workers]):
                    of_shard[worker + i % (shards // workers) * workers].append(line)
    files = {}
    for shard, chosen in of_shard.items():
        documents = [list(str(record["text"]).encode()) for _, _, record in chosen]
        for kind, data in naive_files(documents, "u8", is_reversed=version == 5, unigrams=True).items():
            files[f"{kind}.{shard}"] = data
        texts = [
            json.dumps({"path": name, "linenum": number, "metadata": {"n": record["n"], "x": record["x"]}}) + "\n"
            for name, number, record in chosen
        ]
        files[f"metadata.{shard}"] = "".join(texts).encode()
        places = [sum(map(len, texts[:number])) for number in range(len(texts))]
        files[f"metaoff.{shard}"] = b"".join(place.to_bytes(8, "little") for place in places)
    return files


@pytest.mark.parametrize(
    ("shards", "workers", "batch_size", "version"),
    [(1, 1, 65536, 4), (2, 1, 65536, 4), (2, 1, 3, 5), (2, 2, 2, 4), (4, 2, 65536, 4), (3, 3, 65536, 4), (4, 2, 3, 4)],
)
def test_the_files_of_every_worker(tmp_path: Path, shards: int, workers: int, batch_size: int, version: int) -> None:
    lines = write_corpus(tmp_path / "corpus")
    for worker in range(workers):
        flags = ["--shards", shards, "--workers", workers, "--worker_id", worker, "--batch_size", batch_size]
        run(tmp_path, *flags, "--version", version, "--add_metadata", "--add_unigram")
    assert contents(tmp_path / "index") == expected(lines, shards, workers, batch_size, version)


def test_as_a_program_and_what_is_there_is_not_built_again(tmp_path: Path) -> None:
    write_corpus(tmp_path / "corpus")
    program = [sys.executable, "-m", "anygram.compat.infini_gram.indexing", "--mem", "1"]
    program += ["--data_dir", str(tmp_path / "corpus"), "--save_dir", str(tmp_path / "index"), "--token_dtype", "u8"]
    first = subprocess.run(program, capture_output=True, text=True, check=True)
    assert first.stdout.endswith("done\n")
    assert sorted(contents(tmp_path / "index")) == ["offset.0", "table.0", "tokenized.0"]
    assert "skipped" in subprocess.run(program, capture_output=True, text=True, check=True).stdout
    # What a failed build of infini-gram leaves behind is not taken for a shard.
    (tmp_path / "index/table.0").write_bytes(b"")
    assert subprocess.run(program, capture_output=True, text=True, check=True).stdout.endswith("done\n")
    assert (tmp_path / "index/table.0").stat().st_size > 0


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--tokenizer", "words"], "anygram build"),
        (["--tokenizer", "none"], "anygram build"),
        (["--tokenizer", "nothing"], "no tokenizer 'nothing'"),
        (["--token_dtype", "u16"], "u8"),
        (["--shards", 40], "no document"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(tmp_path: Path, flags: list[object], message: str) -> None:
    write_corpus(tmp_path / "corpus")
    with pytest.raises(SystemExit, match=message):
        run(tmp_path, *flags)
    assert not (tmp_path / "index").exists() or not list((tmp_path / "index").iterdir())


def test_wrong_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in (["--shards", 3, "--workers", 2], ["--worker_id", 1], ["--cpus", 0], ["--version", 6]):
        with pytest.raises(SystemExit) as ended:
            run(tmp_path, *wrong)
        assert ended.value.code == 2
        assert wrong[0] in capsys.readouterr().err  # type: ignore[operator]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("bad.jsonl", '{"text": "a"}\n{"no": 1}\n', "bad.jsonl:2: expected an object with a field 'text'"),
        ("bad.jsonl", '{"text": "a"}\n\n', "bad.jsonl:2: broken JSON"),
        ("bad.jsonl", '{"text": "\\ud800"}\n', "bad.jsonl:1"),
        ("bad.json", '{"text": "a"}\n', "unknown suffix"),
        ("bad.txt", "a", "no file"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / name).write_text(content)
    with pytest.raises(SystemExit, match=message):
        run(tmp_path)
    assert not list((tmp_path / "index").iterdir())
