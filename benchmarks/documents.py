"""In how many documents an n-gram stands, and in which: nanoseconds an occurrence. infini-gram has neither question."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial

import numpy as np

from both import Both, ask_all, main_of
from corpus import END, Ngram, draw_window
from findings import Goal, at_most

_BANDS = ((100, 1000), (1000, 10_000), (10_000, 100_000), (100_000, 1_000_000), (1_000_000, 2**62))


def brute_force(both: Both, ngram: Ngram) -> list[int]:
    """The documents that hold an n-gram, by comparing it with the whole token stream."""
    stream = both.corpus.stream
    places = np.flatnonzero(stream == ngram[0])
    for offset, token in enumerate(ngram):
        places = places[places + offset < len(stream)]
        places = places[stream[places + offset] == token]
    documents: list[int] = np.unique(np.searchsorted(both.corpus.ends, places)).tolist()
    return documents


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ngrams", type=int, default=20, help="of each band of frequency")


def measure(both: Both, arguments: argparse.Namespace, random: np.random.Generator) -> None:
    index, corpus = both.index, both.corpus
    drawn = [draw_window(corpus, 1 + number % 4, random) for number in range(200 * arguments.ngrams)]
    drawn += [[token] for token in np.argsort(-corpus.counts[:END])[: arguments.ngrams].tolist()]
    ngrams = [list(ngram) for ngram in dict.fromkeys(map(tuple, drawn))]
    counts = index.count_batch(ngrams)
    bands = {band: np.flatnonzero((counts >= band[0]) & (counts < band[1]))[: arguments.ngrams] for band in _BANDS}
    some = [ngrams[place] for places in bands.values() for place in places[:2].tolist()]
    expected = [brute_force(both, ngram) for ngram in some]
    both.compare("documents", lambda: [index.find(ngram).documents().tolist() for ngram in some], lambda: expected)
    both.compare(
        "document_count", lambda: [index.document_count(ngram) for ngram in some], lambda: list(map(len, expected))
    )
    questions: dict[str, Callable[[Ngram], object]] = {
        "document_count": index.document_count,
        "find().documents()": lambda ngram: index.find(ngram).documents(),
    }
    for (least, _), places in bands.items():
        if not len(places):
            continue
        chosen = [ngrams[place] for place in places.tolist()]
        total = int(counts[places].sum())
        goal: Goal | None = at_most(20) if least >= 1000 else None
        for name, ask in questions.items():
            title = f"{name} of what occurs {least:,} times or more ({len(chosen)} n-grams, {total:,} occurrences)"
            both.alone(title, "ns an occurrence", 1e9 / total, partial(ask_all, ask, chosen), goal)
    every = [ngrams[place] for places in bands.values() for place in places.tolist()]
    total = int(counts[np.concatenate(list(bands.values()))].sum())
    both.alone(
        "document_count_batch of all of them",
        "ns an occurrence",
        1e9 / total,
        partial(index.document_count_batch, every),
        at_most(20),
    )


if __name__ == "__main__":
    main_of("documents", __doc__, measure, add_arguments)
