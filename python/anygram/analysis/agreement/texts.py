"""Sets of texts: read, encoded, and what is known beside of each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from anygram.errors import InvalidQueryError
from anygram.io import Corpus, Record, as_corpus, read_corpus
from anygram.results.base import Float64Array, read_only
from anygram.types import Ragged, TokenArray, Tokenizer

#: One set of texts: a path, a `Corpus`, an iterable of str, of id sequences or of mappings with "text" or "tokens", a
#: Dataset or a table.
TextSource: TypeAlias = str | os.PathLike[str] | Corpus | Iterable[Any]

#: A model's probability of each token of each text, or the field of the texts that holds them.
ModelProbs: TypeAlias = str | Sequence[Sequence[float] | NDArray[np.floating[Any]]]

#: Called with a stage, what is done of it, and how much there is.
Progress: TypeAlias = Callable[[str, int, int | None], None]

NO_DOMAIN = "(none)"
"""What a text is counted under that has not the field that tells its domain."""

UNNAMED = "texts"
"""What a set is called that has no name and no file."""

_ABSENT = object()
"""What stands for a field that a text has not."""

_BATCH_CHARACTERS = 1 << 16  # encoded at once: between two of them Ctrl-C is answered


@dataclass(frozen=True)
class TextSet:
    """Texts that are looked at together.

    Attributes:
        name: what it is called.
        tokens: the tokens of each text.
        strings: each text as it came; None for one that came as ids.
        domains: what each belongs to; None if that was not asked for.
        model_probs: float64 (tokens,), a model's probability of each token, all texts joined, nan where it is not
            known; None if none were given.
    """

    name: str
    tokens: Ragged
    strings: Sequence[str | None]
    domains: Sequence[str] | None
    model_probs: Float64Array | None


def read_sets(
    texts: TextSource | Mapping[str, TextSource],
    tokenizer: Tokenizer | None,
    *,
    by: str | None,
    model_probs: ModelProbs | Mapping[str, ModelProbs] | None,
    progress: Progress | None,
) -> list[TextSet]:
    """The sets of texts of `anygram.agreement`, which describes the arguments.

    Raises:
        InputError: a text cannot be read, or there is none.
        InvalidQueryError: texts need a tokenizer; no text has the field `by`; or the model's probabilities do not fit.
    """
    sources = _named(texts)
    probs = _probs_by_set(model_probs, list(sources))
    fields: set[str] = set()
    sets = [_read(name, source, tokenizer, by, probs.get(name), fields, progress) for name, source in sources.items()]
    if by is not None and by != "source" and by not in fields:
        known = ", ".join(map(repr, sorted(fields))) or "no fields"
        raise InvalidQueryError(f"by: no text has a field {by!r}; they have {known}")
    without = [one.name for one in sets if one.name in probs and one.model_probs is None]
    if without and (not isinstance(model_probs, str) or len(without) == len(sets)):
        raise InvalidQueryError(f"model_probs: no text of {without[0]!r} has a field {probs[without[0]]!r}")
    return sets


def name_of_path(path: str | os.PathLike[str]) -> str:
    """What a set is called that has no other name than its file's."""
    name = Path(path).name
    for suffix in (".gz", ".zst", ".jsonl", ".json", ".parquet", ".arrow", ".feather", ".txt"):
        name = name.removesuffix(suffix)
    return name or UNNAMED


def _named(texts: TextSource | Mapping[str, TextSource]) -> dict[str, TextSource]:
    if isinstance(texts, Mapping):  # also a DatasetDict, of its splits
        if not texts:
            raise InvalidQueryError("no set of texts at all: give a list of texts, or {name: texts}")
        return {str(name): source for name, source in texts.items()}
    name = name_of_path(texts) if isinstance(texts, str | os.PathLike) else UNNAMED
    return {name: texts}


def _probs_by_set(
    model_probs: ModelProbs | Mapping[str, ModelProbs] | None, names: Sequence[str]
) -> Mapping[str, ModelProbs]:
    if model_probs is None:
        return {}
    if isinstance(model_probs, Mapping):
        unknown = [name for name in model_probs if name not in names]
        if unknown:
            known = ", ".join(map(repr, names))
            raise InvalidQueryError(f"model_probs: no set is called {unknown[0]!r}; there are {known}")
        return model_probs
    if isinstance(model_probs, str):
        return dict.fromkeys(names, model_probs)
    if len(names) > 1:
        raise InvalidQueryError(f"model_probs: there are {len(names)} sets: give {{name: probabilities}}")
    return {names[0]: model_probs}


