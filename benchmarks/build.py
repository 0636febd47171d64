"""Builds the same token stream into an index with anygram and with infini-gram's own builder, side by side.

Both run as a process of their own, one after the other, round after round. If the last indexes do not count alike,
no time is reported. They stay in FOLDER/anygram and FOLDER/infini-gram, for the other benchmarks.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

import anygram
import peer
from builds import Run, build_anygram, build_infini_gram
from common import (
    Summary,
    add_rounds,
    add_seed,
    available_cpus,
    cached_share,
    folder_bytes,
    interleave,
    markdown_table,
    new_parser,
    warm,
    write_results,
)
from corpus import Corpus, draw_absent, draw_present
from findings import Goal, Line, lines_table, one, plain_lines, times


def check_answers(corpus: Corpus, ours: Path, theirs: Path, number: int, seed: int) -> None:
    """Stops if the two indexes do not count alike."""
    random = np.random.default_rng(seed)
    engine = peer.Engine(theirs, corpus)
    ngrams = draw_present(corpus, number // 2, random) + draw_absent(corpus, number // 2, random, engine.counts)
    with anygram.open(ours) as index:
        found, expected = index.count_batch(ngrams), engine.counts(ngrams)
    if found.tolist() != expected or not found[: number // 2].all():
        raise SystemExit("anygram and infini-gram do not count alike: nothing is reported")


def lines_of(runs: dict[str, list[Run]], num_bytes: dict[str, int], num_tokens: int) -> list[Line]:
    measures: dict[str, tuple[str, Callable[[Run], float], Goal | None]] = {
        "build, from token stream to index": ("s", lambda run: run.cost.seconds, times(7)),
        "of it sorting": ("s", lambda run: run.sorting, None),
        "CPU time": ("s", lambda run: run.cost.cpu_seconds, None),
        "peak anonymous memory": ("MB", lambda run: run.cost.peak_anonymous / 1e6, None),
        "peak resident memory": ("MB", lambda run: run.cost.peak_resident / 1e6, None),
    }
    lines = [
        Line(name, unit, *(Summary.of(map(value, found)) for found in runs.values()), goal)
        for name, (unit, value, goal) in measures.items()
    ]
    sizes = [one(num_bytes[name] / num_tokens) for name in runs]
    return [*lines, Line("on disk", "bytes a token", *sizes)]


def stage_table(runs: dict[str, list[Run]]) -> str:
    rows = []
    for name, found in runs.items():
        rows += [(name, stage, Summary.of(run.stages[stage] for run in found).show()) for stage in found[0].stages]
    return markdown_table(["system", "stage", "s"], rows)


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("corpus", type=Path, help="a token file of corpus.py")
    parser.add_argument("folder", type=Path, help="for the indexes; what is in it is replaced")
    add_rounds(parser, 3)
    parser.add_argument("--profile", choices=["fast", "lean"], default="fast")
    parser.add_argument("--threads", type=int, default=available_cpus(), help="CPUs for each of the two")
    parser.add_argument("--checks", type=int, default=2000, help="n-grams whose counts are compared first")
    add_seed(parser)
    arguments = parser.parse_args()

    corpus = Corpus(arguments.corpus)
    ours, theirs = arguments.folder / "anygram", arguments.folder / "infini-gram"
    peer.write_stream(corpus, theirs, arguments.threads)
    warm(arguments.corpus, theirs)
    cached = cached_share(arguments.corpus, theirs)
    contenders = {
        "anygram": lambda: build_anygram(arguments.corpus, ours, profile=arguments.profile, threads=arguments.threads),
        "infini-gram": lambda: build_infini_gram(theirs, arguments.threads),
    }
    runs = interleave(contenders, arguments.rounds)
    check_answers(corpus, ours, theirs, arguments.checks, arguments.seed)

    num_bytes = {"anygram": folder_bytes(ours), "infini-gram": folder_bytes(theirs)}
    lines = lines_of(runs, num_bytes, corpus.num_tokens)
    found = {
        "lines": plain_lines(lines),
        "corpus": corpus.facts,
        "in_page_cache": cached,
        "runs": {name: [run._asdict() for run in found] for name, found in runs.items()},
        "num_bytes": num_bytes,
    }
    title = f"{corpus.num_tokens:,} tokens in {corpus.num_documents:,} documents; {arguments.checks:,} counts agree; "
    title += f"{cached:.0%} of the input in the page cache"
    tables = {title: lines_table(lines), "The stages": stage_table(runs)}
    write_results(arguments.results, "build", arguments, found, tables)


if __name__ == "__main__":
    main()
