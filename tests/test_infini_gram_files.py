"""infini-gram's directories, opened in place: what they answer, and what is refused."""

from __future__ import annotations

import pickle
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import anygram
from anygram.strings import characters
from compat.infini_gram_files import write_index
from test_strings import Pieces, places


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


def asked(index: anygram.Index, seed: int, letters: list[int]) -> Iterator[object]:
    """What an index answers to many questions, without ranks and what is ordered by them."""
    draw = random.Random(seed)
    for _ in range(30):
        ngram = draw.choices(letters, k=draw.choice([0, 1, 1, 2, 2, 3, 4]))
        found = index.find(ngram)
        places = sorted((one.document, one.offset) for one in found)
        yield ngram, len(found), places, found.documents().tolist(), found.document_counts.tolist()
        yield all(one.context(0).match.tolist() == ngram for one in found)
        yield [(one.document, one.offset) for one in found.sample(4, seed=seed)]
        yield [context.to_dict() for context in found.contexts(found.sample(9), width=2)]
        pages, cursor = [], None
        while len(pages) < len(found):
            page = found.page(cursor, 3)
            pages, cursor = [*pages, *page.occurrences], page.next
        yield sorted((one.document, one.offset) for one in pages), cursor
        yield found.document_page(size=3).documents.tolist(), index.document_count(ngram), index.count(ngram)
        groups = index.count_by(ngram, "id")
        yield groups.values, groups.counts.tolist(), groups.document_counts.tolist()
        for backoff in (False, True):
            for token in (letters[0], anygram.DOCUMENT_END):
                yield index.probability(ngram, token, backoff=backoff).to_dict()
            yield index.continuations(ngram, backoff=backoff, top_k=draw.choice([None, 1, 2])).to_dict()
    ngrams = [draw.choices(letters, k=draw.randint(1, 3)) for _ in range(20)]
    for many in index.find_batch(ngrams):
        yield sorted((one.document, one.offset) for one in many)
    texts = [draw.choices(letters, k=draw.choice([0, 5, 20])) for _ in range(10)]
    for order, top_k in ((None, 0), (None, 2), (2, 3), (1, 1)):
        for text, scores in zip(texts, index.score_batch(texts, order=order, top_k=top_k, end=True), strict=True):
            yield scores.to_dict()
            yield index.score(text, order=order, top_k=top_k).to_dict()
    for text in texts:
        yield index.longest_matches(text, min_count=draw.choice([1, 2])).to_dict()
        yield index.spans(text).to_dict()
    for _ in range(20):
        one, two, three = (" ".join(map(str, draw.choices(letters, k=draw.choice([1, 1, 2, 3])))) for _ in range(3))
        query = draw.choice([f"[{one}] AND [{two}]", f"([{one}] OR [{two}]) AND [{three}]", f"[{one}] NOT [{three}]"])
        hits = index.search(query, within=draw.choice([None, 0, 1, 4]), ordered=draw.random() < 0.4)
        windows = [hits.documents.tolist(), hits.begins.tolist(), hits.ends.tolist()]
        yield query, windows, [hits.context(row, 2).to_dict() for row in range(len(hits))]


def same(corpus: list[list[int]], letters: list[int], seed: int, folder: Path, num_shards: int, width: int) -> None:
    ordered = [document for shard in range(num_shards) for document in corpus[shard::num_shards]]
    plain = anygram.build(ordered, tokenizer="none")
    for backwards in (False, True):
        path = write_index(folder / f"{backwards}", corpus, backwards=backwards, num_shards=num_shards, width=width)
        index = anygram.open(path, format="infini-gram", token_dtype=f"u{8 * width}", reversed=backwards)
        for number, document in enumerate(ordered):
            assert index.document(number).tokens.tolist() == document
        for answer, expected in zip(asked(index, seed, letters), asked(plain, seed, letters), strict=True):
            assert answer == expected, (seed, backwards)