def _read(
    name: str,
    source: TextSource,
    tokenizer: Tokenizer | None,
    by: str | None,
    probs: ModelProbs | None,
    fields: set[str],
    progress: Progress | None,
) -> TextSet:
    corpus = read_corpus(source) if isinstance(source, str | os.PathLike) else as_corpus(source)
    tokens: list[TokenArray] = []
    strings: list[str | None] = []
    domains: list[str] = []
    held: list[object] = []
    for record, ids in _encoded(corpus, tokenizer):
        tokens.append(ids)
        strings.append(record.text)
        fields.update(record.metadata)
        if by is not None:
            domains.append(_domain(record, by))
        if isinstance(probs, str):
            held.append(record.metadata.get(probs, _ABSENT))
        if progress is not None and len(tokens) % 1024 == 0:
            progress(f"reading {name}", len(tokens), None)
    given = _of_field(held, probs, name) if isinstance(probs, str) else probs
    return TextSet(
        name=name,
        tokens=Ragged.from_sequences(tokens),
        strings=strings,
        domains=domains if by is not None else None,
        model_probs=None if given is None else _joined_probs(name, list(given), tokens),
    )


def _encoded(corpus: Corpus, tokenizer: Tokenizer | None) -> Iterator[tuple[Record, TokenArray]]:
    """The texts in their order, encoded many at a time."""
    waiting: list[Record] = []
    size = 0
    for record in corpus:
        waiting.append(record)
        size += len(record.text or "") if record.tokens is None else len(record.tokens)
        if size >= _BATCH_CHARACTERS:
            yield from _encode(waiting, tokenizer)
            waiting, size = [], 0
    yield from _encode(waiting, tokenizer)


def _encode(records: Sequence[Record], tokenizer: Tokenizer | None) -> Iterator[tuple[Record, TokenArray]]:
    strings = [record.text for record in records if record.text is not None]
    if strings and tokenizer is None:
        raise InvalidQueryError(
            "the index has no tokenizer to encode texts: give token ids, or open it with tokenizer=..."
        )
    encoded = iter(tokenizer.encode_batch(strings) if strings and tokenizer is not None else ())
    for record in records:
        yield record, next(encoded) if record.tokens is None else record.tokens


def _domain(record: Record, by: str) -> str:
    # A field of the text that is called "source" is what its author meant; else the file is.
    value = record.metadata.get(by, record.source if by == "source" else None)
    return NO_DOMAIN if value is None else str(value)


def _of_field(given: Sequence[object], field: str, name: str) -> Sequence[object] | None:
    """What a field of the texts holds, if they have it; None if none has."""
    absent = [number for number, one in enumerate(given) if one is _ABSENT]
    if len(absent) == len(given):
        return None
    if absent:
        raise InvalidQueryError(
            f"model_probs: text {absent[0]} of {name!r} has no field {field!r}, and others of this set have it"
        )
    return given


def _joined_probs(name: str, given: Sequence[object], tokens: Sequence[TokenArray]) -> Float64Array:
    if len(given) != len(tokens):
        raise InvalidQueryError(
            f"model_probs: {name!r} has {len(tokens):,} texts, found probabilities of {len(given):,}: give an array "
            "for each text, with a number for each of its tokens"
        )
    arrays = [_text_probs(name, number, one, len(tokens[number])) for number, one in enumerate(given)]
    return read_only(np.concatenate(arrays) if arrays else np.empty(0), np.float64)


def _text_probs(name: str, number: int, given: object, num_tokens: int) -> Float64Array:
    where = f"model_probs: text {number} of {name!r}"
    try:
        probs = np.asarray(given, dtype=np.float64)  # None, as JSON has it for nan, becomes nan
    except (TypeError, ValueError):
        raise InvalidQueryError(f"{where}: expected numbers, found {given!r:.60}") from None
    if probs.shape != (num_tokens,):
        found = f"{len(probs)}" if probs.ndim == 1 else f"an array of shape {probs.shape}"
        raise InvalidQueryError(
            f"{where} has {num_tokens} tokens by the index's tokenizer, found {found} probabilities: give one for each "
            "token, nan where the model has none"
        )
    with np.errstate(invalid="ignore"):
        wrong = probs[(probs < 0) | (probs > 1)]
    if len(wrong):
        raise InvalidQueryError(
            f"{where}: probabilities are from 0 to 1, found {wrong[0]:g}: of log probabilities give numpy.exp"
        )
    return probs
