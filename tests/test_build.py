"""From documents to an index: what the bytes depend on, what is published when, and what is left behind."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import anygram
import plain
from anygram.errors import AnygramError, IndexExistsError, InputError, LimitError
from anygram.machine import memory_in_use
from anygram.tokenizers.utf8 import BytesTokenizer
from folders import contents, flipped
from strategies import fibonacci, periodic, thue_morse

# Enough tokens for several pages of every section, with long repeats among them.
NUMBERS = [
    fibonacci(3000),
    [],
    thue_morse(2500),
    periodic([5, 3, 300, 1], 2000),
    [1] * 700,
    *np.random.default_rng(0).integers(0, 400, (9, 500)).tolist(),
]
QUERIES = [[0, 1, 0], [1, 1], [300, 1, 5], [399], [1] * 700, [], [9, 9, 9, 9]]
TEXTS = ["to be or not to be", "", "that is the question", "whether 'tis nobler in the mind"] * 30


def build(documents: Iterable[object], path: Path | None = None, **options: object) -> anygram.Index:
    return anygram.build(documents, path, **{"tokenizer": None, **options})


def built_bytes(folder: Path, documents: Iterable[object] = NUMBERS, **options: object) -> dict[str, bytes]:
    build(documents, folder, **options).close()
    return contents(folder)


# What the bytes depend on


@pytest.mark.parametrize(
    "options",
    [
        {"threads": 1},
        {"threads": 4},
        {"memory": 10**8},
        {"memory": 4 * 10**9},
        {"threads": 3, "memory": 10**8},
    ],
    ids=repr,
)
@pytest.mark.parametrize("shards", [1, 3])
def test_bytes_do_not_depend_on_threads_or_memory(tmp_path: Path, shards: int, options: dict[str, int]) -> None:
    usual = built_bytes(tmp_path / "usual", shards=shards)
    if "memory" in options:  # beside what the tests before have left
        options = options | {"memory": options["memory"] + max(memory_in_use(), 260_000_000)}
    assert built_bytes(tmp_path / "other", shards=shards, **options) == usual


def test_bytes_do_not_depend_on_time_place_or_how_documents_come(tmp_path: Path) -> None:
    as_lists = built_bytes(tmp_path / "lists")
    assert built_bytes(tmp_path / "lists again") == as_lists
    assert built_bytes(tmp_path / "arrays", [np.array(document, np.uint32) for document in NUMBERS]) == as_lists
    assert built_bytes(tmp_path / "generator", (tuple(document) for document in NUMBERS)) == as_lists


def test_bytes_of_a_text_index_do_not_depend_on_threads(tmp_path: Path) -> None:
    one = built_bytes(tmp_path / "one", TEXTS, tokenizer="words", threads=1)
    assert built_bytes(tmp_path / "four", TEXTS, tokenizer="words", threads=4) == one


def test_a_saved_index_has_the_bytes_of_a_built_one(tmp_path: Path) -> None:
    in_memory = build(TEXTS, tokenizer="words", shards=2)
    in_memory.save(tmp_path / "saved")
    assert contents(tmp_path / "saved") == built_bytes(tmp_path / "built", TEXTS, tokenizer="words", shards=2)


def test_the_number_of_shards_is_as_asked(tmp_path: Path) -> None:
    for shards in [1, 2, 5]:
        index = build(NUMBERS, tmp_path / str(shards), shards=shards)
        assert index.num_shards == len(index.shards) == shards


def test_shards_hold_nearly_equal_tokens() -> None:
    index = build([[1, 2, 3]] * 100, shards=4)
    assert [shard.num_tokens for shard in index.shards] == [75] * 4


@pytest.mark.parametrize("profile", ["fast", "lean"])
@pytest.mark.parametrize("shards", [1, 4])
def test_answers_of_a_built_opened_saved_and_unsaved_index_are_the_same(
    tmp_path: Path, profile: str, shards: int
) -> None:
    in_memory = build(NUMBERS, shards=shards, profile=profile)
    expected = plain.answers(in_memory, QUERIES)
    in_memory.save(tmp_path / "saved")
    assert plain.answers(build(NUMBERS, tmp_path / "built", shards=shards, profile=profile), QUERIES) == expected
    for name in ["built", "saved"]:
        with anygram.open(tmp_path / name) as index:
            assert plain.answers(index, QUERIES) == expected
            assert (index.profile, index.num_shards) == (profile, shards)


# Memory


def test_too_little_memory_is_refused_before_the_corpus_is_read(tmp_path: Path) -> None:
    def documents() -> Iterator[list[int]]:
        pytest.fail("the corpus was read")
        yield []

    with pytest.raises(LimitError, match=r"at least 0\.260 GB"):
        build(documents(), tmp_path / "index", memory=10**8)
    assert not (tmp_path / "index").exists()


@pytest.mark.parametrize("kind", ["npy", "bin", "array"])
def test_arrays_too_large_for_the_memory_are_refused_before_they_are_read(tmp_path: Path, kind: str) -> None:
    # A sparse file: a hundred million tokens that take no room.
    path = tmp_path / f"tokens.{kind}"
    documents: object
    if kind == "array":
        documents = np.broadcast_to(np.uint16(7), (1000, 100_000))
    elif kind == "npy":
        np.lib.format.open_memmap(path, "w+", np.uint16, (1000, 100_000))
        documents = anygram.read_corpus(path)
    else:
        with path.open("wb") as file:
            file.truncate(2 * 10**8)
        documents = anygram.read_corpus(path, token_dtype="uint16", end_token=9)
    with pytest.raises(LimitError, match=r"at least 0.\d+ GB .* into \d+ shards") as error:
        build(documents, tmp_path / "index", memory=4 * 10**8, tokenizer=tokenizer_of_2_bytes())  # type: ignore[arg-type]
    assert not (tmp_path / "index").exists()
    (least,) = re.findall(r"at least (\S+) GB", str(error.value))
    assert 0.5 < float(least) < 0.3 + 3.2 * 0.1 + 0.001
    (shards,) = re.findall(r"into (\d+) shards", str(error.value))
    assert int(shards) in {3, 4}


def tokenizer_of_2_bytes() -> object:
    class Numbers(BytesTokenizer):
        vocab_size = 65535  # type: ignore[assignment]

    return Numbers()


class Other:
    """What a library's tokenizer is to a build: one of which nothing is known."""

    def __getattr__(self, name: str) -> object:
        return getattr(BytesTokenizer(), name)


