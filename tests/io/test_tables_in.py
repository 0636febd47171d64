"""Parquet, Arrow, datasets, and tables in memory as corpora."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import anygram
from anygram.errors import InputError
from anygram.io import Corpus, TokenBlock, as_corpus, read_corpus
from anygram.types import MAX_TOKEN

pa: Any = pytest.importorskip("pyarrow")
pq: Any = pytest.importorskip("pyarrow.parquet")
feather: Any = pytest.importorskip("pyarrow.feather")

TEXTS = ["to be", "", "naïve 😀", "or not"]
TOKENS = [[5, 6, 7], [], [9], [5, 6]]
TABLE = pa.table({"text": TEXTS, "tokens": pa.array(TOKENS, pa.list_(pa.int32())), "year": [2020, None, 2022, 2023]})


def write_stream(table: Any, path: Path) -> None:
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table, 2)


def write_file(table: Any, path: Path) -> None:
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table, 2)


WRITERS = {
    ".parquet": lambda table, path: pq.write_table(table, path, row_group_size=3),
    ".arrow": write_file,
    ".arrows": write_stream,
    ".feather": lambda table, path: feather.write_feather(table, str(path)),
}


def ids(corpus: Corpus) -> list[list[int]]:
    return [record.tokens.tolist() for record in corpus if record.tokens is not None]


@pytest.mark.parametrize("suffix", WRITERS)
def test_texts_ids_and_metadata(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    WRITERS[suffix](TABLE, path)
    found = list(read_corpus(path, metadata="year", id_field="text"))
    assert [record.text for record in found] == [record.id for record in found] == TEXTS
    assert [record.metadata for record in found] == [{"year": year} for year in (2020, None, 2022, 2023)]
    assert [(record.source, record.line) for record in found] == [(str(path), n) for n in (1, 2, 3, 4)]
    corpus = read_corpus(tmp_path, tokens_field="tokens")
    assert ids(corpus) == TOKENS
    assert corpus.num_bytes == corpus.num_bytes_read == path.stat().st_size
    assert next(iter(corpus)).metadata == {"text": "to be", "year": 2020}
    assert all(isinstance(part, TokenBlock) for part in corpus.parts())


@pytest.mark.parametrize("suffix", WRITERS)
def test_every_truncation_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    WRITERS[suffix](TABLE.select(["text"]), path)
    whole = path.read_bytes()
    for size in (*range(0, len(whole), 3), len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(InputError, match=r"a\.\w+.*: "):
            list(read_corpus(path))


@pytest.mark.parametrize(
    "kind",
    [pa.list_(pa.uint8()), pa.large_list(pa.int64()), pa.list_(pa.uint16()), pa.large_list(pa.uint64())],
    ids=str,
)
def test_lists_of_every_type_are_blocks(kind: Any) -> None:
    lists = pa.array([[1], *TOKENS, [2]], kind).slice(1, 4)
    for documents in (lists, pa.chunked_array([lists.slice(0, 3), lists.slice(3)]), pa.table({"tokens": lists})):
        parts = list(as_corpus(documents).parts())
        assert all(isinstance(part, TokenBlock) for part in parts)
        assert ids(as_corpus(documents)) == TOKENS


def test_lists_of_fixed_size_and_with_nulls() -> None:
    assert ids(as_corpus(pa.array([[1, 2], [3, 4]], pa.list_(pa.int32(), 2)))) == [[1, 2], [3, 4]]
    for bad, reason in [([[1], None], "null"), ([[1], [None]], "null"), ([[1], [-2]], "found -2")]:
        with pytest.raises(InputError, match=f"record 2: .*{reason}"):
            ids(as_corpus(pa.array(bad, pa.list_(pa.int64()))))
    with pytest.raises(InputError, match=f"found {MAX_TOKEN + 1}"):
        ids(as_corpus(pa.array([[MAX_TOKEN + 1]], pa.list_(pa.uint64()))))


def test_bad_rows_can_be_skipped(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["a", None, "c"]}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"a.parquet:2: .*None"):
        list(read_corpus(tmp_path))
    corpus = read_corpus(tmp_path, on_error="skip", rejects=tmp_path / "rejects.jsonl")
    assert [record.text for record in corpus] == ["a", "c"]
    assert json.loads((tmp_path / "rejects.jsonl").read_text())["line"] == 2


def test_columns_that_are_not_there_or_of_no_use(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"body": ["a"], "input_ids": [[1]], "raw": [b"x"], "day": [date(2020, 2, 3)]}), path)
    for more, reason in [
        ({}, "no field 'text'; the table has 'body', 'input_ids'"),
        ({"text_field": "input_ids"}, "expected text; token ids are read with tokens_field"),
        ({"tokens_field": "body"}, "expected lists of integers"),
        ({"text_field": "body", "id_field": "name"}, "no column 'name'"),
    ]:
        with pytest.raises(InputError, match=reason):
            list(read_corpus(path, **more))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="'raw'"):
        list(read_corpus(path, text_field="body"))
    [record] = read_corpus(path, text_field="body", metadata="day")
    assert record.metadata == {"day": "2020-02-03"}
    path.write_bytes(b"no table at all")
    with pytest.raises(InputError, match="begin with PAR1"):
        list(read_corpus(path))


def test_dictionaries_and_views(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": pa.array(["a", "b", "a"]).dictionary_encode()}), tmp_path / "a.parquet")
    assert [record.text for record in read_corpus(tmp_path)] == ["a", "b", "a"]
    assert [record.text for record in as_corpus(pa.table({"text": pa.array(["a"], pa.large_string())}))] == ["a"]


def test_tables_in_memory() -> None:
    polars = pytest.importorskip("polars")
    table = TABLE.select(["text", "year"])
    for documents in (table, polars.from_arrow(table), table.to_batches()[0]):
        corpus = as_corpus(documents)
        assert [record.text for record in corpus] == [record.text for record in corpus] == TEXTS
        assert [record.metadata["year"] for record in corpus] == [2020, None, 2022, 2023]
    reader = as_corpus(table.to_reader())
    assert [record.text for record in reader] == TEXTS
    with pytest.raises(InputError, match="once only"):
        list(reader)
    assert [record.text for record in as_corpus(polars.Series(TEXTS))] == TEXTS
    with anygram.build(pa.array(TOKENS), tokenizer="none") as index:
        assert index.count([5, 6]) == 2
    with pytest.raises(InputError, match="expected a field 'text' or a field 'tokens', found neither"):
        list(as_corpus(pa.table({"a": [1]})))


def save_to_disk(folder: Path, tables: list[Any]) -> None:
    """As the library does, to the point that a reader can see."""
    folder.mkdir(parents=True)
    names = [f"data-{number:05}-of-{len(tables):05}.arrow" for number in range(len(tables))]
    for name, table in zip(names, tables, strict=True):
        write_stream(table, folder / name)
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name} for name in names]}))
    (folder / "dataset_info.json").write_text("{}")


def test_folders_of_datasets(tmp_path: Path) -> None:
    save_to_disk(tmp_path / "d/train", [TABLE.slice(0, 3), TABLE.slice(3)])
    write_stream(TABLE, tmp_path / "d/train/cache-1.arrow")
    assert [record.text for record in read_corpus(tmp_path / "d/train")] == TEXTS
    assert [record.text for record in read_corpus(tmp_path)] == TEXTS
    (tmp_path / "d/dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    with pytest.raises(InputError, match=rf"a DatasetDict with 2 splits: .*{tmp_path}/d/train, {tmp_path}/d/test"):
        read_corpus(tmp_path / "d")
    (tmp_path / "d/train/data-00001-of-00002.arrow").unlink()
    with pytest.raises(InputError, match=r"data-00001-of-00002.arrow: the file is missing"):
        read_corpus(tmp_path / "d/train")


@pytest.mark.filterwarnings("ignore")
def test_against_datasets(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    dataset = datasets.Dataset.from_dict({"text": TEXTS, "year": [1, 2, 3, 4]})
    dataset.save_to_disk(tmp_path / "d", num_shards=2)
    assert [record.text for record in read_corpus(tmp_path / "d")] == TEXTS
    chosen = dataset.select([3, 0])
    for documents in (chosen, chosen.to_iterable_dataset()):
        corpus = as_corpus(documents)
        assert [record.text for record in corpus] == [record.text for record in corpus] == [TEXTS[3], TEXTS[0]]
        assert [record.metadata for record in corpus] == [{"year": 4}, {"year": 1}]
    with pytest.raises(InputError, match=r"DatasetDict with the splits train: give one, as documents\['train'\]"):
        as_corpus(datasets.DatasetDict({"train": dataset}))
    tokens = datasets.Dataset.from_dict({"tokens": TOKENS})
    assert ids(as_corpus(tokens)) == TOKENS
    assert np.array_equal(anygram.build(tokens, tokenizer="none").token_counts()[5:8], [2, 2, 1])
