"""Builds of millions of tokens: the same bytes by any way, and whole by verify's account."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import anygram
from folders import contents
from strategies import fibonacci

NUM_TOKENS = 20_000_000


def documents(kind: str) -> list[np.ndarray]:
    generator = np.random.default_rng(2)
    if kind == "words":
        tokens = np.minimum(generator.zipf(1.2, NUM_TOKENS), 60_000).astype(np.uint32)
    elif kind == "copies":
        tokens = np.tile(generator.integers(0, 1000, NUM_TOKENS // 50).astype(np.uint32), 50)
    else:
        tokens = np.array(fibonacci(NUM_TOKENS // 5), np.uint32)
    return np.split(tokens, np.sort(generator.integers(0, len(tokens), 2000)))


@pytest.mark.parametrize("kind", ["words", "copies", "fibonacci"])
@pytest.mark.parametrize("shards", [1, 4])
def test_bytes_do_not_depend_on_threads_or_memory(tmp_path: Path, kind: str, shards: int) -> None:
    given = documents(kind)
    anygram.build(given, tmp_path / "usual", tokenizer=None, shards=shards).close()
    usual = contents(tmp_path / "usual")
    assert anygram.verify(tmp_path / "usual", deep=True).ok
    for options in [{"threads": 1}, {"threads": 5}, {"memory": 4 * 10**8}]:
        anygram.build(given, tmp_path / "other", tokenizer=None, shards=shards, **options).close()
        assert contents(tmp_path / "other") == usual, options
        shutil.rmtree(tmp_path / "other")
