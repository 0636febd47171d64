"""infini-gram's directories, opened in place: what they answer, and what is refused."""

from __future__ import annotations

import pickle
import random
from pathlib import Path

import pytest

import anygram
from compat.infini_gram_files import write_index


def documents(seed: int) -> list[list[int]]:
    draw = random.Random(seed)
    return [draw.choices([1, 2, 256, 257], k=draw.randint(0, 15)) for _ in range(12)]


@pytest.mark.parametrize("backwards", [False, True], ids=["v4", "v5"])
@pytest.mark.parametrize("seed", range(3))
def test_answers_are_those_of_the_documents(seed: int, backwards: bool, tmp_path: Path) -> None:
    corpus = documents(seed)
    path = write_index(tmp_path / "i", corpus, backwards=backwards, num_shards=2)
    index = anygram.open(path, format="infini-gram", token_dtype="u16", reversed=backwards)
    ordered = corpus[::2] + corpus[1::2]
    plain = anygram.build(ordered, tokenizer="none")
    assert (index.num_tokens, index.num_documents) == (plain.num_tokens, plain.num_documents)
    assert [index.document(number).tokens.tolist() for number in range(12)] == ordered
    assert [document.tokens.tolist() for document in index.documents(range(12))] == ordered
    assert index.document(0).source == "a.jsonl"
    draw = random.Random(seed)
    for _ in range(40):
        ngram, token = draw.choices([1, 2, 256, 257, 3], k=draw.randint(0, 4)), draw.choice([1, 256])
        assert index.count(ngram) == plain.count(ngram)
        assert index.document_count(ngram) == plain.document_count(ngram)
        assert index.probability(ngram, token, backoff=True) == plain.probability(ngram, token, backoff=True)
        end = anygram.DOCUMENT_END
        assert index.probability(ngram, end).to_dict() == plain.probability(ngram, end).to_dict()
        assert index.continuations(ngram) == plain.continuations(ngram)
        text = draw.choices([1, 2, 256, 257, 3], k=20)
        assert index.longest_matches(text) == plain.longest_matches(text)
        if not backwards:
            assert index.score(text, top_k=2, end=True) == plain.score(text, top_k=2, end=True)
            assert {(one.document, one.offset) for one in index.find(ngram)} == {
                (one.document, one.offset) for one in plain.find(ngram)
            }
    assert pickle.loads(pickle.dumps(index)).count([1, 2]) == index.count([1, 2])


def test_directories_of_version_6(tmp_path: Path) -> None:
    for number, part in enumerate(([[1, 2]], [[1, 2, 3]])):
        write_index(tmp_path / str(number), part)
        for file in (tmp_path / str(number)).iterdir():
            file.rename(file.with_suffix(""))
    index = anygram.open([tmp_path / "0", tmp_path / "1"], format="infini-gram", token_dtype="u16")
    assert index.count([1, 2]) == 2
    assert index.document(1).tokens.tolist() == [1, 2, 3]
    assert anygram.open(tmp_path).documents([1])[0].tokens.tolist() == [1, 2, 3]
    assert anygram.verify(tmp_path, deep=True).ok


def test_what_is_refused_where_documents_run_backwards(tmp_path: Path) -> None:
    path = write_index(tmp_path / "i", [[1, 2]], backwards=True)
    index = anygram.open(path, format="infini-gram", token_dtype="u16", reversed=True)
    for ask in (index.find, index.score):
        with pytest.raises(anygram.InvalidQueryError, match="backwards"):
            ask([1, 2])
    for ask_many in (index.find_batch, index.score_batch):
        with pytest.raises(anygram.InvalidQueryError, match="backwards"):
            ask_many([[1, 2]])
    with pytest.raises(anygram.InvalidQueryError, match="backwards"):
        index.search("[1]")
    with pytest.raises(anygram.InvalidQueryError, match="backwards"):
        index.count("text", match="text")


def test_what_is_refused(tmp_path: Path) -> None:
    path = write_index(tmp_path / "i", [[1, 2]])
    with pytest.raises(anygram.InvalidQueryError, match="token_dtype is one of u8, u16, u32"):
        anygram.open(path, token_dtype="u64")
    with pytest.raises(anygram.InvalidQueryError, match="format is 'anygram', 'infini-gram' or 'tokengrams'"):
        anygram.open(path, format="gguf")
    with pytest.raises(anygram.InvalidQueryError, match="for infini-gram's files"):
        anygram.open(path, format="anygram", token_dtype="u16")
    with pytest.raises(anygram.IndexNotFoundError):
        anygram.open(tmp_path / "missing", format="infini-gram", token_dtype="u16")
    with pytest.raises(anygram.IndexFormatError, match="no index of infini-gram"):
        anygram.open(tmp_path, format="infini-gram", token_dtype="u16")
    with pytest.raises(anygram.InvalidQueryError, match="copied as they are"):
        anygram.open(path, format="infini-gram", token_dtype="u16").save(tmp_path / "s")
    (tmp_path / "i" / "metaoff.0").unlink()
    with pytest.raises(anygram.IndexFormatError, match=r"no file metaoff\.0"):
        anygram.open(path, format="infini-gram", token_dtype="u16")


def test_two_documents_in_a_literal_separator_are_refused(tmp_path: Path) -> None:
    # infini-gram's builder writes an id 65535 as it is: a separator that no offset names.
    path = write_index(tmp_path / "i", [[1, 65535, 2]])
    with pytest.raises(anygram.IndexFormatError, match="more separators than documents"):
        anygram.open(path, format="infini-gram", token_dtype="u16")
