"""Compares anygram's answers with brute force over the tokens, and with each other: nothing is timed.

- counts of n-grams of 1 to 50 tokens, half of which occur and half do not;
- continuations of n-grams that occur;
- the ∞-gram of places in texts: prompt count, continuation count, suffix length;
- each row of `score` with `probability(..., backoff=True)`;
- all of these from 1, 3 and 8 shards.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import anygram
from common import markdown_table, new_parser, note, write_results
from corpus import END, Corpus, Ngram, draw_absent, draw_present, draw_texts

_SHARDS = (1, 3, 8)

Row = tuple[int, int, int]  # prompt count, continuation count, suffix length


class BruteForce:
    """Answers by comparing tokens wherever the rarest token of a question stands. Knows nothing of suffixes' order."""

    def __init__(self, corpus: Corpus) -> None:
        self._stream = np.array(corpus.stream)
        self._counts = corpus.counts
        # The places of each token, in order: those of token t are one stretch of this array.
        self._places = np.argsort(self._stream, kind="stable")
        self._begins = np.concatenate([[0], np.cumsum(corpus.counts)])

    def places(self, token: int) -> NDArray[np.int64]:
        return self._places[self._begins[token] : self._begins[token + 1]]

    def find(self, ngram: Ngram) -> NDArray[np.int64]:
        """Where it begins. It has no END in it, so that what it matches lies within a document."""
        rarest = int(np.argmin(self._counts[ngram]))
        begins = self.places(ngram[rarest]) - rarest
        begins = begins[(begins >= 0) & (begins + len(ngram) <= len(self._stream))]
        for offset in np.argsort(self._counts[ngram]).tolist():
            begins = begins[self._stream[begins + offset] == ngram[offset]]
        return begins

    def counts(self, ngrams: Sequence[Ngram]) -> list[int]:
        return [len(self.find(ngram)) for ngram in ngrams]

    def continuations(self, prompt: Ngram) -> dict[int, int]:
        tokens, counts = np.unique(self._stream[self.find(prompt) + len(prompt)], return_counts=True)
        found: dict[int, int] = dict(zip(tokens.tolist(), counts.tolist(), strict=True))
        if END in found:
            found[anygram.DOCUMENT_END] = found.pop(END)
        return found

    def backoff(self, prompt: Ngram, token: int) -> Row:
        """The longest suffix of the prompt that occurs, and what follows it: something does, if only an END."""
        if not prompt or not self._counts[prompt[-1]]:
            return len(self._stream), int(self._counts[token]), 0
        ends, length = self.places(prompt[-1]), 1
        while length < len(prompt):
            longer = ends[ends >= length]
            longer = longer[self._stream[longer - length] == prompt[-1 - length]]
            if not len(longer):
                break
            ends, length = longer, length + 1
        return len(ends), int((self._stream[ends + 1] == token).sum()), length


def compare(question: str, found: Sequence[object], expected: Sequence[object]) -> tuple[str, int]:
    """Stops at the first difference; otherwise says how many answers agreed."""
    note(f"{question}: {len(expected):,}")
    for number, (one, other) in enumerate(zip(found, expected, strict=True)):
        if one != other:
            raise SystemExit(f"{question}: answer {number} is {one}, expected {other}")
    return question, len(expected)


def score_rows(index: anygram.Index, text: Ngram) -> list[tuple[float, Row]]:
    found = index.score(text)
    arrays = (found.prompt_counts, found.continuation_counts, found.suffix_lengths)
    rows = list(zip(*(array.tolist() for array in arrays), strict=True))
    return list(zip(found.probs.tolist(), rows, strict=True))


def probability_rows(index: anygram.Index, text: Ngram) -> list[tuple[float, Row]]:
    answers = [index.probability(text[:place], token, backoff=True) for place, token in enumerate(text)]
    return [(one.prob, (one.prompt_count, one.continuation_count, one.suffix_length)) for one in answers]


