"""tokengrams and fast-gram, at what they offer: counts, and what follows a prompt; anygram beside them, same tokens.

tokengrams builds its own index. fast-gram reads infini-gram's, which is built for it: its package has no builder.
tokengrams knows no document ends: the separator is a token to it, so n-grams without one count alike.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import anygram
import peer
from both import time_each
from builds import build_anygram, build_infini_gram, write_cut
from common import (
    Summary,
    add_rounds,
    add_seed,
    available_cpus,
    interleave,
    new_parser,
    note,
    run_command,
    seconds_of,
    warm,
    write_results,
)
from corpus import Corpus, Ngram, draw_absent, draw_present, draw_window
from findings import Line, lines_table, plain_lines

_FOLLOW = {"tokengrams": "count_next, exact", "fast-gram": "primitive_ntd, a sample beyond 1,000 occurrences"}
_BUILD_TOKENGRAMS = "import sys, tokengrams; tokengrams.MemmapIndex.build(sys.argv[1], sys.argv[2])"


class System(NamedTuple):
    """A peer: how it counts one n-gram, and what it says of what follows a prompt."""

    count: Callable[[Ngram], int]
    follow: Callable[[Ngram], object]


def open_tokengrams(tokens: Path, index: Path) -> System:
    import tokengrams

    opened: Any = tokengrams.MemmapIndex(str(tokens), str(index))
    return System(opened.count, opened.count_next)


def open_fast_gram(folder: Path, end_token: int) -> System:
    from fastgram import GramEngine

    engine: Any = GramEngine(index_dir=str(folder), eos_token_id=end_token)
    count: Callable[[Ngram], int] = lambda ngram: engine.count(ngram)["count"]  # noqa: E731
    return System(count, engine.primitive_ntd)


def time_counts(name: str, index: anygram.Index, system: System, ngrams: list[Ngram], rounds: int) -> list[Line]:
    contenders = {"anygram": index.count, name: system.count}
    found = interleave({who: partial(time_each, ngrams, ask) for who, ask in contenders.items()}, rounds)
    pairs = [Summary.of(float(np.median(taken)) for taken in found[who]) for who in contenders]
    lines = [Line(f"{name}: count", "us, median", *pairs)]
    cpus = available_cpus()
    parts = [ngrams[number::cpus] for number in range(cpus)]
    with ThreadPoolExecutor(cpus) as executor:
        questions = anygram.Ragged.from_sequences(ngrams)
        runs = {
            "anygram": partial(index.count_batch, questions),
            name: lambda: list(executor.map(lambda part: [system.count(ngram) for ngram in part], parts)),
        }
        taken = interleave({who: partial(seconds_of, run) for who, run in runs.items()}, rounds)
    pairs = [Summary.of(1e9 * seconds / len(ngrams) for seconds in taken[who]) for who in runs]
    return [*lines, Line(f"{name}: many counts, {cpus} threads", "ns a query", *pairs)]


def time_follow(name: str, index: anygram.Index, system: System, prompts: list[Ngram], rounds: int) -> list[Line]:
    contenders = {"anygram": index.continuations, name: system.follow}
    found = interleave({who: partial(time_each, prompts, ask) for who, ask in contenders.items()}, rounds)
    measures: dict[str, Callable[[Any], float]] = {"median": np.median, "mean": np.mean}
    return [
        Line(
            f"{name}: what follows a prompt ({_FOLLOW[name]})",
            f"us, {how}",
            *(Summary.of(map(of, found[who])) for who in contenders),
        )
        for how, of in measures.items()
    ]


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("corpus", type=Path, help="a token file of corpus.py")
    parser.add_argument("folder", type=Path, help="for the indexes, which are removed again")
    parser.add_argument("--tokens", type=int, default=20_000_000, help="of the corpus, from its beginning")
    parser.add_argument("--ngrams", type=int, default=2000, help="of 1 to 50 tokens; half occur, half do not")
    parser.add_argument("--prompts", type=int, default=100, help="of 1 to 5 tokens")
    add_rounds(parser, 3)
    add_seed(parser)
    arguments = parser.parse_args()

    folder: Path = arguments.folder
    tokens = write_cut(Corpus(arguments.corpus).stream, arguments.tokens, folder / "tokens.bin")
    corpus = Corpus(tokens)
    theirs, made = folder / "infini-gram", folder / "tokengrams.idx"
    peer.write_stream(corpus, theirs, available_cpus())
    warm(tokens, theirs)
    note("building")
    ours = build_anygram(tokens, folder / "anygram").cost
    build_infini_gram(theirs, available_cpus())
    built = run_command([sys.executable, "-c", _BUILD_TOKENGRAMS, str(tokens), str(made)])[1]
    warm(theirs, made)
    lines = [
        Line("tokengrams: build", "s", Summary.of([ours.seconds]), Summary.of([built.seconds])),
        Line("tokengrams: bytes a token", "bytes", *(Summary.of([size / corpus.num_tokens]) for size in (
            sum(file.stat().st_size for file in (folder / "anygram").rglob("*") if file.is_file()),
            tokens.stat().st_size + made.stat().st_size,
        ))),
    ]  # fmt: skip

    random = np.random.default_rng(arguments.seed)
    with anygram.open(folder / "anygram") as index:
        present = draw_present(corpus, arguments.ngrams // 2, random)
        absent = draw_absent(corpus, arguments.ngrams // 2, random, lambda ngrams: index.count_batch(ngrams).tolist())
        ngrams = present + absent
        prompts = [draw_window(corpus, 1 + number % 5, random) for number in range(arguments.prompts)]
        expected = index.count_batch(ngrams).tolist()
        systems = {
            "tokengrams": open_tokengrams(tokens, made),
            "fast-gram": open_fast_gram(theirs, int(corpus.unused[-1])),
        }
        for name, system in systems.items():
            note(f"comparing: {name}")
            if [system.count(ngram) for ngram in ngrams] != expected:
                raise SystemExit(f"anygram and {name} do not count alike: nothing is timed")
            lines += time_counts(name, index, system, ngrams, arguments.rounds)
            lines += time_follow(name, index, system, prompts, arguments.rounds)
    shutil.rmtree(folder)
    title = f"{corpus.num_tokens:,} tokens, profile fast; all counts agree"
    write_results(
        arguments.results,
        "others",
        arguments,
        {"lines": plain_lines(lines), "corpus": corpus.facts},
        {title: lines_table(lines, "peer")},
    )


if __name__ == "__main__":
    main()
