"""What a source is, and which source is for what.

A source is a folder. One that holds too much of its domain is split into its subfolders, so that there are many sources
of like size; what is dealt out is sources, never documents.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence


def order_of(seed: int, name: str) -> int:
    """A number that stands for a random draw, the same on each machine and in each order of reading."""
    return int.from_bytes(hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=8).digest(), "little")


def group_sources(paths: Sequence[str], sizes: Sequence[int], largest: float) -> list[str]:
    """The source of each document: the uppermost folder of its path that holds at most `largest`.

    Documents right in a folder that is split are a source of their own; it may be larger.
    """
    within: defaultdict[str, float] = defaultdict(float)
    for path, size in zip(paths, sizes, strict=True):
        for folder in _folders(path):
            within[folder] += size
    return [
        next((folder for folder in _folders(path) if within[folder] <= largest), f"{_folders(path)[-1]}/*")
        for path in paths
    ]


def _folders(path: str) -> list[str]:
    """Those that a document is in, from the uppermost; "name:entry" is an entry of `name`."""
    path = path.partition("://")[2] or path
    name, _, entry = path.partition(":")
    if entry and "/" not in name:
        return [name]
    parts = [part for part in path.split("/") if part not in {"", "."}]
    return ["/".join(parts[:depth]) for depth in range(1, max(len(parts), 2))]


def deal(sizes: Mapping[str, int], shares: Mapping[str, float], seed: int) -> dict[str, str]:
    """Deals sources out, in a random order, each to the split that lacks the most of its share.

    Returns:
        The split of each source.
    """
    have = dict.fromkeys(shares, 0)
    found = {}
    dealt = 0
    for source in sorted(sizes, key=lambda name: (order_of(seed, name), name)):
        dealt += sizes[source]
        split = max(shares, key=lambda name: shares[name] * dealt - have[name])
        have[split] += sizes[source]
        found[source] = split
    return found


def nested_blocks(sizes: Sequence[int], halvings: int) -> list[tuple[int, int]]:
    """Cuts a list of documents so that its first block is 2^-halvings of all, the first two are twice that, and so on.

    Returns:
        Begin and end of each of the halvings + 1 blocks.
    """
    total = sum(sizes)
    ends = []
    seen = number = 0
    for halving in range(halvings, 0, -1):
        while number < len(sizes) and seen + sizes[number] / 2 <= total / 2**halving:
            seen += sizes[number]
            number += 1
        ends.append(number)
    ends.append(len(sizes))
    return list(zip([0, *ends[:-1]], ends, strict=True))
