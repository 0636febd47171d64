"""Strings found in the documents' text, whatever their tokenization, against a search of each document's text."""

from __future__ import annotations

import random
from collections import Counter
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import anygram
import tokenizers
from anygram.letters import fold, same_letters
from anygram.strings import MAX_BYTES
from anygram.tokenizers import open_tokenizer
from anygram.types import TokenArray


class Pieces:
    """A tokenizer whose tokens are any bytes; its text is those one after another, or with spaces between."""

    kind = spec = "pieces"
    round_trip = None

    def __init__(self, pieces: list[bytes], separator: str = "") -> None:
        self.pieces = pieces
        self.separator = separator
        self.vocab_size = len(pieces)
        self.hash = repr(pieces)

    def token_bytes(self, token: int) -> bytes:
        return self.pieces[token] if token < len(self.pieces) else b"\xef\xbf\xbd"

    def decode(self, tokens: TokenArray) -> str:
        return self.separator.encode().join(map(self.token_bytes, np.asarray(tokens).tolist())).decode(errors="replace")

    def encode(self, text: str) -> TokenArray:
        raise NotImplementedError

    encode_batch = encode_with_offsets = round_trips = save = encode


def places(text: str, string: str, *, ignore_case: bool = False) -> list[int]:
    if ignore_case:
        text, string = "".join(map(fold, text)), "".join(map(fold, string))
    return [place for place in range(len(text)) if text.startswith(string, place)]


LETTERS = st.sampled_from(["ab", "aA", " a", "aé€", "ſsSK\u212a"])


@st.composite
def questions(draw: st.DrawFn) -> tuple[list[bytes], list[list[int]], list[str]]:
    """A vocabulary in which texts have many tokenizations, documents of its tokens, and strings."""
    letters = draw(LETTERS)
    words = st.text(letters, min_size=1, max_size=4).map(str.encode)
    pieces = draw(st.lists(words, min_size=1, max_size=10))
    # Pieces of characters, and tokens that stand for nothing.
    for piece in draw(st.lists(st.tuples(words, st.integers(0, 4), st.integers(0, 4)), max_size=4)):
        pieces.append(piece[0][piece[1] : piece[1] + piece[2]])
    token = st.integers(0, len(pieces) - 1)
    documents = draw(st.lists(st.lists(token, max_size=12), min_size=1, max_size=8))
    if draw(st.booleans()):
        documents = documents * 12
    return pieces, documents, draw(st.lists(st.text(letters, min_size=1, max_size=6), min_size=1, max_size=4))


@given(questions(), st.sampled_from(["", " "]), st.booleans(), st.integers(1, 3), st.sampled_from(["fast", "lean"]))
def test_all_that_the_text_holds_is_found(
    question: tuple[list[bytes], list[list[int]], list[str]],
    separator: str,
    ignore_case: bool,
    shards: int,
    profile: str,
) -> None:
    pieces, documents, strings = question
    tokenizer = Pieces(pieces, separator)
    with anygram.build(
        [{"tokens": document, "number": number} for number, document in enumerate(documents)],
        tokenizer=None,
        shards=min(shards, len(documents)),
        profile=profile,  # type: ignore[arg-type]
    ) as index:
        index._tokenizer = tokenizer  # type: ignore[assignment]
        index._decode = tokenizer.decode
        for string in strings:
            expected = [
                (number, place)
                for number, document in enumerate(documents)
                for place in places(tokenizer.decode(document), string, ignore_case=ignore_case)  # type: ignore[arg-type]
            ]
            check_string(index, string, ignore_case, expected)


