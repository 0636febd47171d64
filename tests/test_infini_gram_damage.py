"""infini-gram's files as they were verified to be, and damaged ones: refused, or right."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import anygram
from compat.infini_gram_files import write_index

DOCUMENTS = [[256, 2, 256], [1, 256, 2], [2, 1, 65534], [256, 2]]


@pytest.fixture
def stock(tmp_path: Path) -> Path:
    """What infini-gram's own builder writes of DOCUMENTS, byte for byte."""
    folder = tmp_path / "stock"
    folder.mkdir()
    stream = "ffff 0001 0200 0001 ffff 0100 0001 0200 ffff 0200 0100 feff ffff 0001 0200"
    (folder / "tokenized.0").write_bytes(bytes.fromhex(stream))
    (folder / "table.0").write_bytes(bytes.fromhex("1a 02 0c 06 0a 14 1c 04 12 0e 16 18 00 08 10"))
    (folder / "offset.0").write_bytes(b"".join(place.to_bytes(8, "little") for place in (0, 8, 16, 24)))
    return folder


def test_files_of_its_own_builder(stock: Path) -> None:
    index = anygram.open(stock)
    plain = anygram.build(DOCUMENTS, tokenizer="none")
    assert index.token_width == 2
    assert [document.tokens.tolist() for document in index.documents(range(4))] == DOCUMENTS
    for ngram in ([], [1], [2], [256], [65534], [256, 2], [2, 256], [256, 2, 256], [65535]):
        assert index.count(ngram) == plain.count(ngram)
        assert index.continuations(ngram) == plain.continuations(ngram)
    assert anygram.verify(stock, deep=True).ok


@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize("pointer_bytes", [2, 5, 8])
def test_token_and_pointer_widths(width: int, pointer_bytes: int, tmp_path: Path) -> None:
    draw = random.Random(width)
    ids = [0, 1, 254] if width == 1 else [0, 1, 256, 65534]
    corpus = [draw.choices(ids, k=draw.randint(0, 9)) for _ in range(20)]
    folder = Path(write_index(tmp_path / "i", corpus, width=width))
    size = 1 if sum(map(len, corpus)) * width + 20 * width <= 256 else 2
    table = (folder / "table.0").read_bytes()
    pointers = [table[place : place + size].ljust(pointer_bytes, b"\0") for place in range(0, len(table), size)]
    (folder / "table.0").write_bytes(b"".join(pointers))
    index = anygram.open(folder)
    plain = anygram.build(corpus, tokenizer="none")
    assert index.token_width == width
    for _ in range(60):
        ngram = draw.choices(ids, k=draw.randint(0, 3))
        assert index.count(ngram) == plain.count(ngram)
        assert index.continuations(ngram, backoff=True) == plain.continuations(ngram, backoff=True)
        text = draw.choices(ids, k=12)
        assert index.score(text, end=True) == plain.score(text, end=True)
        assert index.longest_matches(text) == plain.longest_matches(text)
    assert anygram.verify(folder, deep=True).ok


def test_strings_in_bytes(tmp_path: Path) -> None:
    texts = ["to be or not to be", "", "to be", "b"]
    folder = write_index(tmp_path / "i", [list(text.encode()) for text in texts], width=1)
    index = anygram.open(folder, tokenizer="bytes")
    plain = anygram.build(texts, tokenizer="bytes")
    for text in ("to be", "be", "b", "e", "o n", "x"):
        assert (
            index.count(text, match="text")
            == plain.count(text, match="text")
            == sum(one[at:].startswith(text) for one in texts for at in range(len(one)))
        )
        assert index.document_count(text) == plain.document_count(text)


def test_shards_stand_in_the_order_of_their_names(tmp_path: Path) -> None:
    corpus = [[number] for number in range(12)]
    index = anygram.open(write_index(tmp_path / "i", corpus, num_shards=12))
    found = [document.tokens.tolist()[0] for document in index.documents(range(12))]
    assert found == sorted(range(12), key=str)


