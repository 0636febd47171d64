"""The same random calls to tokengrams and to its stand-in."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from anygram.compat import tokengrams as ours

theirs = pytest.importorskip("tokengrams")


@pytest.mark.parametrize("vocab", [7, 300, 65536, 70000])
def test_the_same_answers_and_files(tmp_path: Path, vocab: int) -> None:
    draw = random.Random(vocab)
    letters = sorted(draw.sample(range(vocab), min(vocab, 9)))
    pairs = []
    for shard in range(2):
        tokens, table = tmp_path / f"{shard}.bin", tmp_path / f"{shard}.idx"
        values = draw.choices(letters, k=600)
        np.array(values, "<u2" if vocab <= 65536 else "<u4").tofile(tokens)
        theirs.MemmapIndex.build(str(tokens), str(table), vocab=vocab)
        written = table.read_bytes()
        ours.MemmapIndex.build(tokens, table, vocab=vocab)
        assert table.read_bytes() == written
        pairs.append((str(tokens), str(table)))
    kinds = [
        (theirs.MemmapIndex(*pairs[0], vocab=vocab), ours.MemmapIndex(*pairs[0], vocab=vocab)),
        (theirs.InMemoryIndex(values, vocab=vocab), ours.InMemoryIndex(values, vocab=vocab)),
        (theirs.ShardedMemmapIndex(pairs, vocab=vocab), ours.ShardedMemmapIndex(pairs, vocab=vocab)),
        (theirs.ShardedInMemoryIndex(pairs, vocab=vocab), ours.ShardedInMemoryIndex(pairs, vocab=vocab)),
    ]
    for their_index, our_index in kinds:
        assert our_index.is_sorted() == their_index.is_sorted() is True
        for _ in range(40):
            query = draw.choices(letters, k=draw.choice([1, 1, 2, 3, 5]))
            for method in ("count", "contains", "positions", "count_next"):
                if hasattr(their_index, method):
                    assert getattr(our_index, method)(query) == getattr(their_index, method)(query)
        assert our_index.count_next([]) == their_index.count_next([])
