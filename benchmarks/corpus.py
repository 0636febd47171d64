"""One token file for all benchmarks: `corpus.py INPUT... -o CORPUS.bin`.

The file holds token ids as little-endian uint16, and 65535 after each document. anygram reads it as it is; for
infini-gram the same ids are written once more in the form its own first step would give them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

#: Ends each document in a token file.
END = 65535

Tokens = NDArray[np.uint16]
Ngram = list[int]

_PIECE = 1 << 24

LONGEST = 50  # tokens of an n-gram


class Corpus:
    """A token file, mapped.

    Attributes:
        stream: all ids, and END after each document.
        ends: where the ENDs stand.
        counts: how often each id occurs, END included.
        used: the ids that occur, without END.
        unused: the ids that do not.
    """

    def __init__(self, path: Path) -> None:
        self.stream: Tokens = np.memmap(path, "<u2", mode="r")
        self.ends: NDArray[np.int64] = np.flatnonzero(self.stream == END)
        if not len(self.ends) or self.ends[-1] != len(self.stream) - 1:
            raise SystemExit(f"{path}: no token file, since {END} does not end it; make one with corpus.py")
        self.num_documents = len(self.ends)
        self.num_tokens = len(self.stream) - self.num_documents
        self.counts = np.zeros(END + 1, np.int64)
        for begin in range(0, len(self.stream), _PIECE):  # a piece at a time, for counting widens what it counts
            self.counts += np.bincount(self.stream[begin : begin + _PIECE], minlength=END + 1)
        self.used: NDArray[np.int64] = np.flatnonzero(self.counts[:END])
        self.unused: NDArray[np.int64] = np.flatnonzero(self.counts[:END] == 0)
        if not len(self.unused):
            raise SystemExit(f"{path}: every id occurs, and none is left to stand for what does not")

    @property
    def facts(self) -> dict[str, int]:
        return {
            "num_tokens": self.num_tokens,
            "num_documents": self.num_documents,
            "distinct_tokens": len(self.used),
            "largest_token": int(self.used[-1]),
        }

    def window(self, begin: int, length: int) -> Ngram:
        """At most `length` ids from a position on, up to the document's end."""
        end = int(self.ends[np.searchsorted(self.ends, begin)])
        ids: Ngram = self.stream[begin : min(begin + length, end)].tolist()
        return ids


def draw_present(corpus: Corpus, number: int, random: np.random.Generator) -> list[Ngram]:
    """N-grams of the corpus, of each length from 1 to `LONGEST` as often as of any other."""
    found = [draw_window(corpus, 1 + number % LONGEST, random) for number in range(number)]
    random.shuffle(found)
    return found


def draw_absent(
    corpus: Corpus, number: int, random: np.random.Generator, count: Callable[[Sequence[Ngram]], Sequence[int]]
) -> list[Ngram]:
    """N-grams that do not occur, by the word of `count`; of each length as often as of any other.

    A third are tokens of the corpus in another order, a third have one token replaced by another, a third are random.
    """
    found: list[Ngram] = []
    wanted = [1 + number % LONGEST for number in range(number)]
    while wanted:
        candidates = [_draw_candidate(corpus, length, random) for length in wanted]
        counts = count(candidates)
        found += [ngram for ngram, times in zip(candidates, counts, strict=True) if times == 0]
        wanted = [len(ngram) for ngram, times in zip(candidates, counts, strict=True) if times]
    random.shuffle(found)
    return found


def _draw_candidate(corpus: Corpus, length: int, random: np.random.Generator) -> Ngram:
    if length == 1:  # whatever is used occurs
        return [int(random.choice(corpus.unused))]
    kind = random.integers(3)
    if kind == 0:
        ngram: Ngram = random.choice(corpus.used, length).tolist()
        return ngram
    ngram = draw_window(corpus, length, random)
    if kind == 1:
        random.shuffle(ngram)
    else:
        ngram[int(random.integers(length))] = int(random.choice(corpus.used))
    return ngram


def draw_window(corpus: Corpus, length: int, random: np.random.Generator) -> Ngram:
    """An n-gram of the corpus."""
    while True:
        ngram = corpus.window(int(random.integers(len(corpus.stream))), length)
        if len(ngram) == length:
            return ngram


def draw_texts(corpus: Corpus, number: int, length: int, random: np.random.Generator, least: int = 32) -> list[Ngram]:
    """Texts to score: every other one a piece of the corpus as it is, the others with every 16th token replaced.

    The first match as a whole, the others for a few tokens at a time, as unseen text does. A text ends where its
    document does, but has no fewer tokens than `least`.
    """
    texts: list[Ngram] = []
    while len(texts) < number:
        text = corpus.window(int(random.integers(len(corpus.stream))), length)
        if len(text) < min(length, least):
            continue
        if len(texts) % 2:
            for place in range(int(random.integers(16)), len(text), 16):
                text[place] = int(random.choice(corpus.used))
        texts.append(text)
    return texts


def main() -> None:
    from anygram import read_corpus
    from anygram.ingest import ingest
    from anygram.tokenizers import open_tokenizer

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("input", nargs="+", help="what `anygram build` reads")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--tokenizer", default="none")
    parser.add_argument("--token-dtype", help="of .bin files")
    parser.add_argument("--end-token", type=int, help="what ends a document in .npy and .bin files")
    parser.add_argument("--max-tokens", type=int, default=2**62, help="end with the document that reaches this many")
    arguments = parser.parse_args()

    corpus = read_corpus(
        *arguments.input, metadata="none", token_dtype=arguments.token_dtype, end_token=arguments.end_token
    )
    num_tokens = num_documents = 0
    with arguments.output.open("wb") as file:
        for batch in ingest(corpus, open_tokenizer(arguments.tokenizer)):
            ends = np.cumsum(batch.lengths)
            kept = int(np.searchsorted(ends, arguments.max_tokens - num_tokens)) + 1
            ends = ends[:kept]
            tokens = batch.tokens[: ends[-1]]
            if tokens.max(initial=0) >= END:
                raise SystemExit(f"token id {tokens.max()} does not fit: ids are to be below {END}")
            file.write(np.insert(tokens, ends, END).astype("<u2").tobytes())
            num_tokens += len(tokens)
            num_documents += len(ends)
            if num_tokens >= arguments.max_tokens:
                break
    print(f"{arguments.output}: {num_tokens:,} tokens, {num_documents:,} documents")


if __name__ == "__main__":
    main()
