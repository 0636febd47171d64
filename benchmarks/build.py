"""Builds the same token stream into an index with anygram and with infini-gram's own builder, side by side.

Both run as a process of their own, one after the other, round after round. A first, untimed round builds the indexes
whose answers are compared. The last indexes stay in FOLDER/anygram and FOLDER/infini-gram, for query.py.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

import anygram
import peer
from common import (
    HERE,
    Cost,
    Summary,
    available_cpus,
    cached_share,
    folder_bytes,
    interleave,
    markdown_table,
    new_parser,
    run_command,
    warm,
    write_results,
)
from corpus import Corpus, draw_absent, draw_present


class Run(NamedTuple):
    """One build: the seconds of its stages, those that go into the order, and what the process took."""

    stages: dict[str, float]
    sorting: float
    cost: Cost


def build_anygram(tokens: Path, folder: Path, profile: str, threads: int) -> Run:
    # Removed before: replacing an index costs what a new one does not.
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, str(HERE / "build_anygram.py"), str(tokens), str(folder)]
    printed, cost = run_command([*command, "--profile", profile, "--threads", str(threads)])
    stages = json.loads(printed)
    return Run(stages, stages["sorting"], cost)


def build_infini_gram(folder: Path, cpus: int) -> Run:
    steps, cost = peer.build(folder, cpus)
    return Run(steps, sum(steps.values()), cost)


def check_answers(corpus: Corpus, ours: Path, theirs: Path, number: int, seed: int) -> None:
    """Stops if the two indexes do not count alike."""
    random = np.random.default_rng(seed)
    engine = peer.Engine(theirs, corpus)
    ngrams = draw_present(corpus, number // 2, random) + draw_absent(corpus, number // 2, random, engine.counts)
    with anygram.open(ours) as index:
        found, expected = index.count_batch(ngrams), engine.counts(ngrams)
    if found.tolist() != expected or not found[: number // 2].all():
        raise SystemExit("anygram and infini-gram do not count alike: nothing was timed")


def table_of(runs: dict[str, list[Run]], num_bytes: dict[str, int], num_tokens: int) -> str:
    """One row a system, and what one needs of the other."""
    measures = {
        "build, s": lambda run: run.cost.seconds,
        "of it sorting, s": lambda run: run.sorting,
        "CPU, s": lambda run: run.cost.cpu_seconds,
        "peak anonymous memory, MB": lambda run: run.cost.peak_anonymous / 1e6,
        "peak resident memory, MB": lambda run: run.cost.peak_resident / 1e6,
    }
    rows: list[Sequence[object]] = []
    for measure, value in measures.items():
        summaries = [Summary.of(map(value, found)) for found in runs.values()]
        rows.append((measure, *(one.show() for one in summaries), f"{summaries[1].median / summaries[0].median:.2f}"))
    sizes = [num_bytes[name] / num_tokens for name in runs]
    rows.append(("bytes a token on disk", *(f"{size:.2f}" for size in sizes), f"{sizes[1] / sizes[0]:.2f}"))
    return markdown_table(["median (least-most)", *runs, "infini-gram / anygram"], rows)


def stage_table(runs: dict[str, list[Run]]) -> str:
    rows = []
    for name, found in runs.items():
        rows += [(name, stage, Summary.of(run.stages[stage] for run in found).show()) for stage in found[0].stages]
    return markdown_table(["system", "stage", "s"], rows)


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("corpus", type=Path, help="a token file of corpus.py")
    parser.add_argument("folder", type=Path, help="for the indexes; what is in it is replaced")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", choices=["fast", "lean"], default="fast")
    parser.add_argument("--threads", type=int, default=available_cpus(), help="CPUs for each of the two")
    parser.add_argument("--checks", type=int, default=2000, help="n-grams whose counts are compared first")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    corpus = Corpus(arguments.corpus)
    ours, theirs = arguments.folder / "anygram", arguments.folder / "infini-gram"
    peer.write_stream(corpus, theirs, arguments.threads)
    warm(arguments.corpus, theirs)
    cached = cached_share(arguments.corpus, theirs)
    contenders = {
        "anygram": lambda: build_anygram(arguments.corpus, ours, arguments.profile, arguments.threads),
        "infini-gram": lambda: build_infini_gram(theirs, arguments.threads),
    }
    interleave(contenders, 1)
    check_answers(corpus, ours, theirs, arguments.checks, arguments.seed)
    runs = interleave(contenders, arguments.rounds)

    num_bytes = {"anygram": folder_bytes(ours), "infini-gram": folder_bytes(theirs)}
    found = {
        "corpus": corpus.facts,
        "in_page_cache": cached,
        "runs": {name: [run._asdict() for run in found] for name, found in runs.items()},
        "num_bytes": num_bytes,
    }
    title = f"{corpus.num_tokens:,} tokens in {corpus.num_documents:,} documents; {arguments.checks:,} counts agree; "
    title += f"{cached:.0%} of the input in the page cache"
    tables = {title: table_of(runs, num_bytes, corpus.num_tokens), "The stages": stage_table(runs)}
    write_results(arguments.results, "build", arguments, found, tables)


if __name__ == "__main__":
    main()
