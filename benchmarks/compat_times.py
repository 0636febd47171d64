"""What infini-gram's questions cost through anygram.compat.infini_gram, next to infini-gram, about the same files.

Both open the directory that infini-gram built, one process, in turn; infini-gram with its prefetch depths 0. Only
questions are timed to which both give the same answer, and they are compared first: boolean queries below
max_clause_freq, distributions below max_support.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from anygram.compat.infini_gram import InfiniGramEngine
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
from findings import Line, lines_table, plain_lines

Ask = Callable[[Any], object]


def draw_text(corpus: Corpus, draw: random.Random, length: int) -> list[int]:
    """Pieces of documents of 3 to 20 tokens: what a model that repeats its corpus might say."""
    text: list[int] = []
    while len(text) < length:
        text += corpus.window(draw.randrange(len(corpus.stream)), draw.randint(3, 20))
    return text[:length]


def draw_between(
    corpus: Corpus, draw: random.Random, engine: Any, number: int, least: int, most: int
) -> list[list[int]]:
    """N-grams whose counts lie between two."""
    found: list[list[int]] = []
    while len(found) < number:
        ngram = corpus.window(draw.randrange(len(corpus.stream)), draw.randint(1, 3))
        if ngram and least <= engine.count(ngram)["count"] <= most:
            found.append(ngram)
    return found


def questions(
    corpus: Corpus, draw: random.Random, engine: Any, peer_engine: Any, size: int
) -> dict[str, tuple[str, int, Ask]]:
    """Each question: its unit, by what to divide, and how to ask an engine."""
    texts = [draw_text(corpus, draw, 500) for _ in range(size)]
    prompts = draw_between(corpus, draw, engine, 20 * size, 100, 1000)
    frequent = draw_between(corpus, draw, engine, size, 10_000, 30_000)
    terms = draw_between(corpus, draw, engine, 8 * size, 1000, 40_000)
    hits = draw_between(corpus, draw, engine, 20 * size, 1, 10**6)
    places = []
    for hit in hits:
        begin, end = engine.find(hit)["segment_by_shard"][0]
        places.append((0, draw.randrange(begin, end), len(hit), 100))
    # Some have a match over a document's end, which infini-gram drops.
    pairs = [[[one], [other]] for one, other in zip(terms[::2], terms[1::2], strict=True)]
    pairs = [pair for pair in pairs if _answers(engine, pair) == _answers(peer_engine, pair)]
    return {
        "attribute a text of 500 tokens, max_cnt 10": (
            "ms a text",
            size,
            lambda one: [one.attribute(text, [], 5, 10, False) for text in texts],
        ),
        "creativity of a text of 500 tokens": ("ms a text", size, lambda one: [one.creativity(text) for text in texts]),
        "ntd after what occurs 100 to 1,000 times": (
            "ms a prompt",
            len(prompts),
            lambda one: [one.ntd(prompt, max_support=1000) for prompt in prompts],
        ),
        "ntd after what occurs 10,000 to 30,000 times, exact": (
            "ms a prompt",
            len(frequent),
            lambda one: [one.ntd(prompt, max_support=10**6) for prompt in frequent],
        ),
        f"CNF of two terms that occur 1,000 to 40,000 times ({len(pairs)} queries)": (
            "ms a query",
            len(pairs),
            lambda one: [one.count_cnf(pair, max_diff_tokens=20) for pair in pairs],
        ),
        "fetch a document's window by rank, 100 tokens on either side": (
            "us a window",
            len(places),
            lambda one: [one.get_doc_by_rank_2(*place) for place in places],
        ),
        "fetch such windows all at once": ("us a window", len(places), lambda one: one.get_docs_by_ranks_2(places)),
    }


def _answers(engine: Any, cnf: Any) -> object:
    return engine.count_cnf(cnf, max_diff_tokens=20)


def compare(question: str, ours: object, theirs: object) -> None:
    if ours != theirs:
        raise SystemExit(f"{question}: anygram and infini-gram do not answer alike; nothing is timed")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus", type=Path, help="a token file of corpus.py")
    parser.add_argument("folder", type=Path, help="what build.py made: FOLDER/infini-gram")
    parser.add_argument("--size", type=int, default=10, help="texts, and so on")
    add_rounds(parser, 5)
    add_seed(parser)


def main() -> None:
    from infini_gram.engine import InfiniGramEngine as Theirs

    parser = new_parser(__doc__)
    add_arguments(parser)
    arguments = parser.parse_args()
    corpus = Corpus(arguments.corpus)
    folder = arguments.folder / "infini-gram"
    warm(folder)
    given: dict[str, Any] = {"eos_token_id": int(corpus.unused[-1]), "ds_prefetch_depth": 0}
    given |= {"sa_prefetch_depth": 0, "od_prefetch_depth": 0}
    ours, theirs = InfiniGramEngine(str(folder), **given), Theirs(str(folder), **given)
    lines = []
    for question, (unit, number, ask) in questions(
        corpus, random.Random(arguments.seed), ours, theirs, arguments.size
    ).items():
        note(question)
        compare(question, ask(ours), ask(theirs))
        contenders = {"anygram": partial(ask, ours), "infini-gram": partial(ask, theirs)}
        found = interleave({name: partial(seconds_of, run) for name, run in contenders.items()}, arguments.rounds)
        summaries = [
            Summary.of((1e6 if unit.startswith("us") else 1000) * taken / number for taken in found[name])
            for name in contenders
        ]
        lines.append(Line(question, unit, *summaries))
    title = f"{corpus.num_tokens:,} tokens, infini-gram's files for both; all answers agree; "
    title += f"{cached_share(folder):.0%} in the page cache; median (least-most) of {arguments.rounds} rounds"
    found_all = {"lines": plain_lines(lines), "corpus": corpus.facts}
    write_results(arguments.results, "compat_times", arguments, found_all, {title: lines_table(lines)})


if __name__ == "__main__":
    main()
