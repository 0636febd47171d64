"""Tables as corpora: Parquet, Arrow, data sets of Hugging Face, and tables in memory."""

from __future__ import annotations

import datetime
import decimal
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import anygram
from anygram.errors import InputError, MissingExtraError
from anygram.io import read_corpus
from anygram.io.iterables import as_corpus
from anygram.io.records import Record, TokenBlock

pyarrow = pytest.importorskip("pyarrow")
pytest.importorskip("pyarrow.parquet")

ROWS: list[dict[str, Any]] = [
    {"text": "to be", "year": 1600, "tags": ["a", "b"], "meta": {"lang": "en", "score": 0.5}},
    {"text": "", "year": None, "tags": [], "meta": None},
    {"text": "nöt 😀", "year": 3, "tags": None, "meta": {"lang": "de", "score": None}},
]
TOKENS = [[1, 2, 3], [], [65534], [7] * 100]


def write_parquet(table: Any, path: Path) -> None:
    pyarrow.parquet.write_table(table, path, row_group_size=2)


def write_file(table: Any, path: Path) -> None:
    with pyarrow.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table, 2)


def write_stream(table: Any, path: Path) -> None:
    with pyarrow.ipc.new_stream(path, table.schema) as writer:
        writer.write_table(table, 2)


WRITERS = [(write_parquet, "a.parquet"), (write_file, "a.feather"), (write_stream, "a.arrow"), (write_file, "a.ipc")]


@pytest.fixture(params=WRITERS, ids=[name for _, name in WRITERS])
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Any], Path]:
    write, name = request.param

    def written(table: Any) -> Path:
        write(table, tmp_path / name)
        return tmp_path / name

    return written


def test_rows_are_documents_with_their_other_columns(written: Callable[[Any], Path]) -> None:
    path = written(pyarrow.Table.from_pylist(ROWS))
    corpus = read_corpus(path, id_field="year", on_error="skip", rejects=path.parent / "rejects")
    records = list(corpus)
    rest = [{name: value for name, value in row.items() if name != "text"} for row in ROWS]
    expected = [(row["text"], other, number) for number, (row, other) in enumerate(zip(ROWS, rest, strict=True), 1)]
    # The second has no year, so no name.
    assert [(r.text, r.metadata, r.line) for r in records] == [expected[0], expected[2]]
    assert records[0].id == "1600"
    assert records[0].source == str(path)
    assert corpus.num_rejected == 1
    assert corpus.num_bytes == path.stat().st_size
    assert 0 < corpus.num_bytes_read <= path.stat().st_size
    chosen = list(read_corpus(path, metadata="year"))
    assert [r.metadata for r in chosen] == [{"year": row["year"]} for row in ROWS]


@pytest.mark.parametrize("kind", ["list", "large", "fixed"])
@pytest.mark.parametrize("width", ["int64", "uint32", "uint16", "int8"])
def test_columns_of_ids_are_handed_on_in_blocks(written: Callable[[Any], Path], kind: str, width: str) -> None:
    tokens = [[1, 2], [3, 4], [5, 6]] if kind == "fixed" or width == "int8" else TOKENS
    item = getattr(pyarrow, width)()
    types = {"list": pyarrow.list_(item), "large": pyarrow.large_list(item), "fixed": pyarrow.list_(item, 2)}
    path = written(pyarrow.table({"input_ids": pyarrow.array(tokens, types[kind])}))
    parts = list(read_corpus(path, tokens_field="input_ids").parts())
    assert all(isinstance(part, TokenBlock) for part in parts)
    records = list(read_corpus(path, tokens_field="input_ids"))
    assert [record.tokens.tolist() for record in records] == tokens  # type: ignore[union-attr]
    assert [record.line for record in records] == list(range(1, len(tokens) + 1))


def test_ids_with_other_columns(written: Callable[[Any], Path]) -> None:
    path = written(pyarrow.table({"ids": TOKENS, "name": list("abcd")}))
    records = list(read_corpus(path, tokens_field="ids"))
    assert [(r.tokens.tolist(), r.metadata) for r in records] == [  # type: ignore[union-attr]
        (tokens, {"name": name}) for tokens, name in zip(TOKENS, "abcd", strict=True)
    ]
    parts = list(read_corpus(path, tokens_field="ids", metadata="none").parts())
    assert all(isinstance(part, TokenBlock) for part in parts)


def test_bad_rows_are_named(written: Callable[[Any], Path]) -> None:
    path = written(pyarrow.table({"text": ["a", None, "b"], "ids": [[1], [2**32], None]}))
    with pytest.raises(InputError, match="expected text") as caught:
        list(read_corpus(path))
    assert f"{path}:2" in str(caught.value)
    with pytest.raises(InputError, match="4294967296"):
        list(read_corpus(path, tokens_field="ids"))
    with pytest.raises(InputError, match="no field 'body'; the record has 'text', 'ids'"):
        list(read_corpus(path, text_field="body"))


def test_values_that_json_lacks(written: Callable[[Any], Path]) -> None:
    day, moment = datetime.date(2024, 5, 1), datetime.datetime(2024, 5, 1, 12, tzinfo=datetime.UTC)
    row = {"text": "a", "day": day, "moment": moment, "price": decimal.Decimal("1.10"), "nested": [{"day": day}]}
    path = written(pyarrow.Table.from_pylist([row]))
    assert next(iter(read_corpus(path))).metadata == {
        "day": "2024-05-01",
        "moment": "2024-05-01T12:00:00+00:00",
        "price": "1.10",
        "nested": [{"day": "2024-05-01"}],
    }
    raw = written(pyarrow.Table.from_pylist([{"text": "a", "raw": b"\xff"}]))
    with pytest.raises(InputError, match="raw"):
        list(read_corpus(raw))
    assert next(iter(read_corpus(raw, metadata="none"))).text == "a"


