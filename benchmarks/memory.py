"""How much memory an index takes in a process that has just started, beyond the pages of its files that it touched.

Those pages are the page cache's: all processes share them, and the system drops them when it needs the room. The rest
is the process's own; more of that than the limit is a failure.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

import anygram
from common import available_cpus, markdown_table, new_parser, write_results
from corpus import Corpus, Ngram, draw_present


class Resident(NamedTuple):
    """What lies in memory of a process, in bytes.

    Attributes:
        total: all of it.
        in_index: pages of the index's files.
    """

    total: int
    in_index: int


def resident(folder: Path) -> Resident:
    total = in_index = 0
    path = ""
    with Path("/proc/self/smaps").open(encoding="utf-8") as lines:
        for line in lines:
            name, *fields = line.split(maxsplit=5)
            if not name.endswith(":"):  # the line that begins a mapping ends with its path
                path = fields[4].strip() if len(fields) == 5 else ""
            elif name == "Rss:":
                num_bytes = int(fields[0]) * 1024
                total += num_bytes
                in_index += num_bytes * path.startswith(f"{folder}/")
    return Resident(total, in_index)


def measure(path: Path, ngrams: list[Ngram], threads: int) -> dict[str, Resident]:
    """Runs in a process of its own, which has imported anygram and numpy and opened nothing."""
    folder = path.resolve()
    found = {"before": resident(folder)}
    index = anygram.open(path, threads=threads)
    found["opened"] = resident(folder)
    steps: dict[str, Callable[[], object]] = {
        f"{len(ngrams):,} counts": lambda: [index.count(ngram) for ngram in ngrams],
        "and count_batch of them": lambda: index.count_batch(ngrams),
        "and score of one text": lambda: index.score([token for ngram in ngrams[:100] for token in ngram]),
    }
    for name, ask in steps.items():
        ask()
        found[name] = resident(folder)
    return found


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("corpus", type=Path, help="a token file of corpus.py, to draw n-grams from")
    parser.add_argument("index", type=Path, help="the index of it")
    parser.add_argument("--ngrams", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=available_cpus())
    parser.add_argument("--limit", type=float, default=20.0, help="MB of the process's own")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    corpus = Corpus(arguments.corpus)
    ngrams = draw_present(corpus, arguments.ngrams, np.random.default_rng(arguments.seed))
    # Spawned, not forked: a new interpreter that has nothing of this one.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.apply(measure, (arguments.index, ngrams, arguments.threads))

    before = found["before"]
    own = {step: (after.total - before.total - after.in_index) / 1e6 for step, after in found.items()}
    most = max(own.values())
    rows = [(step, *(f"{num_bytes / 1e6:.2f}" for num_bytes in found[step]), f"{own[step]:.2f}") for step in found]
    header = ["after", "resident, MB", "of it the index's files, MB", "growth of the rest, MB"]
    title = f"{corpus.num_tokens:,} tokens, {corpus.num_documents:,} documents: at most {most:.2f} MB of its own"
    content = {"corpus": corpus.facts, "steps": {step: after._asdict() for step, after in found.items()}}
    write_results(arguments.results, "memory", arguments, content, {title: markdown_table(header, rows)})
    if most > arguments.limit:
        raise SystemExit(f"{most:.2f} MB of its own, and the limit is {arguments.limit} MB")


if __name__ == "__main__":
    main()
