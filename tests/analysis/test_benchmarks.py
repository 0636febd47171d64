"""Benchmarks in: the forms that common ones have, the ways they are stored, and errors with file and line."""

import gzip
import json
import math

import polars
import pytest
import zstandard

from anygram.analysis.contamination.benchmarks import read_benchmarks, results_of
from anygram.errors import InputError

KNOWN = {
    "HumanEval": (
        {"task_id": "HumanEval/0", "prompt": "def f():", "canonical_solution": "    return 1", "test": "x"},
        {"question": "def f():", "answer": "    return 1"},
        "HumanEval/0",
    ),
    "MMLU": (
        {"question": "Which?", "subject": "law", "choices": ["one", "two", "three"], "answer": 2},
        {"question": "Which?", "choices": "one\ntwo\nthree", "answer": "three"},
        "0",
    ),
    "MMLU-Pro": (
        {"question_id": 7, "question": "Which?", "options": ["one", "two"], "answer": "B", "answer_index": 1},
        {"question": "Which?", "choices": "one\ntwo", "answer": "two"},
        "7",
    ),
    "GSM8K": (
        {"question": "How many?", "answer": "2 + 2 = 4\n#### 4"},
        {"question": "How many?", "answer": "2 + 2 = 4\n#### 4"},
        "0",
    ),
    "SQuAD": (
        {
            "id": "5a",
            "title": "T",
            "context": "In 1889 it was built.",
            "question": "When?",
            "answers": {"text": ["1889", "1889", "In 1889"], "answer_start": [3, 3, 0]},
        },
        {"passage": "In 1889 it was built.", "question": "When?", "answer": "1889\nIn 1889"},
        "5a",
    ),
    "HellaSwag": (
        {"ind": 24, "ctx": "A man sits", "endings": ["down.", "up.", "in.", "out."], "label": "3"},
        {"question": "A man sits", "choices": "down.\nup.\nin.\nout.", "answer": "out."},
        "24",
    ),
    "ARC": (
        {
            "id": "Mercury_1",
            "question": "What is hot?",
            "answerKey": "2",
            "choices": {"text": ["ice", "fire"], "label": ["1", "2"]},
        },
        {"question": "What is hot?", "choices": "ice\nfire", "answer": "fire"},
        "Mercury_1",
    ),
    "ARC, nested": (
        {
            "id": "M",
            "answerKey": "B",
            "question": {"stem": "What?", "choices": [{"text": "ice", "label": "A"}, {"text": "fire", "label": "B"}]},
        },
        {"question": "What?", "choices": "ice\nfire", "answer": "fire"},
        "M",
    ),
    "OpenBookQA": (
        {"question_stem": "Why", "choices": {"text": ["a", "b"], "label": ["A", "B"]}, "answerKey": "A"},
        {"question": "Why", "choices": "a\nb", "answer": "a"},
        "0",
    ),
    "PIQA": (
        {"goal": "open it", "sol1": "push", "sol2": "pull", "label": 1},
        {"question": "open it", "choices": "push\npull", "answer": "pull"},
        "0",
    ),
    "WinoGrande": (
        {"sentence": "The _ was full", "option1": "cup", "option2": "can", "answer": "2"},
        {"question": "The _ was full", "choices": "cup\ncan", "answer": "can"},
        "0",
    ),
    "BoolQ": (
        {"passage": "Cats purr.", "question": "do cats purr", "answer": True},
        {"passage": "Cats purr.", "question": "do cats purr"},
        "0",
    ),
    "MATH": (
        {"problem": "1+1", "solution": "It is 2.", "level": "Level 1"},
        {"question": "1+1", "answer": "It is 2."},
        "0",
    ),
    "LAMBADA": ({"text": "and then he said no"}, {"question": "and then he said no"}, "0"),
    "evals": (
        {"input": [{"role": "user", "content": "2+2="}], "ideal": ["4", "four"]},
        {"question": "2+2=", "answer": "4\nfour"},
        "0",
    ),
    "by the fields' names": (
        {"query": "What?", "gold": "that", "idx": 3},
        {"question": "What?", "answer": "that"},
        "3",
    ),
}