def test_every_truncation_is_refused(written: Callable[[Any], Path]) -> None:
    path = written(pyarrow.Table.from_pylist(ROWS))
    content = path.read_bytes()
    whole = [record.text for record in read_corpus(path)]
    for size in range(0, len(content), 7):
        path.write_bytes(content[:size])
        try:
            found = [record.text for record in read_corpus(path)]
        except InputError:
            continue
        # A stream has no end mark that must be there: what is whole of it is a table.
        assert found == whole[: len(found)]
        assert path.suffix == ".arrow"


def test_a_data_set_on_disk(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    table = pyarrow.Table.from_pylist(ROWS)
    names = ["data-00001-of-00002.arrow", "data-00000-of-00002.arrow"]
    for number, name in enumerate(names):
        write_stream(table.slice(2 * number, 2), folder / name)
    (folder / "dataset_info.json").write_text("{}")
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name} for name in names]}))
    assert [record.text for record in read_corpus(folder)] == [row["text"] for row in ROWS]
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["set", "test"]}')
    with pytest.raises(InputError, match=r"several splits.*set, .*test"):
        read_corpus(tmp_path)
    (folder / "state.json").write_text("{")
    with pytest.raises(InputError, match="damaged"):
        read_corpus(folder)


def test_data_sets_of_the_library(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    dataset = datasets.Dataset.from_list(ROWS).select([2, 0])
    expected = [ROWS[2]["text"], ROWS[0]["text"]]
    corpus = as_corpus(dataset)
    assert [record.text for record in corpus] == expected
    assert [record.text for record in corpus] == expected
    assert [record.text for record in as_corpus(dataset.to_iterable_dataset())] == expected
    dataset.save_to_disk(tmp_path / "saved")
    assert [record.text for record in read_corpus(tmp_path / "saved")] == expected
    tokens = datasets.Dataset.from_dict({"tokens": TOKENS})
    assert [record.tokens.tolist() for record in as_corpus(tokens)] == TOKENS  # type: ignore[union-attr]


def test_tables_in_memory() -> None:
    table = pyarrow.Table.from_pylist(ROWS)
    texts = [row["text"] for row in ROWS]
    corpus = as_corpus(table)
    assert [record.text for record in corpus] == [record.text for record in corpus] == texts
    assert next(iter(corpus)).metadata == {name: value for name, value in ROWS[0].items() if name != "text"}
    once = as_corpus(table.to_reader())
    assert [record.text for record in once] == texts
    with pytest.raises(InputError, match="once"):
        list(once)
    polars = pytest.importorskip("polars")
    assert [record.text for record in as_corpus(polars.DataFrame({"text": texts}))] == texts
    parts = list(as_corpus(pyarrow.table({"tokens": TOKENS})).parts())
    assert isinstance(parts[0], TokenBlock)
    index = anygram.build(table, tokenizer="words")
    assert index.document(0).metadata["year"] == 1600


def test_an_index_of_a_table_is_that_of_its_rows(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    documents = [draw.integers(0, 50, draw.integers(0, 30)).tolist() for _ in range(5000)]
    path = tmp_path / "a.parquet"
    write_parquet(pyarrow.table({"ids": pyarrow.array(documents, pyarrow.list_(pyarrow.int32()))}), path)
    index = anygram.build(read_corpus(path, tokens_field="ids"), tokenizer=None, shards=2)
    expected = anygram.build(documents, tokenizer=None, shards=2)
    assert index.num_documents == 5000
    assert index.count_batch([[1], [1, 2], [3, 4]]).tolist() == expected.count_batch([[1], [1, 2], [3, 4]]).tolist()
    assert index.document(4999).tokens.tolist() == documents[4999]


def test_urls(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    write_parquet(pyarrow.Table.from_pylist(ROWS), tmp_path / "a.parquet")
    memory.pipe("/corpus/b/a.parquet", (tmp_path / "a.parquet").read_bytes())
    memory.pipe("/corpus/a.jsonl", b'{"text": "first"}\n{"text": "second"}\n')
    memory.pipe("/corpus/ids.bin", np.array([1, 2, 9, 3], np.uint16).tobytes())
    memory.pipe("/corpus/notes.md", b"not read")
    texts = [row["text"] for row in ROWS]
    assert [r.text for r in read_corpus("memory://corpus/*.jsonl")] == ["first", "second"]
    assert [r.text for r in read_corpus("memory://corpus/b")] == texts
    found = read_corpus("memory://corpus/ids.bin", token_dtype="uint16", end_token=9)
    assert [r.tokens.tolist() for r in found] == [[1, 2], [3]]  # type: ignore[union-attr]
    assert isinstance(next(iter(read_corpus("memory://corpus", token_dtype="uint16"))), Record)
    with pytest.raises(InputError, match="no such file"):
        read_corpus("memory://corpus/none.jsonl")
    with pytest.raises(InputError, match="known are"):
        read_corpus("memory://corpus/*.md")


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_parquet(pyarrow.Table.from_pylist(ROWS), tmp_path / "a.parquet")
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "pyarrow", None)
        with pytest.raises(MissingExtraError, match=r"anygram\[parquet\]"):
            list(read_corpus(tmp_path / "a.parquet"))
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "fsspec", None)
        with pytest.raises(MissingExtraError, match=r"anygram\[remote\]"):
            read_corpus("s3://bucket/a.jsonl")