@pytest.mark.parametrize("num_shards", [1, 3])
@pytest.mark.parametrize("seed", range(4))
def test_every_question_is_answered_as_by_an_index_of_the_documents(seed: int, num_shards: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    letters = [[1, 2], [1, 2, 256, 257], [7, 1, 65534], [3]][seed]
    longest = [6, 15, 40, 3][seed]
    corpus = [draw.choices(letters, k=draw.choice([0, 1, draw.randint(0, longest)])) for _ in range(20)]
    same(corpus, [*letters, 5], seed, tmp_path, num_shards, 4 if seed == 2 else 2)


@pytest.mark.parametrize("separator", ["", " "])
@pytest.mark.parametrize("seed", range(6))
def test_text_is_found_whatever_its_tokens(seed: int, separator: str, tmp_path: Path) -> None:
    draw = random.Random(seed)
    pieces = [b"a", b"b", b"ab", b"ba", b"aba", b"", b" a"][: draw.randint(2, 7)]
    tokenizer = Pieces(pieces, separator)
    corpus = [draw.choices(range(len(pieces)), k=draw.choice([0, 1, draw.randint(0, 40)])) for _ in range(25)]
    ordered = corpus[::2] + corpus[1::2]
    for backwards in (False, True):
        path = write_index(tmp_path / f"{backwards}", corpus, backwards=backwards, num_shards=2)
        index = anygram.open(path, format="infini-gram", token_dtype="u16", reversed=backwards)
        index._tokenizer, index._decode = tokenizer, tokenizer.decode  # type: ignore[assignment]
        texts = [tokenizer.decode(np.array(document)) for document in ordered]
        for string in ("a", "ab", "bab", "abaab", "aa", "a a", " b", "bbb"):
            found = places_of(texts, string)
            numbers = sorted({number for number, _ in found})
            columns = index._finder("text", False)._tokens, characters(string, ignore_case=False)
            for way in ("index", "scan", "best"):
                assert index._core.count_string(*columns, way) == len(found)
                assert index._core.list_string_documents(*columns, way)[0].tolist() == numbers
            ways = [[column.tolist() for column in index._core.find_string(*columns, way)] for way in ("index", "scan")]
            assert ways[0] == ways[1]
            answers = index.find(string, match="text")
            for one, (number, place) in zip(answers, found, strict=True):
                before, match, after = one.context(1000, "characters").texts or ("", "", "")
                assert (one.document, len(before), match) == (number, place, string)
                assert before + match + after == texts[number]


def places_of(texts: list[str], string: str) -> list[tuple[int, int]]:
    """Where it stands, in the order of the documents."""
    return [(number, place) for number, text in enumerate(texts) for place in places(text, string)]


def test_ends_of_documents_at_both_ends_of_an_interval(tmp_path: Path) -> None:
    # Suffixes are in the order of bytes: the end of the stream stands first, and other documents' ends last.
    corpus = [[1], [1, 2], [1, 2], [1]]
    plain = anygram.build(corpus, tokenizer="none")
    for backwards in (False, True):
        path = write_index(tmp_path / f"{backwards}", corpus, backwards=backwards)
        index = anygram.open(path, format="infini-gram", token_dtype="u16", reversed=backwards)
        for text in ([1, 9], [1, 2, 9], [9, 1]):
            assert index.score(text, top_k=3, end=True) == plain.score(text, top_k=3, end=True)


def test_long_matches_where_documents_run_backwards(tmp_path: Path) -> None:
    draw = random.Random(1)
    text = draw.choices([1, 2, 3], k=700)
    corpus = [text, [*text[:350], 4], [3, *text[100:]], text[200:300], []]
    plain = anygram.build(corpus, tokenizer="none")
    path = write_index(tmp_path / "i", corpus, backwards=True)
    index = anygram.open(path, format="infini-gram", token_dtype="u16", reversed=True)
    for asked_text in (text, [*text[:340], 5, *text[100:]], [*text[150:], 4, 5]):
        assert index.score(asked_text, top_k=2, end=True) == plain.score(asked_text, top_k=2, end=True)
        assert index.longest_matches(asked_text, min_count=2) == plain.longest_matches(asked_text, min_count=2)
        assert index.spans(asked_text) == plain.spans(asked_text)


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
