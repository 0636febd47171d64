"""Files of token ids, each written here by its layout alone, and damaged in every way."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import anygram
from anygram.errors import InputError
from anygram.io import Corpus, read_corpus
from anygram.types import MAX_TOKEN

DOCUMENTS = [[5, 6, 7], [], [9], [5, 6], [], []]
EOT = 50_256

Writer = Callable[[Path, list[list[int]]], Path]


def ids(corpus: Corpus) -> list[list[int]]:
    return [record.tokens.tolist() for record in corpus if record.tokens is not None]


def flat(documents: list[list[int]], dtype: str) -> bytes:
    return np.array([token for document in documents for token in document], dtype).tobytes()


def megatron_index(lengths: list[int], code: int, width: int, borders: list[int], modes: bool = False) -> bytes:
    offsets = np.cumsum([0, *lengths])[:-1] * width
    return b"".join(
        [
            b"MMIDIDX\0\0",
            struct.pack("<QBQQ", 1, code, len(lengths), len(borders)),
            np.array(lengths, "<i4").tobytes(),
            offsets.astype("<i8").tobytes(),
            np.array(borders, "<i8").tobytes(),
            bytes(len(lengths)) if modes else b"",
        ]
    )


def megatron(folder: Path, documents: list[list[int]], dtype: str = "<i4", code: int = 4) -> Path:
    (folder / "text_document.bin").write_bytes(flat(documents, dtype))
    index = megatron_index([len(d) for d in documents], code, np.dtype(dtype).itemsize, list(range(len(documents) + 1)))
    (folder / "text_document.idx").write_bytes(index)
    return folder / "text_document.bin"


def datatrove(folder: Path, documents: list[list[int]], dtype: str = "<u2") -> Path:
    (folder / "00000_tokens.ds").write_bytes(flat(documents, dtype))
    ends = np.cumsum([len(document) for document in documents])
    (folder / "00000_tokens.ds.index").write_bytes(ends.astype("<u8").tobytes())
    return folder / "00000_tokens.ds"


def llmc(folder: Path, documents: list[list[int]], magic: int = 20240520, version: int = 1, eot: int = EOT) -> Path:
    tokens = [token for document in documents for token in (eot, *document)]
    header = np.zeros(256, "<i4")
    header[:3] = magic, version, len(tokens)
    (folder / "train.bin").write_bytes(header.tobytes() + np.array(tokens, "<u2" if version == 1 else "<u4").tobytes())
    return folder / "train.bin"


def olmo(folder: Path, documents: list[list[int]], dtype: str = "<u2") -> Path:
    (folder / "part-0.npy").write_bytes(flat(documents, dtype))
    ends = np.cumsum([len(document) for document in documents]).tolist()
    rows = [f"{end - len(d)},{end},name,file.json.gz,1\n" for d, end in zip(documents, ends, strict=True)]
    (folder / "part-0.csv.gz").write_bytes(gzip.compress("".join(rows).encode()))
    return folder / "part-0.npy"


WRITERS: dict[str, Writer] = {"megatron": megatron, "datatrove": datatrove, "llmc": llmc, "olmo": olmo}


def corpus_of(name: str, path: Path) -> Corpus:
    return read_corpus(path, token_dtype="uint16" if name == "olmo" else None)


@pytest.mark.parametrize("name", WRITERS)
def test_documents_come_back_with_their_places(tmp_path: Path, name: str) -> None:
    path = WRITERS[name](tmp_path, DOCUMENTS)
    for corpus in (corpus_of(name, path), corpus_of(name, tmp_path)):
        assert ids(corpus) == DOCUMENTS
        assert [(record.source, record.line) for record in corpus] == [(str(path), n + 1) for n in range(6)]
    with anygram.build(corpus, tokenizer="none") as built, anygram.build(DOCUMENTS, tokenizer="none") as plain:
        assert built.num_documents == plain.num_documents == 6
        assert built.count([5, 6]) == plain.count([5, 6]) == 2


@pytest.mark.parametrize("name", WRITERS)
def test_every_truncation_is_refused(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path, [[500, 600, 700], [900], [500, 600]])
    for file in sorted(tmp_path.iterdir()):
        whole = file.read_bytes()
        for size in range(len(whole)):
            file.write_bytes(whole[:size])
            with pytest.raises(InputError):
                ids(corpus_of(name, tmp_path))
        file.write_bytes(whole)
    assert ids(corpus_of(name, tmp_path)) == [[500, 600, 700], [900], [500, 600]]


@pytest.mark.parametrize(("dtype", "code"), [("<u1", 1), ("<i1", 2), ("<i2", 3), ("<i4", 4), ("<i8", 5), ("<u2", 8)])
def test_megatron_types(tmp_path: Path, dtype: str, code: int) -> None:
    path = megatron(tmp_path, DOCUMENTS, dtype, code)
    assert ids(read_corpus(path)) == ids(read_corpus(path.with_suffix(""))) == DOCUMENTS
    assert ids(read_corpus(path.with_suffix(".idx"))) == DOCUMENTS


def test_megatron_documents_of_several_sequences_and_modes(tmp_path: Path) -> None:
    path = megatron(tmp_path, DOCUMENTS)
    path.with_suffix(".idx").write_bytes(megatron_index([3, 0, 1, 2], 4, 4, [0, 2, 2, 4], modes=True))
    assert ids(read_corpus(path)) == [[5, 6, 7], [], [9, 5, 6]]


@pytest.mark.parametrize(
    ("index", "reason"),
    [
        (megatron_index([3, 4], 4, 4, [0, 1, 2]), "describes 7 ids"),
        (megatron_index([3, 2], 4, 4, [0, 1, 2]), "describes 5 ids"),
        (megatron_index([3, 3], 4, 4, [0, 2, 1, 2]), "do not ascend"),
        (megatron_index([3, 3], 4, 4, [0, 1]), "do not ascend"),
        (megatron_index([3, 3], 4, 4, [1, 2]), "do not ascend"),
        (megatron_index([3, 3], 4, 4, []), "do not ascend"),
        (megatron_index([7, -1], 4, 4, [0, 1, 2]), "negative length"),
        (megatron_index([3, 3], 4, 2, [0, 1, 2]), "sequence 1 begins at byte 6"),
        (megatron_index([3, 3], 6, 8, [0, 1, 2]), "floating-point"),
        (megatron_index([3, 3], 99, 4, [0, 1, 2]), "type code 99"),
        (b"MMIDIDX\0\0" + struct.pack("<QBQQ", 2, 4, 0, 1), "version 1"),
        (b"MMIDIDX\0\0" + struct.pack("<QBQQ", 1, 4, 2**63, 1), "truncated or damaged"),
        (b"TNTIDX\0\0", "older format"),
    ],
)
def test_megatron_indexes_that_lie(tmp_path: Path, index: bytes, reason: str) -> None:
    path = megatron(tmp_path, DOCUMENTS)
    path.with_suffix(".idx").write_bytes(index)
    with pytest.raises(InputError, match=reason) as caught:
        ids(read_corpus(path))
    assert str(caught.value.source).startswith(str(path.with_suffix("")))


def test_megatron_negative_ids_have_a_place(tmp_path: Path) -> None:
    path = megatron(tmp_path, [[1], [2, -3]])
    with pytest.raises(InputError, match=f"{path}:2: .*found -3"):
        ids(read_corpus(path))
    with pytest.raises(InputError, match=f"found {MAX_TOKEN + 1}"):
        ids(read_corpus(megatron(tmp_path, [[MAX_TOKEN + 1]], "<i8", 5)))


@pytest.mark.parametrize("name", ["megatron", "datatrove", "olmo"])
def test_end_tokens_are_dropped_where_they_end_a_document(tmp_path: Path, name: str) -> None:
    path = WRITERS[name](tmp_path, [[5, 0, 6, 0], [0], [7, 0]])
    read = read_corpus(path, end_token=0, token_dtype="uint16")
    assert ids(read) == [[5, 0, 6], [], [7]]
    path = WRITERS[name](tmp_path, [[5, 0], [], [7], [0, 0]])
    assert ids(read_corpus(path, end_token=0, token_dtype="uint16")) == [[5], [], [7], [0]]


def test_datatrove_of_4_bytes_alone_and_with_falling_ends(tmp_path: Path) -> None:
    path = datatrove(tmp_path, [[70_000, 70_001], [5, 6]], "<u4")
    whole = path.read_bytes()
    path.write_bytes(whole[:8])
    with pytest.raises(InputError, match="high half"):
        ids(read_corpus(path))
    assert ids(read_corpus(path, token_dtype="uint16")) == [[4464, 1], [4465, 1]]
    path = datatrove(tmp_path, [[70_000], [5]], "<u4")
    assert ids(read_corpus(path)) == ids(read_corpus(f"{path}.index")) == [[70_000], [5]]
    Path(f"{path}.index").write_bytes(np.array([2, 1, 2], "<u8").tobytes())
    with pytest.raises(InputError, match="document 2 ends at 1, before"):
        ids(read_corpus(path))
    Path(f"{path}.index").unlink()
    with pytest.raises(InputError, match=r"no .ds.index beside it.*token_dtype"):
        read_corpus(path)
    assert ids(read_corpus(path, token_dtype="uint32", end_token=5)) == [[70_000]]


def test_llmc_shards_that_begin_and_end_within_a_document(tmp_path: Path) -> None:
    path = llmc(tmp_path, [[1, 2], [3], []])
    raw = bytearray(path.read_bytes())
    raw[8:12] = struct.pack("<i", 5)
    del raw[1024:1026]
    path.write_bytes(raw)
    assert ids(read_corpus(path)) == [[1, 2], [3], []]
    assert ids(read_corpus(path, end_token=3)) == [[1, 2, EOT], [EOT]]
    assert ids(read_corpus(llmc(tmp_path, [[70_000]], 20240801, 7, 128_000))) == [[70_000]]


def test_raw_npy_needs_its_type_and_may_lack_offsets(tmp_path: Path) -> None:
    path = olmo(tmp_path, DOCUMENTS)
    with pytest.raises(InputError, match=r"no file of NumPy, in spite of its name.*token_dtype"):
        read_corpus(path)
    with pytest.raises(InputError, match="ends at 4, and the file of ids has 3"):
        ids(read_corpus(path, token_dtype="uint32"))
    (tmp_path / "part-0.csv.gz").write_bytes(gzip.compress(b"0,4\n3,6\n"))
    with pytest.raises(InputError, match=r"part-0.csv.gz:2: the document from 3 to 6"):
        ids(read_corpus(path, token_dtype="uint16"))
    (tmp_path / "part-0.csv.gz").unlink()
    assert ids(read_corpus(path, token_dtype="uint16", end_token=9)) == [[5, 6, 7], [5, 6]]


def test_raw_bin_is_still_asked_for_its_type(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(flat(DOCUMENTS, "<u2"))
    with pytest.raises(InputError, match=r"no .idx of Megatron beside it and no header of llm.c"):
        read_corpus(tmp_path)
    assert ids(read_corpus(tmp_path, token_dtype="uint16")) == [[5, 6, 7, 9, 5, 6]]


def test_against_datatrove(tmp_path: Path) -> None:
    tokenizer = pytest.importorskip("datatrove.pipeline.tokens.tokenizer")
    folders = pytest.importorskip("datatrove.io")
    file = tokenizer.TokenizedFile(folders.get_datafolder(str(tmp_path)), "a.ds", save_index=True, token_size=2)
    for document in DOCUMENTS:
        file.write(document, None)
    file.close()
    assert ids(read_corpus(tmp_path / "a.ds")) == DOCUMENTS
