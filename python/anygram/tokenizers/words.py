"""The tokenizers `words` and `words:fold`: Unicode words, numbered in the order in which they first appear."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from anygram.errors import IndexFormatError
from anygram.segments import segment_offsets, segments
from anygram.tokenizers.text import REPLACEMENT, content_hash, utf8
from anygram.types import MAX_TOKEN, Int64Array, Ragged, TokenArray


class NumberedWords(NamedTuple):
    """Some texts' words, numbered by themselves."""

    words: list[str]  # each once, by first appearance
    codes: TokenArray  # the words of all texts, as indexes into `words`
    lengths: Int64Array  # words of each text


def number_words(texts: Sequence[str], fold: bool) -> NumberedWords:
    """Splits texts into words and numbers them; knows no vocabulary, so that any process can do it."""
    numbering: defaultdict[str, int] = defaultdict()
    numbering.default_factory = numbering.__len__  # an unknown word gets the next number, at the speed of C
    codes = [np.fromiter(map(numbering.__getitem__, segments(text)), np.uint32) for text in texts]
    lengths = np.fromiter(map(len, codes), np.int64, len(codes))
    numbered = NumberedWords(list(numbering), np.concatenate(codes) if codes else np.empty(0, np.uint32), lengths)
    return _folded(numbered) if fold else numbered


def _folded(numbered: NumberedWords) -> NumberedWords:
    """Case-folds, and leaves out what has no letter and no digit."""
    numbering: dict[str, int] = {}
    dropped = MAX_TOKEN
    mapping = np.empty(len(numbered.words), np.uint32)
    for number, word in enumerate(numbered.words):
        mapping[number] = numbering.setdefault(word.casefold(), len(numbering)) if _has_word(word) else dropped
    codes = mapping[numbered.codes]
    kept = codes != dropped
    kept_before = np.concatenate([[0], np.cumsum(kept)])
    ends = np.cumsum(numbered.lengths)
    lengths = kept_before[ends] - kept_before[ends - numbered.lengths]
    return NumberedWords(list(numbering), codes[kept], lengths.astype(np.int64, copy=False))


def _has_word(segment: str) -> bool:
    return segment.isalnum() or any(map(str.isalnum, segment))


class WordsTokenizer:
    """Words as ids.

    `learn` and `merge` give unknown words the next numbers: a build calls them in the order of its input, and from one
    thread. `encode` never does: a word outside the vocabulary is `MAX_TOKEN`, which no vocabulary reaches, so that it
    counts 0. `decode` joins words with spaces: readable, not what stood there.

    Args:
        words: the vocabulary, by number.
        fold: whether words are case-folded and punctuation is left out.
    """

    round_trip = False
    #: What `decode` puts between the bytes of its tokens.
    separator = " "

    def __init__(self, words: Sequence[str] = (), *, fold: bool = False) -> None:
        self.kind = self.spec = "words:fold" if fold else "words"
        self._fold = fold
        self._words = list(words)
        self._numbers = {word: number for number, word in enumerate(self._words)}

    def copy(self) -> WordsTokenizer:
        """One that can learn without this one's noticing."""
        return WordsTokenizer(self._words, fold=self._fold)

    @property
    def fold(self) -> bool:
        """Whether words are case-folded and punctuation is left out."""
        return self._fold

    @property
    def vocab_size(self) -> int:
        """See `anygram.types.Tokenizer`."""
        return len(self._words)

    @property
    def hash(self) -> str:
        """See `anygram.types.Tokenizer`."""
        return content_hash(self.save())

    def save(self) -> bytes:
        """See `anygram.types.Tokenizer`."""
        content = {"tokenizer": self.kind, "words": self._words}
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"

    @classmethod
    def load(cls, kind: str, content: bytes) -> WordsTokenizer:
        """The tokenizer that `save` saved.

        Raises:
            IndexFormatError: it is not one.
        """
        try:
            saved = json.loads(content)
            words = saved["words"] if saved["tokenizer"] == kind else None
        except (ValueError, KeyError, TypeError, RecursionError):
            words = None
        if not isinstance(words, list) or set(map(type, words)) - {str} or len(set(words)) != len(words):
            raise IndexFormatError(f"expected the vocabulary of a {kind!r} tokenizer, found something else")
        return cls(words, fold=kind == "words:fold")

    def learn(self, texts: Sequence[str]) -> Ragged:
        """The ids of texts, whose unknown words are numbered on the way."""
        return self.merge(number_words(texts, self._fold))

    def merge(self, numbered: NumberedWords) -> Ragged:
        """The same, for texts whose words were numbered elsewhere."""
        mapping = np.empty(len(numbered.words), np.uint32)
        numbers, words = self._numbers, self._words
        for index, word in enumerate(numbered.words):
            number = numbers.setdefault(word, len(words))
            if number == len(words):
                words.append(word)
            mapping[index] = number
        return Ragged.from_lengths(mapping[numbered.codes], numbered.lengths)

    def encode(self, text: str) -> TokenArray:
        """See `anygram.types.Tokenizer`."""
        return self.encode_batch([text]).values

    def encode_batch(self, texts: Sequence[str]) -> Ragged:
        """See `anygram.types.Tokenizer`."""
        for text in texts:
            utf8(text)  # for its errors
        numbered = number_words(texts, self._fold)
        mapping = np.array([self._numbers.get(word, MAX_TOKEN) for word in numbered.words], np.uint32)
        return Ragged.from_lengths(mapping[numbered.codes], numbered.lengths)

    def encode_with_offsets(self, text: str) -> tuple[TokenArray, Int64Array]:
        """See `anygram.types.Tokenizer`."""
        tokens = self.encode(text)
        offsets = segment_offsets(text)
        if self._fold:
            offsets = [(begin, end) for begin, end in offsets if _has_word(text[begin:end])]
        return tokens, np.array(offsets, np.int64).reshape(-1, 2)

    def decode(self, tokens: Sequence[int] | TokenArray) -> str:
        """See `anygram.types.Tokenizer`."""
        return " ".join(self._word(int(token)) for token in tokens)

    def token_bytes(self, token: int) -> bytes:
        """See `anygram.types.Tokenizer`."""
        return self._word(token).encode()

    def _word(self, token: int) -> str:
        return self._words[token] if 0 <= token < len(self._words) else REPLACEMENT

    def round_trips(self, texts: Sequence[str], tokens: Ragged) -> bool:  # noqa: ARG002  # known without a look
        """See `anygram.types.Tokenizer`."""
        return False

    def __reduce__(self) -> tuple[object, tuple[str, bytes]]:
        return WordsTokenizer.load, (self.kind, self.save())
