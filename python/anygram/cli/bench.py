"""`anygram bench`: how fast this index answers on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from anygram.cli.options import IndexPath, Json, Output, delivery
from anygram.cli.output import note, show_table, table_of
from anygram.errors import InvalidQueryError

if TYPE_CHECKING:
    import random

    from anygram.index import Index

_T = TypeVar("_T")

_LONGEST = 50  # tokens of an n-gram
_LENGTHS = ((1, 1), (2, 5), (6, 20), (21, _LONGEST))
_FREQUENCIES = ((1, 1), (2, 99), (100, 9999), (10_000, 10**18))
_TEXT_TOKENS = 10_000  # of a text to score, at most
_REPEATS = 5
_SECONDS = 0.3  # for one question: as many are asked as fit, twice


def bench(
    index: IndexPath,
    queries: Annotated[int, typer.Option(min=1, metavar="N", help="How many n-grams to draw.")] = 20_000,
    threads: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="CPUs for the batches; all of them if not given.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="What they are drawn by.")] = 0,
    output: Output = None,
    json: Json = False,
) -> None:
    """Measure how fast an index answers, in about 10 seconds.

    The questions are n-grams of 1 to 50 tokens and texts, drawn from the corpus itself, and n-grams that do not occur.
    The index is warm: every question is asked once before it is timed. Single questions use one CPU.
    """
    import random

    import anygram

    with anygram.open(index, threads=threads) as opened:
        if not opened.num_tokens:
            raise InvalidQueryError("the index holds no tokens to draw from")
        texts = _draw_texts(opened, random.Random(seed), max(1, queries // 40))
        present = _draw_ngrams(texts, random.Random(seed), queries)
        results = list(_measure(opened, present, _absent(opened, present, random.Random(seed)), texts))
        facts = {"num_tokens": opened.num_tokens, "num_shards": opened.num_shards, "profile": opened.profile}
    note(
        f"{facts['num_tokens']:,} tokens, {facts['num_shards']} shards, profile {facts['profile']}; "
        f"{len(present):,} n-grams from {len(texts):,} texts, seed {seed}"
    )
    columns = table_of(results, ["question", "value", "p99", "unit", "samples"])
    answer = {**facts, "threads": threads, "seed": seed, "results": results}
    delivery(json, output).deliver("bench", answer, columns, lambda: show_table(columns))


# --- what is asked


def _draw_texts(index: Index, generator: random.Random, number: int) -> list[list[int]]:
    """Pieces of documents, each document as likely as it is long."""
    texts = []
    shards = index.shards
    sizes = [shard.num_tokens for shard in shards]
    for shard in generator.choices(shards, sizes, k=number):
        within = shard.document_at(shard.position(generator.randrange(shard.num_tokens)))
        tokens = index.document(shard.first_document + within).tokens
        begin = generator.randrange(max(1, len(tokens) - _TEXT_TOKENS + 1))
        texts.append(tokens[begin : begin + _TEXT_TOKENS].tolist())
    return texts


def _draw_ngrams(texts: Sequence[list[int]], generator: random.Random, number: int) -> list[list[int]]:
    ngrams = []
    for _ in range(number):
        text = generator.choice(texts)
        length = generator.randint(*generator.choice(_LENGTHS))
        begin = generator.randrange(max(1, len(text) - length + 1))
        ngrams.append(text[begin : begin + length])
    return ngrams


def _absent(index: Index, ngrams: Sequence[list[int]], generator: random.Random) -> list[list[int]]:
    """Those with one token replaced that do not occur."""
    tokens = [token for ngram in ngrams for token in ngram]
    changed = []
    for ngram in ngrams:
        place = generator.randrange(len(ngram))
        changed.append([*ngram[:place], generator.choice(tokens), *ngram[place + 1 :]])
    counts = index.count_batch(changed).tolist()
    return [ngram for ngram, count in zip(changed, counts, strict=True) if not count]


# --- what is measured


def _measure(
    index: Index, present: list[list[int]], absent: list[list[int]], texts: list[list[int]]
) -> Iterator[dict[str, Any]]:
    counts = index.count_batch(present).tolist()
    yield from _measure_counts(index, present, absent)
    yield from _measure_prompts(index, present, counts)
    yield from _measure_documents(index, present, counts)
    yield from _measure_texts(index, texts)


def _measure_counts(index: Index, present: list[list[int]], absent: list[list[int]]) -> Iterator[dict[str, Any]]:
    from anygram.types import Ragged

    for least, most in _LENGTHS:
        yield from _each(f"count, {_span(least, most)} tokens", _of_length(present, least, most), index.count)
    yield from _each("count, absent", absent, index.count)
    for name, ngrams in {"present": present, "absent": absent}.items():
        batch = Ragged.from_sequences(ngrams)
        yield from _all(f"count_batch, {name}", "ns a query", 1e9, len(ngrams), lambda: index.count_batch(batch))  # noqa: B023


def _measure_prompts(index: Index, ngrams: list[list[int]], counts: list[int]) -> Iterator[dict[str, Any]]:
    asked = [ngram for ngram in ngrams if len(ngram) > 1]
    yield from _each(
        "probability, backoff", asked, lambda ngram: index.probability(ngram[:-1], ngram[-1], backoff=True)
    )
    for least, most in _FREQUENCIES:
        prompts = [ngram for ngram, count in zip(ngrams, counts, strict=True) if least <= count <= most]
        times = "once" if most == 1 else f"{least:,} times or more" if most > 10**9 else f"{least:,} to {most:,} times"
        yield from _each(f"continuations of what occurs {times}", prompts, index.continuations)


def _measure_documents(index: Index, ngrams: list[list[int]], counts: list[int]) -> Iterator[dict[str, Any]]:
    """The most frequent n-grams, each once, up to some millions of occurrences."""
    found = dict(zip(map(tuple, ngrams), counts, strict=True))
    chosen: list[list[int]] = []
    total = 0
    for ngram, count in sorted(found.items(), key=lambda item: -item[1])[:100]:
        if chosen and total + count > 3_000_000:
            continue
        chosen.append(list(ngram))
        total += count
    questions: dict[str, Callable[[list[int]], object]] = {
        "document_count": index.document_count,
        "find().documents()": lambda ngram: index.find(ngram).documents(),
    }
    for name, ask in questions.items():
        yield from _all(name, "ns an occurrence", 1e9, total, lambda: [ask(ngram) for ngram in chosen])  # noqa: B023


def _measure_texts(index: Index, texts: list[list[int]]) -> Iterator[dict[str, Any]]:
    # About as much as a second needs, and one text at least.
    chosen: list[list[int]] = []
    while len(chosen) < len(texts) and sum(map(len, chosen)) < 50_000:
        chosen.append(texts[len(chosen)])
    number = sum(map(len, chosen))
    questions: dict[str, Callable[[], object]] = {
        "score": lambda: [index.score(text) for text in chosen],
        "score, top_k=1": lambda: [index.score(text, top_k=1) for text in chosen],
        "score_batch": lambda: index.score_batch(chosen),
        "spans": lambda: [index.spans(text, min_length=5) for text in chosen],
    }
    for name, ask in questions.items():
        yield from _all(name, "us a token", 1e6, number, ask)


def _of_length(ngrams: Iterable[list[int]], least: int, most: int) -> list[list[int]]:
    return [ngram for ngram in ngrams if least <= len(ngram) <= most]


def _span(least: int, most: int) -> str:
    return str(least) if least == most else f"{least} to {most}"


# --- how


def _each(question: str, asked: Sequence[_T], ask: Callable[[_T], object]) -> Iterator[dict[str, Any]]:
    """The median time of one call, and the 99th percentile; nothing if there is nothing to ask."""
    # All once before any is timed: asked again at once, an n-gram would find its way still in the CPU's caches.
    warm = 0
    started = time.perf_counter()
    for one in asked:
        ask(one)
        warm += 1
        if time.perf_counter() - started > _SECONDS:
            break
    times = []
    for one in asked[:warm]:
        began = time.perf_counter_ns()
        ask(one)
        times.append((time.perf_counter_ns() - began) / 1000)
    if times:
        times.sort()
        yield _result(question, times[len(times) // 2], times[len(times) * 99 // 100], "us", len(times))


def _all(question: str, unit: str, scale: float, number: int, ask: Callable[[], object]) -> Iterator[dict[str, Any]]:
    """The median time of the whole, for each of `number` parts; nothing if there are none."""
    if not number:
        return
    ask()
    times = []
    for _ in range(_REPEATS):
        started = time.perf_counter()
        ask()
        times.append(time.perf_counter() - started)
    yield _result(question, sorted(times)[len(times) // 2] * scale / number, None, unit, number)


def _result(question: str, value: float, p99: float | None, unit: str, samples: int) -> dict[str, Any]:
    return {"question": question, "value": value, "p99": p99, "unit": unit, "samples": samples}
