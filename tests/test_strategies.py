"""The famous texts are what their names say."""

from __future__ import annotations

import pytest

from strategies import cut, de_bruijn, fibonacci, periodic, thue_morse


def test_fibonacci() -> None:
    assert fibonacci(13) == [0, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 0, 1]


def test_thue_morse() -> None:
    assert thue_morse(8) == [0, 1, 1, 0, 1, 0, 0, 1]


@pytest.mark.parametrize(("num_letters", "order"), [(2, 5), (3, 3), (4, 2)])
def test_de_bruijn_has_every_ngram_once(num_letters: int, order: int) -> None:
    text = de_bruijn(num_letters, order)
    ngrams = [tuple(text[begin : begin + order]) for begin in range(len(text) - order + 1)]
    assert len(ngrams) == len(set(ngrams)) == num_letters**order


def test_periodic() -> None:
    assert periodic([1, 2, 3], 5) == [1, 2, 3, 1, 2]


def test_cut() -> None:
    assert cut([1, 2, 3], [2, 0, 2, 9]) == [[], [1, 2], [], [3], []]
