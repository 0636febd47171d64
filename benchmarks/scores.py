"""The ∞-gram of every token of a text, and which parts of a text stand in the corpus.

anygram answers for a whole text at once. infini-gram is asked for each token with all before it (`infgram_prob`), and
for the spans of a text (`attribute`).
"""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

import numpy as np

import anygram
import peer
from both import Both, ask_all, main_of
from corpus import Ngram, draw_texts
from findings import at_most, times

_MIN_LENGTH, _MAX_COUNT = 5, 10  # of the spans; infini-gram lists every place of each, so that more would cost it more


def scores_of(index: anygram.Index, texts: list[Ngram]) -> list[list[tuple[int, int, int]]]:
    answers = [index.score(text) for text in texts]
    arrays = [(answer.prompt_counts, answer.continuation_counts, answer.suffix_lengths) for answer in answers]
    return [list(zip(*(array.tolist() for array in rows), strict=True)) for rows in arrays]


def infgram_probs_of(engine: peer.Engine, texts: list[Ngram]) -> list[list[tuple[int, int, int]]]:
    def probs_of(text: Ngram) -> list[tuple[int, int, int]]:
        answers: list[Any] = [engine.engine.infgram_prob(text[:i], token) for i, token in enumerate(text)]
        return [(answer["prompt_cnt"], answer["cont_cnt"], answer["suffix_len"]) for answer in answers]

    return [probs_of(text) for text in texts]


def time_scores(both: Both, texts: list[Ngram]) -> None:
    """anygram in one pass on one core, infini-gram with a question a token."""
    with anygram.open(both.index.path, threads=1) as index:
        for name, chosen in {"of the corpus": texts[::2], "with every 16th token replaced": texts[1::2]}.items():
            question = f"score, texts {name}"
            theirs = partial(infgram_probs_of, both.engine, chosen)
            both.compare(question, partial(scores_of, index, chosen), theirs)
            ours = partial(ask_all, index.score, chosen)
            both.time(question, "us a token", 1e6 / sum(map(len, chosen)), ours, theirs, times(300))


def time_throughput(both: Both, texts: list[Ngram]) -> None:
    """Tokens a second, of texts that are long enough."""
    kinds = {"of the corpus": texts[::2], "with every 16th token replaced": texts[1::2]}
    with anygram.open(both.index.path, threads=1) as index:
        for name, chosen in kinds.items():
            arrays = [np.array(text, np.uint32) for text in chosen]
            num_tokens = sum(map(len, chosen))
            both.alone(
                f"score, texts {name}, one core",
                "us a token",
                1e6 / num_tokens,
                partial(ask_all, index.score, arrays),
                at_most(1.0),
            )
            both.alone(
                f"score_batch, texts {name}, one core",
                "us a token",
                1e6 / num_tokens,
                partial(index.score_batch, arrays),
                at_most(1.0),
            )
            top = partial(ask_all, partial(index.score, top_k=1), arrays)
            both.alone(f"score with top_k=1, texts {name}, one core", "us a token", 1e6 / num_tokens, top)
    arrays = [np.array(text, np.uint32) for text in texts]
    all_cores = partial(both.index.score_batch, arrays)
    both.alone("score_batch, all texts, all cores", "us a token", 1e6 / sum(map(len, texts)), all_cores)


def spans_of(index: anygram.Index, text: Ngram) -> list[tuple[int, int, int]]:
    found = index.spans(text, min_length=_MIN_LENGTH, max_count=_MAX_COUNT)
    return list(zip(found.begins.tolist(), found.ends.tolist(), found.counts.tolist(), strict=True))


def attribute(engine: peer.Engine, text: Ngram) -> Any:
    return engine.engine.attribute(text, delim_ids=[], min_len=_MIN_LENGTH, max_cnt=_MAX_COUNT, enforce_bow=False)


def attributed_spans_of(engine: peer.Engine, text: Ngram) -> list[tuple[int, int, int]]:
    return sorted((span["l"], span["r"], span["count"]) for span in attribute(engine, text)["spans"])


def time_spans(both: Both, texts: list[Ngram], long_texts: list[Ngram]) -> None:
    both.compare(
        "spans",
        lambda: [spans_of(both.index, text) for text in texts],
        lambda: [attributed_spans_of(both.engine, text) for text in texts],
    )
    ours = partial(both.index.spans, min_length=_MIN_LENGTH, max_count=_MAX_COUNT)
    taken = both.time_each(texts, ours, partial(attribute, both.engine))
    both.percentile(f"spans of a text of {max(map(len, texts))} tokens (attribute)", taken, goal=times(100))
    for name, chosen in {"of the corpus": long_texts[::2], "with every 16th token replaced": long_texts[1::2]}.items():
        length = sum(map(len, chosen)) / len(chosen)
        run = partial(ask_all, ours, chosen)
        both.alone(f"spans of a text of {length:,.0f} tokens, {name}", "ms", 1e3 / len(chosen), run, at_most(500))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--texts", type=int, default=16, help="to score and to look for spans in")
    parser.add_argument("--text-length", type=int, default=200, help="tokens of each")
    parser.add_argument("--long-texts", type=int, default=20)
    parser.add_argument("--long-length", type=int, default=10_000)


def measure(both: Both, arguments: argparse.Namespace, random: np.random.Generator) -> None:
    texts = draw_texts(both.corpus, arguments.texts, arguments.text_length, random)
    long_texts = draw_texts(
        both.corpus, arguments.long_texts, arguments.long_length, random, arguments.long_length // 2
    )
    time_scores(both, texts)
    time_throughput(both, long_texts)
    time_spans(both, texts, long_texts)


if __name__ == "__main__":
    main_of("scores", __doc__, measure, add_arguments)
