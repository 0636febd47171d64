"""Counts n-grams with an anygram index and an infini-gram index over the same token stream: single ones and batches.

All answers are compared first; nothing is timed if one differs. Both indexes lie in the page cache.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import numpy as np

import anygram
from both import Both, main_of
from common import available_cpus
from corpus import LONGEST, Ngram, draw_absent, draw_present
from findings import Goal, times

_T = TypeVar("_T")

_BANDS = ((1, 1), (2, 3), (4, 8), (9, 20), (21, LONGEST))  # lengths of n-grams, for the table


def time_counts(both: Both, ngrams: list[Ngram], num_present: int) -> None:
    """Single counts of lists of int."""
    taken = both.time_each(ngrams, both.index.count, both.engine.count)
    lengths = np.array([len(ngram) for ngram in ngrams])
    present = np.arange(len(ngrams)) < num_present
    both.percentile("count of a list", taken, goal=times(20))
    both.percentile("count of a list", taken, 99)
    for name, rows in {"present": present, "absent": ~present}.items():
        both.percentile(f"count, {name}", taken, rows=rows)
        for least, most in _BANDS:
            in_band = rows & (lengths >= least) & (lengths <= most)
            both.percentile(f"count, {name}, n = {least}-{most}", taken, rows=in_band)


def time_batches(both: Both, kinds: dict[str, list[Ngram]]) -> None:
    """Many counts at once. infini-gram has no batches: it is asked for each, in turn and from many threads."""
    goals = {"present": times(200), "absent": times(150)}
    cpus = available_cpus()
    with anygram.open(both.index.path, threads=1) as alone, ThreadPoolExecutor(cpus) as executor:
        for name, ngrams in kinds.items():
            array = anygram.Ragged.from_sequences(ngrams)
            one_by_one = partial(both.engine.counts, ngrams)
            in_threads = partial(_in_threads, executor, both.engine.counts, [ngrams[n::cpus] for n in range(cpus)])
            runs: list[tuple[str, Callable[[], object], Callable[[], object], Goal | None]] = [
                (
                    "an array, all cores (peer: one after another)",
                    partial(both.index.count_batch, array),
                    one_by_one,
                    goals[name],
                ),
                (
                    f"an array, all cores (peer: {cpus} threads)",
                    partial(both.index.count_batch, array),
                    in_threads,
                    goals[name],
                ),
                ("an array, one core (peer: one after another)", partial(alone.count_batch, array), one_by_one, None),
                (
                    "lists, all cores (peer: one after another)",
                    partial(both.index.count_batch, ngrams),
                    one_by_one,
                    None,
                ),
            ]
            for title, ours, theirs, goal in runs:
                both.time(f"count_batch, {name}, of {title}", "ns a query", 1e9 / len(ngrams), ours, theirs, goal)


def _in_threads(executor: ThreadPoolExecutor, ask: Callable[[_T], object], parts: list[_T]) -> list[object]:
    return list(executor.map(ask, parts))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ngrams", type=int, default=20_000, help="of 1 to 50 tokens; half occur, half do not")


def measure(both: Both, arguments: argparse.Namespace, random: np.random.Generator) -> None:
    num_present = arguments.ngrams // 2
    present = draw_present(both.corpus, num_present, random)
    absent = draw_absent(both.corpus, arguments.ngrams - num_present, random, both.engine.counts)
    ngrams = present + absent
    both.compare("count", lambda: [both.index.count(ngram) for ngram in ngrams], lambda: both.engine.counts(ngrams))
    both.compare("count_batch", lambda: both.index.count_batch(ngrams).tolist(), lambda: both.engine.counts(ngrams))
    if not both.index.count_batch(present).all():
        raise SystemExit("an n-gram of the corpus is said not to occur")
    time_counts(both, ngrams, num_present)
    time_batches(both, {"present": present, "absent": absent})


if __name__ == "__main__":
    main_of("query", __doc__, measure, add_arguments)
