"""Every question of infini-gram's engine, against brute force over small random corpora."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from anygram.compat.infini_gram import InfiniGramEngine, InfiniGramEngineDiff
from compat.infini_gram_files import write_index
from compat.infini_gram_oracle import Oracle

LAYOUTS = [
    pytest.param((width, backwards, seed), id=f"{'v5' if backwards else 'v4'}-u{8 * width}-{seed}")
    for width in (1, 2, 4)
    for backwards in (False, True)
    for seed in range(2)
]


@dataclass
class Case:
    """A random corpus, opened, and the brute force over it."""

    random: random.Random
    documents: list[list[int]]
    alphabet: list[int]
    oracle: Oracle
    engine: InfiniGramEngine
    end: int

    def ngram(self, least: int, most: int, *, separators: float = 0.0) -> list[int]:
        separator = self.oracle.separator
        return [
            separator if self.random.random() < separators else self.random.choice(self.alphabet)
            for _ in range(self.random.randint(least, most))
        ]


def options(width: int, backwards: bool, end: int = 1) -> dict[str, Any]:
    return {
        "eos_token_id": end,
        "version": 5 if backwards else 4,
        "token_dtype": f"u{8 * width}",
        "vocab_size": 256**width - 1,
    }


def random_documents(draw: random.Random, width: int) -> tuple[list[list[int]], list[int]]:
    # 256 sorts before 1 in the order of their bytes.
    alphabet = draw.choice([[0, 1], [0, 1, 2], [1, 2, 254] if width == 1 else [1, 256, 257, 65279]])
    longest = draw.choice([4, 20])
    return [draw.choices(alphabet, k=draw.randint(0, longest)) for _ in range(draw.randint(4, 16))], alphabet


@pytest.fixture(params=LAYOUTS)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    width, backwards, seed = request.param
    draw = random.Random(f"{seed} {width} {backwards}")
    documents, alphabet = random_documents(draw, width)
    num_shards = draw.randint(1, 3)
    path = write_index(tmp_path / "i", documents, width=width, backwards=backwards, num_shards=num_shards)
    engine = InfiniGramEngine(path, **options(width, backwards))
    oracle = Oracle(documents, width=width, backwards=backwards, num_shards=num_shards)
    return Case(draw, documents, [*alphabet, 3], oracle, engine, 1)


def test_find_and_count(case: Case) -> None:
    for _ in range(20):
        ngram = case.ngram(0, 4, separators=0.1)
        found: Any = case.engine.find(ngram)
        assert found == {"cnt": case.oracle.count(ngram), "segment_by_shard": case.oracle.segments(ngram)}, ngram
        assert case.engine.count(ngram) == {"count": found["cnt"], "approx": False}


def test_prob_and_ntd(case: Case) -> None:
    for _ in range(15):
        prompt = case.ngram(0, 3, separators=0.1)
        token = case.random.choice([*case.alphabet, case.end, case.oracle.separator])
        assert case.engine.prob(prompt, token) == case.oracle.prob(prompt, token, case.end), (prompt, token)
        assert case.engine.ntd(prompt) == case.oracle.ntd(prompt, case.end), prompt


def test_infgram(case: Case) -> None:
    for _ in range(15):
        prompt = case.ngram(0, 6, separators=0.05)
        token = case.random.choice([*case.alphabet, case.end])
        suffix = case.oracle.suffix(prompt)
        expected = {**case.oracle.prob(suffix, token, case.end), "suffix_len": len(suffix)}
        assert case.engine.infgram_prob(prompt, token) == expected, (prompt, token)
        expected = {**case.oracle.ntd(suffix, case.end), "suffix_len": len(suffix)}
        assert case.engine.infgram_ntd(prompt) == expected, prompt


def test_creativity_and_attribute(case: Case, tmp_path: Path) -> None:
    words = {1, 256, 254}
    (tmp_path / "bow.txt").write_text("".join(f"{word}\n" for word in sorted(words)))
    case.engine._word_beginnings = frozenset(words)
    for _ in range(10):
        text = case.ngram(0, 10, separators=0.02)
        assert case.engine.creativity(text) == {"rs": case.oracle.match_ends(text)}, text
        delimiters = case.ngram(0, 1)
        least, most = case.random.randint(0, 3), case.random.choice([1, 5, 1000])
        for bow in (False, True):
            found: Any = case.engine.attribute(text, delimiters, least, most, bow)
            for span in found["spans"]:
                assert span.pop("unigram_logprob_sum") == -10000.0 * span["length"]
            expected = case.oracle.spans(text, delimiters, least, most, words if bow else None)
            assert found["spans"] == expected, (text, delimiters, least, most, bow)


def test_cnf(case: Case) -> None:
    for _ in range(15):
        cnf = [[case.ngram(1, 2) for _ in range(case.random.randint(1, 2))] for _ in range(case.random.randint(1, 4))]
        distance = case.random.choice([1, 2, 4, 100])
        places = case.oracle.places(cnf, distance)
        found: Any = case.engine.find_cnf(cnf, max_diff_tokens=distance)
        assert not found["approx"]
        assert [len(each) for each in found["ptrs_by_shard"]] in ([len(each) for each in places], []), (cnf, distance)
        assert found["cnt"] == sum(map(len, places))
        assert case.engine.count_cnf(cnf, max_diff_tokens=distance) == {"count": found["cnt"], "approx": False}
        if not all(any(map(case.oracle.count, clause)) for clause in cnf):
            assert found["ptrs_by_shard"] == []
        starts = [
            {place for clause in cnf for term in clause for place in case.oracle.starts(term, shard)}
            for shard in range(len(places))
        ]
        for shard, pointers in enumerate(found["ptrs_by_shard"]):  # each is a match of some term, near a counted one
            assert {pointer // case.oracle.width for pointer in pointers} <= starts[shard]


def test_documents(case: Case) -> None:
    engine, oracle = case.engine, case.oracle
    for _ in range(15):
        shard = case.random.randrange(len(oracle.streams))
        if not oracle.streams[shard]:
            continue
        rank = case.random.randrange(len(oracle.streams[shard]))
        place = oracle.tables[shard][rank]
        pointer, length, needle = place * oracle.width, case.random.randint(1, 9), case.random.randint(1, 3)
        half = oracle.window(shard, place, length // 2, (length + 1) // 2, 1)
        around = oracle.window(shard, place, length, needle + length, needle)
        for found, expected in [
            (engine.get_doc_by_rank(shard, rank, length), half),
            (engine.get_doc_by_ptr(shard, pointer, length), half),
            (engine.get_docs_by_ranks([(shard, rank)], length)[0], half),
            (engine.get_docs_by_ptrs([(shard, pointer)], length)[0], half),
            (engine.get_doc_by_rank_2(shard, rank, needle, length), around),
            (engine.get_doc_by_ptr_2(shard, pointer, needle, length), around),
            (engine.get_docs_by_ranks_2([(shard, rank, needle, length)])[0], around),
            (engine.get_docs_by_ptrs_2([(shard, pointer, needle, length)])[0], around),
        ]:
            assert not found.pop("blocked")
            assert f'"linenum": {shard + len(oracle.streams) * oracle.document(shard, place)}, ' in found["metadata"]
            assert found.pop("metadata").endswith("}\n")
            assert found == expected, (shard, rank, length, needle)


def test_documents_by_number(case: Case) -> None:
    ordered = [document for shard in case.oracle.shards for document in shard]
    assert case.engine.get_total_doc_cnt() == len(ordered)
    for number, document in enumerate(ordered):
        found: Any = case.engine.get_doc_by_ix(number, 3)
        assert (found["doc_ix"], found["doc_len"], found["needle_offset"]) == (number, len(document), 0)
        assert (found["token_ids"], found["disp_len"]) == (document[:3], len(document[:3]))
        assert case.engine.get_docs_by_ixs([number], 3) == [found]
        assert case.engine.get_doc_by_ix_2(number, 3) == found
        assert case.engine.get_docs_by_ixs_2([(number, 3)]) == [found]


def test_search_docs(case: Case) -> None:
    for _ in range(6):
        ngram = case.ngram(0, 2)
        length = case.random.randint(1, 8)
        found: Any = case.engine.search_docs(ngram, maxnum=5, max_disp_len=length)
        assert found["cnt"] == case.oracle.count(ngram)
        assert len(found["documents"]) == len(set(found["idxs"])) == min(5, found["cnt"])
        hits = [
            (shard, place) for shard in range(len(case.oracle.streams)) for place in case.oracle.starts(ngram, shard)
        ]
        after = max(len(ngram), (length + 1) // 2)
        for number, document in zip(found["idxs"], found["documents"], strict=True):
            expected = case.oracle.window(
                *hits[number], min(length // 2, max(0, length - after)), after, max(1, len(ngram))
            )
            assert {name: document[name] for name in expected} == expected
            begin = document["needle_offset"]
            assert not ngram or document["token_ids"][begin : begin + len(ngram)] == ngram


def test_search_docs_cnf(case: Case) -> None:
    cnf = [[case.ngram(1, 1), case.ngram(2, 2)], [case.ngram(1, 1)]]
    found: Any = case.engine.search_docs_cnf(cnf, maxnum=1000, max_disp_len=4)
    listed: Any = case.engine.find_cnf(cnf)
    assert found["cnt"] == listed["cnt"] == len(found["documents"])
    assert sorted(found["idxs"]) == list(range(found["cnt"]))
    for document in found["documents"]:  # the term that it was found by is shown whole
        tokens, begin = document["token_ids"], document["needle_offset"]
        assert any(tokens[begin : begin + len(term)] == term for clause in cnf for term in clause)


def test_unigrams(case: Case) -> None:
    for shard, stream in enumerate(case.oracle.streams):
        if case.oracle.width == 4:
            continue  # the dictionary has an entry for each id of the vocabulary
        counts: Any = case.engine.compute_unigram_counts(shard)
        assert len(counts) == 256**case.oracle.width
        assert {token: count for token, count in counts.items() if count} == {
            token: stream.count(token) for token in set(stream)
        }


# --- an index less another


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("width", "backwards"), [(1, False), (2, False), (2, True), (4, True)])
def test_an_index_less_another_is_the_index_of_the_rest(width: int, backwards: bool, seed: int, tmp_path: Path) -> None:
    draw = random.Random(f"{seed} {width} {backwards}")
    documents, alphabet = random_documents(draw, width)
    taken = {tuple(document) for document in draw.sample(documents, 3)} | {()}
    removed = [document for document in documents if tuple(document) in taken]
    rest = [document for document in documents if tuple(document) not in taken] or [[0]]
    if rest == [[0]]:
        documents = [*documents, [0]]
    layout = {"width": width, "backwards": backwards}
    engine = InfiniGramEngineDiff(
        write_index(tmp_path / "i", documents, num_shards=2, **layout),
        write_index(tmp_path / "d", removed, **layout),
        **options(width, backwards),
    )
    whole = InfiniGramEngine(str(tmp_path / "i"), **options(width, backwards))
    expected = InfiniGramEngine(write_index(tmp_path / "r", rest, **layout), **options(width, backwards))
    for _ in range(10):
        ngram = draw.choices([*alphabet, 3], k=draw.randint(0, 3))
        text = draw.choices(alphabet, k=draw.randint(0, 10))
        token = draw.choice(alphabet)
        assert engine.count(ngram) == expected.count(ngram)
        assert engine.find(ngram) == {**whole.find(ngram), "cnt": expected.count(ngram)["count"]}
        assert engine.prob(ngram, token) == expected.prob(ngram, token)
        assert engine.ntd(ngram) == expected.ntd(ngram)
        assert engine.infgram_prob(text, token) == expected.infgram_prob(text, token)
        assert engine.infgram_ntd(text) == expected.infgram_ntd(text)
        assert engine.creativity(text) == expected.creativity(text)
        cnf = [[draw.choices(alphabet, k=draw.randint(1, 2))] for _ in range(draw.randint(1, 3))]
        assert engine.count_cnf(cnf, max_diff_tokens=4) == expected.count_cnf(cnf, max_diff_tokens=4), cnf
        most = draw.choice([2, 1000])
        ours: Any = engine.attribute(text, [], 1, most, False)
        theirs: Any = expected.attribute(text, [], 1, most, False)
        for one, other in zip(ours["spans"], theirs["spans"], strict=True):
            assert len(one.pop("docs")) == len(other.pop("docs")) == one["count"]
            assert one == other
        found: Any = engine.search_docs(ngram, maxnum=3, max_disp_len=100)
        assert found["cnt"] == engine.count(ngram)["count"]
        assert not any(document["blocked"] for document in found["documents"])
    for number in range(len(documents)):
        document: Any = whole.get_doc_by_ix(number)
        is_gone = tuple(document["token_ids"]) in taken - {()}
        shown: Any = engine.get_doc_by_ix(number)
        assert shown == {**document, "blocked": is_gone, "token_ids": [] if is_gone else document["token_ids"]}
