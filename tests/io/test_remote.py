"""Inputs behind URLs."""

from __future__ import annotations

import gzip
import json
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anygram.errors import InputError, MissingExtraError
from anygram.io import read_corpus

fsspec: Any = pytest.importorskip("fsspec")

LINES = b"".join(json.dumps({"text": text, "n": n}).encode() + b"\n" for n, text in enumerate(["a b", "c"]))


@pytest.fixture
def place() -> Iterator[str]:
    """A folder in memory."""
    name = f"/{uuid.uuid4().hex}"
    yield f"memory://{name}"
    files = fsspec.filesystem("memory")
    if files.exists(name):
        files.rm(name, recursive=True)


def put(url: str, content: bytes) -> str:
    with fsspec.open(url, "wb") as file:
        file.write(content)
    return url


def test_files_folders_and_patterns(place: str) -> None:
    put(f"{place}/a/1.jsonl.gz", gzip.compress(LINES))
    put(f"{place}/a/b/2.jsonl", LINES)
    put(f"{place}/a/readme.md", b"no corpus")
    for inputs, count in [
        ([f"{place}/a/1.jsonl.gz"], 2),
        ([f"{place}/a"], 4),
        ([f"{place}/a/**/*.jsonl*"], 4),
        ([f"{place}/a/*.jsonl.gz", f"{place}/a/b/2.jsonl"], 4),
    ]:
        corpus = read_corpus(*inputs)
        assert [record.text for record in corpus] == ["a b", "c"] * (count // 2)
        assert corpus.num_bytes == corpus.num_bytes_read
    first = next(iter(read_corpus(f"{place}/a")))
    assert (first.source, first.line) == (f"{place}/a/1.jsonl.gz", 1)


def test_token_files_and_tables(place: str) -> None:
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    put(f"{place}/t.ds", np.array([1, 2, 3], "<u2").tobytes())
    put(f"{place}/t.ds.index", np.array([2, 3], "<u8").tobytes())
    with fsspec.open(f"{place}/t.parquet", "wb") as file:
        pq.write_table(pa.table({"text": ["x", "y"]}), file)
    found = [record.tokens.tolist() for record in read_corpus(f"{place}/t.ds") if record.tokens is not None]
    assert found == [[1, 2], [3]]
    assert [record.text for record in read_corpus(f"{place}/*.parquet")] == ["x", "y"]
    put(f"{place}/t.ds.index", b"123")
    with pytest.raises(InputError, match=f"{place}/t.ds.index: truncated"):
        list(read_corpus(f"{place}/t.ds"))
    put(f"{place}/raw.bin", b"1234")
    with pytest.raises(InputError, match="give token_dtype"):
        list(read_corpus(f"{place}/raw.bin"))


def test_what_is_not_there(place: str) -> None:
    for name, reason in [("a.jsonl", "no such file"), ("*.jsonl", "no file matches")]:
        with pytest.raises(InputError, match=reason):
            read_corpus(f"{place}/{name}")
    with pytest.raises(InputError, match="unknown suffix"):
        read_corpus(put(f"{place}/a.md", b""))
    with pytest.raises(InputError, match="nosuch"):
        read_corpus("nosuch://bucket/a.jsonl")


def test_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingExtraError, match=r"anygram\[s3\]"):
        read_corpus("s3://bucket/a.jsonl")
    with pytest.raises(MissingExtraError, match=r"anygram\[remote\]"):
        read_corpus("https://example.org/a.jsonl")


def test_a_path_of_this_machine_as_a_url(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(LINES)
    assert [record.text for record in read_corpus(f"file://{tmp_path}/a.jsonl")] == ["a b", "c"]
