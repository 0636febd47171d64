"""Where anygram answers differently from infini-gram 2.6.0 on purpose: one test for each row of the table in
docs/compat-infini-gram.md. Each shows what is right; where infini-gram is installed, also that it says something else.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from anygram.compat.infini_gram import InfiniGramEngine, InfiniGramEngineDiff
from anygram.errors import AnygramError, IndexFormatError, UnsupportedVersionError
from compat.infini_gram_files import write_index

END = 200  # in no corpus here, unless a test says so


def options(width: int = 2, *, backwards: bool = False, end: int = END) -> dict[str, Any]:
    return {
        "eos_token_id": end,
        "version": 5 if backwards else 4,
        "token_dtype": f"u{8 * width}",
        "vocab_size": 256**width - 1,
    }


def their_engine(path: str, **given: Any) -> Any:
    """infini-gram's own engine; None if it is not installed."""
    try:
        from infini_gram.engine import InfiniGramEngine as Engine
    except ImportError:
        return None
    return Engine(path, **given, ds_prefetch_depth=0, sa_prefetch_depth=0, od_prefetch_depth=0)


def both(
    folder: Path, documents: Sequence[Sequence[int] | bytes], *, num_shards: int = 1, **given: Any
) -> tuple[InfiniGramEngine, Any]:
    """The two engines over the same documents."""
    chosen = options(**given)
    path = write_index(
        folder / "i",
        [list(document) for document in documents],
        width=given.get("width", 2),
        backwards=given.get("backwards", False),
        num_shards=num_shards,
    )
    return InfiniGramEngine(path, **chosen), their_engine(path, **chosen)


def counts(answer: Any) -> dict[int, int]:
    return {token: row["cont_cnt"] for token, row in answer["result_by_token_id"].items()}


# --- distributions


def test_ntd_is_exact_at_any_frequency(tmp_path: Path) -> None:
    engine, theirs = both(tmp_path, [[7, token] for token in [1] * 60 + [2] * 40 + [3]])
    found: Any = engine.ntd([7], max_support=10)
    assert (counts(found), found["approx"]) == ({1: 60, 2: 40, 3: 1}, False)
    if theirs:
        found = theirs.ntd([7], max_support=10)
        assert found["approx"]
        assert counts(found) != {1: 60, 2: 40, 3: 1}


def test_ntd_of_a_reversed_index(tmp_path: Path) -> None:
    # What precedes the prompt in the files is not sorted; infini-gram takes it to be.
    documents = [[token, 7, behind] for behind in (1, 2) for token in (4, 5, 6)] + [[4, 7, 3]]
    engine, theirs = both(tmp_path, documents, backwards=True)
    found: Any = engine.ntd([7])
    assert (counts(found), found["approx"]) == ({1: 3, 2: 3, 3: 1}, False)
    if theirs:
        wrong = [prompt for prompt in ([7], [4], []) if theirs.ntd(prompt) != engine.ntd(prompt)]
        assert wrong


def test_ntd_where_the_corpus_holds_the_end_token(tmp_path: Path) -> None:
    # The suffix of 7 with nothing behind it sorts first, that with END last; both are called END.
    engine, theirs = both(tmp_path, [[7, 1], [7, 2], [7, END], [7, 3], [7]])
    found: Any = engine.ntd([7])
    assert counts(found) == {1: 1, 2: 1, 3: 1, END: 2}
    if theirs:
        assert counts(theirs.ntd([7])) == {END: 5}


def test_prob_of_the_end_token_agrees_with_ntd(tmp_path: Path) -> None:
    engine, theirs = both(tmp_path, [[7, 1], [7], [7]])
    assert engine.prob([7], END) == {"prompt_cnt": 3, "cont_cnt": 2, "prob": 2 / 3}
    distribution: Any = engine.ntd([7])
    assert distribution["result_by_token_id"][END] == {"cont_cnt": 2, "prob": 2 / 3}
    assert engine.infgram_prob([9, 7], END) == {**engine.prob([7], END), "suffix_len": 1}
    if theirs:
        assert theirs.prob([7], END)["cont_cnt"] == 0
        assert theirs.ntd([7])["result_by_token_id"][END]["cont_cnt"] == 2


