"""tokengrams' pairs of files, opened in place: what they answer, and what is refused."""

from __future__ import annotations

import pickle
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import anygram

IDS = {"u16": [0, 1, 256, 65535], "u32": [0, 1, 256, 65535, 65536, 2**32 - 3]}
DTYPES = {"u16": "<u2", "u32": "<u4"}


def write_pair(folder: Path, name: str, tokens: Sequence[int], token_dtype: str) -> tuple[Path, Path]:
    """A pair of files by sorting suffix after suffix."""
    pair = folder / f"{name}.bin", folder / f"{name}.idx"
    np.array(tokens, DTYPES[token_dtype]).tofile(pair[0])
    np.array(sorted(range(len(tokens)), key=lambda place: list(tokens[place:])), "<u8").tofile(pair[1])
    return pair


def same_answers(index: anygram.Index, plain: anygram.Index, ids: Sequence[int], draw: random.Random) -> None:
    corpus = [document.tokens.tolist() for document in plain.documents(range(plain.num_documents))]
    assert (index.num_tokens, index.num_documents) == (plain.num_tokens, plain.num_documents)
    assert [document.tokens.tolist() for document in index.documents(range(index.num_documents))] == corpus
    end = anygram.DOCUMENT_END
    for _ in range(25):
        source = draw.choice(corpus)
        at = draw.randint(0, len(source))
        inside = source[at : at + draw.randint(0, 5)]
        ngram = draw.choice([inside, draw.choices(ids, k=draw.randint(0, 4))])
        token = draw.choice([*ids, end])
        assert index.count(ngram) == plain.count(ngram)
        assert index.document_count(ngram) == plain.document_count(ngram)
        assert index.probability(ngram, token).to_dict() == plain.probability(ngram, token).to_dict()
        assert index.probability(ngram, token, backoff=True) == plain.probability(ngram, token, backoff=True)
        assert index.continuations(ngram) == plain.continuations(ngram)
        assert index.continuations(ngram, backoff=True, top_k=2) == plain.continuations(ngram, backoff=True, top_k=2)
        assert places(index, ngram) == places(plain, ngram)
        text = source[at : at + 90] + draw.choices([*ids, 77], k=12)
        assert index.longest_matches(text) == plain.longest_matches(text)
        assert index.spans(text, min_length=2) == plain.spans(text, min_length=2)
        assert index.score(text, top_k=2, end=True) == plain.score(text, top_k=2, end=True)
        assert index.score(text, order=3) == plain.score(text, order=3)
        if ngram:
            query = f"{ngram} AND [{draw.choice(ids)}]"
            found, expected = index.search(query, within=5), plain.search(query, within=5)
            assert found.begins.tolist() == expected.begins.tolist()
            assert found.ends.tolist() == expected.ends.tolist()


def places(index: anygram.Index, ngram: Sequence[int]) -> list[tuple[int, int]]:
    return sorted((one.document, one.offset) for one in index.find(ngram))


@pytest.mark.parametrize("token_dtype", ["u16", "u32"])
@pytest.mark.parametrize("num_pairs", [1, 2, 4])
@pytest.mark.parametrize("num_ids", [1, 2, 6])
def test_answers_are_those_of_the_documents(token_dtype: str, num_pairs: int, num_ids: int, tmp_path: Path) -> None:
    draw = random.Random(f"{token_dtype} {num_pairs} {num_ids}")
    ids = IDS[token_dtype][-num_ids:]
    corpus = [draw.choices(ids, k=draw.randint(1, 150)) for _ in range(num_pairs)]
    corpus[-1] *= 2
    pairs = [write_pair(tmp_path, str(number), document, token_dtype) for number, document in enumerate(corpus)]
    index = anygram.open(pairs, format="tokengrams", token_dtype=token_dtype, load=draw.choice(["mmap", "ram"]))
    assert index.token_width == int(token_dtype[1:]) // 8
    plain = anygram.build(corpus, tokenizer="none")
    same_answers(index, plain, ids, draw)
    again = pickle.loads(pickle.dumps(index))
    assert again.continuations(()) == plain.continuations(())
    guessed = anygram.open([tokens for tokens, _ in pairs])
    assert guessed.token_width == index.token_width
    assert guessed.count(corpus[0][:2]) == plain.count(corpus[0][:2])


