"""Boolean queries: places where all clauses stand near each other.

A clause stands wherever one of its terms does. The clauses are taken from the rarest in the whole index on (of equally
rare ones, in the query's order). Each place of the first is the beginning of a span; all places of the next clause in
the same document, from `max_diff_tokens` before the span to as far behind it, belong to it too, and it grows to hold
them; and so on. If each clause gives at least one, the place counts. Distances are between starts, as infini-gram has
them. Of places that lie one inside the other ("a b" or "b") only the inner one counts.

A place is named by the leftmost start of the matches nearest to it, as infini-gram names it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from anygram.compat.infini_gram.source import Segment, Source
from anygram.shard import InfiniGramShard
from anygram.types import Int64Array

Clause = Sequence[Sequence[int]]


def find_places(source: Source, cnf: Sequence[Clause], max_difference: int) -> list[Int64Array] | None:
    """The positions of all places in each shard, in the order of the rarest clause's terms and ranks.

    Cost: O(occurrences of all terms).

    Returns:
        An array for each shard; or None if a clause occurs nowhere.
    """
    counts = [sum(source.counts(clause)) for clause in cnf]
    if not all(counts):
        return None
    order = sorted(range(len(cnf)), key=counts.__getitem__)
    segments = [[source.segments(term) for term in cnf[clause]] for clause in order]
    found = []
    for number, shard in enumerate(source.shards):
        rarest = _matches(source, number, cnf[order[0]], segments[0])
        others = [_starts(shard, [term[number] for term in terms]) for terms in segments[1:]]
        found.append(_places(shard, *rarest, others, max_difference))
    return found


def needle_length(source: Source, number: int, position: int, cnf: Sequence[Clause]) -> int:
    """The tokens of the longest term that stands at a position."""
    shard = source.shards[number]
    longest = max(len(term) for clause in cnf for term in clause)
    stored = shard.tokens(position, min(position + longest, shard.stream_length))
    standing = {length: source.forwards(stored[:length]) for length in range(1, longest + 1)}
    return max((len(term) for clause in cnf for term in clause if standing[len(term)] == list(term)), default=0)


def _matches(
    source: Source, number: int, clause: Clause, segments: Sequence[Sequence[Segment]]
) -> tuple[Int64Array, Int64Array]:
    """Where the terms of a clause stand in a shard, and how long they are; of equal starts, the shortest."""
    shard = source.shards[number]
    terms = [
        source.kept(number, shard.positions(*segment[number]), term)
        for term, segment in zip(clause, segments, strict=True)
    ]
    if len(terms) == 1:
        return terms[0], np.full(len(terms[0]), len(clause[0]))
    starts = np.concatenate(terms)
    lengths = np.repeat([len(term) for term in clause], [len(positions) for positions in terms])
    by_length = np.argsort(lengths, kind="stable")
    _, chosen = np.unique(starts[by_length], return_index=True)
    chosen = np.sort(by_length[chosen])
    return starts[chosen], lengths[chosen]


def _starts(shard: InfiniGramShard, segments: Sequence[Segment]) -> Int64Array:
    return np.sort(np.concatenate([shard.positions(*segment) for segment in segments]))


def _places(
    shard: InfiniGramShard, starts: Int64Array, lengths: Int64Array, others: Sequence[Int64Array], max_difference: int
) -> Int64Array:
    if not len(starts):
        return starts
    order = np.argsort(starts, kind="stable")
    starts, lengths = starts[order], lengths[order]
    holders = shard.documents_at(starts)
    is_next = np.append(True, holders[1:] != holders[:-1])
    # Documents are moved apart, farther than a span reaches: so none reaches from one into another.
    reach = min(max_difference, shard.stream_length)
    moved = (np.cumsum(is_next) - 1) * (reach + 1)
    alive = np.arange(len(starts))
    low = high = near_low = near_high = starts + moved
    farthest = min(reach * len(others), shard.stream_length)
    for other in others:
        places = _moved(shard, _around(other, starts, farthest), holders[is_next], reach + 1)
        first = np.searchsorted(places, low - reach, "left")
        last = np.searchsorted(places, high + reach, "right")
        near = first < last
        if not near.any():
            return starts[:0]
        alive, low, high, near_low, near_high = (each[near] for each in (alive, low, high, near_low, near_high))
        low = np.minimum(low, places[first[near]])
        high = np.maximum(high, places[last[near] - 1])
        near_low, near_high = _nearest(places, near_low, near_high, low, high, reach)
    inner = _innermost(starts[alive], lengths[alive])
    chosen = alive[inner]
    as_given = np.argsort(order[chosen])
    found: Int64Array = (near_low[inner] - moved[chosen])[as_given]
    return found


def _around(places: Int64Array, starts: Int64Array, distance: int) -> Int64Array:
    """The places that are so near to a start: mostly few, and only their documents have to be looked up."""
    first = np.searchsorted(places, starts - distance, "left")
    last = np.searchsorted(places, starts + distance, "right")
    size = len(places) + 1
    covered = np.cumsum(np.bincount(first, minlength=size) - np.bincount(last, minlength=size)) > 0
    near: Int64Array = places[covered[:-1]]
    return near


def _moved(shard: InfiniGramShard, starts: Int64Array, documents: Int64Array, gap: int) -> Int64Array:
    """Starts in the documents that matter, with a gap between documents."""
    holders = shard.documents_at(starts)
    slots = np.minimum(np.searchsorted(documents, holders), len(documents) - 1)
    within = documents[slots] == holders
    places: Int64Array = starts[within] + slots[within] * gap
    return places


def _nearest(
    places: Int64Array, begin: Int64Array, end: Int64Array, low: Int64Array, high: Int64Array, reach: int
) -> tuple[Int64Array, Int64Array]:
    """Windows that take in the nearest place on either side; if none is in reach, the whole span."""
    left = np.searchsorted(places, end, "left") - 1  # the last that starts before the window's end
    right = np.searchsorted(places, begin, "left")
    before = places[np.maximum(left, 0)]
    after = places[np.minimum(right, len(places) - 1)]
    is_before = (left >= 0) & (before >= begin - reach)
    is_after = (right < len(places)) & (after <= end + reach)
    far = ~(is_before | is_after)
    new_begin = np.where(is_before, np.minimum(begin, before), begin)
    new_end = np.where(is_after, np.maximum(end, after), end)
    return np.where(far, low, new_begin), np.where(far, high, new_end)


def _innermost(starts: Int64Array, lengths: Int64Array) -> Int64Array:
    """The matches, by number, that hold no other one."""
    if len(np.unique(lengths)) < 2:
        return np.arange(len(starts))
    order = np.argsort(starts)
    ends = (starts + lengths)[order]
    least_behind = np.append(np.minimum.accumulate(ends[::-1])[::-1][1:], np.iinfo(np.int64).max)
    return np.sort(order[least_behind > ends])