def test_the_number_of_shards_that_is_named_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = [[1, 2, 3] * 1000] * 50
    module = importlib.import_module("anygram.build")  # not the function of that name
    monkeypatch.setattr(module, "_BASE_BYTES", 1 << 30)  # larger than what this process takes
    least = module._least_memory(40_000, 1, "fast")
    with pytest.raises(LimitError) as error:
        build(iter(documents), tmp_path / "index", memory=least)
    (shards,) = re.findall(r"into (\d+) shards", str(error.value))
    assert not (tmp_path / "index").exists()
    build(documents, tmp_path / "index", memory=least, shards=int(shards)).close()
    with pytest.raises(LimitError):
        build(documents, tmp_path / "fewer", memory=least, shards=int(shards) - 1)
    # No cut makes a shard smaller than a document.
    with pytest.raises(LimitError) as error:
        build(iter(documents), tmp_path / "other", memory=module._least_memory(1000, 1, "fast"))
    assert "shards" not in str(error.value)


def test_a_text_too_long_to_be_tokenized_in_memory_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a"}\n' + json.dumps({"text": "word " * 500_000}) + "\n")
    memory = memory_in_use() + 320_000_000
    with pytest.raises(LimitError, match=r"a.jsonl:2: .* 2,500,000 characters takes about 0.325 GB"):
        build(anygram.read_corpus(path), tmp_path / "index", tokenizer=Other(), memory=memory)
    assert not (tmp_path / "index").exists()
    build(anygram.read_corpus(path), tmp_path / "index", tokenizer="bytes", memory=memory).close()


def test_stages_are_timed(tmp_path: Path) -> None:
    stages: dict[str, float] = {"of before": 1.0}
    build(TEXTS, tmp_path / "index", tokenizer="bytes", stages=stages)
    assert list(stages)[1:] == ["reading", "metadata", "writing", "sorting", "syncing"]
    assert all(seconds >= 0 for seconds in stages.values())


def test_a_plan_knows_the_least_memory() -> None:
    planned = anygram.plan(np.zeros((10, 1000), np.uint16), tokenizer=None)
    assert (planned.num_tokens, planned.num_documents, planned.num_shards) == (10_000, 10, 1)
    assert planned.exact
    assert planned.least_memory_bytes < 3 * 10**8


# Files, iterables, arrays


