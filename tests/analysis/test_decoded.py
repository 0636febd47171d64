"""Indexes whose documents' text is more than what their tokens spell one by one: decoded, and judged all the same."""

from __future__ import annotations

from functools import cache

import naive_rules as naive
import numpy as np
import pytest
from test_rules import DEFINITIONS, check, random_corpus

import anygram
from anygram import rules
from anygram.analysis.contamination.benchmarks import Benchmark
from anygram.analysis.contamination.engine import judge
from anygram.analysis.contamination.normalisers import ALPHANUMERIC_WORDS
from anygram.gram_finder import GramFinder
from anygram.scanning import GramFamily
from anygram.tokenizers.literal import byte_characters

tokenizers = pytest.importorskip("tokenizers")


@cache
def tokenizer() -> object:
    """One token a byte; in the decoded text each e becomes two words, and a space at the beginning is lost."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    made = Tokenizer(models.BPE(vocab=byte_characters(), merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.Sequence([decoders.ByteLevel(), decoders.Replace("e", "E e"), decoders.Strip(" ", 1, 0)])
    return made


@pytest.mark.parametrize("seed", range(8))
def test_rules_judge_the_decoded_texts(seed: int) -> None:
    documents, items = random_corpus(seed)
    index = anygram.build(documents, tokenizer=tokenizer(), shards=1 + seed % 3)
    texts = [index.document(number).text or "" for number in range(len(documents))]
    assert any("e" in text for text in documents) == (texts != documents)
    found = judge(index, items, [kind() for name, kind in rules.ALL_RULES.items() if name in DEFINITIONS], threads=2)
    for name, definition in DEFINITIONS.items():
        assert found.ways[name] == "scan"
        assert ("renders them" in " ".join(found.notes[name])) == (not index.round_trips)
        check(found.verdicts[name], definition(texts, items), items, name)
    benchmark = Benchmark("b", tuple(items), ())
    for rule in ("bff:length=2,threshold=0.3", "dolma:least_words=1", "tulu3:length=2", "decon:min_words=4"):
        of_index, of_texts = (anygram.decontaminate(corpus, benchmark, rule) for corpus in (index, texts))
        for column in ("document", "score", "items"):
            assert getattr(of_index, column).tolist() == getattr(of_texts, column).tolist()


def test_many_documents_are_decoded_some_at_a_time() -> None:
    documents = [f"the number {number} of {number % 7}" for number in range(600)]
    index = anygram.build(documents, tokenizer=tokenizer(), shards=2)
    view = ALPHANUMERIC_WORDS.view("thE 5 599 300 nothing")
    family = GramFamily(ALPHANUMERIC_WORDS, view.encoded, view.byte_begins, view.byte_ends)
    seen: list[tuple[int, int]] = []
    found = index.scan_grams([family], progress=lambda done, total: seen.append((done, total)))
    texts = [naive.alphanumeric_words(index.document(number).text or "") for number in range(600)]
    assert found.counts.tolist() == [
        sum(text.count(word) for text in texts) for word in ("the", "5", "599", "300", "x")
    ]
    assert found.documents(1) == tuple(number for number, text in enumerate(texts) if "5" in text)[:10]
    assert seen == [(256, 600), (512, 600), (600, 600)]
    chosen = [599, 0, 300, 5]
    places = index.find_grams(GramFinder(family), chosen)
    words = ["the", "5", "599", "300"]
    assert [
        (text, unit, words[gram]) for text, unit, gram in zip(places.texts, places.units, places.grams, strict=True)
    ] == [
        (row, unit, word)
        for row, number in enumerate(chosen)
        for unit, word in enumerate(texts[number])
        if word in words
    ]
    assert np.array_equal(places.num_units, [len(texts[number]) for number in chosen])


@pytest.mark.parametrize("made", [tokenizer, lambda: "bytes"], ids=["decoded", "spelt"])
def test_what_cannot_be_read_is_told(made) -> None:  # type: ignore[no-untyped-def]
    index = anygram.build(["one two"], tokenizer=made())
    view = ALPHANUMERIC_WORDS.view("one")
    family = GramFamily(ALPHANUMERIC_WORDS, view.encoded, view.byte_begins, view.byte_ends)
    finder = GramFinder(family)
    with pytest.raises(anygram.DocumentNotFoundError):
        index.find_grams(finder, [1])
    with pytest.raises(anygram.InvalidQueryError, match="threads"):
        index.find_grams(finder, [0], threads=0)
    assert finder.find(["one", "x\ud800 one"]).units.tolist() == [0, 1]
    index.close()
    with pytest.raises(anygram.InvalidQueryError, match="closed"):
        index.find_grams(finder, [0])
    with pytest.raises(anygram.InvalidQueryError, match="closed"):
        index.scan_grams([family])
    with pytest.raises(anygram.InvalidQueryError, match="no tokenizer"):
        anygram.build([[1]], tokenizer="none").find_grams(finder, [0])
