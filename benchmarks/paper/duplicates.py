"""Near-duplicates, by MinHash over the n-grams of tokens."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

_LENGTH = 13  # tokens of the n-grams whose sets are compared
_BANDS, _ROWS = 8, 4  # 8 chances at 4 equal values: .8 alike is seen with probability .98, .3 with .06
_ALIKE = 0.7  # estimated from all 32 values


def near_duplicates(tokens: NDArray[np.integer], offsets: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """For each document the first one before it that is nearly the same, or -1.

    Args:
        tokens: of all documents, one after another.
        offsets: where each begins, and the end.
        seed: of the hash functions.

    Documents with less than 13 tokens are like none.
    """
    values = _signatures(tokens, offsets, seed)
    long_enough = np.diff(offsets) >= _LENGTH
    kept: list[dict[bytes, list[int]]] = [defaultdict(list) for _ in range(_BANDS)]
    found = np.full(len(offsets) - 1, -1, np.int64)
    for number in np.flatnonzero(long_enough).tolist():
        bands = [values[number, band * _ROWS : (band + 1) * _ROWS].tobytes() for band in range(_BANDS)]
        candidates = sorted({one for table, band in zip(kept, bands, strict=True) for one in table.get(band, ())})
        if candidates:
            alike = (values[candidates] == values[number]).mean(axis=1)
            if alike.max() >= _ALIKE:
                found[number] = candidates[int(np.argmax(alike >= _ALIKE))]
                continue
        for table, band in zip(kept, bands, strict=True):
            table[band].append(number)
    return found


def _signatures(tokens: NDArray[np.integer], offsets: NDArray[np.int64], seed: int) -> NDArray[np.uint32]:
    """The least of each of 32 hashes over a document's n-grams: uint32 (n, 32)."""
    random = np.random.default_rng(seed)
    multipliers = random.integers(2**63, size=_BANDS * _ROWS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    found = np.zeros((len(offsets) - 1, len(multipliers)), np.uint32)
    # A piece of whole documents at a time, for the hashes take eight bytes a token.
    begin = 0
    while begin < len(offsets) - 1:
        end = max(begin + 1, int(np.searchsorted(offsets, offsets[begin] + (1 << 24), "right")) - 1)
        piece = tokens[offsets[begin] : offsets[end]]
        starts = (offsets[begin:end] - offsets[begin]).astype(np.int64)
        lengths = np.diff(offsets[begin : end + 1])
        chosen = np.flatnonzero(lengths >= _LENGTH)
        if len(chosen):
            hashes = _ngram_hashes(piece)
            # From each document's first n-gram to its last, and what lies between documents, which is dropped.
            edges = np.stack([starts[chosen], starts[chosen] + lengths[chosen] - _LENGTH + 1], axis=1).ravel()
            hashes = np.append(hashes, np.uint64(0))  # an edge may stand right behind the last
            for column, multiplier in enumerate(multipliers):
                mixed = ((hashes * multiplier) >> np.uint64(32)).astype(np.uint32)
                found[begin + chosen, column] = np.minimum.reduceat(mixed, edges)[::2]
        begin = end
    return found


def _ngram_hashes(tokens: NDArray[np.integer]) -> NDArray[np.uint64]:
    """A hash of the 13 tokens from each place on, where there are so many."""
    ids = tokens.astype(np.uint64) + np.uint64(1)
    ids ^= ids * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(29)
    found = np.zeros(len(tokens) - _LENGTH + 1, np.uint64)
    for place in range(_LENGTH):
        found *= np.uint64(0xD6E8FEB86659FD93)
        found += ids[place : len(ids) - _LENGTH + 1 + place]
    found ^= found >> np.uint64(32)
    found *= np.uint64(0xD6E8FEB86659FD93)
    found ^= found >> np.uint64(29)
    return found