@pytest.mark.parametrize("name", KNOWN)
def test_common_benchmarks_are_recognised(name):
    record, fields, identity = KNOWN[name]
    (benchmark,) = read_benchmarks([record])
    (item,) = benchmark.items
    assert (dict(item.fields), item.id) == (fields, identity)
    assert benchmark.layout.startswith(name.partition(",")[0])
    assert benchmark.records == (record,)


def test_instructions_that_all_items_share_are_no_part_of_them():
    def record(system, *messages):
        said = [{"role": role, "content": content} for role, content in messages]
        return {"input": [{"role": "system", "content": system}, *said], "ideal": "x"}

    example = {"role": "system", "name": "example_user", "content": "an example"}
    records = [record("Answer A or B.", ("user", f"question {number}")) for number in range(3)]
    records[0]["input"].insert(1, example)
    (benchmark,) = read_benchmarks(records)
    assert [item.fields["question"] for item in benchmark.items] == ["question 0", "question 1", "question 2"]
    (benchmark,) = read_benchmarks([record(f"passage {number}", ("user", "the same")) for number in range(2)])
    assert benchmark.items[1].fields["question"] == "passage 1\nthe same"


def test_a_choice_whose_text_is_a_number_is_itself():
    (benchmark,) = read_benchmarks([{"question": "2+1?", "choices": ["1", "3", "0"], "answer": "3"}])
    assert benchmark.items[0].fields["answer"] == "3"
    (benchmark,) = read_benchmarks([{"question": "hidden", "choices": ["a", "b"], "answer": -1}])
    assert "answer" not in benchmark.items[0].fields


RECORDS = [{"id": f"item {number}", "question": f"What is {number}?", "answer": str(number)} for number in range(3)]


def _json_lines(records):
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def _save_dataset(path):
    datasets = pytest.importorskip("datasets")
    datasets.Dataset.from_list(RECORDS).save_to_disk(str(path))


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.jsonl", lambda path: path.write_bytes(_json_lines(RECORDS))),
        ("a.json", lambda path: path.write_text(json.dumps(RECORDS, indent=1))),
        ("a.jsonl.gz", lambda path: path.write_bytes(gzip.compress(_json_lines(RECORDS)))),
        ("a.jsonl.zst", lambda path: path.write_bytes(zstandard.compress(_json_lines(RECORDS)))),
        ("a.parquet", lambda path: polars.DataFrame(RECORDS).write_parquet(path)),
        ("a.arrow", lambda path: polars.DataFrame(RECORDS).write_ipc(path)),
        ("a", _save_dataset),
    ],
)
def test_every_way_to_store_them(tmp_path, name, write):
    path = tmp_path / name
    write(path)
    if name.endswith((".parquet", ".arrow")):
        pytest.importorskip("pyarrow")
    (benchmark,) = read_benchmarks(path)
    assert benchmark.name == "a"
    assert [dict(record) for record in benchmark.records] == RECORDS
    assert [item.id for item in benchmark.items] == [record["id"] for record in RECORDS]
    (other,) = read_benchmarks(RECORDS)
    assert other.hash == benchmark.hash


@pytest.mark.parametrize("name", ["files", "files/*.parquet"])
def test_several_files_are_one_benchmark(tmp_path, name):
    pytest.importorskip("pyarrow")
    folder = tmp_path / "files"
    folder.mkdir()
    polars.DataFrame(RECORDS[:1]).write_parquet(folder / "0.parquet")
    polars.DataFrame(RECORDS[1:]).write_parquet(folder / "1.parquet")
    (folder / "dataset_infos.json").write_text("{}")
    (folder / "README.md").write_text("")
    (benchmark,) = read_benchmarks(tmp_path / name)
    assert [dict(record) for record in benchmark.records] == RECORDS


def test_arrow_streams():
    pytest.importorskip("pyarrow")
    (benchmark,) = read_benchmarks(polars.DataFrame(RECORDS))
    assert [item.fields["question"] for item in benchmark.items] == [record["question"] for record in RECORDS]