def check_string(index: anygram.Index, string: str, ignore_case: bool, expected: list[tuple[int, int]]) -> None:
    finder = index._finder("text", ignore_case)
    from anygram.strings import characters

    ways = characters(string, ignore_case=ignore_case)
    for way in ("best", "index", "scan"):
        assert index._core.count_string(finder._tokens, ways, way) == len(expected), way
    assert index.count(string, match="text", ignore_case=ignore_case) == len(expected)
    in_each = sorted(Counter(number for number, _ in expected).items())
    for way in ("best", "index", "scan"):
        documents, counts = index._core.list_string_documents(finder._tokens, ways, way)
        assert list(zip(documents.tolist(), counts.tolist(), strict=True)) == in_each, way
    found = index.find(string, match="text", ignore_case=ignore_case)
    assert [one.document for one in found] == [number for number, _ in expected]
    for way in ("index", "scan"):
        columns = index._core.find_string(finder._tokens, ways, way)
        assert list(zip(columns[0].tolist(), columns[1].tolist(), strict=True)) == [
            (one.document, one.offset) for one in found
        ]
    for one, (_, place) in zip(found, expected, strict=True):
        before, match, after = one.context(1000, "characters").texts or ("", "", "")
        text = index.document(one.document).text or ""
        assert "".join(map(fold, match)) == "".join(map(fold, string)) if ignore_case else match == string
        assert before + match + after == text
        assert len(before) == place
    assert index.document_count(string, match="text", ignore_case=ignore_case) == len(found.documents())
    assert index.count(string, match="text", ignore_case=ignore_case, where="number < 3") == sum(
        number < 3 for number, _ in expected
    )
    where_count = index.document_count(string, match="text", ignore_case=ignore_case, where="number < 3")
    assert where_count == len({number for number, _ in expected if number < 3})


def byte_level(merges: list[tuple[str, str]]) -> tokenizers.Tokenizer:
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate(alphabet + [a + b for a, b in merges])}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(vocabulary, merges))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    return tokenizer


def word_level() -> tokenizers.Tokenizer:
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel({"to": 0, "be": 1, "or": 2, "[?]": 3}, "[?]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    return tokenizer


TEXTS = ["to be or not to be", "To Be, or nöt to be!", " to  be", "", "€uro €uro", "İstanbul ISTANBUL straße STRASSE"]


@pytest.mark.parametrize(
    "tokenizer",
    ["bytes", "words", "words:fold", byte_level([("t", "o"), ("b", "e"), ("Ġ", "be"), ("o", "Ġ")]), word_level()],
    ids=str,
)
def test_with_every_kind_of_tokenizer(tokenizer: object) -> None:
    index = anygram.build(TEXTS, tokenizer=tokenizer)
    decoded = [index.document(number).text or "" for number in range(len(TEXTS))]
    for text in decoded:
        for begin, length in product(range(len(text)), (1, 2, 5)):
            string = text[begin : begin + length]
            if "\ufffd" in string:
                continue
            for ignore_case in (False, True):
                expected = sum(len(places(other, string, ignore_case=ignore_case)) for other in decoded)
                assert index.count(string, match="text", ignore_case=ignore_case) == expected


def test_sentencepiece(tmp_path: Path) -> None:
    sentencepiece = pytest.importorskip("sentencepiece")
    corpus = tmp_path / "corpus"
    corpus.write_text("\n".join(TEXTS * 20))
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus), model_prefix=str(tmp_path / "m"), vocab_size=34, byte_fallback=False, minloglevel=2
    )
    test_with_every_kind_of_tokenizer(f"sentencepiece:{tmp_path / 'm.model'}")


