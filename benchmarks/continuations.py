"""What follows a prompt, by how often the prompt occurs: anygram's exact answer beside infini-gram's `ntd`.

infini-gram's answer is exact up to `max_support` occurrences and a sample beyond. Exact answers are compared where that
is bearable; timed is `ntd` as it comes, approximate where it is.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

import anygram
import peer
from both import Both, main_of, time_each
from builds import build_anygram
from common import Summary, note, warm
from corpus import Ngram, draw_window
from findings import Line, at_most, times

#: Bands of how often a prompt occurs: from, to (exclusive).
BANDS = ((1, 2), (2, 10), *((10**power, 10 ** (power + 1)) for power in range(1, 6)), (1_000_000, 2**62))

_LONGEST_PROMPT = 8
_EXACT = 5_000  # infini-gram lists exactly what follows a prompt that occurs so often; more would take minutes


def continuations_of(index: anygram.Index, prompt: Ngram) -> dict[int, int]:
    found = index.continuations(prompt)
    return dict(zip(found.tokens.tolist(), found.counts.tolist(), strict=True))


def exact_continuations_of(engine: peer.Engine, prompt: Ngram) -> dict[int, int]:
    answer: Any = engine.engine.ntd(prompt, max_support=_EXACT)
    if answer["approx"]:
        raise SystemExit("infini-gram's answer is approximate: nothing to compare with")
    found = {token: row["cont_cnt"] for token, row in answer["result_by_token_id"].items()}
    if engine.end_token in found:
        found[anygram.DOCUMENT_END] = found.pop(engine.end_token)
    return found


def draw_prompts(both: Both, number: int, random: np.random.Generator) -> dict[tuple[int, int], list[Ngram]]:
    """Up to so many prompts of each band: pieces of the corpus of 1 to 8 tokens, and the most frequent tokens."""
    corpus = both.corpus
    drawn = [draw_window(corpus, 1 + n % _LONGEST_PROMPT, random) for n in range(200 * number)]
    drawn += [[token] for token in np.argsort(-corpus.counts[:-1])[: 20 * number].tolist() if corpus.counts[token]]
    prompts = [list(prompt) for prompt in dict.fromkeys(map(tuple, drawn))]
    random.shuffle(prompts)
    counts = both.index.count_batch(prompts)
    chosen = {band: np.flatnonzero((counts >= band[0]) & (counts < band[1]))[:number] for band in BANDS}
    return {band: [prompts[place] for place in places.tolist()] for band, places in chosen.items() if len(places)}


def band_name(band: tuple[int, int]) -> str:
    least, most = band
    if most == least + 1:
        return "once"
    return f"{least:,} or more times" if most > 1e9 else f"{least:,} to {most - 1:,} times"


def time_bands(both: Both, prompts: dict[tuple[int, int], list[Ngram]]) -> None:
    for band, chosen in prompts.items():
        question = f"continuations of what occurs {band_name(band)} ({len(chosen)} prompts)"
        note(question)
        taken = both.time_each(chosen, both.index.continuations, both.engine.engine.ntd)
        both.percentile(question, taken, goal=times(10))
    every = [prompt for chosen in prompts.values() for prompt in chosen]
    taken = both.time_each(every, both.index.continuations, both.engine.engine.ntd)
    both.percentile("continuations, all bands alike", taken, goal=times(20))


def time_million(both: Both, prompts: list[Ngram]) -> None:
    """What occurs about a million times, or as often as this corpus has it."""
    counts = both.index.count_batch(prompts)
    places = np.argsort(np.abs(np.log(counts / 1e6)))[:5].tolist()
    chosen = [prompts[place] for place in places]
    distinct = [len(both.index.continuations(prompt).tokens) for prompt in chosen]
    rounds = np.array([time_each(chosen, both.index.continuations) for _ in range(both.rounds)]) / 1000
    for number, place in enumerate(places):
        goal = at_most(0.5) if 0.5e6 <= counts[place] <= 2e6 else None
        title = f"continuations of a prompt seen {counts[place]:,} times, {distinct[number]:,} distinct"
        both.lines.append(Line(title, "ms", Summary.of(rounds[:, number].tolist()), goal=goal))


def time_lean(both: Both, lean: Path, prompts: dict[tuple[int, int], list[Ngram]]) -> None:
    """The profile `lean`, by what it finds."""
    warm(lean)
    with anygram.open(lean) as index:
        for band, chosen in prompts.items():
            distinct = np.array([len(index.continuations(prompt).tokens) for prompt in chosen])
            rounds = [time_each(chosen, index.continuations) for _ in range(both.rounds)]
            goal = at_most(0.3) if band[0] >= 1000 else None
            each = Summary.of(float(taken.sum() / distinct.sum()) for taken in rounds)
            title = f"lean: what occurs {band_name(band)}, {distinct.mean():,.0f} distinct on average"
            both.lines.append(Line(title, "us a distinct token", each, goal=goal))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--prompts", type=int, default=60, help="of each band")
    parser.add_argument("--lean", type=Path, help="the same in the profile lean; built beside the others if not given")


def measure(both: Both, arguments: argparse.Namespace, random: np.random.Generator) -> None:
    prompts = draw_prompts(both, arguments.prompts, random)
    few = [prompt for (_, most), chosen in prompts.items() if most <= _EXACT for prompt in chosen]
    both.compare(
        "continuations",
        lambda: [continuations_of(both.index, prompt) for prompt in few],
        lambda: [exact_continuations_of(both.engine, prompt) for prompt in few],
    )
    time_bands(both, prompts)
    time_million(both, [prompt for chosen in prompts.values() for prompt in chosen])
    lean = arguments.lean or arguments.folder / "lean"
    if not lean.exists():
        note("building: lean")
        build_anygram(arguments.corpus, lean, profile="lean")
    time_lean(both, lean, prompts)


if __name__ == "__main__":
    main_of("continuations", __doc__, measure, add_arguments)