def test_build_from_json_lines(tmp_path: Path) -> None:
    records = [{"text": text, "number": number, "tags": ["a", {"b": None}]} for number, text in enumerate(TEXTS)]
    (tmp_path / "corpus.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    index = build(anygram.read_corpus(tmp_path / "corpus.jsonl"), tmp_path / "index", tokenizer="words", shards=2)
    assert index.count("to be") == 60
    for number, record in enumerate(records):
        document = index.document(number)
        assert dict(document.metadata) == {"number": number, "tags": record["tags"]}
        assert document.source is not None
        assert document.source.endswith("corpus.jsonl")


def test_build_from_json_lines_with_ids_and_chosen_metadata(tmp_path: Path) -> None:
    lines = [{"body": "a b", "name": f"n{number}", "year": 1990 + number, "x": 0} for number in range(3)]
    (tmp_path / "corpus.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    corpus = anygram.read_corpus(tmp_path / "corpus.jsonl", text_field="body", id_field="name", metadata=["year"])
    index = build(corpus, tokenizer="words")
    assert [document.id for document in index.documents(range(3))] == ["n0", "n1", "n2"]
    assert [dict(document.metadata) for document in index.documents([2])] == [{"year": 1992}]


def test_build_from_json_lines_of_tokens(tmp_path: Path) -> None:
    lines = [{"ids": document} for document in NUMBERS]
    (tmp_path / "corpus.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    index = build(anygram.read_corpus(tmp_path / "corpus.jsonl", tokens_field="ids"))
    assert index.document(0).tokens.tolist() == NUMBERS[0]
    assert index.num_documents == len(NUMBERS)


def test_build_from_an_array_file(tmp_path: Path) -> None:
    np.save(tmp_path / "tokens.npy", np.array([1, 2, 9, 9, 3, 9], np.uint16))
    index = build(anygram.read_corpus(tmp_path / "tokens.npy", end_token=9))
    assert [document.tokens.tolist() for document in index.documents(range(index.num_documents))] == [[1, 2], [], [3]]


def test_build_from_the_rows_of_an_array() -> None:
    index = build(np.arange(12).reshape(3, 4))
    assert index.num_documents == 3
    assert index.document(2).tokens.tolist() == [8, 9, 10, 11]


def test_build_from_text_files(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("to be")
    (tmp_path / "b.txt").write_text("or not to be\n")
    index = build(anygram.read_corpus(tmp_path), tokenizer="bytes")
    assert index.count("to be") == 2
    assert index.document(1).text == "or not to be\n"


def test_progress_is_told(tmp_path: Path) -> None:
    calls: list[tuple[object, ...]] = []
    build(NUMBERS, tmp_path / "index", progress=lambda *told: calls.append(told))
    assert calls


# What is published, and when


def test_a_folder_that_is_taken_is_not_touched(tmp_path: Path) -> None:
    before = built_bytes(tmp_path / "index")
    with pytest.raises(IndexExistsError, match="overwrite"):
        build([[1, 2]], tmp_path / "index")
    assert contents(tmp_path / "index") == before


def test_a_folder_of_other_things_is_not_touched_even_if_overwriting(tmp_path: Path) -> None:
    folder = tmp_path / "thesis"
    folder.mkdir()
    (folder / "chapter.txt").write_text("years of work")
    for overwrite in [False, True]:
        with pytest.raises(IndexExistsError):
            build([[1, 2]], folder, overwrite=overwrite)
    assert contents(folder) == {"chapter.txt": b"years of work"}


def test_an_empty_folder_is_free(tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    assert build([[1, 2]], tmp_path / "index").count([1]) == 1


def test_overwrite_replaces_the_index(tmp_path: Path) -> None:
    build(NUMBERS, tmp_path / "index", shards=3).close()
    build([[7, 8, 7]], tmp_path / "index", overwrite=True).close()
    with anygram.open(tmp_path / "index") as index:
        assert (index.num_tokens, index.count([7]), index.num_shards) == (3, 2, 1)
    assert anygram.verify(tmp_path / "index", deep=True).ok


def test_an_index_that_is_open_answers_as_before_while_it_is_overwritten(tmp_path: Path) -> None:
    build(NUMBERS, tmp_path / "index", shards=3).close()
    expected = plain.answers(build(NUMBERS, shards=3), QUERIES)
    with anygram.open(tmp_path / "index") as index:
        build([[7, 8, 7]], tmp_path / "index", overwrite=True).close()
        assert plain.answers(index, QUERIES) == expected


def failing_numbers() -> Iterator[list[int]]:
    yield from NUMBERS
    raise RuntimeError("the disk of the corpus is gone")


BAD_DOCUMENTS: dict[str, tuple[Callable[[], Iterable[object]], type[Exception]]] = {
    "a generator that raises": (failing_numbers, RuntimeError),
    "a negative id": (lambda: [*NUMBERS, [3, -1]], InputError),
    "a float": (lambda: [*NUMBERS, [3, 1.5]], InputError),
    "an id too large": (lambda: [*NUMBERS, [2**32 - 1]], InputError),
    "a text without a tokenizer": (lambda: [*NUMBERS, "to be"], InputError),
    "a number": (lambda: [*NUMBERS, 7], InputError),
    "nothing": (lambda: [*NUMBERS, None], InputError),
    "a mapping without text or tokens": (lambda: [*NUMBERS, {"year": 1999}], InputError),
}
each_bad_input = pytest.mark.parametrize(("documents", "error"), BAD_DOCUMENTS.values(), ids=BAD_DOCUMENTS.keys())


@each_bad_input
def test_nothing_is_published_after_failing_input(
    tmp_path: Path, documents: Callable[[], Iterable[object]], error: type[Exception]
) -> None:
    path = tmp_path / "index"
    with pytest.raises(error):
        build(documents(), path, shards=2)
    with pytest.raises(AnygramError):
        anygram.open(path)
    assert build(NUMBERS, path).num_documents == len(NUMBERS)


@each_bad_input
def test_failing_input_leaves_the_index_that_it_would_have_replaced(
    tmp_path: Path, documents: Callable[[], Iterable[object]], error: type[Exception]
) -> None:
    path = tmp_path / "index"
    before = built_bytes(path, [[1, 2, 1]])
    with pytest.raises(error):
        build(documents(), path, overwrite=True)
    assert contents(path) == before
    with anygram.open(path) as index:
        assert index.count([1]) == 2


class EnoughError(Exception):
    """What a progress raises that has seen enough."""


class EnoughAfter:
    """A progress that stops the build at the call of that number."""

    def __init__(self, calls: int) -> None:
        self.calls = calls

    def __call__(self, *_: object) -> None:
        if self.calls == 0:
            raise EnoughError
        self.calls -= 1


def stopped_builds(path: Path, **options: object) -> Iterator[int]:
    """Builds that are stopped after no step, after one, and so on, until one gets to its end."""
    for calls in range(1000):
        try:
            build(TEXTS, path, tokenizer="words", shards=3, progress=EnoughAfter(calls), **options).close()
        except EnoughError:
            yield calls
        else:
            return


def test_a_build_that_is_stopped_at_any_step_leaves_nothing(tmp_path: Path) -> None:
    for calls in stopped_builds(tmp_path / "index"):
        assert list(tmp_path.iterdir()) == [], calls
    assert calls > 3


def test_an_overwriting_build_that_is_stopped_at_any_step_leaves_the_index(tmp_path: Path) -> None:
    before = built_bytes(tmp_path / "index")
    for calls in stopped_builds(tmp_path / "index", overwrite=True):
        assert contents(tmp_path / "index") == before, calls
    assert calls > 3


def test_overwriting_mends_a_damaged_index(tmp_path: Path) -> None:
    whole = built_bytes(tmp_path / "index")
    for name in whole:
        if "shards" in name:
            file = tmp_path / "index" / name
            file.write_bytes(flipped(file.read_bytes(), file.stat().st_size // 2))
    build(NUMBERS, tmp_path / "index", overwrite=True).close()
    assert anygram.verify(tmp_path / "index").ok


def test_no_scratch_is_left(tmp_path: Path) -> None:
    names = built_bytes(tmp_path / "index", shards=2).keys()
    assert not [name for name in names if ".build" in name or "spool" in name or "tmp" in name]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index"]


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=6,
)
NAMES = st.text(max_size=5).filter(lambda name: name not in ("text", "tokens"))


@given(st.lists(st.dictionaries(NAMES, VALUES, max_size=4), min_size=1, max_size=6))
def test_metadata_comes_back_as_it_was(records: list[dict[str, object]]) -> None:
    index = build([{"tokens": [1], **record} for record in records], shards=2)
    found = [dict(document.metadata) for document in index.documents(range(len(records)))]
    assert repr(found) == repr(records)  # compared as text, where nan equals nan, and 1 is not 1.0 or True
