"""Builds what is hard to sort: a corpus full of copies, and token streams that were made to be slow.

All builds are whole ones, from the token file to the published index; times are those within the process, without the
start of Python.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from builds import Run, build_anygram, cut
from common import Summary, add_rounds, add_seed, interleave, new_parser, note, write_results
from corpus import END, Corpus, Tokens
from findings import Line, at_most, lines_table, one, plain_lines

_COPIED_SHARE, _COPIES = 0.3, 5


def with_copies(stream: Tokens, random: np.random.Generator) -> Tokens:
    """The documents of a stream in another order, a share of them several times."""
    ends = np.flatnonzero(stream == END)
    begins = np.concatenate([[0], ends[:-1] + 1])
    chosen = random.permutation(len(ends))[: int(_COPIED_SHARE * len(ends))]
    order = np.concatenate([np.arange(len(ends)), *[chosen] * (_COPIES - 1)])
    random.shuffle(order)
    return np.concatenate([stream[begins[number] : ends[number] + 1] for number in order])


def fibonacci_word(length: int) -> Tokens:
    shorter, longer = np.array([1], "<u2"), np.array([1, 2], "<u2")
    while len(longer) < length:
        shorter, longer = longer, np.concatenate([longer, shorter])
    return longer[:length]


def thue_morse(length: int) -> Tokens:
    ones = np.bitwise_count(np.arange(length, dtype=np.uint32)) & 1
    return (ones + 1).astype("<u2")


def hard_streams(length: int, random: np.random.Generator) -> dict[str, Callable[[], Tokens]]:
    """Names and documents, made when they are needed; the end is added later."""

    def drawn(number: int, most: int) -> Tokens:
        return random.integers(1, most, number).astype("<u2")

    def runs() -> Tokens:
        lengths = np.minimum(random.geometric(0.001, length // 500), 5000)
        return np.repeat(np.arange(len(lengths)) % 2 + 1, lengths)[:length].astype("<u2")

    return {
        "one token only": lambda: np.ones(length, "<u2"),
        "two tokens in turn": lambda: np.resize(np.array([1, 2], "<u2"), length),
        "a period of 1,000": lambda: np.resize(drawn(1000, 60_000), length),
        "a period of 100,000": lambda: np.resize(drawn(100_000, 60_000), length),
        "all of it twice": lambda: np.tile(drawn(length // 2, 60_000), 2),
        "a Fibonacci word": partial(fibonacci_word, length),
        "the Thue-Morse word": partial(thue_morse, length),
        "runs of two tokens": runs,
        "random, two tokens": partial(drawn, length, 3),
        "random, 60,000 tokens": partial(drawn, length, 60_000),
        "one document of 1,000 tokens many times": lambda: np.resize(
            np.append(drawn(1000, 60_000), END), length
        ).astype("<u2"),
        "documents of one token": lambda: np.resize(np.array([1, END], "<u2"), length),
    }


def seconds_of_stages(run: Run) -> float:
    return sum(run.stages.values())


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("corpus", type=Path, help="a token file of corpus.py")
    parser.add_argument("folder", type=Path, help="for what is built, which is removed again")
    parser.add_argument("--tokens", type=int, default=20_000_000, help="of the corpus, before copies are added")
    parser.add_argument("--hard-tokens", type=int, default=10_000_000, help="of each stream made to be slow")
    add_rounds(parser, 3)
    add_seed(parser)
    arguments = parser.parse_args()

    random = np.random.default_rng(arguments.seed)
    corpus = Corpus(arguments.corpus)
    folder = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    copies = with_copies(cut(corpus.stream, arguments.tokens), random)
    unique = cut(corpus.stream, len(copies))
    streams = {"with copies": copies, "as it is": unique}
    for name, stream in streams.items():
        stream.tofile(folder / f"{name}.bin")
    builds = {name: partial(build_anygram, folder / f"{name}.bin", folder / "index") for name in streams}
    runs = interleave(builds, arguments.rounds)
    each = {
        name: Summary.of(1e9 * seconds_of_stages(run) / len(streams[name]) for run in found)
        for name, found in runs.items()
    }
    lines = [
        *(
            Line(f"{len(streams[name]):,} tokens of the corpus, {name}", "ns a token", summary)
            for name, summary in each.items()
        ),
        Line(
            "with copies, of the time as it is",
            "share",
            one(each["with copies"].median / each["as it is"].median),
            goal=at_most(2),
        ),
    ]
    for name, make in hard_streams(arguments.hard_tokens, random).items():
        note(name)
        stream = make()
        if stream[-1] != END:
            stream = np.append(stream, np.uint16(END))
        stream.astype("<u2").tofile(folder / "hard.bin")
        run = build_anygram(folder / "hard.bin", folder / "index")
        lines.append(Line(name, "ns a token", one(1e9 * seconds_of_stages(run) / len(stream)), goal=at_most(150)))
        lines.append(Line(f"{name}: of it sorting", "ns a token", one(1e9 * run.sorting / len(stream))))
    shutil.rmtree(folder)
    title = f"{_COPIED_SHARE:.0%} of the documents {_COPIES} times; streams of {arguments.hard_tokens:,} tokens"
    found = {"lines": plain_lines(lines), "corpus": corpus.facts}
    write_results(arguments.results, "repetition", arguments, found, {title: lines_table(lines, "")})


if __name__ == "__main__":
    main()