def test_prob_of_the_separator_counts_the_last_document_too(tmp_path: Path) -> None:
    engine, theirs = both(tmp_path, [[7], [7]])
    assert engine.prob([7], 65535) == {"prompt_cnt": 2, "cont_cnt": 2, "prob": 1.0}
    if theirs:
        assert theirs.prob([7], 65535)["cont_cnt"] == 1


# --- texts


def test_matches_with_the_smallest_suffix(tmp_path: Path) -> None:
    engine, theirs = both(tmp_path, [b" b"], width=1)
    assert engine.count(list(b" "))["count"] == 1  # type: ignore[typeddict-item]  # no error
    assert engine.creativity(list(b" X")) == {"rs": [1, 1]}
    spans: Any = engine.attribute(list(b" X"), [], 1, 10, False)
    assert [(span["l"], span["r"]) for span in spans["spans"]] == [(0, 1)]
    if theirs:
        assert theirs.creativity(list(b" X")) == {"rs": [0, 1]}
        assert theirs.attribute(list(b" X"), [], 1, 10, False) == {"spans": []}


def test_matches_in_a_reversed_index(tmp_path: Path) -> None:
    engine, theirs = both(tmp_path, [[1, 2, 3]], backwards=True)
    assert engine.creativity([1, 2, 3]) == {"rs": [3, 3, 3]}
    spans: Any = engine.attribute([1, 2, 3], [], 1, 10, False)
    assert [(span["l"], span["r"], span["count"]) for span in spans["spans"]] == [(0, 3, 1)]
    if theirs:
        assert theirs.creativity([1, 2, 3]) != {"rs": [3, 3, 3]}
        assert theirs.attribute([1, 2, 3], [], 1, 10, False) != spans


def test_log_probabilities_of_bytes(tmp_path: Path) -> None:
    path = write_index(tmp_path / "i", [list(b"ab"), list(b"a")], width=1)
    (tmp_path / "i" / "unigram.0").write_text("97 2\n98 1\n255 2\n")
    given = {**options(1), "precompute_unigram_logprobs": True}
    found: Any = InfiniGramEngine(path, **given).attribute(list(b"b"), [], 1, 10, False)
    assert found["spans"][0]["unigram_logprob_sum"] == pytest.approx(-1.6094379)  # ln(1/5)
    if theirs := their_engine(path, **given):
        assert theirs.attribute(list(b"b"), [], 1, 10, False)["spans"][0]["unigram_logprob_sum"] == -10000.0


# --- boolean queries


def places(answer: Any) -> list[list[int]]:
    return [sorted(pointers) for pointers in answer["ptrs_by_shard"]]


def test_more_distance_never_gives_fewer_matches(tmp_path: Path) -> None:
    # Both neighbours are near enough, and the one on the left stands in another document.
    engine, theirs = both(tmp_path, [b"hello abc", b"zzabc"], width=1)
    query = [[list(b"zz")], [list(b"abc")]]
    assert places(engine.find_cnf(query, max_diff_tokens=3)) == [[11]]
    assert places(engine.find_cnf(query, max_diff_tokens=100)) == [[11]]
    if theirs:
        assert theirs.count_cnf(query, max_diff_tokens=3)["count"] == 1
        assert theirs.count_cnf(query, max_diff_tokens=100)["count"] == 0


def test_and_looks_farther_than_the_nearest_match(tmp_path: Path) -> None:
    # 3 is near the second 2 on the right of 1, not near the first.
    engine, theirs = both(tmp_path, [[1, 2, 0, 0, 2, 0, 0, 3], [3] * 9])
    query = [[[1]], [[2]], [[3]]]
    assert engine.count_cnf(query, max_diff_tokens=4) == {"count": 1, "approx": False}
    if theirs:
        assert theirs.count_cnf(query, max_diff_tokens=4)["count"] == 0