def test_positions_are_those_of_the_file(tmp_path: Path) -> None:
    write_pair(tmp_path, "x", [3, 1, 3, 1, 3], "u16")
    index = anygram.open(tmp_path / "x.bin")
    shard = index.shards[0]
    assert [shard.position(rank) for rank in range(5)] == [3, 1, 4, 2, 0]
    assert shard.interval([3, 1]) == (3, 5)
    assert places(index, [3]) == [(0, 0), (0, 2), (0, 4)]
    assert index.count(()) == 5
    assert (
        index.continuations([3]).to_dict()
        == anygram.build([[3, 1, 3, 1, 3]], tokenizer=None).continuations([3]).to_dict()
    )


def test_no_tokens(tmp_path: Path) -> None:
    write_pair(tmp_path, "x", [], "u16")
    with pytest.raises(anygram.InvalidQueryError, match="u16 and u32: say which"):
        anygram.open(tmp_path / "x.bin")
    index = anygram.open(tmp_path / "x.bin", token_dtype="u16")
    plain = anygram.build([[]], tokenizer=None)
    same_answers(index, plain, [0, 1], random.Random(0))


def test_text(tmp_path: Path) -> None:
    texts = ["to be or not to be", "be that as it may"]
    pairs = [write_pair(tmp_path, str(number), list(text.encode()), "u16") for number, text in enumerate(texts)]
    index = anygram.open(pairs, format="tokengrams", tokenizer="bytes")
    plain = anygram.build(texts, tokenizer="bytes")
    for text in ("to be", "be", "e t", "t", "x"):
        assert index.count(text) == plain.count(text)
        assert index.count(text, match="text") == plain.count(text, match="text")
        assert index.count(text.upper(), match="text", ignore_case=True) == plain.count(text)
        assert index.document_count(text, match="text") == plain.document_count(text)
    assert [document.text for document in index.documents([0, 1])] == texts
    assert len(index.search('"to" AND "not"')) == len(plain.search('"to" AND "not"'))


def test_files_of_its_own_builder(tmp_path: Path) -> None:
    tokengrams = pytest.importorskip("tokengrams")
    for vocab, token_dtype in ((65536, "u16"), (70000, "u32")):
        draw = random.Random(vocab)
        ids = [number for number in IDS[token_dtype] if number < vocab]
        corpus = [draw.choices(ids, k=400) for _ in range(2)]
        pairs = []
        for number, document in enumerate(corpus):
            tokens, table = tmp_path / f"{token_dtype}-{number}.bin", tmp_path / f"{token_dtype}-{number}.idx"
            np.array(document, DTYPES[token_dtype]).tofile(tokens)
            tokengrams.MemmapIndex.build(str(tokens), str(table), vocab=vocab)
            pairs.append((str(tokens), str(table)))
        index = anygram.open(pairs, format="tokengrams")
        assert index.token_width == int(token_dtype[1:]) // 8
        same_answers(index, anygram.build(corpus, tokenizer=None), ids, draw)


@pytest.mark.parametrize("token_dtype", ["u16", "u32"])
@pytest.mark.parametrize("cut", [0, 1], ids=["tokens", "table"])
def test_truncated_files_are_refused(token_dtype: str, cut: int, tmp_path: Path) -> None:
    draw = random.Random(cut)
    pair = write_pair(tmp_path, "x", draw.choices(IDS[token_dtype], k=40), token_dtype)
    whole = pair[cut].read_bytes()
    for size in range(len(whole)):
        pair[cut].write_bytes(whole[:size])
        for dtype in (None, token_dtype):
            with pytest.raises(anygram.IndexFormatError) as caught:
                anygram.open(pair[0], format="tokengrams", token_dtype=dtype)
            assert caught.value.path in map(str, pair)


