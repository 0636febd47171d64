"""The engine as infini-gram's users see it: its constructor, its error strings, its shapes."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anygram.compat.infini_gram import InfiniGramEngine, InfiniGramEngineDiff
from anygram.errors import IndexNotFoundError
from compat.infini_gram_files import write_index


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_index(tmp_path_factory.mktemp("index") / "i", [[1, 2, 3], [1, 2], []], num_shards=1)


@pytest.fixture(scope="module")
def engine(path: str) -> Any:
    return InfiniGramEngine(path, eos_token_id=0)


IDS = "must be a list of integers in range [0, 65535]"
CNF = "cnf must be a non-empty, triply-nested list of integers in range [0, 65535]"
NOT_IDS = [(1, 2), np.array([1]), [1.0], [True], [-1], [65536], [[1]], None, "12", [np.int64(1)]]
NOT_POSITIVE = [0, -1, 1.0, True, "1", np.int64(1)]


@pytest.mark.parametrize("ids", NOT_IDS)
def test_ids(engine: Any, ids: Any) -> None:
    error = {"error": f"input_ids {IDS}"}
    assert engine.find(ids) == engine.count(ids) == engine.creativity(ids) == engine.search_docs(ids) == error
    assert engine.attribute(ids, [], 1, 1, False) == error
    assert engine.attribute([], ids, 1, 1, False) == {"error": f"delim_ids {IDS}"}
    assert engine.ntd(ids) == engine.infgram_ntd(ids) == {"error": f"prompt_ids {IDS}"}
    non_empty = {"error": "prompt_ids must be a non-empty list of integers in range [0, 65535]"}
    assert engine.prob(ids, 1) == engine.infgram_prob(ids, 1) == non_empty
    assert not engine.check_query_ids(ids, allow_empty=True)


@pytest.mark.parametrize("cnf", [[], [[]], [[[]]], [[[1], []]], ([[1]],), [([1],)], [[(1,)]], [[[65536]]], None])
def test_cnf(engine: Any, cnf: Any) -> None:
    assert engine.find_cnf(cnf) == engine.count_cnf(cnf) == engine.search_docs_cnf(cnf) == {"error": CNF}
    assert not engine.check_cnf(cnf)


@pytest.mark.parametrize("token", [-1, 65536, 1.0, True, None])
def test_tokens(engine: Any, token: Any) -> None:
    error = {"error": "cont_id must be an integer in range [0, 65535]"}
    assert engine.prob([], token) == engine.infgram_prob([], token) == error


@pytest.mark.parametrize("number", NOT_POSITIVE)
def test_positive_numbers(engine: Any, number: Any) -> None:
    def error(name: str) -> dict[str, str]:
        return {"error": f"{name} must be a positive integer"}

    assert engine.ntd([], max_support=number) == engine.infgram_ntd([], max_support=number) == error("max_support")
    cnf = [[[1]]]
    for ask in (engine.find_cnf, engine.count_cnf, engine.search_docs_cnf):
        assert ask(cnf, max_clause_freq=number) == error("max_clause_freq")
        assert ask(cnf, max_diff_tokens=number) == error("max_diff_tokens")
    assert engine.search_docs([], maxnum=number) == engine.search_docs_cnf(cnf, maxnum=number) == error("maxnum")
    for found in (
        engine.search_docs([], max_disp_len=number),
        engine.search_docs_cnf(cnf, max_disp_len=number),
        engine.get_doc_by_rank(0, 0, number),
        engine.get_docs_by_ranks([], number),
        engine.get_doc_by_ptr(0, 0, number),
        engine.get_docs_by_ptrs([], number),
        engine.get_doc_by_ix(0, number),
        engine.get_docs_by_ixs([], number),
    ):
        assert found == error("max_disp_len")
    assert engine.attribute([], [], 1, number, False) == error("max_cnt")


@pytest.mark.parametrize("number", [-1, 1.0, True, None])
def test_numbers_from_zero_up(engine: Any, number: Any) -> None:
    def error(name: str) -> dict[str, str]:
        return {"error": f"{name} must be a non-negative integer"}

    for one, many in [
        (engine.get_doc_by_rank_2, engine.get_docs_by_ranks_2),
        (engine.get_doc_by_ptr_2, engine.get_docs_by_ptrs_2),
    ]:
        assert one(0, 0, number, 0) == many([(0, 0, number, 0)]) == error("needle_len")
        assert one(0, 0, 0, number) == many([(0, 0, 0, number)]) == error("max_ctx_len")
    assert engine.get_doc_by_ix_2(0, number) == engine.get_docs_by_ixs_2([(0, number)]) == error("max_ctx_len")
    assert engine.attribute([], [], number, 1, False) == error("min_len")


@pytest.mark.parametrize("number", [-1, 1.0, True, None, 10**9])
def test_places(engine: Any, number: Any) -> None:
    by_rank = [
        engine.get_doc_by_rank,
        lambda s, place: engine.get_docs_by_ranks([(0, 0), (s, place)]),
        lambda s, place: engine.get_doc_by_rank_2(s, place, 1, 1),
        lambda s, place: engine.get_docs_by_ranks_2([(0, 0, 1, 1), (s, place, 1, 1)]),
    ]
    by_pointer = [
        engine.get_doc_by_ptr,
        lambda s, place: engine.get_docs_by_ptrs([(0, 0), (s, place)]),
        lambda s, place: engine.get_doc_by_ptr_2(s, place, 1, 1),
        lambda s, place: engine.get_docs_by_ptrs_2([(0, 0, 1, 1), (s, place, 1, 1)]),
    ]
    by_number = [
        engine.get_doc_by_ix,
        lambda place: engine.get_docs_by_ixs([0, place]),
        lambda place: engine.get_doc_by_ix_2(place, 1),
        lambda place: engine.get_docs_by_ixs_2([(0, 1), (place, 1)]),
    ]
    for ask in by_rank + by_pointer:
        assert ask(number, 0) == {"error": "s must be an integer in range [0, 1)"}
    for ask in by_rank:
        assert ask(0, number) == {"error": "rank must be an integer in range [0, 8)"}
    for ask in by_pointer:
        assert ask(0, number) == {"error": "ptr must be an integer in range [0, 16) and a multiple of 2"}
        assert ask(0, 3) == {"error": "ptr must be an integer in range [0, 16) and a multiple of 2"}
    for ask_number in by_number:
        assert ask_number(number) == {"error": "doc_ix must be an integer in range [0, 3)"}


def test_the_flag(engine: Any) -> None:
    assert engine.attribute([], [], 1, 1, 1) == {"error": "enforce_bow must be a boolean"}


# --- the constructor


@pytest.mark.parametrize(
    "wrong",
    [
        {"index_dir": ("a",)},
        {"index_dir": Path("a")},
        {"index_dir": [1]},
        {"eos_token_id": -1},
        {"eos_token_id": 65535},
        {"eos_token_id": True},
        {"eos_token_id": np.int64(1)},
        {"load_to_ram": 1},
        {"ds_prefetch_depth": -1},
        {"ds_prefetch_depth": 2, "sa_prefetch_depth": 1},
        {"od_prefetch_depth": 1.0},
        *[{name: value} for name in ("max_support", "max_clause_freq", "max_diff_tokens") for value in (0, True)],
        *[{name: value} for name in ("maxnum", "max_disp_len") for value in (0, "1")],
    ],
    ids=str,
)
def test_options_that_are_refused(path: str, wrong: dict[str, Any]) -> None:
    given = {"index_dir": path, "eos_token_id": 0, **wrong}
    with pytest.raises(AssertionError):
        InfiniGramEngine(**given)
    with pytest.raises(AssertionError):
        InfiniGramEngineDiff(index_dir_diff=[], **given)


def test_the_token_type(path: str) -> None:
    with pytest.raises(ValueError, match=r"^Unsupported token dtype: u64$"):
        InfiniGramEngine(path, eos_token_id=0, token_dtype="u64")


def test_a_missing_directory(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFoundError):
        InfiniGramEngine(str(tmp_path / "missing"), eos_token_id=0)


def test_the_options_of_both_releases_are_accepted(path: str, tmp_path: Path) -> None:
    (tmp_path / "bow").write_text("1\n 2 \n")
    engine = InfiniGramEngine(
        index_dir=[path],
        eos_token_id=0,
        vocab_size=65535,
        version=4,
        token_dtype="u16",
        load_to_ram=True,
        ds_prefetch_depth=1,
        sa_prefetch_depth=3,
        od_prefetch_depth=3,
        bow_ids_path=str(tmp_path / "bow"),
        attribution_block_size=512,
        precompute_unigram_logprobs=True,
        prev_shards_by_index_dir={},
        max_support=1,
        max_clause_freq=2,
        max_diff_tokens=3,
        maxnum=4,
        max_disp_len=5,
    )
    assert (engine.max_support, engine.max_clause_freq, engine.max_diff_tokens) == (1, 2, 3)
    assert (engine.maxnum, engine.max_disp_len, engine.token_id_max, engine.token_width) == (4, 5, 65535, 2)
    with pytest.raises(FileNotFoundError):
        InfiniGramEngine(path, eos_token_id=0, bow_ids_path=str(tmp_path / "missing"))


def test_an_index_less_nothing(path: str, engine: Any) -> None:
    rest = InfiniGramEngineDiff(path, [], 0)
    assert rest.ntd([1]) == engine.ntd([1])
    request: Any = {"docs": [{"s": 0, "ptr": 2}], "span_ids": [1], "needle_len": 1, "max_ctx_len": 5}
    assert rest.get_docs_by_ptrs_2_grouped([request]) == [[engine.get_doc_by_ptr_2(0, 2, 1, 5)]]
    wrong: Any = {**request, "needle_len": -1}
    assert rest.get_docs_by_ptrs_2_grouped([request, wrong]) == {"error": "needle_len must be a non-negative integer"}


def test_several_directories_are_one_index(path: str) -> None:
    engine: Any = InfiniGramEngine([path, path], eos_token_id=0)
    assert engine.count([1, 2]) == {"count": 4, "approx": False}
    assert engine.find([1, 2]) == {"cnt": 4, "segment_by_shard": [(0, 2), (0, 2)]}
    assert engine.get_total_doc_cnt() == 6
    assert engine.get_doc_by_ix(4)["token_ids"] == [1, 2]
    assert engine.get_doc_by_rank(1, 0)["doc_ix"] == 3


def test_shards_are_numbered_as_there(tmp_path: Path) -> None:
    # By name: 0, 1, 10, 2, 3, ...
    path = write_index(tmp_path / "i", [[number + 1] for number in range(11)], num_shards=11)
    engine: Any = InfiniGramEngine(path, eos_token_id=0)
    order = [engine.get_doc_by_ix(number)["token_ids"][0] for number in range(11)]
    assert order == [1, 2, 11, 3, 4, 5, 6, 7, 8, 9, 10]
    assert engine.find([11])["segment_by_shard"][2] == (0, 1)


def test_unigrams(engine: Any) -> None:
    counts = engine.compute_unigram_counts(0)
    assert len(counts) == 65536
    assert {token: count for token, count in counts.items() if count} == {1: 2, 2: 2, 3: 1, 65535: 3}
    assert engine.compute_unigram_counts(1) == {"error": "s must be an integer in range [0, 1)"}


def test_an_index_without_metadata(tmp_path: Path) -> None:
    engine: Any = InfiniGramEngine(write_index(tmp_path / "i", [[1]], metadata=False), eos_token_id=0)
    assert engine.get_doc_by_ix(0) == {
        "doc_ix": 0,
        "doc_len": 1,
        "disp_len": 1,
        "needle_offset": 0,
        "metadata": "",
        "token_ids": [1],
        "blocked": False,
    }


@pytest.mark.parametrize("name", ["InfiniGramEngine", "InfiniGramEngineDiff"])
def test_the_methods_are_those_of_infini_gram(name: str) -> None:
    theirs = getattr(pytest.importorskip("infini_gram.engine"), name)
    ours = {"InfiniGramEngine": InfiniGramEngine, "InfiniGramEngineDiff": InfiniGramEngineDiff}[name]
    for method, function in inspect.getmembers(theirs, inspect.isfunction):
        expected = list(inspect.signature(function).parameters)
        found = [
            parameter.name
            for parameter in inspect.signature(getattr(ours, method)).parameters.values()
            if parameter.kind is not inspect.Parameter.KEYWORD_ONLY
        ]
        assert found == expected, method