def test_the_rarest_clause_is_that_of_the_whole_index(tmp_path: Path) -> None:
    # Over both shards, 2 is rarer; in the first shard 1 is.
    engine, theirs = both(tmp_path, [[1, 2, 2], [1, 1, 1, 1]], num_shards=2)
    query = [[[1]], [[2]]]
    assert engine.count_cnf(query) == {"count": 2, "approx": False}
    if theirs:
        assert theirs.count_cnf(query)["count"] == 1


def test_and_is_not_sampled(tmp_path: Path) -> None:
    engine, theirs = both(tmp_path, [[1, 2]] * 30)
    query = [[[1]], [[2]]]
    assert engine.count_cnf(query, max_clause_freq=20) == {"count": 30, "approx": False}
    if theirs:  # 20 of 30 count once, says its division of integers
        found: Any = theirs.count_cnf(query, max_clause_freq=20)
        assert found["count"] <= 20
        assert not found["approx"]


def test_terms_that_lie_in_each_other_count_once(tmp_path: Path) -> None:
    engine, theirs = both(tmp_path, [b"abc", b"abc", b"abc"], width=1)
    query = [[list(b"abc"), list(b"bc")]]
    assert places(engine.find_cnf(query)) == [[2, 6, 10]]
    assert engine.count_cnf([[[97], [97]]])["count"] == 3  # type: ignore[typeddict-item]  # no error
    if theirs:
        assert theirs.count_cnf(query)["count"] == 6
        assert theirs.count_cnf([[[97], [97]]])["count"] == 6


def test_tokens_whose_bytes_look_like_a_separator(tmp_path: Path) -> None:
    engine, theirs = both(tmp_path, [[1, 65281, 255, 2]])  # 01 00 | 01 FF | FF 00 | 02 00
    query = [[[1]], [[2]]]
    assert places(engine.find_cnf(query)) == [[2]]
    if theirs:
        assert theirs.count_cnf(query)["count"] == 0


# --- documents


def test_search_docs_draws_without_replacement(tmp_path: Path) -> None:
    engine, theirs = both(tmp_path, [[7, number] for number in range(5)])
    found: Any = engine.search_docs([7], maxnum=20)
    assert sorted(found["idxs"]) == [0, 1, 2, 3, 4]
    assert sorted(document["doc_ix"] for document in found["documents"]) == [0, 1, 2, 3, 4]
    if theirs:
        assert len(theirs.search_docs([7], maxnum=20)["documents"]) == 20


def test_search_docs_is_seeded_and_each_call_draws_anew(tmp_path: Path) -> None:
    path = write_index(tmp_path / "i", [[7, number] for number in range(100)])
    first, again, other = (InfiniGramEngine(path, **options(), seed=seed) for seed in (0, 0, 1))
    draws = [first.search_docs([7], maxnum=5) for _ in range(3)]
    assert draws == [again.search_docs([7], maxnum=5) for _ in range(3)]
    assert draws[0] != draws[1]
    assert draws[0] != other.search_docs([7], maxnum=5)
    cnf = [[[7]]]
    assert first.search_docs_cnf(cnf, maxnum=5) == again.search_docs_cnf(cnf, maxnum=5)


def test_a_separator_stands_one_before_its_document(tmp_path: Path) -> None:
    engine, theirs = both(tmp_path, [[1, 2], [3]])
    found: Any = engine.get_doc_by_ptr(0, 6)
    assert (found["doc_ix"], found["needle_offset"], found["token_ids"]) == (1, -1, [3])
    if theirs:
        assert theirs.get_doc_by_ptr(0, 6)["needle_offset"] == (2**64 - 2) // 2


def test_documents_of_a_reversed_index_are_shown_as_they_are_read(tmp_path: Path) -> None:
    engine, theirs = both(tmp_path, [[1, 2, 3, 4, 5]], backwards=True)
    hit: Any = engine.find([2, 3])
    found: Any = engine.get_doc_by_rank_2(0, hit["segment_by_shard"][0][0], 2, 1)
    assert (found["token_ids"], found["needle_offset"]) == ([1, 2, 3, 4], 1)
    beginning: Any = engine.get_doc_by_ix(0, max_disp_len=2)
    assert beginning["token_ids"] == [1, 2]
    hit = engine.find([5])
    found = engine.get_doc_by_rank(0, hit["segment_by_shard"][0][0], 4)
    assert found["token_ids"][found["needle_offset"]] == 5
    if theirs:
        assert theirs.get_doc_by_rank(0, hit["segment_by_shard"][0][0], 4)["needle_offset"] == 0
        assert theirs.get_doc_by_ix(0, max_disp_len=2)["token_ids"] == [4, 5]


