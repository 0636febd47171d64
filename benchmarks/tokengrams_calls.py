"""The same random calls to tokengrams and to anygram.compat.tokengrams: are the answers the same?

    python benchmarks/tokengrams_calls.py [--calls 20000] [--seed 0]

Corpora of many shapes (few letters and many, periodic, over one shard and several, of 2 and of 4 bytes a token) are
built by both, their files compared, and all methods asked at random. Every difference must be one of those that
docs/compat-tokengrams.md lists, and is shown otherwise; the last line counts them.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import tokengrams as theirs

from anygram.compat import tokengrams as ours
from anygram.errors import AnygramError

METHODS = ("count", "contains", "positions", "count_next", "batch_count_next", "is_sorted")


def corpus(draw: random.Random, vocab: int) -> list[int]:
    letters = draw.sample(range(vocab), min(vocab, draw.choice([1, 2, 3, 30, 3000])))
    size = draw.choice([1, 2, 50, 3000, 20_000])
    if draw.random() < 0.25:
        period = draw.choices(letters, k=draw.randint(1, 40))
        return (period * (size // len(period) + 1))[:size]
    return draw.choices(letters, k=size)


def query(draw: random.Random, tokens: list[int], vocab: int) -> list[int]:
    kind = draw.random()
    if kind < 0.03:
        return []
    if kind < 0.06:
        return [draw.choice([65536, 70_000, 2**32]), *draw.choices(tokens, k=draw.randint(0, 2))]
    begin = draw.randrange(len(tokens))
    ids = tokens[begin : begin + draw.choice([1, 1, 2, 3, 8, 100])]
    if draw.random() < 0.2:
        ids[draw.randrange(len(ids))] = draw.randrange(vocab)
    return ids


def answer(index: object, method: str, argument: object) -> object:
    try:
        return getattr(index, method)(*([] if argument is None else [argument]))
    except AnygramError as error:
        return type(error).__name__
    # A panic of Rust is no Exception.
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return type(error).__name__


def pairs(draw: random.Random, folder: Path, vocab: int) -> tuple[list[tuple[object, object]], list[int]]:
    """Indexes of both, over the same files, which both wrote alike."""
    files, tokens = [], []
    for number in range(draw.randint(1, 3)):
        path, table = folder / f"{number}.bin", folder / f"{number}.idx"
        tokens = corpus(draw, vocab)
        np.array(tokens, "<u2" if vocab <= 65536 else "<u4").tofile(path)
        theirs.MemmapIndex.build(str(path), str(table), vocab=vocab)
        written = table.read_bytes()
        ours.MemmapIndex.build(path, table, vocab=vocab)
        assert table.read_bytes() == written, (path, vocab)
        files.append((str(path), str(table)))
    arguments = [
        ("MemmapIndex", files[-1]),
        ("ShardedMemmapIndex", (files,)),
        ("ShardedInMemoryIndex", (files,)),
        ("InMemoryIndex", (tokens,)),
    ]
    return [
        (getattr(theirs, name)(*given, vocab=vocab), getattr(ours, name)(*given, vocab=vocab))
        for name, given in arguments
    ], tokens


def row(method: str, argument: object, vocab: int) -> str | None:
    """The row of the table that a difference belongs to."""
    queries = argument if method == "batch_count_next" else [argument]
    largest = 65535 if vocab <= 65536 else 2**32 - 1
    if any(max(ids, default=0) > largest for ids in queries):
        return "an id that the files cannot hold"
    if [] in queries and method in ("count", "contains", "positions"):
        return "the empty query"
    return None


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    flags = parser.parse_args()
    draw = random.Random(flags.seed)
    counts: Counter[str] = Counter()
    calls = 0
    while calls < flags.calls:
        vocab = draw.choice([5, 300, 5000, 65536, 65537, 80_000])
        with tempfile.TemporaryDirectory() as folder:
            indexes, tokens = pairs(draw, Path(folder), vocab)
            for _ in range(100):
                their_index, our_index = draw.choice(indexes)
                # What is linear is asked more rarely.
                method = draw.choices(METHODS, [20, 20, 20, 10, 2, 1])[0]
                if not hasattr(their_index, method):
                    assert not hasattr(our_index, method)
                    continue
                argument: object = None
                if method == "batch_count_next":
                    argument = [query(draw, tokens, vocab) for _ in range(3)]
                elif method != "is_sorted":
                    argument = query(draw, tokens, vocab)
                expected, found = answer(their_index, method, argument), answer(our_index, method, argument)
                calls += 1
                counts[method] += 1
                if expected != found:
                    name = row(method, argument, vocab)
                    counts[f"differs: {name}"] += 1
                    if name is None:
                        print(method, argument, vocab, expected, found)
    print(f"{calls} calls:", ", ".join(f"{name} {count}" for name, count in sorted(counts.items())))
    sys.exit("differs: None" in counts)


if __name__ == "__main__":
    main()
