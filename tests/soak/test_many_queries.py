"""Twenty thousand questions about corpora of some hundred thousand tokens, against a search through their bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

import anygram
from anygram import DOCUMENT_END
from strategies import fibonacci, periodic, thue_morse

NUM_QUERIES = 20_000
END = b"\xff"  # joins the documents; no token of these corpora


class Haystack:
    """Counts in documents of one-byte tokens."""

    def __init__(self, documents: list[bytes]) -> None:
        self.documents = documents
        self.text = b"".join(document + END for document in documents)
        self.counts: dict[bytes, int] = {}

    def places(self, needle: bytes) -> Iterator[int]:
        place = self.text.find(needle)
        while place >= 0:
            yield place
            place = self.text.find(needle, place + 1)

    def count(self, needle: bytes) -> int:
        if needle not in self.counts:
            self.counts[needle] = sum(1 for _ in self.places(needle)) if needle else len(self.text)
        return self.counts[needle]

    def longest_suffix(self, prompt: bytes) -> bytes:
        return next(prompt[start:] for start in range(len(prompt) + 1) if prompt[start:] in self.text)


def zipf(generator: np.random.Generator) -> list[bytes]:
    lengths = generator.integers(0, 600, 1600)
    return [np.minimum(generator.zipf(1.3, length) - 1, 199).astype(np.uint8).tobytes() for length in lengths]


def genome(generator: np.random.Generator) -> list[bytes]:
    """Four letters, with copies of one piece that differ here and there."""
    piece = generator.integers(0, 4, 5000).astype(np.uint8)
    copies = [piece ^ (generator.random(5000) < 0.002).astype(np.uint8) for _ in range(60)]
    return [*(copy.tobytes() for copy in copies), generator.integers(0, 4, 200_000).astype(np.uint8).tobytes()]


def famous(generator: np.random.Generator) -> list[bytes]:
    texts = [fibonacci(40_000), thue_morse(40_000), periodic([0, 1, 1], 20_000), [0] * 3000, []]
    return [bytes(texts[place]) for place in generator.permutation(len(texts))]


def queries(documents: list[bytes], generator: np.random.Generator, longest: int) -> list[bytes]:
    """Pieces of the documents; of every third, one token is another."""
    text = b"".join(documents)
    found = []
    for number in range(NUM_QUERIES):
        begin = int(generator.integers(len(text)))
        piece = bytearray(text[begin : begin + int(generator.integers(1, longest))])
        if number % 3 == 0:
            piece[int(generator.integers(len(piece)))] ^= 1
        found.append(bytes(piece))
    return found


CORPORA: dict[str, tuple[Callable[[np.random.Generator], list[bytes]], int]] = {
    "zipf": (zipf, 9),
    "genome": (genome, 60),
    "famous": (famous, 400),
}


@pytest.mark.parametrize(("corpus", "longest"), CORPORA.values(), ids=CORPORA.keys())
@pytest.mark.parametrize(("shards", "profile"), [(1, "fast"), (5, "fast"), (3, "lean")])
def test_many_queries(
    corpus: Callable[[np.random.Generator], list[bytes]], longest: int, shards: int, profile: str
) -> None:
    generator = np.random.default_rng(shards)
    documents = corpus(generator)
    haystack = Haystack(documents)
    asked = queries(documents, generator, longest)
    index = anygram.build([list(document) for document in documents], tokenizer=None, shards=shards, profile=profile)
    counts = index.count_batch([list(query) for query in asked]).tolist()
    assert counts == [haystack.count(query) for query in asked]
    for query in asked[:2000]:
        expect_probability(index, haystack, query)
    for query in asked[:200]:
        expect_documents(index, haystack, query)


def expect_probability(index: anygram.Index, haystack: Haystack, query: bytes) -> None:
    prompt = haystack.longest_suffix(query[:-1])
    prompt_count = haystack.count(prompt)
    for token, needle in [(query[-1], prompt + query[-1:]), (DOCUMENT_END, prompt + END)]:
        count = haystack.count(needle)
        expected = anygram.Probability(count / prompt_count, prompt_count, count, len(prompt))
        assert index.probability(list(query[:-1]), token, backoff=True) == expected


def expect_documents(index: anygram.Index, haystack: Haystack, query: bytes) -> None:
    holders = [number for number, document in enumerate(haystack.documents) if query in document]
    found = index.find(list(query))
    assert found.documents().tolist() == holders
    assert index.document_count(list(query)) == len(holders)
    for one in found.sample(5):
        assert haystack.documents[one.document][one.offset : one.offset + len(query)] == query
