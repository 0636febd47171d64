"""tokengrams' classes against brute force over lists, and each difference from tokengrams that is meant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import strategies
from anygram import errors
from anygram.compat.tokengrams import InMemoryIndex, MemmapIndex, ShardedInMemoryIndex, ShardedMemmapIndex

VOCAB = 6


def found(tokens: Sequence[int], query: Sequence[int]) -> list[int]:
    """Where the query begins, in the order of the suffixes; of the empty query, every token."""
    places = sorted(range(len(tokens)), key=lambda place: tokens[place:])
    return [place for place in places if tokens[place : place + len(query)] == list(query)]


def following(tokens: Sequence[int], query: Sequence[int], vocab: int = VOCAB) -> list[int]:
    counts = [0] * vocab
    for place in found(tokens, query):
        if place + len(query) < len(tokens):
            counts[tokens[place + len(query)]] += 1
    return counts


def write(folder: Path, tokens: Sequence[int], name: str = "a", vocab: int = VOCAB) -> tuple[Path, Path]:
    path = folder / f"{name}.bin"
    np.array(tokens, "<u2" if vocab <= 65536 else "<u4").tofile(path)
    return path, folder / f"{name}.idx"


def from_disk(folder: Path, tokens: list[int]) -> InMemoryIndex:
    paths = write(folder, tokens)
    MemmapIndex.build(*paths, VOCAB)
    return InMemoryIndex.from_disk(*paths, VOCAB)


def saved(folder: Path, tokens: list[int]) -> MemmapIndex:
    index = InMemoryIndex(tokens, VOCAB)
    index.save_tokens(folder / "t")
    index.save_index(folder / "i")
    return MemmapIndex(folder / "t", folder / "i", VOCAB)


Maker = Callable[[Path, list[int]], InMemoryIndex | MemmapIndex]

MAKERS: dict[str, Maker] = {
    "list": lambda _, tokens: InMemoryIndex(tokens, VOCAB),
    "token file": lambda folder, tokens: InMemoryIndex.from_token_file(write(folder, tokens)[0], None, VOCAB),
    "built": lambda folder, tokens: MemmapIndex.build(*write(folder, tokens), VOCAB),
    "from disk": from_disk,
    "saved": saved,
}


@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
@settings(max_examples=12)
@given(data=st.data())
def test_one_index(maker: Maker, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    tokens = strategies.joined(data.draw(strategies.small_corpora()))
    index = maker(tmp_path_factory.mktemp("tokengrams"), tokens)
    assert index.is_sorted()
    queries = data.draw(st.lists(strategies.ngrams([tokens]), max_size=5))
    for query in queries:
        assert index.positions(query) == found(tokens, query)
        assert index.count(np.array(query, np.int64)) == len(found(tokens, query))
        assert index.contains(query) == bool(found(tokens, query))
        assert index.count_next(query) == following(tokens, query)
    assert index.batch_count_next(queries) == [following(tokens, query) for query in queries]


@settings(max_examples=12)
@given(data=st.data())
def test_shards(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("tokengrams")
    shards = data.draw(st.lists(strategies.small_corpora().map(strategies.joined), min_size=1, max_size=3))
    paths = [write(folder, tokens, str(number)) for number, tokens in enumerate(shards)]
    built = ShardedMemmapIndex.build(paths, VOCAB)
    for index in (built, ShardedMemmapIndex(paths, VOCAB), ShardedInMemoryIndex(paths, VOCAB)):
        assert index.is_sorted()
        for query in data.draw(st.lists(strategies.ngrams(shards), max_size=3)):
            assert index.count(query) == sum(len(found(tokens, query)) for tokens in shards)
            assert index.contains(query) == (index.count(query) > 0)
            expected = [following(tokens, query) for tokens in shards]
            assert index.count_next(query) == [sum(counts) for counts in zip(*expected, strict=True)]
    assert not hasattr(built, "positions")


def test_the_files_of_tokengrams(tmp_path: Path) -> None:
    """As tokengrams 0.3.3 writes them: tokens of 2 bytes, or of 4 from a vocab of 65,537 on; 8 bytes a position."""
    for vocab, width in ((65536, 2), (65537, 4)):
        index = InMemoryIndex([3, 1, 2, 1, 256], vocab)
        index.save_tokens(tmp_path / "tokens")
        index.save_index(tmp_path / "table")
        tokens = b"".join(token.to_bytes(width, "little") for token in [3, 1, 2, 1, 256])
        assert (tmp_path / "tokens").read_bytes() == tokens
        assert (tmp_path / "table").read_bytes() == b"".join(place.to_bytes(8, "little") for place in [1, 3, 2, 0, 4])
    index = InMemoryIndex.from_token_file(tmp_path / "tokens", token_limit=2, vocab=65537)
    assert index.positions([]) == [1, 0]


def test_a_table_is_there_when_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = write(tmp_path, [1, 2])
    with monkeypatch.context() as patched:
        patched.setattr("anygram.compat.tokengrams.indexes.available_memory", lambda: 10)
        with pytest.raises(errors.LimitError):
            MemmapIndex.build(*paths)
    assert list(tmp_path.iterdir()) == [paths[0]]


class TestDifferences:
    """The rows of the table in docs/compat-tokengrams.md."""

    index = InMemoryIndex([1, 2, 3, 1, 2, 3, 1, 3], vocab=5)

    def test_ids_that_the_files_cannot_hold_are_refused(self) -> None:
        """tokengrams drops them from the query, so that it answers another one."""
        for method in ("count", "contains", "positions", "count_next"):
            for query in ([1, 70000], [65536], [2**40], [-1]):
                with pytest.raises(errors.InvalidQueryError):
                    getattr(self.index, method)(query)
        assert self.index.count([1, 65535]) == 0

    def test_tokens_that_do_not_fit_are_refused(self) -> None:
        """tokengrams takes them modulo 2^16, or panics when they are counted."""
        for tokens in ([65537], [5], [-1]):
            with pytest.raises(errors.InputError):
                InMemoryIndex(tokens, vocab=5)

    def test_a_token_of_the_files_beyond_vocab_is_an_error(self, tmp_path: Path) -> None:
        """tokengrams panics, which `except Exception` does not catch."""
        index = MemmapIndex.build(*write(tmp_path, [9, 9, 4]), vocab=5)
        assert index.count([9]) == 2
        for query in ([9], []):
            with pytest.raises(errors.InvalidQueryError, match="larger vocab"):
                index.count_next(query)
        assert index.count_next([4]) == [0] * 5

    def test_the_empty_query_occurs_at_every_token(self) -> None:
        """tokengrams counts it 0 times, and yet counts what follows it."""
        assert self.index.count([]) == 8 == sum(self.index.count_next([]))
        assert self.index.contains([])
        assert sorted(self.index.positions([])) == list(range(8))
        assert not InMemoryIndex([]).contains([])

    def test_bools_are_no_ids(self) -> None:
        for query in ([True], [1.0], "1", [[1]], 1):
            with pytest.raises(errors.InvalidQueryError):
                self.index.count(query)  # type: ignore[arg-type]

    def test_errors_are_typed(self, tmp_path: Path) -> None:
        """tokengrams panics, or raises RuntimeError."""
        tokens, table = write(tmp_path, [3, 1, 2, 1])
        for make in (MemmapIndex, MemmapIndex.build, InMemoryIndex.from_disk):
            with pytest.raises(errors.IndexNotFoundError):
                make(tmp_path / "none", table)
        (tmp_path / "odd").write_bytes(b"abc")
        with pytest.raises(errors.TruncatedIndexError):
            MemmapIndex.build(tmp_path / "odd", table)
        for vocab in (0, 2**32):
            with pytest.raises(errors.InvalidQueryError, match="vocab"):
                MemmapIndex(tokens, table, vocab)

    def test_a_table_of_other_tokens_is_refused(self, tmp_path: Path) -> None:
        """tokengrams reads all of it to open it, and panics; one of another length it opens in memory, and answers."""
        tokens, table = write(tmp_path, [3, 1, 2, 1])
        for positions in ([1, 3, 2], [0, 1, 2, 3], [1, 3, 2, 4], [3, 3, 2, 0]):
            np.array(positions, "<u8").tofile(table)
            for make in (MemmapIndex, InMemoryIndex.from_disk):
                with pytest.raises(errors.IndexFormatError):
                    make(tokens, table)
        np.array([3, 1, 2, 0], "<u8").tofile(table)
        assert MemmapIndex(tokens, table).is_sorted()

    def test_what_the_sample_misses_is_sorted_finds(self, tmp_path: Path) -> None:
        tokens = np.random.default_rng(0).integers(0, 9, 50_000)
        paths = write(tmp_path, tokens.tolist())
        MemmapIndex.build(*paths)
        positions = np.fromfile(paths[1], "<u8")
        for third, fourth in ((positions[4], positions[3]), (positions[3], positions[3])):
            damaged = positions.copy()
            damaged[3:5] = third, fourth
            damaged.tofile(paths[1])
            assert not MemmapIndex(*paths).is_sorted()

    def test_sampling_takes_a_seed_and_says_when_nothing_follows(self) -> None:
        samples = self.index.sample_unsmoothed([1], 2, 5, 20, seed=3)
        assert samples == self.index.sample_unsmoothed([1], 2, 5, 20, seed=3)
        assert {len(sample) for sample in samples} == {6}
        pairs = {pair for sample in samples for pair in pairwise(sample)}
        assert pairs == {(1, 2), (2, 3), (3, 1), (1, 3)}
        with pytest.raises(errors.InvalidQueryError, match="nothing follows"):
            self.index.sample_unsmoothed([4], 2, 5, 1)
        with pytest.raises(errors.InvalidQueryError, match="nothing follows"):
            InMemoryIndex([1, 2]).sample_unsmoothed([2], 2, 1, 1)
        for n, k, num_samples in ((0, 1, 1), (1, -1, 1), (1, 1, -1)):
            with pytest.raises(errors.InvalidQueryError):
                self.index.sample_unsmoothed([1], n, k, num_samples)
        assert self.index.sample_unsmoothed([1], 2, 0, 2) == [[1], [1]]

    def test_samples_are_drawn_by_counts(self, tmp_path: Path) -> None:
        paths = [write(tmp_path, tokens, str(i)) for i, tokens in enumerate([[1, 2, 1, 2, 1, 3], [1, 3, 1, 4, 1]])]
        index = ShardedMemmapIndex.build(paths, vocab=5)
        drawn = [sample[1] for sample in index.sample_unsmoothed([1], 2, 1, 5000, seed=0)]
        counts = np.bincount(drawn, minlength=5) / 5000
        assert np.allclose(counts, np.array([0, 0, 2, 2, 1]) / 5, atol=0.03)

    def test_smoothing_says_what_to_use(self) -> None:
        """Of order 2 and deltas of 1 and more, tokengrams' probs sum to 4."""
        for method, arguments in [
            ("get_smoothed_probs", ([1],)),
            ("batch_get_smoothed_probs", ([[1]],)),
            ("sample_smoothed", ([1], 2, 3, 4)),
            ("estimate_deltas", (2,)),
        ]:
            with pytest.raises(errors.InvalidQueryError, match="backoff=True"):
                getattr(self.index, method)(*arguments)