def test_several_by_name_with_fields_of_their_own():
    records = [{"a": {"b": "nested"}, "c": "more", "n": 5}]
    sets = {"one": RECORDS, "two": records}
    one, two = read_benchmarks(sets, fields={"two": {"question": ["a.b", "c"], "answer": "n"}})
    assert (one.name, len(one)) == ("one", 3)
    assert dict(two.items[0].fields) == {"question": "nested\nmore", "answer": "5"}
    (given,) = read_benchmarks(RECORDS, fields={"passage": "question"}, id_field="answer")
    assert dict(given.items[2].fields) == {"passage": "What is 2?"}
    assert given.items[2].id == "2"


@pytest.mark.parametrize(
    ("benchmarks", "options", "message"),
    [
        ([], {}, "has no item"),
        ({}, {}, "no benchmark at all"),
        ([{"z": "x"}], {}, r"no field is known to be the question; the record has 'z': name it \(--field"),
        ([{"question": "x"}], {"fields": {"question": "nope"}}, "no record has a field 'nope'"),
        ([{"question": "x"}], {"fields": {"reply": "question"}}, "passage, question, choices, answer"),
        ({"a": [{"question": "x"}]}, {"fields": {"b": {"question": "x"}}}, "neither a benchmark"),
        ([{"question": "x"}, 5], {}, "record 2: an item of a benchmark is a mapping, found 5"),
        ([{"question": "x"}, {"z": 1}], {}, "record 2: expected the fields 'question'; the record has 'z'"),
        ([{"question": "\ud800"}], {}, "lone surrogate"),
        (5, {}, "found int"),
        ("/no/such/file.jsonl", {}, "no such file"),
    ],
)
def test_what_is_wrong_is_told(benchmarks, options, message):
    with pytest.raises(InputError, match=message):
        read_benchmarks(benchmarks, **options)


def test_errors_have_the_file_and_the_line(tmp_path):
    path = tmp_path / "bad.jsonl"
    path.write_bytes(_json_lines(RECORDS) + b'\n{"question": \n')
    with pytest.raises(InputError, match=r"bad\.jsonl:5: broken JSON"):
        read_benchmarks(path)
    path.write_bytes(_json_lines(RECORDS) + b"[1]\n")
    with pytest.raises(InputError, match=r"bad\.jsonl:4: expected one JSON object"):
        read_benchmarks(path)
    path.write_bytes(b"\xff\n")
    with pytest.raises(InputError, match=r"bad\.jsonl:1: invalid UTF-8"):
        read_benchmarks(path)
    (tmp_path / "bad.parquet").write_bytes(b"not a table")
    with pytest.raises(InputError, match=r"bad\.parquet: cannot be read"):
        read_benchmarks(tmp_path / "bad.parquet")
    (tmp_path / "bad.doc").touch()
    with pytest.raises(InputError, match=r"unknown suffix"):
        read_benchmarks(tmp_path / "bad.doc")


def test_results_in_every_form():
    (benchmark,) = read_benchmarks({"a": RECORDS})
    expected = (1.0, 0.0, 1.0)
    for results in (
        [1, 0, 1],
        [True, False, True],
        {"item 0": 1, "item 1": 0, "item 2": 1},
        {"a": [1, 0, 1]},
        {"a": {"item 2": 1, "item 1": 0.0, "item 0": True}},
    ):
        assert results_of(benchmark, results) == expected
    assert results_of(benchmark, "answer") == (0.0, 1.0, 2.0)
    assert results_of(benchmark, {"other": [1]}) is None
    assert results_of(benchmark, None) is None
    first, second, _ = results_of(benchmark, {"item 0": 1})
    assert first == 1
    assert math.isnan(second)
    for results, message in (([1], "3 items, found 1"), ({"x": 1}, "no item"), (["a"] * 3, "expected a number")):
        with pytest.raises(InputError, match=message):
            results_of(benchmark, results)
