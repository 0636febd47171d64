"""Counts for Kneser-Ney beside the index: the same answers, or refused; and never in the way."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import anygram
from anygram.errors import IndexFormatError, IndexIOError, InvalidQueryError, TruncatedIndexError
from folders import contents, flipped

DOCUMENTS = [[n % 7, n % 3, n * n % 5, 1, n % 11] * (1 + n % 3) for n in range(150)] + [[], [20]]
TEXTS = [[1, 2, 4, 1, 5], [20], [], [3, 3, 9, 50, 1, 1, 3], *DOCUMENTS[40:60]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    anygram.build(DOCUMENTS, tmp_path / "index", tokenizer=None, shards=2).close()
    return tmp_path / "index"


def answers(index: anygram.Index, **options: object) -> list[np.ndarray]:
    model = anygram.language_model(index, "kneser-ney", 3, **options)  # type: ignore[arg-type]
    return [*model.logprobs_batch(TEXTS, end=True), *map(model.probs, TEXTS[:4])]


def same(found: list[np.ndarray], expected: list[np.ndarray]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))


def kept(folder: Path) -> Path:
    with anygram.open(folder) as index:
        expected = answers(index)
        assert not (folder / "language_models").exists()
        assert same(answers(index, save=True), expected)
        (path,) = (folder / "language_models").iterdir()
        assert path.name == f"kneser_ney-3-{index.id}"
    return path


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How often an index was scanned: progress is told of no other work."""
    calls: list[int] = []
    original = anygram.Index.kneser_ney

    def told(self: anygram.Index, order: int, **options: object) -> object:
        scanned: list[int] = []
        model = original(self, order, **{**options, "progress": lambda *_: scanned.append(1)})  # type: ignore[arg-type]
        calls.append(bool(scanned))
        return model

    monkeypatch.setattr(anygram.Index, "kneser_ney", told)
    return lambda: sum(calls)


def test_kept_counts_are_used(folder: Path, counted: Callable[[], int]) -> None:
    path = kept(folder)
    before, data = counted(), path.read_bytes()
    with anygram.open(folder) as index, anygram.open(folder, load="ram") as loaded:
        expected = answers(index)
        assert same(answers(index, save=True), expected)
        assert same(answers(loaded), expected)
        assert counted() == before
        anygram.language_model(index, "kneser-ney", 2)
        assert counted() == before + 1
    assert path.read_bytes() == data
    assert anygram.verify(folder).ok


def test_the_bytes_depend_on_the_index_alone(folder: Path, tmp_path: Path) -> None:
    data = kept(folder).read_bytes()
    other = tmp_path / "other"
    anygram.build(DOCUMENTS, other, tokenizer=None, shards=2, threads=1).close()
    with anygram.open(other, threads=1) as index:
        anygram.language_model(index, "kneser-ney", 3, save=True)
    assert [path.read_bytes() for path in (other / "language_models").iterdir()] == [data]


def test_every_damage_is_refused_or_harmless(folder: Path) -> None:
    path = kept(folder)
    data = path.read_bytes()
    with anygram.open(folder) as index:
        expected = answers(index)

        def refused() -> bool:
            try:
                assert same(answers(index), expected)
            except IndexFormatError as error:
                assert str(path) in str(error)  # noqa: PT017  # it may also answer
                return True
            return False

        draw = random.Random(5)
        offsets = [*range(0, 64, 3), 4095, 4096, *draw.sample(range(len(data)), 150), len(data) - 1]
        damaged = 0
        for offset in offsets:
            path.write_bytes(flipped(data, offset, draw.randrange(8)))
            damaged += refused()
            assert not anygram.verify(folder).ok
        assert damaged > len(offsets) / 2
        for size in (0, 1, 4095, 4096, 5000, len(data) // 2, len(data) - 1):
            path.write_bytes(data[:size])
            with pytest.raises(TruncatedIndexError, match="save=True"):
                answers(index)
        path.write_bytes(data + b"\0")
        with pytest.raises(TruncatedIndexError):
            answers(index)
        assert same(answers(index, save=True), expected)
    assert path.read_bytes() == data


def test_counts_of_another_index_are_refused(folder: Path, tmp_path: Path) -> None:
    data = kept(folder).read_bytes()
    other = tmp_path / "other"
    anygram.build([*DOCUMENTS, [5]], other, tokenizer=None, shards=2).close()
    with anygram.open(other) as index:
        path = other / "language_models" / f"kneser_ney-3-{index.id}"
        path.parent.mkdir()
        path.write_bytes(data)
        with pytest.raises(IndexFormatError, match="id of this index"):
            answers(index)


def test_another_generation_removes_them(folder: Path) -> None:
    kept(folder)
    anygram.build(DOCUMENTS[:50], folder, tokenizer=None, overwrite=True).close()
    assert not (folder / "language_models").exists()
    kept(folder)


def test_a_folder_that_cannot_be_written(folder: Path) -> None:
    before = contents(folder)
    (folder / "language_models").write_text("in the way")
    with anygram.open(folder) as index:
        with pytest.raises(IndexIOError, match="without save=True"):
            answers(index, save=True)
        answers(index)
    (folder / "language_models").unlink()
    assert contents(folder) == before


def test_what_has_no_folder_keeps_nothing(folder: Path) -> None:
    memory = anygram.build(DOCUMENTS, tokenizer=None)
    with anygram.open([folder, folder]) as both:
        for index in (memory, both):
            with pytest.raises(InvalidQueryError, match="save"):
                answers(index, save=True)
            answers(index)
        with pytest.raises(InvalidQueryError, match="nothing to save"):
            anygram.language_model(both, "infinity", save=True)
