"""Corpora where suffix arrays break, and questions about them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, pairwise
from typing import TypeAlias

from hypothesis import strategies as st

Documents: TypeAlias = list[list[int]]

# The largest ids are on both sides of each token width of the format: 1, 2, 3 and 4 bytes.
LETTERS = ([0, 1, 2, 3], [0, 1, 253, 254], [7, 255, 256, 65534], [0, 65535, 65536, 2**24 - 2], [0, 5, 2**24, 2**32 - 2])


def fibonacci(length: int) -> list[int]:
    first, second = [0], [0, 1]
    while len(second) < length:
        first, second = second, second + first
    return second[:length]


def thue_morse(length: int) -> list[int]:
    return [place.bit_count() % 2 for place in range(length)]


def de_bruijn(num_letters: int, order: int) -> list[int]:
    """Every n-gram of `order` letters once, if the sequence is read as a circle: the greedy construction."""
    sequence = [0] * order
    seen = {tuple(sequence)}
    while True:
        tail = sequence[len(sequence) - order + 1 :]
        letter = next((x for x in reversed(range(num_letters)) if (*tail, x) not in seen), None)
        if letter is None:
            return sequence
        seen.add((*tail, letter))
        sequence.append(letter)


def periodic(period: Sequence[int], length: int) -> list[int]:
    return (list(period) * (length // len(period) + 1))[:length]


def cut(text: Sequence[int], places: Sequence[int]) -> Documents:
    """The text as documents, cut at the places; equal places give empty documents."""
    bounds = [0, *sorted(min(place, len(text)) for place in places), len(text)]
    return [list(text[begin:end]) for begin, end in pairwise(bounds)]


def joined(pieces: Iterable[list[int]]) -> list[int]:
    return list(chain.from_iterable(pieces))


def documents_of(letters: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, letters - 1), max_size=12)


def famous_texts() -> st.SearchStrategy[list[int]]:
    lengths = st.integers(0, 90)
    return st.one_of(
        lengths.map(lambda length: [0] * length),
        lengths.map(fibonacci),
        lengths.map(thue_morse),
        st.sampled_from([de_bruijn(2, 5), de_bruijn(3, 3), de_bruijn(4, 2)]),
        st.builds(periodic, st.lists(st.integers(0, 3), min_size=1, max_size=7), lengths),
    )


def long_documents() -> st.SearchStrategy[list[int]]:
    """More than 40 tokens, made of a few blocks over and over."""
    blocks = st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=15), min_size=1, max_size=3)
    return blocks.flatmap(lambda choice: st.lists(st.sampled_from(choice), min_size=14, max_size=20).map(joined))


def small_corpora() -> st.SearchStrategy[Documents]:
    """Documents over the letters 0 to 3; at least one, for a corpus without any is refused."""
    return st.one_of(
        st.integers(1, 4).flatmap(lambda letters: st.lists(documents_of(letters), min_size=1, max_size=10)),
        st.lists(documents_of(2), min_size=10, max_size=40),
        st.builds(cut, famous_texts(), st.lists(st.integers(0, 90), max_size=5)),
        st.builds(lambda document, copies: [document] * copies, documents_of(3), st.integers(1, 8)),
        st.lists(long_documents(), min_size=1, max_size=2),
        st.lists(st.just([]), min_size=1, max_size=5),
    )


@st.composite
def corpora(draw: st.DrawFn) -> Documents:
    """The documents of small_corpora, and at times with ids of another token width."""
    letters = draw(st.sampled_from(LETTERS))
    return [[letters[token] for token in document] for document in draw(small_corpora())]


@st.composite
def ngrams(draw: st.DrawFn, documents: Documents, min_size: int = 0, max_size: int = 12) -> list[int]:
    """An n-gram of the corpus, often with a token exchanged, or letters at random; one of them may be unseen."""
    seen = sorted({token for document in documents for token in document})
    letters = st.sampled_from([*seen, 2]) if seen else st.just(2)
    pieces = [document for document in documents if len(document) >= max(min_size, 1)]
    if not pieces or draw(st.integers(0, 4)) == 0:
        return draw(st.lists(letters, min_size=min_size, max_size=max_size))
    document = draw(st.sampled_from(pieces))
    begin = draw(st.integers(0, len(document) - min_size))
    ngram = document[begin : begin + draw(st.integers(min_size, max_size))]
    if ngram and draw(st.integers(0, 3)) == 0:
        ngram[draw(st.integers(0, len(ngram) - 1))] = draw(letters)
    return ngram


def texts(documents: Documents) -> st.SearchStrategy[list[int]]:
    """Longer token lists for score, longest_matches and spans: pieces of the corpus, joined."""
    return st.lists(ngrams(documents), max_size=4).map(joined)


def shard_counts() -> st.SearchStrategy[int]:
    return st.sampled_from([1, 1, 2, 3, 7])
