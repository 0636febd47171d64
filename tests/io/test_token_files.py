"""Token ids as training programs keep them, written by their documented layouts."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from anygram.errors import InputError
from anygram.io import read_corpus
from anygram.io.records import TokenBlock

DOCUMENTS = [[5, 6, 7], [], [65534, 1], [2] * 40]
MEGATRON_CODES = {"u1": 1, "i2": 3, "i4": 4, "i8": 5, "u2": 8}


def tokens_of(*arguments: object, **options: object) -> list[list[int]]:
    records = read_corpus(*arguments, **options)  # type: ignore[arg-type]
    return [record.tokens.tolist() for record in records]  # type: ignore[union-attr]


def write_megatron(
    path: Path, documents: Iterable[Iterable[list[int]]], dtype: str = "u2", *, modes: bool = False
) -> None:
    """Documents of sequences."""
    nested = [list(document) for document in documents]
    sequences = [sequence for document in nested for sequence in document]
    lengths = [len(sequence) for sequence in sequences]
    size = np.dtype(dtype).itemsize
    path.with_suffix(".bin").write_bytes(b"".join(np.array(sequence, dtype).tobytes() for sequence in sequences))
    bounds = np.cumsum([0, *(len(document) for document in nested)])
    head = struct.pack("<9sQBQQ", b"MMIDIDX\0\0", 1, MEGATRON_CODES[dtype], len(sequences), len(bounds))
    pointers = (np.cumsum([0, *lengths])[:-1] * size).astype("<i8")
    content = head + np.array(lengths, "<i4").tobytes() + pointers.tobytes() + bounds.astype("<i8").tobytes()
    path.with_suffix(".idx").write_bytes(content + b"\0" * (len(sequences) if modes else 0))


@pytest.mark.parametrize("dtype", ["u2", "i4", "i8"])
@pytest.mark.parametrize("modes", [False, True])
def test_megatron(tmp_path: Path, dtype: str, modes: bool) -> None:
    write_megatron(tmp_path / "a", [[document] for document in DOCUMENTS], dtype, modes=modes)
    for name in ("a.bin", "a.idx", "."):
        assert tokens_of(tmp_path / name) == DOCUMENTS
    assert tokens_of(str(tmp_path / "a.*")) == DOCUMENTS
    parts = list(read_corpus(tmp_path / "a.bin").parts())
    assert all(isinstance(part, TokenBlock) for part in parts)


def test_megatron_documents_of_several_sequences_and_end_tokens(tmp_path: Path) -> None:
    write_megatron(tmp_path / "a", [[[1, 2], [3, 9]], [], [[9]], [[4], [5, 9]]])
    assert tokens_of(tmp_path / "a.bin") == [[1, 2, 3, 9], [], [9], [4, 5, 9]]
    assert tokens_of(tmp_path / "a.bin", end_token=9) == [[1, 2, 3], [], [], [4, 5]]
    write_megatron(tmp_path / "b", [[[1, 9]], [[2, 9]]])
    parts = list(read_corpus(tmp_path / "b.bin", end_token=9).parts())
    assert isinstance(parts[0], TokenBlock)
    assert parts[0].separated
    assert tokens_of(tmp_path / "b.bin", end_token=9) == [[1], [2]]
    assert tokens_of(tmp_path / "b.bin", end_token=8) == [[1, 9], [2, 9]]


def test_every_damage_to_a_megatron_index_is_refused_or_harmless(tmp_path: Path) -> None:
    write_megatron(tmp_path / "a", [[document] for document in DOCUMENTS])
    index, data = tmp_path / "a.idx", tmp_path / "a.bin"
    content, ids = index.read_bytes(), data.read_bytes()
    for size in range(9, len(content)):
        index.write_bytes(content[:size])
        with pytest.raises(InputError, match=r"a\.bin"):
            tokens_of(data)
    for place in range(9, len(content)):
        index.write_bytes(content[:place] + bytes([content[place] ^ 0x41]) + content[place + 1 :])
        try:
            found = tokens_of(data)
        except InputError:
            continue
        # Only the type code and the borders of documents can be wrong and still fit the file.
        assert sum(map(len, found)) == sum(map(len, DOCUMENTS))
    index.write_bytes(content)
    for size in range(len(ids)):
        data.write_bytes(ids[:size])
        with pytest.raises(InputError, match=r"a\.bin"):
            tokens_of(data)


@pytest.mark.parametrize("dtype", ["<u2", "<u4"])
def test_datatrove(tmp_path: Path, dtype: str) -> None:
    path = tmp_path / "a.ds"
    path.write_bytes(np.concatenate([np.array(document, dtype) for document in DOCUMENTS]).tobytes())
    ends = np.cumsum([len(document) for document in DOCUMENTS]).astype("<u8")
    index = tmp_path / "a.ds.index"
    index.write_bytes(ends.tobytes())
    assert tokens_of(path) == DOCUMENTS
    assert tokens_of(tmp_path) == DOCUMENTS
    index.write_bytes(ends[::-1].tobytes())
    with pytest.raises(InputError, match="descends"):
        tokens_of(path)
    for size in range(len(index.read_bytes())):
        index.write_bytes(ends.tobytes()[:size])
        with pytest.raises(InputError, match="index"):
            tokens_of(path)
    index.unlink()
    with pytest.raises(InputError, match="missing"):
        tokens_of(path)


def test_datatrove_as_its_own_writer_writes(tmp_path: Path) -> None:
    tokens = pytest.importorskip("datatrove.pipeline.tokens.tokenizer")
    from datatrove.io import get_datafolder

    file = tokens.TokenizedFile(get_datafolder(str(tmp_path)), "a.ds", save_loss_metadata=False)
    for document in DOCUMENTS:
        file.write(document, None)
    file.close()
    assert tokens_of(tmp_path / "a.ds") == DOCUMENTS


def llmc(ids: list[int], magic: int = 20240520, version: int = 1, count: int | None = None) -> bytes:
    header = np.zeros(256, "<i4")
    header[:3] = magic, version, len(ids) if count is None else count
    return header.tobytes() + np.array(ids, "<u2" if magic == 20240520 else "<u4").tobytes()


def test_llmc(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(llmc([50256, 1, 2, 50256, 50256, 3]))
    assert tokens_of(path) == [[1, 2], [], [3]]
    assert tokens_of(path, end_token=2) == [[50256, 1], [50256, 50256, 3]]
    path.write_bytes(llmc([7, 8, 50256, 3]))  # goes on with a document of the file before
    assert tokens_of(path) == [[7, 8], [3]]
    path.write_bytes(llmc([128000, 100_000, 128000, 4], 20240801, 7))
    assert tokens_of(path) == [[100_000], [4]]
    for bad, message in (
        (llmc([1], count=2), "2 ids"),
        (llmc([1], version=9), "version 9"),
        (llmc([1])[:500], "header"),
    ):
        path.write_bytes(bad)
        with pytest.raises(InputError, match=message):
            tokens_of(path)


def test_raw_ids_need_a_type(tmp_path: Path) -> None:
    path = tmp_path / "train.bin"
    path.write_bytes(np.array([1, 2, 50256, 3], np.uint16).tobytes())
    with pytest.raises(InputError, match="token_dtype"):
        read_corpus(path)
    assert tokens_of(path, token_dtype="uint16", end_token=50256) == [[1, 2], [3]]


def test_olmo(tmp_path: Path) -> None:
    path = tmp_path / "part-0-00000.npy"
    ids = np.array([1, 2, 9, 3, 9, 4, 5, 6, 9], np.uint16)
    path.write_bytes(ids.tobytes())
    with pytest.raises(InputError, match="OLMo"):
        read_corpus(path)
    assert tokens_of(path, token_dtype="uint16", end_token=9) == [[1, 2], [3], [4, 5, 6]]
    table = tmp_path / "part-0-00000.csv.gz"
    table.write_bytes(gzip.compress(b"0,3,id-1,web.gz,1\n3,5,id-2,web.gz,2\n5,9,id-3,book.gz,1\n"))
    records = list(read_corpus(path, token_dtype="uint16", end_token=9, id_field="id"))
    assert [r.tokens.tolist() for r in records] == [[1, 2], [3], [4, 5, 6]]  # type: ignore[union-attr]
    assert [r.id for r in records] == ["id-1", "id-2", "id-3"]
    assert records[2].metadata == {"id": "id-3", "source": "book.gz", "line": "1"}
    assert tokens_of(path, token_dtype="uint16")[0] == [1, 2, 9]
    for bad in (b"0,3\n3,100\n", b"x,3\n", b"3,0\n"):
        table.write_bytes(gzip.compress(bad))
        with pytest.raises(InputError, match=r"csv\.gz"):
            tokens_of(path, token_dtype="uint16")
    table.write_bytes(gzip.compress(b"0,3\n" * 1000)[:30])
    with pytest.raises(InputError, match=r"csv\.gz"):
        tokens_of(path, token_dtype="uint16")
