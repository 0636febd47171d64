"""What stands around a match, in tokens, words and characters, against the whole document's text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import anygram
from anygram.errors import InvalidQueryError
from anygram.segments import segment_offsets

# One to four bytes a character, words that go on over quotes, dots and joiners, and lines.
ALPHABET = "ab 1.'_-\n é߿€漢𝒳\u0301\u200dא\""


def texts() -> st.SearchStrategy[str]:
    return st.one_of(st.text(ALPHABET, max_size=60), st.text(ALPHABET, max_size=12).map(lambda text: text * 12))


def character_bounds(text: str, begin: int, end: int) -> tuple[int, int]:
    """The characters that bytes [begin, end) of the text have a part in."""
    owners = [number for number, character in enumerate(text) for _ in character.encode()]
    return owners[begin], owners[end - 1] + 1


def expected(text: str, left: int, right: int, width: int, unit: str) -> tuple[str, str, str]:
    if unit == "characters":
        return text[max(0, left - width) : left], text[left:right], text[right : right + width]
    words = segment_offsets(text)
    before = [begin for begin, end in words if end <= left]
    after = [end for begin, end in words if begin >= right]
    if width == 0:
        first = next((begin for begin, end in words if begin < left < end), left)
        last = next((end for begin, end in words if begin < right < end), right)
    else:
        first = before[-width] if len(before) >= width else 0
        last = after[width - 1] if len(after) >= width else len(text)
    return text[first:left], text[left:right], text[right:last]


@given(st.lists(texts(), min_size=1, max_size=4), st.data())
def test_contexts_are_cut_from_the_documents_text(documents: list[str], data: st.DataObject) -> None:
    with anygram.build(documents, tokenizer="bytes", shards=2) as index:
        tokens = index.document(data.draw(st.integers(0, len(documents) - 1))).tokens
        if not len(tokens):
            return
        begin = data.draw(st.integers(0, len(tokens) - 1))
        found = index.find(tokens[begin : begin + data.draw(st.integers(1, 5))])
        some = found[:5]
        width = data.draw(st.integers(0, 12))
        for unit in ("characters", "words"):
            contexts = found.contexts(some, width=width, unit=unit)
            for one, context in zip(some, contexts, strict=True):
                text = documents[one.document]
                bounds = character_bounds(text, one.offset, one.offset + one.length)
                assert context.texts == expected(text, *bounds, width, unit)
                assert one.context(width, unit) == context
                # The tokens hold what is shown.
                held = bytes([*context.before.tolist(), *context.match.tolist(), *context.after.tolist()])
                shown = "".join(context.texts)
                assert shown.encode() in held
                assert (
                    context.match.tolist() == index.document(one.document).tokens[one.offset :][: one.length].tolist()
                )
        for one, context in zip(some, found.contexts(some, width=width), strict=True):
            text = documents[one.document]
            first, last = max(0, one.offset - width), one.offset + one.length + width
            whole = index.document(one.document).tokens
            assert [*context.before, *context.match, *context.after] == whole[first:last].tolist()
            outer = character_bounds(text, first, min(last, len(whole)))
            left, right = character_bounds(text, one.offset, one.offset + one.length)
            # An outer character that only the match has a part of is the match's.
            assert context.texts == (text[min(outer[0], left) : left], text[left:right], text[right : outer[1]])
            assert "\N{REPLACEMENT CHARACTER}" not in context.text
            assert one.context(width) == context


def test_hits_have_contexts_in_all_units() -> None:
    with anygram.build(["the natural language model’s café is here"], tokenizer="bytes") as index:
        hits = index.search('"language" AND "é"')
        assert hits.context(0, 1, "words").texts == (" natural ".strip() + " ", "language model’s café", " is")
        assert hits.context(0, 3, "characters").texts == ("al ", "language model’s café", " is")
        assert hits.context(0, 0).text == "language model’s café"


def test_words_of_a_corpus_of_words_are_its_tokens() -> None:
    with anygram.build(["a b c d e f g"], tokenizer="words") as index:
        (one,) = index.find("d")
        for unit in ("tokens", "words"):
            context = one.context(2, unit)
            assert index.decode([*context.before, *context.match, *context.after]) == "b c d e f"


def test_a_long_document_is_read_no_farther_than_needed() -> None:
    text = "word " * 20_000 + "x" + " word" * 20_000
    with anygram.build([text], tokenizer="bytes") as index:
        (one,) = index.find("x")
        assert one.context(3, "words").text == "word word word x word word word"
        assert len(one.context(500, "characters").text) == 1001


def test_what_is_no_context_is_refused() -> None:
    with anygram.build([[1, 2, 3]], tokenizer=None) as index:
        (one,) = index.find([2])
        assert str(one.context(1)) == "1 [2] 3"
        with pytest.raises(InvalidQueryError, match="needs text"):
            one.context(1, "words")
        with pytest.raises(InvalidQueryError, match="tokens, words, characters"):
            one.context(1, "lines")  # type: ignore[arg-type]
        with pytest.raises(InvalidQueryError, match="from 0 up"):
            index.find([2]).contexts(width=-1)
        assert index.find([9]).contexts() == []


def test_pages_follow_one_another() -> None:
    documents = [[1] * (number % 4) for number in range(50)]
    with anygram.build(documents, tokenizer=None, shards=3) as index:
        for where in (None, np.arange(50) % 2 == 1):
            found = index.find([1], where=where)
            read, cursor = [], None
            while True:
                page = found.page(cursor, size=7)
                assert (page.begin, page.total) == (len(read), len(found))
                read += list(page)
                cursor = page.next
                if cursor is None:
                    break
                assert len(page) == 7
            assert read == list(found)
            listed, cursor = [], None
            while True:
                documents_page = found.document_page(cursor, size=5)
                assert documents_page.total == len(found.documents())
                listed += documents_page.documents.tolist()
                cursor = documents_page.next
                if cursor is None:
                    break
            assert listed == found.documents().tolist()


def test_a_page_that_ends_with_the_last_has_no_next() -> None:
    with anygram.build([[1, 1]], tokenizer=None) as index:
        assert index.find([1]).page(size=2).next is None
        assert index.find([1]).page(size=1).next is not None
        assert len(index.find([2]).page()) == 0
        assert "1 of 2" in repr(index.find([1]).page(size=1))


def test_a_cursor_from_elsewhere_is_refused() -> None:
    mask = np.array([True, True])
    with (
        anygram.build([[1, 1, 1], [2, 2]], tokenizer=None) as index,
        anygram.build([[1, 1, 1], [2, 2, 2]], tokenizer=None) as other,
        anygram.build([[1, 1, 1], [2, 2]], tokenizer=None) as equal,
    ):
        cursor = index.find([1]).page(size=1).next
        assert equal.find(np.array([1])).page(cursor)[0].offset == index.find([1])[1].offset
        (batched,) = equal.find_batch([[1]])
        assert batched.page(cursor).begin == 1
        for found in (other.find([1]), index.find([2]), index.find([1, 1]), index.find([1], where=mask)):
            with pytest.raises(InvalidQueryError, match="another question"):
                found.page(cursor)
        with pytest.raises(InvalidQueryError, match="another question"):
            index.find([1]).document_page(cursor)
        for wrong in ("", "abc", "é" * 20, cursor[:-4], cursor[:-1] + "!", 7):
            with pytest.raises(InvalidQueryError, match="cursor"):
                index.find([1]).page(wrong)  # type: ignore[arg-type]
        with pytest.raises(InvalidQueryError, match="size"):
            index.find([1]).page(size=0)


def test_documents_are_fetched_together() -> None:
    rows = [{"text": "x" * (number % 5), "number": number} for number in range(60)]
    with anygram.build(rows, tokenizer="bytes", shards=4) as index:
        numbers = [3, 3, 59, 0, 17]
        assert index.documents(numbers) == [index.document(number) for number in numbers]
        assert [document.metadata["number"] for document in index.documents(numbers)] == numbers
        assert index.documents([]) == []
        with pytest.raises(anygram.DocumentNotFoundError):
            index.documents([0, 60])
