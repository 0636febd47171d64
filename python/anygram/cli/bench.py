"""`anygram bench`: how fast this index answers on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anygram.cli.options import IndexPath, Json, Output, delivery, open_index
from anygram.cli.output import note, show_table, table_of
from anygram.errors import InvalidQueryError

if TYPE_CHECKING:
    import random

    from anygram.index import Index

_LENGTHS = range(1, 9)
_REPEATS = 5


def bench(
    index: IndexPath,
    queries: Annotated[int, typer.Option(min=1, metavar="N", help="How many n-grams to draw.")] = 10_000,
    seed: Annotated[int, typer.Option(metavar="N", help="What they are drawn by.")] = 0,
    output: Output = None,
    json: Json = False,
) -> None:
    """Measure counts, continuations and scores on n-grams of 1 to 8 tokens, drawn from the corpus itself.

    Medians on a warm index: every question is asked once before it is timed.
    """
    import random

    with open_index(index) as opened:
        if not opened.num_tokens:
            raise InvalidQueryError("the index holds no tokens to draw from")
        texts = _draw_documents(opened, random.Random(seed), max(1, queries // 20))
        ngrams = _draw_ngrams(texts, random.Random(seed), queries)
        results = [*_measure_counts(opened, ngrams), *_measure_scores(opened, texts)]
    names = ["question", "value", "unit", "samples"]
    note(
        f"{len(ngrams):,} n-grams of {_LENGTHS[0]} to {_LENGTHS[-1]} tokens from {len(texts):,} documents, seed {seed}"
    )
    columns = table_of(results, names)
    delivery(json, output).deliver("bench", {"seed": seed, "results": results}, columns, lambda: show_table(columns))


def _draw_documents(index: Index, generator: random.Random, number: int) -> list[list[int]]:
    """Documents that hold something, each as likely as any other; at most the first 10,000 tokens of each."""
    texts: list[list[int]] = []
    # Almost every corpus gives enough at once; one of empty documents, and a single full one, ends with fewer.
    for _ in range(20 * number):
        tokens = index.document(generator.randrange(index.num_documents)).tokens
        if len(tokens):
            texts.append(tokens[:10_000].tolist())
        if len(texts) == number:
            break
    if not texts:
        raise InvalidQueryError("hardly any document of this index holds a token: nothing to draw from")
    return texts


def _draw_ngrams(texts: Sequence[list[int]], generator: random.Random, number: int) -> list[list[int]]:
    ngrams = []
    for _ in range(number):
        text = generator.choice(texts)
        begin = generator.randrange(len(text))
        ngrams.append(text[begin : begin + generator.choice(_LENGTHS)])
    return ngrams


def _measure_counts(index: Index, ngrams: list[list[int]]) -> list[dict[str, Any]]:
    from anygram.types import Ragged

    few = ngrams[:2000]
    batch = Ragged.from_sequences(ngrams)
    counts = _each(few, index.count)
    continued = _each(few[:500], lambda ngram: index.continuations(ngram, top_k=20))
    probabilities = _each(few, lambda ngram: index.probability(ngram[:-1], ngram[-1], backoff=True))
    seconds = _all(lambda: index.count_batch(batch))
    return [
        _result("count", counts, "us", len(few)),
        _result("count_batch", seconds / len(ngrams) * 1e9, "ns a query", len(ngrams)),
        _result("probability, backoff", probabilities, "us", len(few)),
        _result("continuations, top 20", continued, "us", len(few[:500])),
    ]


def _measure_scores(index: Index, texts: list[list[int]]) -> list[dict[str, Any]]:
    # About as much as a second needs, and one text at least.
    chosen: list[list[int]] = []
    while len(chosen) < len(texts) and sum(map(len, chosen)) < 50_000:
        chosen.append(texts[len(chosen)])
    num_tokens = sum(map(len, chosen))
    seconds = _all(lambda: [index.score(text) for text in chosen])
    return [_result("score", num_tokens / seconds, "tokens/s", num_tokens)]


def _each(ngrams: Sequence[list[int]], ask: Callable[[list[int]], object]) -> float:
    """The median time of one call, in microseconds."""
    # All once before any is timed: asked again at once, an n-gram would find its way still in the CPU's caches.
    for ngram in ngrams:
        ask(ngram)
    times = []
    for ngram in ngrams:
        started = time.perf_counter_ns()
        ask(ngram)
        times.append(time.perf_counter_ns() - started)
    return _median(times) / 1000


def _all(ask: Callable[[], object]) -> float:
    """The median time of the whole, in seconds."""
    ask()
    times = []
    for _ in range(_REPEATS):
        started = time.perf_counter()
        ask()
        times.append(time.perf_counter() - started)
    return _median(times)


def _median(times: Sequence[float]) -> float:
    return sorted(times)[len(times) // 2]


def _result(question: str, value: float, unit: str, samples: int) -> dict[str, Any]:
    return {"question": question, "value": value, "unit": unit, "samples": samples}