def ask_everything(index: anygram.Index) -> list[object]:
    ngrams = [[], [1], [2], [256], [65534], [256, 2], [2, 256], [1, 256, 2], [2, 1]]
    answers: list[object] = [index.num_documents, index.num_tokens]
    answers += [index.count(ngram) for ngram in ngrams]
    answers += [index.continuations(ngram).to_dict() for ngram in ngrams]
    answers += [[(one.document, one.offset) for one in index.find(ngram)] for ngram in ngrams[1:]]
    answers += [index.score([256, 2, 256, 1], end=True).to_dict(), index.longest_matches([256, 2, 1, 7]).to_dict()]
    answers += [(one.tokens.tolist(), one.metadata, one.source) for one in index.documents(range(4))]
    return answers


@pytest.mark.parametrize("kind", ["tokenized", "table", "offset", "metadata", "metaoff"])
def test_truncated_files_are_refused(kind: str, tmp_path: Path) -> None:
    file = Path(write_index(tmp_path / "i", DOCUMENTS)) / f"{kind}.0"
    whole = file.read_bytes()
    for size in range(len(whole)):
        file.write_bytes(whole[:size])
        with pytest.raises(anygram.IndexFormatError) as caught:
            anygram.open(file.parent, token_dtype="u16").documents(range(4))
        assert caught.value.path is not None
        assert not anygram.verify(file.parent, deep=True).ok


@pytest.mark.parametrize("backwards", [False, True], ids=["v4", "v5"])
@pytest.mark.parametrize("kind", ["tokenized", "table", "offset"])
def test_changed_bytes_never_crash_and_are_found_by_verify(kind: str, backwards: bool, tmp_path: Path) -> None:
    file = Path(write_index(tmp_path / "i", DOCUMENTS, backwards=backwards)) / f"{kind}.0"
    whole = file.read_bytes()
    for place in range(len(whole)):
        for bit in range(8):
            changed = bytearray(whole)
            changed[place] ^= 1 << bit
            file.write_bytes(changed)
            try:
                index = anygram.open(file.parent, token_dtype="u16", reversed=backwards)
            except anygram.IndexFormatError:
                assert not anygram.verify(file.parent, deep=True).ok
                continue
            ask_everything(index)
            # A token that stays between its neighbours makes another index, whose order is right.
            assert kind == "tokenized"


@pytest.mark.parametrize("backwards", [False, True], ids=["v4", "v5"])
def test_a_table_that_opening_does_not_look_at(backwards: bool, tmp_path: Path) -> None:
    draw = random.Random(0)
    documents = [draw.choices(range(100), k=6000) for _ in range(3)]
    folder = Path(write_index(tmp_path / "i", documents, backwards=backwards))
    table = folder / "table.0"
    whole = table.read_bytes()
    size = len(whole) // 18_003
    for rank, pointer in ((1003, 2**24 - 2), (1003, 0), (9001, 36_005), (9002, 8)):
        table.write_bytes(whole[: rank * size] + pointer.to_bytes(8, "little")[:size] + whole[(rank + 1) * size :])
        assert not anygram.verify(folder, deep=True).ok
        try:
            index = anygram.open(folder, token_dtype="u16", reversed=backwards)
            for token in range(100):
                index.continuations([token])
                found = index.find([token])
                found.documents()
                found.contexts(width=1)
        except anygram.IndexFormatError:
            continue


def test_order_that_is_wrong(tmp_path: Path) -> None:
    draw = random.Random(1)
    folder = Path(write_index(tmp_path / "i", [draw.choices(range(5), k=3000)]))
    table = folder / "table.0"
    whole = table.read_bytes()
    size = len(whole) // 3001
    a, b = (whole[rank * size : (rank + 1) * size] for rank in (1502, 1503))
    table.write_bytes(whole[: 1502 * size] + b + a + whole[1504 * size :])
    problems = anygram.verify(folder, deep=True).problems
    assert [(problem.path, problem.offset) for problem in problems] == [(str(table), 1503 * size)]
