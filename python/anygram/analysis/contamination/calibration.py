"""Planted canaries: texts of the corpus itself, changed in known ways, that a rule should find or should not."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from anygram.analysis.contamination.benchmarks import Benchmark
from anygram.analysis.contamination.items import Item, Verdict
from anygram.analysis.contamination.tables import Calibration
from anygram.analysis.contamination.tabulate import tally
from anygram.analysis.statistics import wilson
from anygram.errors import InvalidQueryError

if TYPE_CHECKING:
    from anygram.index import Index

VERBATIM = "verbatim"
SUBSTITUTIONS = ("1 substitution", "2 substitutions", "3 substitutions", "4 substitutions", "5 substitutions")
SHUFFLED_SENTENCES = "shuffled sentences"
CONTROL = "shuffled text"
CANARIES = (VERBATIM, *SUBSTITUTIONS, SHUFFLED_SENTENCES, CONTROL)

_WORDS = 80  # of a canary: as many as a question of an exam has
_LEAST_WORDS = 40
_TRIES = 30  # documents looked at for each canary
_PREFIX = "canaries: "

_WORD = re.compile(r"\S+")
_SENTENCE_END = re.compile(r"(?<=[.!?;:])\s+|\n+")


def canaries(index: Index, number: int, seed: int) -> list[Benchmark]:
    """A benchmark for each kind of canary, made of the same passages of sampled documents.

    Args:
        index: whose documents are sampled.
        number: how many passages.
        seed: chooses documents, passages and changes; equal seeds give equal canaries.

    Raises:
        InvalidQueryError: the index has no tokenizer, so that its documents have no text, or no text long enough.
    """
    if index.tokenizer is None:
        raise InvalidQueryError("calibration plants texts, and the index has no tokenizer: open it with tokenizer=...")
    passages = list(_passages(index, number, seed))
    if not passages:
        raise InvalidQueryError(f"calibration plants passages of {_LEAST_WORDS} words, and no document has so many")
    vocabulary = sorted({word for passage in passages for word in passage.split()})
    kinds: dict[str, list[str]] = {kind: [] for kind in CANARIES}
    for place, passage in enumerate(passages):
        chance = random.Random(f"{seed} {place}")
        kinds[VERBATIM].append(passage)
        for count, kind in enumerate(SUBSTITUTIONS, 1):
            kinds[kind].append(substituted(passage, count, vocabulary, chance))
        kinds[SHUFFLED_SENTENCES].append(shuffled_sentences(passage, chance))
        kinds[CONTROL].append(shuffled_text(passage, chance))
    return [_benchmark(kind, texts) for kind, texts in kinds.items()]


def calibration_table(verdicts: dict[str, dict[str, Sequence[Verdict]]], rules: Sequence[str]) -> Calibration:
    """How many of each kind each rule found.

    Args:
        verdicts: by canaries' benchmark and rule.
        rules: the rules, in order.
    """
    columns: dict[str, list[object]] = {name: [] for name in Calibration._dtypes}
    for rule in rules:
        for kind in CANARIES:
            counted = tally(verdicts[_PREFIX + kind][rule])
            low, high = wilson(counted.contaminated, counted.applicable) if counted.decides else counted.interval
            values = (rule, kind, counted.items, counted.applicable, counted.contaminated, counted.rate, low, high)
            for name, value in zip(columns, values, strict=True):
                columns[name].append(value)
    return Calibration(**columns)  # type: ignore[arg-type]  # the table makes arrays of its columns


def substituted(passage: str, count: int, vocabulary: Sequence[str], chance: random.Random) -> str:
    """The passage with so many of its words replaced by other words."""
    words = list(_WORD.finditer(passage))
    changed = sorted(chance.sample(range(len(words)), min(count, len(words))), reverse=True)
    for place in changed:
        word = words[place]
        others = [other for other in (chance.choice(vocabulary) for _ in range(20)) if other != word[0]]
        passage = passage[: word.start()] + (others or ["xylograph"])[0] + passage[word.end() :]
    return passage


def shuffled_sentences(passage: str, chance: random.Random) -> str:
    """The passage with its sentences in another order; with its halves swapped if it has but one."""
    sentences = [sentence for sentence in _SENTENCE_END.split(passage) if sentence]
    if len(sentences) < 2:
        words = passage.split()
        sentences = [" ".join(words[: len(words) // 2]), " ".join(words[len(words) // 2 :])]
    return " ".join(_shuffled(sentences, chance))


def shuffled_text(passage: str, chance: random.Random) -> str:
    """The passage's words in an order in which no two stand together that did before, as far as chance has it."""
    words = passage.split()
    before = set(pairwise(words))
    return " ".join(
        min((_shuffled(words, chance) for _ in range(20)), key=lambda one: sum(p in before for p in pairwise(one)))
    )


def _shuffled(parts: Sequence[str], chance: random.Random) -> list[str]:
    """The parts in another order, if there is one."""
    shuffled = list(parts)
    for _ in range(20):
        chance.shuffle(shuffled)
        if shuffled != list(parts):
            break
    return shuffled


def _passages(index: Index, number: int, seed: int) -> Iterator[str]:
    chance = random.Random(seed)
    looked_at = min(index.num_documents, number * _TRIES)
    found = 0
    for document in chance.sample(range(index.num_documents), looked_at):
        if found == number:
            return
        text = index.document(document).text or ""
        words = list(_WORD.finditer(text))
        if len(words) < _LEAST_WORDS:
            continue
        first = chance.randrange(max(1, len(words) - _WORDS))
        last = min(len(words), first + _WORDS) - 1
        passage = text[words[first].start() : words[last].end()]
        if "\ufffd" not in passage:  # decoding in the middle of a character
            found += 1
            yield passage


def _benchmark(kind: str, texts: Sequence[str]) -> Benchmark:
    name = _PREFIX + kind
    items = tuple(Item(name, number, str(number), {"question": text}) for number, text in enumerate(texts))
    return Benchmark(name, items, tuple({"question": text} for text in texts), "planted")