def test_a_needle_is_never_cut_off(tmp_path: Path) -> None:
    engine, theirs = both(tmp_path, [b"x abc y"], width=1)
    found: Any = engine.search_docs(list(b"abc"), max_disp_len=3)
    assert bytes(found["documents"][0]["token_ids"]) == b"abc"
    assert found["documents"][0]["needle_offset"] == 0
    found = engine.search_docs_cnf([[list(b"abc")]], max_disp_len=4)
    assert bytes(found["documents"][0]["token_ids"]) == b" abc"
    if theirs:
        assert bytes(theirs.search_docs(list(b"abc"), max_disp_len=3)["documents"][0]["token_ids"]) == b" ab"


def test_get_docs_by_ranks_works(tmp_path: Path) -> None:
    engine, theirs = both(tmp_path, [[1, 2], [3]])
    assert engine.get_docs_by_ranks([(0, 0), (0, 1)]) == [engine.get_doc_by_rank(0, rank) for rank in (0, 1)]
    if theirs:
        with pytest.raises(AttributeError):
            theirs.get_docs_by_ranks([(0, 0)])


def test_errors_about_ranks_say_so(tmp_path: Path) -> None:
    engine, theirs = both(tmp_path, [[1]])
    assert engine.get_doc_by_rank(0, 2) == {"error": "rank must be an integer in range [0, 2)"}
    if theirs:
        assert theirs.get_doc_by_rank(0, 2) == {"error": "ptr must be an integer in range [0, 2)"}


def test_pointers_of_bytes_may_be_odd(tmp_path: Path) -> None:
    engine, theirs = both(tmp_path, [b"abc"], width=1)
    found: Any = engine.get_doc_by_ptr(0, 3, 2)
    assert bytes(found["token_ids"]) == b"bc"
    if theirs:
        assert theirs.get_doc_by_ptr(0, 3, 2) == {"error": "ptr must be an even integer in range [0, 4)"}


# --- opening


def test_versions_that_do_not_exist_are_refused(tmp_path: Path) -> None:
    path = write_index(tmp_path / "i", [[1, 2]])
    with pytest.raises(UnsupportedVersionError, match="version must be 4, or 5"):
        InfiniGramEngine(path, **{**options(), "version": 6})
    # infini-gram follows a pointer that it never set: it counts 0, or crashes.


def test_a_wrong_token_type_is_refused(tmp_path: Path) -> None:
    path = write_index(tmp_path / "i", [[number % 7, 1, 2, 300] for number in range(60)])
    with pytest.raises(AnygramError):
        InfiniGramEngine(path, **options(1))


def test_a_truncated_index_is_refused(tmp_path: Path) -> None:
    path = write_index(tmp_path / "i", [[1, 2]] * 50)
    table = tmp_path / "i" / "table.0"
    table.write_bytes(table.read_bytes()[:99])
    with pytest.raises(IndexFormatError):
        InfiniGramEngine(path, **options())


def test_an_index_without_one_of_its_files_is_refused(tmp_path: Path) -> None:
    path = write_index(tmp_path / "i", [[1, 2]])
    (tmp_path / "i" / "offset.0").unlink()
    with pytest.raises(AnygramError):  # infini-gram ends the process
        InfiniGramEngine(path, **options())


def test_a_path_may_hold_the_name_of_a_file(tmp_path: Path) -> None:
    path = write_index(tmp_path / "table of offsets", [[1, 2]])
    assert InfiniGramEngine(path, **options()).count([1])["count"] == 1  # type: ignore[typeddict-item]  # no error


