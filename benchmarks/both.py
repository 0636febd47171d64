"""Two systems over one token stream, asked the same: what they answer is compared, then they are timed in turn."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

import anygram
import peer
from common import (
    Summary,
    add_rounds,
    add_seed,
    cached_share,
    interleave,
    new_parser,
    note,
    seconds_of,
    warm,
    write_results,
)
from corpus import Corpus
from findings import Goal, Line, lines_table, plain_lines

_T = TypeVar("_T")
Times = NDArray[np.float64]


@dataclass
class Both:
    """The two systems, over one corpus, and what was found out about them."""

    corpus: Corpus
    index: anygram.Index
    engine: peer.Engine
    rounds: int
    lines: list[Line] = field(default_factory=list)

    def compare(self, question: str, ours: Callable[[], object], theirs: Callable[[], object]) -> None:
        """Stops if the answers differ. What was asked is warm then."""
        note(f"comparing: {question}")
        if ours() != theirs():
            raise SystemExit(f"{question}: anygram and infini-gram do not answer alike; nothing is timed")

    def time(
        self,
        question: str,
        unit: str,
        scale: float,
        ours: Callable[[], object],
        theirs: Callable[[], object],
        goal: Goal | None = None,
    ) -> None:
        """Notes the seconds of the whole, times `scale`."""
        note(question)
        contenders = {"anygram": ours, "infini-gram": theirs}
        found = interleave({name: partial(seconds_of, run) for name, run in contenders.items()}, self.rounds)
        summaries = [Summary.of(scale * taken for taken in found[name]) for name in contenders]
        self.lines.append(Line(question, unit, *summaries, goal))

    def time_each(
        self, questions: Sequence[_T], ours: Callable[[_T], object], theirs: Callable[[_T], object]
    ) -> list[list[Times]]:
        """The microseconds of each call: anygram's and infini-gram's, each a list of the rounds."""
        contenders = {"anygram": ours, "infini-gram": theirs}
        found = interleave({name: partial(time_each, questions, ask) for name, ask in contenders.items()}, self.rounds)
        return [found[name] for name in contenders]

    def percentile(
        self,
        question: str,
        times: list[list[Times]],
        percent: int = 50,
        rows: NDArray[np.bool_] | None = None,
        goal: Goal | None = None,
    ) -> None:
        """Notes one percentile, of each round, of all calls or of those in `rows`."""
        unit = "us, median" if percent == 50 else f"us, {percent}th percentile"
        chosen = slice(None) if rows is None else rows
        found = [Summary.of(float(np.percentile(taken[chosen], percent)) for taken in rounds) for rounds in times]
        self.lines.append(Line(question, unit, *found, goal))

    def alone(
        self, question: str, unit: str, scale: float, run: Callable[[], object], goal: Goal | None = None
    ) -> None:
        """Notes what anygram alone takes: the seconds of the whole, times `scale`. Once untimed before."""
        note(question)
        run()
        taken = Summary.of(scale * seconds_of(run) for _ in range(self.rounds))
        self.lines.append(Line(question, unit, taken, goal=goal))


def time_each(questions: Sequence[_T], ask: Callable[[_T], object]) -> Times:
    """The microseconds of each call. The clock itself takes about 0.05 of each, which stay in."""
    clock = time.perf_counter_ns
    times = np.empty(len(questions))
    for number, question in enumerate(questions):
        started = clock()
        ask(question)
        times[number] = clock() - started
    return times / 1000


def ask_all(ask: Callable[[_T], object], questions: Sequence[_T]) -> list[object]:
    return [ask(question) for question in questions]


def main_of(
    name: str,
    description: str | None,
    measure: Callable[[Both, argparse.Namespace, np.random.Generator], None],
    add_arguments: Callable[[argparse.ArgumentParser], None],
) -> None:
    """A benchmark of questions: its arguments, the two systems, warm; and its results."""
    parser = new_parser(description)
    parser.add_argument("corpus", type=Path, help="a token file of corpus.py")
    parser.add_argument("folder", type=Path, help="what build.py made: FOLDER/anygram and FOLDER/infini-gram")
    add_rounds(parser, 5)
    add_seed(parser)
    add_arguments(parser)
    arguments = parser.parse_args()

    corpus = Corpus(arguments.corpus)
    ours, theirs = arguments.folder / "anygram", arguments.folder / "infini-gram"
    warm(ours, theirs)
    cached = cached_share(ours, theirs)
    both = Both(corpus, anygram.open(ours), peer.Engine(theirs, corpus), arguments.rounds)
    measure(both, arguments, np.random.default_rng(arguments.seed))
    title = f"{corpus.num_tokens:,} tokens, profile {both.index.profile}; all answers that are compared agree; "
    title += f"{cached:.0%} in the page cache; median (least-most) of {arguments.rounds} rounds"
    found: dict[str, Any] = {
        "lines": plain_lines(both.lines),
        "corpus": corpus.facts,
        "in_page_cache": cached,
        "profile": both.index.profile,
    }
    write_results(arguments.results, name, arguments, found, {title: lines_table(both.lines)})