def test_swapped_files_are_refused_or_right(tmp_path: Path) -> None:
    draw = random.Random(5)
    corpus = [draw.choices([1, 2, 3], k=30) for _ in range(3)] + [[1, 2]]
    pairs = [write_pair(tmp_path, str(number), document, "u16") for number, document in enumerate(corpus)]
    for tokens, _ in pairs:
        for _, table in pairs:
            if tokens.stem == table.stem:
                continue
            with pytest.raises(anygram.IndexFormatError):
                anygram.open([(tokens, table)], format="tokengrams")
    with pytest.raises(anygram.IndexFormatError):
        anygram.open([pairs[0][::-1]], format="tokengrams")


@pytest.mark.parametrize("changed", [0, 1], ids=["tokens", "table"])
def test_changed_bytes_are_refused_or_make_another_index(changed: int, tmp_path: Path) -> None:
    draw = random.Random(3)
    pair = write_pair(tmp_path, "x", draw.choices([1, 2, 256, 65535], k=20), "u16")
    whole = pair[changed].read_bytes()
    for place in range(len(whole)):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << bit
            pair[changed].write_bytes(damaged)
            try:
                index = anygram.open(pair[0], token_dtype="u16")
            except anygram.IndexFormatError:
                continue
            # A token that stays between its neighbours: the order is right, and so are the answers.
            assert changed == 0
            tokens = np.frombuffer(damaged, "<u2").tolist()
            assert index.continuations([2]) == anygram.build([tokens], tokenizer=None).continuations([2])


def test_a_table_that_opening_does_not_look_at(tmp_path: Path) -> None:
    draw = random.Random(0)
    tokens, table = write_pair(tmp_path, "x", draw.choices(range(100), k=9000), "u16")
    whole = np.fromfile(table, "<u8")
    refused = 0
    for rank, position in ((1003, 2**63), (1003, 9000), (4501, 0), (8001, 8999)):
        damaged = whole.copy()
        damaged[rank] = position
        damaged.tofile(table)
        try:
            index = anygram.open(tokens)
            for token in range(100):
                index.continuations([token])
                index.find([token]).documents()
                index.longest_matches([token, 5, 6])
        except anygram.IndexFormatError:
            refused += 1
    assert refused >= 2


def test_an_id_that_has_no_symbol_is_refused_when_met(tmp_path: Path) -> None:
    write_pair(tmp_path, "x", [1, 2**32 - 1, 1, 5], "u32")
    index = anygram.open(tmp_path / "x.bin")
    assert index.count([1]) == 2
    for ask in (lambda: index.continuations([1]), lambda: index.document(0)):
        with pytest.raises(anygram.IndexFormatError, match="below 4294967295") as caught:
            ask()
        assert (caught.value.path, caught.value.offset) == (str(tmp_path / "x.bin"), 4)


def test_what_is_refused(tmp_path: Path) -> None:
    tokens, table = write_pair(tmp_path, "x", [1, 2, 3], "u16")
    with pytest.raises(anygram.InvalidQueryError, match="token_dtype is u16 or u32"):
        anygram.open(tokens, token_dtype="u8")
    with pytest.raises(anygram.IndexFormatError, match="expected tokens of 4 bytes"):
        anygram.open(tokens, token_dtype="u32")
    with pytest.raises(anygram.InvalidQueryError, match="reversed is for infini-gram"):
        anygram.open(tokens, reversed=True)
    with pytest.raises(anygram.InvalidQueryError, match="holds no tokens"):
        anygram.open((tokens, table), format="tokengrams")
    with pytest.raises(anygram.InvalidQueryError, match="pair of paths"):
        anygram.open([(tokens, table, table)], format="tokengrams")  # type: ignore[list-item]  # that is the point
    with pytest.raises(anygram.InvalidQueryError, match="path of an index"):
        anygram.open([(tokens, table)], format="anygram")
    with pytest.raises(anygram.InvalidQueryError, match="copied as they are"):
        anygram.open(tokens).save(tmp_path / "s")
    with pytest.raises(anygram.IndexNotFoundError):
        anygram.open(tmp_path / "y.bin", format="tokengrams")
    table.unlink()
    with pytest.raises(anygram.IndexNotFoundError, match=r"x\.idx"):
        anygram.open(tokens, format="tokengrams")
    assert issubclass(anygram.IndexNotFoundError, anygram.AnygramError)