def test_shards_of_another_engine_are_accepted_and_not_needed(tmp_path: Path) -> None:
    path = write_index(tmp_path / "i", [[1, 2]])
    first = InfiniGramEngine(path, **options(), load_to_ram=True)
    shards = first.get_new_shards_by_index_dir()
    assert list(map(len, shards.values())) == [1]
    second = InfiniGramEngine(path, **options(), load_to_ram=True, prev_shards_by_index_dir=shards)
    assert second.get_new_shards_by_index_dir() == {}
    del first, shards
    assert second.count([1])["count"] == 1  # type: ignore[typeddict-item]  # no error


# --- an index less another


def test_subtraction_covers_every_query(tmp_path: Path) -> None:
    path = write_index(tmp_path / "i", [[1, 2, 3], [1, 2, 4]])
    other = write_index(tmp_path / "d", [[1, 2, 4]])
    engine = InfiniGramEngineDiff(path, other, **options())
    assert engine.count([1, 2]) == {"count": 1, "approx": False}
    assert engine.find([1, 2]) == {"cnt": 1, "segment_by_shard": [(0, 2)]}
    assert engine.prob([2], 4) == {"prompt_cnt": 1, "cont_cnt": 0, "prob": 0.0}
    assert counts(engine.ntd([2])) == {3: 1}
    assert engine.infgram_prob([2, 4], 3)["suffix_len"] == 0  # type: ignore[typeddict-item]  # no error
    assert engine.creativity([1, 2, 4]) == {"rs": [2, 2, 2]}
    assert engine.count_cnf([[[1]], [[4]]]) == {"count": 0, "approx": False}
    found: Any = engine.search_docs([1, 2], maxnum=5)
    assert [document["doc_ix"] for document in found["documents"]] == [0]
    blocked: Any = engine.get_doc_by_ix(1)
    assert (blocked["blocked"], blocked["token_ids"]) == (True, [])
    spans: Any = engine.attribute([1, 2], [], 1, 10, False)
    assert spans["spans"][0]["docs"] == [{"s": 0, "ptr": 2}]
    try:
        from infini_gram.engine import InfiniGramEngineDiff as Theirs
    except ImportError:
        return
    theirs = Theirs(path, other, **options())
    assert theirs.count([1, 2])["count"] == 2
    assert theirs.get_doc_by_ix(1)["token_ids"] == [1, 2, 4]


def test_subtraction_leaves_whole_words(tmp_path: Path) -> None:
    (tmp_path / "bow").write_text("1\n3\n")  # 2 and 4 go on
    path = write_index(tmp_path / "i", [[1, 2, 3, 4], [1, 2]])
    other = write_index(tmp_path / "d", [[1, 2, 3, 4]])
    given = {**options(), "bow_ids_path": str(tmp_path / "bow")}
    engine = InfiniGramEngineDiff(path, other, **given)
    spans: Any = engine.attribute([1, 2, 4, 3], [], 1, 10, True)
    assert spans["spans"] == []  # [1, 2] is left, and 4 does not begin a word
    spans = engine.attribute([1, 2, 3, 4], [], 1, 10, True)
    assert [(span["l"], span["r"]) for span in spans["spans"]] == [(0, 2)]


def test_documents_of_spans_are_blocked_by_what_they_show(tmp_path: Path) -> None:
    path = write_index(tmp_path / "i", [[5, 1, 2, 6], [9, 5, 1, 2, 6, 9], [8, 1, 2, 7]])
    other = write_index(tmp_path / "d", [[5, 1, 2, 6]])
    requests: list[Any] = [
        {
            "docs": [{"s": 0, "ptr": 4}, {"s": 0, "ptr": 16}, {"s": 0, "ptr": 28}],
            "span_ids": [1, 2],
            "needle_len": 2,
            "max_ctx_len": 1,
        }
    ]
    engine = InfiniGramEngineDiff(path, other, **options())
    found: Any = engine.get_docs_by_ptrs_2_grouped(requests)
    assert [(one["blocked"], one["token_ids"]) for one in found[0]] == [(True, []), (True, []), (False, [8, 1, 2, 7])]
    try:
        from infini_gram.engine import InfiniGramEngineDiff as Theirs
    except ImportError:
        return
    assert Theirs(path, other, **options()).get_docs_by_ptrs_2_grouped(requests) == found
