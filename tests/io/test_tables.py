from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from anygram.errors import InputError, MissingExtraError
from anygram.io import write_table

COLUMNS = {
    "text": ['a,"b"\n<i>&', "é😀", ""],
    "count": np.array([1, 2, 3]),
    "prob": np.array([0.5, np.nan, np.inf]),
    "tokens": [[1, 2], [], None],
}
PLAIN = [
    {"text": 'a,"b"\n<i>&', "count": 1, "prob": 0.5, "tokens": [1, 2]},
    {"text": "é😀", "count": 2, "prob": None, "tokens": []},
    {"text": "", "count": 3, "prob": None, "tokens": None},
]


def test_json_has_null_where_numbers_are_none(tmp_path: Path) -> None:
    write_table(COLUMNS, tmp_path / "a.json")
    assert json.loads((tmp_path / "a.json").read_text()) == PLAIN
    write_table(COLUMNS, tmp_path / "a.JSONL")
    assert [json.loads(line) for line in (tmp_path / "a.JSONL").read_text().splitlines()] == PLAIN
    write_table({"n": []}, tmp_path / "empty.json")
    assert json.loads((tmp_path / "empty.json").read_text()) == []


def test_values_of_numpy_are_plain_inside_too(tmp_path: Path) -> None:
    write_table({"x": [np.int64(1), {"y": np.array([np.nan])}]}, tmp_path / "a.json")
    assert json.loads((tmp_path / "a.json").read_text()) == [{"x": 1}, {"x": {"y": [None]}}]


def test_csv_is_quoted(tmp_path: Path) -> None:
    write_table(COLUMNS, str(tmp_path / "a.csv"))
    with (tmp_path / "a.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == list(COLUMNS)
    assert rows[1] == ['a,"b"\n<i>&', "1", "0.5", "[1, 2]"]


def test_html_is_escaped_and_needs_nothing_else(tmp_path: Path) -> None:
    write_table({"<b>": ["<script>", "\ud800"]}, tmp_path / "a.html", title="1 < 2")
    page = (tmp_path / "a.html").read_text()
    assert "<title>1 &lt; 2</title>" in page
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert "http" not in page


def test_parquet(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    write_table(COLUMNS, tmp_path / "a.parquet")
    table = parquet.read_table(tmp_path / "a.parquet").to_pydict()
    assert (table["text"], table["tokens"]) == (COLUMNS["text"], COLUMNS["tokens"])


def test_parquet_without_pyarrow_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'anygram\[parquet\]'"):
        write_table(COLUMNS, tmp_path / "a.parquet")


def test_tables_that_cannot_be_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.xlsx.*\.parquet"):
        write_table(COLUMNS, tmp_path / "a.xlsx")
    with pytest.raises(InputError, match="one length"):
        write_table({"a": [1], "b": []}, tmp_path / "a.csv")
    assert not list(tmp_path.iterdir())
