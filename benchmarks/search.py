"""Boolean search for the commonest tokens there are, and counts in some documents only.

The windows of the two commonest tokens are counted in the token stream too, and so are counts in some documents.
infini-gram has neither exactly.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial

import numpy as np
from numpy.typing import NDArray

import anygram
from both import Both, ask_all, main_of
from common import run_command
from corpus import END, Corpus
from findings import Line, at_most, one

_WITHIN = 20

# Opens an index and, if it is given a query, searches: for its memory.
_CHILD = f"""
import sys, anygram
index = anygram.open(sys.argv[1])
index.count([0])
hits = index.search(sys.argv[2], within={_WITHIN}) if len(sys.argv) > 2 else None
"""


def brute_force(corpus: Corpus, first: int, second: int) -> int:
    """How many windows of two tokens there are: neighbours among their places that are not of one token."""
    places = np.flatnonzero((corpus.stream == first) | (corpus.stream == second))
    documents = np.searchsorted(corpus.ends, places)
    tokens = corpus.stream[places]
    near = (np.diff(places) - 1 <= _WITHIN) & (np.diff(documents) == 0) & (tokens[1:] != tokens[:-1])
    return int(np.count_nonzero(near))


def filtered_count(corpus: Corpus, token: int, chosen: NDArray[np.bool_]) -> int:
    places = np.flatnonzero(corpus.stream == token)
    return int(np.count_nonzero(chosen[np.searchsorted(corpus.ends, places)]))


def peak_of_search(path: str, query: str) -> float:
    """Megabytes that no file backs, at once, beyond those of an index that was only opened."""
    costs = [run_command([sys.executable, "-c", _CHILD, path, *rest])[1] for rest in ([], [query])]
    return (costs[1].peak_anonymous - costs[0].peak_anonymous) / 1e6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tokens", type=int, default=1000, help="common tokens to count in some documents")


def measure(both: Both, arguments: argparse.Namespace, random: np.random.Generator) -> None:
    index, corpus = both.index, both.corpus
    common = np.argsort(-corpus.counts[:END])[: max(3, arguments.tokens)].tolist()
    first, second, third = common[:3]
    both.compare(
        "windows of the two commonest tokens",
        lambda: len(index.search(f"[{first}] AND [{second}]", within=_WITHIN)),
        lambda: brute_force(corpus, first, second),
    )
    searches = {
        f"the two commonest tokens within {_WITHIN}": (f"[{first}] AND [{second}]", {"within": _WITHIN}),
        "in their order": (f"[{first}] AND [{second}]", {"within": _WITHIN, "ordered": True}),
        "anywhere in a document": (f"[{first}] AND [{second}]", {}),
        f"the three commonest within {_WITHIN}": (f"[{first}] AND [{second}] AND [{third}]", {"within": _WITHIN}),
        "those of the first documents, limit=1000": (
            f"[{first}] AND [{second}]",
            {"within": _WITHIN, "limit": 1000},
        ),
    }
    for name, (query, options) in searches.items():
        hits = index.search(query, **options)
        title = f"search: {name} ({len(hits):,} windows in {hits.num_documents:,} documents)"
        both.alone(title, "s", 1.0, partial(index.search, query, **options))
    peak = peak_of_search(str(index.path), f"[{first}] AND [{second}]")
    both.lines.append(Line("memory of the first of these", "MB", one(peak), goal=at_most(1000)))

    chosen = random.random(corpus.num_documents) < 0.1
    both.compare(
        "counts in a tenth of the documents",
        lambda: [index.count([token], where=chosen) for token in common[:5]],
        lambda: [filtered_count(corpus, token, chosen) for token in common[:5]],
    )
    total = int(corpus.counts[common].sum())
    title = f"count(where=) of the {len(common):,} commonest tokens ({total:,} occurrences)"
    ask = partial(index.count, where=chosen)
    both.alone(title, "ns an occurrence", 1e9 / total, partial(ask_all, ask, [[t] for t in common]), at_most(20))
    batch = anygram.Ragged(common, np.arange(len(common) + 1))
    title = "count_batch(where=) of them"
    both.alone(title, "ns an occurrence", 1e9 / total, partial(index.count_batch, batch, where=chosen), at_most(20))


if __name__ == "__main__":
    main_of("search", __doc__, measure, add_arguments)
