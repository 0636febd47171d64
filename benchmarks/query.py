"""Asks an anygram index and an infini-gram index over the same token stream the same questions.

All answers are compared first; nothing is timed if one differs. Both indexes lie in the page cache.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

import anygram
import peer
from common import (
    Summary,
    available_cpus,
    cached_share,
    interleave,
    markdown_table,
    new_parser,
    note,
    seconds_of,
    warm,
    write_results,
)
from corpus import LONGEST, Corpus, Ngram, draw_absent, draw_present, draw_texts, draw_window

_T = TypeVar("_T")
_Times = NDArray[np.float64]

_BANDS = ((1, 1), (2, 3), (4, 8), (9, 20), (21, LONGEST))  # lengths of n-grams, for the table
_PROMPT_LENGTHS = (1, 2, 3, 5)
_MAX_SUPPORT = 20_000  # infini-gram lists exactly what follows a prompt that occurs so often; more would take minutes


@dataclass(frozen=True)
class Line:
    """What one question cost both."""

    question: str
    unit: str
    anygram: Summary
    infini_gram: Summary

    def row(self) -> Sequence[object]:
        ratio = self.infini_gram.median / self.anygram.median
        return self.question, self.unit, self.anygram.show(), self.infini_gram.show(), f"{ratio:,.1f}"


@dataclass(frozen=True)
class Both:
    """The two systems, over one corpus."""

    index: anygram.Index
    engine: peer.Engine
    rounds: int

    def compare(self, question: str, ours: Callable[[], object], theirs: Callable[[], object]) -> None:
        """Stops if the answers differ. What was asked is warm then."""
        note(f"comparing: {question}")
        if ours() != theirs():
            raise SystemExit(f"{question}: anygram and infini-gram do not answer alike; nothing is timed")

    def time(
        self, question: str, unit: str, scale: float, ours: Callable[[], object], theirs: Callable[[], object]
    ) -> Line:
        """The seconds of the whole, times `scale`."""
        note(question)
        contenders = {"anygram": ours, "infini-gram": theirs}
        found = interleave({name: partial(seconds_of, run) for name, run in contenders.items()}, self.rounds)
        return Line(question, unit, *(Summary.of(scale * taken for taken in found[name]) for name in contenders))

    def time_each(
        self, questions: Sequence[_T], ours: Callable[[_T], object], theirs: Callable[[_T], object]
    ) -> list[list[_Times]]:
        """The microseconds of each call: anygram's and infini-gram's, each a list of the rounds."""
        contenders = {"anygram": ours, "infini-gram": theirs}
        found = interleave({name: partial(_each, questions, ask) for name, ask in contenders.items()}, self.rounds)
        return [found[name] for name in contenders]


def _each(questions: Sequence[_T], ask: Callable[[_T], object]) -> _Times:
    # The clock itself takes about 0.05 us a call, which stay in.
    clock = time.perf_counter_ns
    times = np.empty(len(questions))
    for number, question in enumerate(questions):
        started = clock()
        ask(question)
        times[number] = clock() - started
    return times / 1000


def percentile_line(
    question: str, times: list[list[_Times]], percent: int = 50, rows: NDArray[np.bool_] | None = None
) -> Line:
    """One percentile, of each round, of all calls or of those in `rows`."""
    unit = "us, median" if percent == 50 else f"us, {percent}th percentile"
    chosen = slice(None) if rows is None else rows
    found = [Summary.of(float(np.percentile(taken[chosen], percent)) for taken in rounds) for rounds in times]
    return Line(question, unit, *found)


# --- counts


def time_counts(both: Both, ngrams: list[Ngram], num_present: int) -> list[Line]:
    """Single counts of lists of int."""
    times = both.time_each(ngrams, both.index.count, both.engine.count)
    lengths = np.array([len(ngram) for ngram in ngrams])
    present = np.arange(len(ngrams)) < num_present
    lines = [percentile_line("count", times), percentile_line("count", times, 99)]
    for name, rows in {"present": present, "absent": ~present}.items():
        lines.append(percentile_line(f"count, {name}", times, rows=rows))
        for least, most in _BANDS:
            in_band = rows & (lengths >= least) & (lengths <= most)
            lines.append(percentile_line(f"count, {name}, n = {least}-{most}", times, rows=in_band))
    return lines


def time_count_batches(both: Both, ngrams: list[Ngram], folder: Path) -> list[Line]:
    """Many counts at once. infini-gram has no batches: it is asked for each, from as many threads."""
    as_array = anygram.Ragged.from_sequences(ngrams)
    lines = []
    for threads in sorted({1, available_cpus()}):
        parts = [ngrams[number::threads] for number in range(threads)]
        with anygram.open(folder, threads=threads) as index, ThreadPoolExecutor(threads) as executor:
            theirs = partial(_in_threads, executor, both.engine.counts, parts)
            contenders = {
                "an array": partial(index.count_batch, as_array),
                "lists": partial(index.count_batch, ngrams),
            }
            for kind, ours in contenders.items():
                question = f"count_batch of {kind}, {threads} thread{'s' * (threads > 1)}"
                lines.append(both.time(question, "ns a query", 1e9 / len(ngrams), ours, theirs))
    return lines


def _in_threads(executor: ThreadPoolExecutor, ask: Callable[[_T], object], parts: list[_T]) -> list[object]:
    return list(executor.map(ask, parts))


# --- continuations


def continuations_of(index: anygram.Index, prompt: Ngram) -> dict[int, int]:
    found = index.continuations(prompt)
    return dict(zip(found.tokens.tolist(), found.counts.tolist(), strict=True))


def exact_continuations_of(engine: peer.Engine, prompt: Ngram) -> dict[int, int]:
    answer: Any = engine.engine.ntd(prompt, max_support=_MAX_SUPPORT)
    if answer["approx"]:
        raise SystemExit("infini-gram's answer is approximate: nothing to compare with")
    found = {token: row["cont_cnt"] for token, row in answer["result_by_token_id"].items()}
    if engine.end_token in found:
        found[anygram.DOCUMENT_END] = found.pop(engine.end_token)
    return found


def time_continuations(both: Both, prompts: list[Ngram]) -> list[Line]:
    few = [prompt for prompt in prompts if both.engine.count(prompt) <= _MAX_SUPPORT]
    both.compare(
        "continuations",
        lambda: [continuations_of(both.index, prompt) for prompt in few],
        lambda: [exact_continuations_of(both.engine, prompt) for prompt in few],
    )
    approximate = both.engine.engine.ntd  # beyond 1,000 occurrences, by its default
    exact = partial(approximate, max_support=_MAX_SUPPORT)
    asked: dict[str, tuple[list[Ngram], Callable[[Ngram], object]]] = {
        f"of what occurs up to {_MAX_SUPPORT:,} times": (few, exact),
        "(approximate by infini-gram)": (prompts, approximate),
    }
    lines = []
    for name, (chosen, ntd) in asked.items():
        for length in _PROMPT_LENGTHS:
            of_length = [prompt for prompt in chosen if len(prompt) == length]
            if not of_length:  # all of them are too frequent
                continue
            question = f"continuations {name}, n = {length}, {len(of_length)} prompts"
            note(question)
            lines.append(percentile_line(question, both.time_each(of_length, both.index.continuations, ntd)))
    return lines


# --- scores


def scores_of(index: anygram.Index, texts: list[Ngram]) -> list[list[tuple[int, int, int]]]:
    answers = [index.score(text) for text in texts]
    arrays = [(answer.prompt_counts, answer.continuation_counts, answer.suffix_lengths) for answer in answers]
    return [list(zip(*(array.tolist() for array in rows), strict=True)) for rows in arrays]


def infgram_probs_of(engine: peer.Engine, texts: list[Ngram]) -> list[list[tuple[int, int, int]]]:
    def probs_of(text: Ngram) -> list[tuple[int, int, int]]:
        answers: list[Any] = [engine.engine.infgram_prob(text[:i], token) for i, token in enumerate(text)]
        return [(answer["prompt_cnt"], answer["cont_cnt"], answer["suffix_len"]) for answer in answers]

    return [probs_of(text) for text in texts]


def time_scores(both: Both, texts: list[Ngram]) -> list[Line]:
    """The ∞-gram of each token of a text: anygram in one pass, infini-gram with a question a token."""
    lines = []
    for name, chosen in {"of the corpus": texts[::2], "with every 16th token replaced": texts[1::2]}.items():
        question = f"score, texts {name}"
        theirs = partial(infgram_probs_of, both.engine, chosen)
        both.compare(question, partial(scores_of, both.index, chosen), theirs)
        ours = partial(_map_all, both.index.score, chosen)
        lines.append(both.time(question, "us a token", 1e6 / sum(map(len, chosen)), ours, theirs))
    return lines


def _map_all(ask: Callable[[_T], object], questions: list[_T]) -> list[object]:
    return [ask(question) for question in questions]


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("corpus", type=Path, help="a token file of corpus.py")
    parser.add_argument("folder", type=Path, help="what build.py made: FOLDER/anygram and FOLDER/infini-gram")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ngrams", type=int, default=20_000, help="of 1 to 50 tokens; half occur, half do not")
    parser.add_argument("--prompts", type=int, default=100, help="of each length, for continuations")
    parser.add_argument("--texts", type=int, default=20, help="to score")
    parser.add_argument("--text-length", type=int, default=200, help="tokens of each")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    corpus = Corpus(arguments.corpus)
    random = np.random.default_rng(arguments.seed)
    ours, theirs = arguments.folder / "anygram", arguments.folder / "infini-gram"
    warm(ours, theirs)
    cached = cached_share(ours, theirs)
    both = Both(anygram.open(ours), peer.Engine(theirs, corpus), arguments.rounds)
    num_present = arguments.ngrams // 2
    ngrams = draw_present(corpus, num_present, random)
    ngrams += draw_absent(corpus, arguments.ngrams - num_present, random, both.engine.counts)
    prompts = [draw_window(corpus, length, random) for length in _PROMPT_LENGTHS for _ in range(arguments.prompts)]
    texts = draw_texts(corpus, arguments.texts, arguments.text_length, random)

    both.compare("count", lambda: [both.index.count(ngram) for ngram in ngrams], lambda: both.engine.counts(ngrams))
    both.compare("count_batch", lambda: both.index.count_batch(ngrams).tolist(), lambda: both.engine.counts(ngrams))
    if not both.index.count_batch(ngrams[:num_present]).all():
        raise SystemExit("an n-gram of the corpus is said not to occur")
    lines = [
        *time_counts(both, ngrams, num_present),
        *time_count_batches(both, ngrams, ours),
        *time_continuations(both, prompts),
        *time_scores(both, texts),
    ]
    title = f"{corpus.num_tokens:,} tokens, profile {both.index.profile}; all answers agree; "
    title += f"{cached:.0%} in the page cache; median (least-most)"
    table = markdown_table(
        ["question", "unit", "anygram", "infini-gram", "infini-gram / anygram"], (line.row() for line in lines)
    )
    found = {
        "corpus": corpus.facts,
        "in_page_cache": cached,
        "profile": both.index.profile,
        "lines": [asdict(line) for line in lines],
    }
    write_results(arguments.results, "query", arguments, found, {title: table})


if __name__ == "__main__":
    main()
