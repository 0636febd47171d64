"""Every truncation and every byte of a small index, none left to chance."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import anygram
import plain
from anygram.errors import AnygramError
from folders import contents, flipped

DOCUMENTS = [{"text": "to be or not to be", "number": 1}, {"text": ""}, {"text": "be that as it may", "number": 3}]


SHARES = 8  # the bytes are dealt out to so many tests


def damages(data: bytes, share: int) -> Iterator[bytes]:
    for place in range(share, len(data), SHARES):
        yield data[:place]
        yield flipped(data, place, bit=place // SHARES % 8)


def answers(folder: Path) -> list[object]:
    with anygram.open(folder) as index:
        return plain.answers(index, [index.encode(text).tolist() for text in ["to be", "may", "", "be may"]])


@pytest.mark.parametrize("profile", ["fast", "lean"])
@pytest.mark.parametrize("share", range(SHARES))
def test_every_damage_is_refused_or_answered_right(tmp_path: Path, profile: str, share: int) -> None:
    folder = tmp_path / "index"
    anygram.build(DOCUMENTS, folder, tokenizer="words", profile=profile).close()
    expected = answers(folder)
    for name, data in contents(folder).items():
        for damaged in damages(data, share):
            (folder / name).write_bytes(damaged)
            try:
                found = answers(folder)
            except AnygramError:
                continue
            assert found == expected, name
        (folder / name).write_bytes(data)