def test_a_tokenizer_whose_text_is_more_than_its_tokens_is_refused() -> None:
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordPiece({"[UNK]": 0, "to": 1, "##o": 2}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.decoder = tokenizers.decoders.WordPiece()
    index = anygram.build(["to too"], tokenizer=tokenizer)
    with pytest.raises(anygram.InvalidQueryError, match="one after another"):
        index.count("to", match="text")
    without = anygram.build([[1, 2]], tokenizer=None)
    with pytest.raises(anygram.InvalidQueryError, match="no tokenizer"):
        without.count("to", match="text")


@pytest.fixture(scope="module")
def index() -> anygram.Index:
    return anygram.build([{"text": text, "n": number} for number, text in enumerate(TEXTS)], tokenizer="bytes")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ngram": "", "match": "text"}, "one character or more"),
        ({"ngram": [1], "match": "text"}, "a str"),
        ({"ngram": "a", "match": "word"}, "found 'word'"),
        ({"ngram": "a", "ignore_case": True}, 'match="text"'),
        ({"ngram": "\ufffd", "match": "text"}, "FFFD"),
        ({"ngram": "\ud800", "match": "text"}, "surrogate"),
    ],
)
def test_what_cannot_be_asked(index: anygram.Index, arguments: dict[str, object], message: str) -> None:
    for ask in (index.count, index.find, index.document_count):
        with pytest.raises(anygram.InvalidQueryError, match=message):
            ask(**arguments)  # type: ignore[arg-type]


def test_the_longest_string() -> None:
    index = anygram.build(["a" * (MAX_BYTES + 1)], tokenizer="bytes")
    assert index.count("a" * MAX_BYTES, match="text") == 2
    assert index.count("a" * (MAX_BYTES - 1) + "b", match="text") == 0
    with pytest.raises(anygram.LimitError, match="4,096"):
        index.count("a" * (MAX_BYTES + 1), match="text")


def test_case_is_ignored_character_by_character() -> None:
    assert set(same_letters("k")) == {"k", "K", "\u212a"}
    assert set(same_letters("S")) == {"s", "S", "ſ"}
    assert set(same_letters("ß")) == {"ß", "ẞ"}
    assert same_letters("ı") == ("ı",)
    assert set(same_letters("Σ")) == {"σ", "Σ", "ς"}
    for character in ("a", "é", "Ж", "1", "İ"):
        assert all(fold(other) == fold(character) for other in same_letters(character))


def test_occurrences_are_a_list_with_pages_samples_and_contexts(index: anygram.Index) -> None:
    found = index.find("to be", match="text", ignore_case=True)
    assert [one.document for one in found] == [0, 0, 1, 1]
    assert found.documents().tolist() == [0, 1]
    first = found.page(size=2)
    second = found.page(first.next, size=10)
    assert [*first, *second] == list(found)
    other = index.find("to be", match="text")
    with pytest.raises(anygram.InvalidQueryError, match="another question"):
        other.page(first.next)
    assert sorted(found.sample(10), key=lambda one: (one.document, one.offset)) == list(found)
    assert found.sample(5, seed=1)[:2] == found.sample(2, seed=1)
    contexts = found.contexts(width=3, unit="characters")
    assert contexts == [one.context(3, "characters") for one in found]
    assert [(context.texts or [""])[1].lower() for context in contexts] == ["to be"] * len(found)
    assert "[to be]" in repr(found)
    assert index.count_by("to be", "n", match="text").total == index.count("to be", match="text")


def test_answers_do_not_depend_on_shards() -> None:
    draw = random.Random(1)
    texts = ["".join(draw.choice("ab ") for _ in range(30)) for _ in range(20)]
    one = anygram.build(texts, tokenizer="words")
    three = anygram.build(texts, tokenizer="words", shards=3)
    for string in ("a", "b a", " ", "ab"):
        first, second = one.find(string, match="text"), three.find(string, match="text")
        assert [(o.document, o.offset, o.begin) for o in first] == [(o.document, o.offset, o.begin) for o in second]
        keys = [(o.document, o.offset, o.begin) for o in first.sample(4, seed=2)]
        assert keys == [(o.document, o.offset, o.begin) for o in second.sample(4, seed=2)]


def test_a_hub_tokenizer_object_has_a_separator() -> None:
    assert open_tokenizer(byte_level([])).separator == ""  # type: ignore[union-attr]
    assert open_tokenizer(word_level()).separator == " "  # type: ignore[union-attr]
