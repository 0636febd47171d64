"""The parts of benchmarks/paper that figures depend on: splits, near-duplicates, gains, the bootstrap, loops."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

_BENCHMARKS = str(Path(__file__).parents[2] / "benchmarks")
sys.path.append(_BENCHMARKS)

from paper.duplicates import near_duplicates
from paper.measures import Sums, bootstrap_p, draws, gain, loop_begin, ranks, spearman
from paper.settings import SHARES
from paper.sources import deal, group_sources, nested_blocks

sys.path.remove(_BENCHMARKS)  # others there have names of tests

# --- sources


def test_a_folder_that_is_too_large_is_split():
    paths = ["a/b/1", "a/b/2", "a/c/1", "a/3", "d/1", "d/e/2"]
    sizes = [5, 5, 2, 1, 3, 3]
    assert group_sources(paths, sizes, 6) == ["a/b/*", "a/b/*", "a/c", "a/*", "d", "d"]
    assert group_sources(paths, sizes, 10) == ["a/b", "a/b", "a/c", "a/*", "d", "d"]
    assert group_sources(paths, sizes, 13) == ["a", "a", "a", "a", "d", "d"]


def test_what_is_no_path_has_a_source_too():
    assert group_sources(["wn:cat", "wn:a/b", "https://a.org/b/c", "alone"], [1] * 4, 10) == [
        "wn",
        "wn",
        "a.org",
        "alone",
    ]


@given(st.dictionaries(st.text(max_size=8), st.integers(1, 100), min_size=1), st.integers(0, 5))
def test_each_source_is_dealt_once_and_shares_are_kept(sizes, seed):
    splits = deal(sizes, SHARES, seed)
    assert splits.keys() == sizes.keys()
    assert splits == deal(dict(reversed(sizes.items())), SHARES, seed)
    total = sum(sizes.values())
    for name, share in SHARES.items():
        have = sum(size for source, size in sizes.items() if splits[source] == name)
        assert have <= share * total + max(sizes.values())


@given(st.lists(st.integers(1, 50), min_size=1, max_size=200), st.integers(0, 4))
def test_blocks_are_nested_halvings(sizes, halvings):
    blocks = nested_blocks(sizes, halvings)
    assert len(blocks) == halvings + 1
    assert [end for _, end in blocks[:-1]] == [begin for begin, _ in blocks[1:]]
    assert blocks[0][0] == 0
    assert blocks[-1][1] == len(sizes)
    for number, (_, end) in enumerate(blocks):
        assert abs(sum(sizes[:end]) - sum(sizes) / 2 ** (halvings - number)) <= max(sizes)


# --- near-duplicates


def test_near_duplicates_are_found_and_others_are_not():
    random = np.random.default_rng(0)
    texts = [random.integers(1000, size=int(size)).astype(np.uint16) for size in random.integers(13, 400, 40)]
    texts[7] = texts[30] = texts[3]
    texts[20] = random.integers(1000, size=400).astype(np.uint16)
    texts[21] = np.concatenate([texts[20][:390], [1, 2, 3]]).astype(np.uint16)
    texts[22] = np.concatenate([texts[20][:100], random.integers(1000, size=300)]).astype(np.uint16)
    texts[35] = texts[36] = np.arange(12, dtype=np.uint16)  # too short to be like another
    texts[37] = np.empty(0, np.uint16)
    found = near_duplicates(np.concatenate(texts), np.cumsum([0, *map(len, texts)]), seed=0)
    assert {number: other for number, other in enumerate(found.tolist()) if other >= 0} == {7: 3, 30: 3, 21: 20}


def test_no_document_is_like_none():
    assert len(near_duplicates(np.empty(0, np.uint16), np.array([0]), seed=0)) == 0


# --- measures


def test_ranks_and_their_correlation():
    assert ranks([10, 20, 20, 5]).tolist() == [2, 3.5, 3.5, 1]
    assert spearman([1, 2, 3, 4], [1, 4, 9, 16]) == pytest.approx(1)
    assert spearman([1, 2, 3, 4], [9, 7, 5, 1]) == pytest.approx(-1)
    assert spearman([1, 2, 3, 4, 5], [5, 6, 7, 8, 7]) == pytest.approx(0.8207826816681233)  # as scipy has it
    assert np.isnan(spearman([1, 2, 3], [4, 4, 4]))


def test_the_gain_is_the_papers():
    assert gain(13.71, 22.82) == pytest.approx(0.42, abs=0.005)
    assert gain(4.66, 5.83) == pytest.approx(0.24, abs=0.005)
    assert gain(5.0, 5.0) == 0


def test_the_bootstrap_tells_a_difference_from_none():
    random = np.random.default_rng(0)
    units = np.repeat(np.arange(60), 50)
    before = random.normal(-4, 1, len(units))
    better = Sums.of(before, before + random.normal(0.1, 0.2, len(units)), units)
    assert better.tokens.tolist() == [50] * 60
    assert better.before.sum() == pytest.approx(before.sum())
    chosen = draws(60, seed=0, rounds=2000)
    assert bootstrap_p(better.drawn_gains(chosen)) == pytest.approx(1 / 2001)
    assert bootstrap_p(Sums.of(before, before, units).drawn_gains(chosen)) == 1
    noise = np.repeat(random.normal(0, 0.3, 60), 50)  # each document up or down as a whole
    assert bootstrap_p(Sums.of(before, before + noise - noise.mean(), units).drawn_gains(chosen)) > 0.05


def test_a_gain_of_one_round_is_that_of_what_was_drawn():
    sums = Sums(np.array([-4.0, -1.0]), np.array([-2.0, -1.0]), np.array([2, 1]))
    assert sums.drawn_gains(np.array([[0, 0]]))[0] == pytest.approx(gain(np.exp(1), np.exp(2)))
    assert sums.drawn_gains(np.array([[0, 1]]))[0] == pytest.approx(gain(np.exp(1), np.exp(5 / 3)))


def test_where_a_text_begins_to_loop():
    start = np.arange(20)
    assert loop_begin(start) == 20
    assert loop_begin(np.array([], int)) == 0
    assert loop_begin(np.append(start, [7, 8] * 5)) == 22  # once is no loop yet
    assert loop_begin(np.append(start, [7, 8, 7, 8])) == 24  # nor is twice
    assert loop_begin(np.append(start, [7] * 3)) == 21
    assert loop_begin(np.append(np.array([7, 8] * 5), start)) == 30  # one that ended
    assert loop_begin(np.append(start, [*range(30, 95)] * 3)) == 20 + 3 * 65  # too long a piece
