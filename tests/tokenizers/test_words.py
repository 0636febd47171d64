from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anygram.segments import _ASCII, _unicode, certain_range, segment_offsets, segments
from anygram.tokenizers.words import WordsTokenizer, number_words
from anygram.types import MAX_TOKEN

# One character of each class that the rules speak of, so that short texts meet all of them.
CHARACTERS = "abÀא日アж1٣_ ,.:;'\"’-\n\r\t\x0b\x85\u2028\u3000\u0301\u200d\u00ad\x00🇫🇷👩❤"
SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
texts = st.text(st.sampled_from(CHARACTERS), max_size=12) | st.text(max_size=8)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("to be, or not to be.", ["to", "be", ",", "or", "not", "to", "be", "."]),
        ("can't y'all rock'n'roll", ["can't", "y'all", "rock'n'roll"]),
        ("'apple' 'x'", ["'", "apple", "'", "'", "x", "'"]),
        ("can’t", ["can’t"]),
        ("3.14 1,000 1;2 v1.2 e.g.", ["3.14", "1,000", "1;2", "v1.2", "e.g", "."]),
        ("1'a a'1 1.a", ["1", "'", "a", "a", "'", "1", "1", ".", "a"]),
        ("foo_bar _ __x", ["foo_bar", "_", "__x"]),
        ("naïve cafe\u0301", ["naïve", "cafe\u0301"]),
        ("日本語 スーパー", ["日", "本", "語", "スーパー"]),
        ("ア_b アb", ["ア_b", "ア", "b"]),
        ('א"א א" א\'', ['א"א', "א", '"', "א'"]),
        ("👩\u200d👩\u200d👧 👍🏽", ["👩\u200d👩\u200d👧", "👍🏽"]),
        ("🇫🇷🇩🇪🇫", ["🇫🇷", "🇩🇪", "🇫"]),
        ("a\r\nb  \tc\u3000d", ["a", "b", "c", "d"]),
        ("a\x00b", ["a", "\x00", "b"]),
        (" \u0301x", [" \u0301", "x"]),
        ("", []),
        (" \n\t\u2028", []),
    ],
)
def test_words_are_those_of_unicode(text: str, expected: list[str]) -> None:
    assert segments(text) == expected


@given(texts)
def test_only_white_space_is_left_out_and_nothing_is_in_two_segments(text: str) -> None:
    offsets = segment_offsets(text)
    assert [text[begin:end] for begin, end in offsets] == segments(text)
    end_before = 0
    for begin, end in [*offsets, (len(text), len(text))]:
        assert text[end_before:begin].strip(SPACES) == ""
        assert end_before <= begin
        end_before = end


@given(st.text(st.sampled_from("aB1_ ,.:;'\"\n\r\t\x0b\x1c-\x00"), max_size=12))
def test_the_short_form_for_ascii_says_the_same(text: str) -> None:
    assert _ASCII.findall(text) == _unicode().findall(text)


@given(texts)
def test_splitting_by_lines_says_the_same(text: str) -> None:
    assert segments(text) == _unicode().findall(text)


@given(st.lists(texts, max_size=6), st.booleans(), st.integers(0, 6))
def test_numbers_are_by_first_appearance_however_the_texts_are_cut(documents: list[str], fold: bool, cut: int) -> None:
    at_once, in_parts = WordsTokenizer(fold=fold), WordsTokenizer(fold=fold)
    ragged = at_once.learn(documents)
    parts = [in_parts.merge(number_words(part, fold)) for part in (documents[:cut], documents[cut:])]
    assert [tokens.tolist() for part in parts for tokens in part] == [tokens.tolist() for tokens in ragged]
    assert in_parts.save() == at_once.save()
    seen: list[int] = []
    for token in ragged.values.tolist():
        if token not in seen:
            seen.append(token)
    assert seen == list(range(at_once.vocab_size))
    # What was learnt is what a query asks.
    assert at_once.encode_batch(documents) == ragged
    loaded = WordsTokenizer.load(at_once.kind, at_once.save())
    assert loaded.encode_batch(documents) == ragged
    assert loaded.hash == at_once.hash


def test_folding_ignores_case_and_leaves_out_punctuation() -> None:
    tokenizer = WordsTokenizer(fold=True)
    tokens = tokenizer.learn(["Straße, STRASSE! — 3.14 _ 😀"]).values
    assert tokens.tolist() == [0, 0, 1]
    assert tokenizer.decode(tokens) == "strasse strasse 3.14"
    found, offsets = tokenizer.encode_with_offsets(" Straße, 3.14")
    assert (found.tolist(), offsets.tolist()) == ([0, 1], [[1, 7], [9, 13]])


def test_an_unknown_word_is_an_id_that_nothing_has() -> None:
    tokenizer = WordsTokenizer(["to", "be"])
    assert tokenizer.encode("to see").tolist() == [0, MAX_TOKEN]
    assert tokenizer.vocab_size == 2
    assert tokenizer.decode([1, MAX_TOKEN]) == "be \N{REPLACEMENT CHARACTER}"
    assert tokenizer.token_bytes(0) == b"to"
    assert tokenizer.token_bytes(2) == "\N{REPLACEMENT CHARACTER}".encode()


def test_a_copy_learns_alone() -> None:
    tokenizer = WordsTokenizer(["to"])
    copy = tokenizer.copy()
    assert copy.learn(["to be"]).values.tolist() == [0, 1]
    assert tokenizer.vocab_size == 1


@given(texts | st.text("a' \n日\u0301", max_size=20), st.integers(0, 20), st.integers(0, 20))
def test_segments_of_a_piece_are_those_of_the_text_where_they_are_certain(text: str, begin: int, end: int) -> None:
    piece = text[begin:end]
    first, last = certain_range(piece)

    def bounds(of_text: str, shift: int) -> list[tuple[int, int]]:
        return [
            (start - shift, stop - shift)
            for start, stop in segment_offsets(of_text)
            if first <= start - shift and stop - shift <= last
        ]

    assert bounds(piece, 0) == bounds(text, begin)


def test_a_piece_is_certain_between_white_space() -> None:
    assert certain_range("cut words stand here") == (4, 15)
    assert certain_range("") == (0, 0)
    assert certain_range("cut") == (3, 0)
    assert certain_range("日本 é 日本") == (1, 6)
    assert certain_range("é\u202fé") == (3, 0)
