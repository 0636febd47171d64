"""A few texts of each set, token by token, for people to look at."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from anygram.analysis.agreement.texts import TextSet
from anygram.types import TokenArray, Tokenizer

_TEXTS = 6  # of a set
_TOKENS = 300  # of a text
_CHARACTERS = 64 * _TOKENS  # in which so many tokens are found, or they are shown one by one


@dataclass(frozen=True)
class Excerpt:
    """The beginning of a text.

    Attributes:
        set: the set's name.
        text: the text's number there.
        pieces: what each token stands for; together they are the text, as far as it is shown. A token within a
            character has "" until the one that completes it.
        num_tokens: how many tokens the whole text has.
    """

    set: str
    text: int
    pieces: Sequence[str]
    num_tokens: int


def excerpts(sets: Sequence[TextSet], tokenizer: Tokenizer | None) -> list[Excerpt]:
    """Texts from all over the sets; the same numbers of each, since texts may correspond."""
    found = []
    for number in _numbers(sets):
        for texts in sets:
            if number < len(texts.tokens):
                tokens = texts.tokens[number]
                pieces = _pieces(tokens, texts.strings[number], tokenizer)
                found.append(Excerpt(texts.name, number, tuple(pieces), len(tokens)))
    return found


def _numbers(sets: Sequence[TextSet]) -> list[int]:
    """Numbers spread over the texts that all sets have and that have tokens in some."""
    common = min(len(texts.tokens) for texts in sets)
    filled = [number for number in range(common) if any(len(texts.tokens[number]) for texts in sets)]
    if not filled:
        return []
    places = np.linspace(0, len(filled) - 1, min(_TEXTS, len(filled))).round().astype(int)
    return [filled[place] for place in places.tolist()]


def _pieces(tokens: TokenArray, string: str | None, tokenizer: Tokenizer | None) -> list[str]:
    if tokenizer is None:
        return [f"{token} " for token in tokens[:_TOKENS].tolist()]
    if string is not None:
        size = min(len(tokens), _TOKENS)
        ids, offsets = tokenizer.encode_with_offsets(string[:_CHARACTERS])
        if np.array_equal(ids[:size], tokens[:size]):
            return _cut(string[:_CHARACTERS], offsets[:, 0].tolist(), size)
    return list(_decoded(tokens[:_TOKENS], tokenizer))


def _cut(string: str, begins: Sequence[int], size: int) -> list[str]:
    """The string cut where tokens begin: what stands between two tokens, such as a space, goes with the first."""
    if size == 0:
        return []
    cuts = [0, *np.maximum.accumulate(begins)[1:].tolist(), len(string)]
    return [string[begin:end] for begin, end in pairwise(cuts[: size + 1])]


def _decoded(tokens: TokenArray, tokenizer: Tokenizer) -> Iterator[str]:
    """What tokens stand for, where nothing but their ids is known: characters are whole where their last byte is."""
    separator = getattr(tokenizer, "separator", None)
    if separator is None:
        for token in tokens.tolist():
            yield tokenizer.decode([token])
        return
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for token in tokens.tolist():
        yield decoder.decode(tokenizer.token_bytes(token) + separator.encode())