def continuations_of(index: anygram.Index, prompt: Ngram) -> dict[int, int]:
    found = index.continuations(prompt)
    return dict(zip(found.tokens.tolist(), found.counts.tolist(), strict=True))


class Expected(NamedTuple):
    """Questions, and what brute force answers."""

    counts: list[tuple[Ngram, int]]
    continuations: list[tuple[Ngram, dict[int, int]]]
    texts: list[Ngram]
    places: list[tuple[int, int, Row]]  # text, place in it, and what its prompt and token are to have

    @classmethod
    def draw(cls, corpus: Corpus, arguments: argparse.Namespace) -> Expected:
        random = np.random.default_rng(arguments.seed)
        brute_force = BruteForce(corpus)
        ngrams = draw_present(corpus, arguments.ngrams // 2, random)
        ngrams += draw_absent(corpus, arguments.ngrams - len(ngrams), random, brute_force.counts)
        texts = draw_texts(corpus, arguments.texts, arguments.text_length, random)
        places = []
        for number in random.integers(len(texts), size=arguments.places).tolist():
            text = texts[number]
            place = int(random.integers(len(text)))
            places.append((number, place, brute_force.backoff(text[:place], text[place])))
        return cls(
            list(zip(ngrams, brute_force.counts(ngrams), strict=True)),
            [(prompt, brute_force.continuations(prompt)) for prompt in draw_present(corpus, arguments.prompts, random)],
            texts,
            places,
        )

    def check(self, index: anygram.Index) -> list[tuple[str, int]]:
        """Compares what an index answers."""
        ngrams, counts = zip(*self.counts, strict=True)
        prompts, continuations = zip(*self.continuations, strict=True)
        scores = [score_rows(index, text) for text in self.texts]
        scored = [scores[text][place][1] for text, place, _ in self.places]
        return [
            compare("count and brute force", [index.count(ngram) for ngram in ngrams], counts),
            compare("count_batch and brute force", index.count_batch(ngrams).tolist(), counts),
            compare(
                "continuations and brute force", [continuations_of(index, prompt) for prompt in prompts], continuations
            ),
            compare("score and brute force, tokens", scored, [row for _, _, row in self.places]),
            compare(
                "score and probability, tokens",
                [row for rows in scores for row in rows],
                [row for text in self.texts for row in probability_rows(index, text)],
            ),
        ]


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("corpus", type=Path, help="a token file of corpus.py")
    parser.add_argument("--scratch", type=Path, help="where to build the indexes, which are removed again")
    parser.add_argument("--profile", choices=["fast", "lean"], default="fast")
    parser.add_argument("--ngrams", type=int, default=20_000, help="of 1 to 50 tokens; half occur, half do not")
    parser.add_argument("--texts", type=int, default=40, help="to score")
    parser.add_argument("--text-length", type=int, default=500, help="tokens of each")
    parser.add_argument("--places", type=int, default=1000, help="in the texts, for the ∞-gram by brute force")
    parser.add_argument("--prompts", type=int, default=1000, help="for continuations")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    corpus = Corpus(arguments.corpus)
    expected = Expected.draw(corpus, arguments)
    rows = []
    for shards in _SHARDS:
        documents = anygram.read_corpus(arguments.corpus, token_dtype="uint16", end_token=END)
        with (
            tempfile.TemporaryDirectory(dir=arguments.scratch) as folder,
            anygram.build(
                documents, Path(folder) / "index", tokenizer="none", shards=shards, profile=arguments.profile
            ) as index,
        ):
            note(f"{index}")
            rows += [(index.num_shards, *line) for line in expected.check(index)]
    table = markdown_table(["shards", "compared", "equal"], rows)
    present = sum(count > 0 for _, count in expected.counts)
    found = {"corpus": corpus.facts, "present": present, "rows": rows}
    write_results(arguments.results, "exactness", arguments, found, {"All answers are equal.": table})


if __name__ == "__main__":
    main()
