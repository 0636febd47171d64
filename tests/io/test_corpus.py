from __future__ import annotations

import gzip
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from anygram.errors import InputError
from anygram.io import Corpus, Record, as_corpus, read_corpus
from anygram.types import DOCUMENT_END, MAX_TOKEN

TEXTS = ["to be", "", "a\x00b", "😀 naïve\u2028x", "line\r\nend"]


def texts(corpus: Corpus) -> list[str | None]:
    return [record.text for record in corpus]


def ids(corpus: Corpus) -> list[list[int]]:
    return [record.tokens.tolist() for record in corpus if record.tokens is not None]


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def lines(objects: list[Any]) -> bytes:
    return b"".join(json.dumps(item).encode() + b"\n" for item in objects)


def zstd_frames(content: bytes) -> bytes:
    """As several frames, one that says no size, one empty, and one to be skipped."""
    half = len(content) // 2
    stream = zstandard.ZstdCompressor().compressobj()
    skippable = b"\x50\x2a\x4d\x18\x03\0\0\0xyz"
    compress = zstandard.ZstdCompressor().compress
    return compress(content[:half]) + compress(b"") + skippable + stream.compress(content[half:]) + stream.flush()


def gzip_members(content: bytes) -> bytes:
    half = len(content) // 2
    return gzip.compress(content[:half]) + gzip.compress(b"") + gzip.compress(content[half:]) + b"\0" * 512


PACKINGS: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzip_members, ".zst": zstd_frames}


@pytest.mark.parametrize("packing", PACKINGS)
def test_json_lines_plain_and_packed(tmp_path: Path, packing: str) -> None:
    content = lines([{"text": text, "n": number} for number, text in enumerate(TEXTS)])
    path = write(tmp_path / f"a.jsonl{packing}", PACKINGS[packing](b"\xef\xbb\xbf\n" + content + b"  \n"))
    corpus = read_corpus(path)
    for _ in range(2):  # it may be read again
        records = list(corpus)
        assert [record.text for record in records] == TEXTS
        assert [record.metadata for record in records] == [{"n": number} for number in range(len(TEXTS))]
        assert [record.line for record in records] == list(range(2, len(TEXTS) + 2))
        assert {record.source for record in records} == {str(path)}
        assert corpus.num_bytes == corpus.num_bytes_read == path.stat().st_size
        assert corpus.num_records == len(TEXTS)


@pytest.mark.parametrize("packing", PACKINGS)
def test_text_files_whole_or_by_line(tmp_path: Path, packing: str) -> None:
    path = write(tmp_path / f"a.txt{packing}", PACKINGS[packing]("\ufeffone\r\n\ntwo \n".encode()))
    assert list(read_corpus(path)) == [Record("one\r\n\ntwo \n", None, {}, str(path))]
    assert [(record.text, record.line) for record in read_corpus(path, lines=True)] == [
        ("one", 1), ("", 2), ("two ", 3)
    ]  # fmt: skip
    assert texts(read_corpus(write(tmp_path / "empty.txt", ""))) == [""]


def test_large_lines_cross_the_blocks_they_are_read_in(tmp_path: Path) -> None:
    long = [character * 700_000 for character in "abc"]
    for packing, pack in PACKINGS.items():
        path = write(tmp_path / f"a.jsonl{packing}", pack(lines([{"text": text} for text in long])))
        assert texts(read_corpus(path)) == long


def test_fields_are_chosen_and_the_rest_keeps_its_order(tmp_path: Path) -> None:
    record = {"z": [1, {"b": None}], "content": "x", "key": 7, "a": 1.5, "text": "kept"}
    path = write(tmp_path / "a.jsonl", lines([record]))
    (found,) = read_corpus(path, text_field="content", id_field="key")
    assert (found.text, found.id) == ("x", "7")
    assert list(found.metadata.items()) == [("z", [1, {"b": None}]), ("key", 7), ("a", 1.5), ("text", "kept")]
    for chosen in ("a,z", ["a", "z"]):
        (found,) = read_corpus(path, text_field="content", metadata=chosen)
        assert list(found.metadata) == ["z", "a"]
    (found,) = read_corpus(path, text_field="content", metadata="none", id_field="key")
    assert (found.metadata, found.id) == ({}, "7")


def test_of_a_name_given_twice_the_last_value_counts(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", '{"text": "a", "text": "b"}\n')
    assert texts(read_corpus(path)) == ["b"]


def test_ids_in_json_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", lines([{"ids": [1, MAX_TOKEN]}, {"ids": [], "text": "t"}]))
    corpus = read_corpus(path, tokens_field="ids")
    assert ids(corpus) == [[1, MAX_TOKEN], []]
    assert [record.metadata for record in corpus] == [{}, {"text": "t"}]


BAD_LINES = [
    (b'{"text": "a"', "broken JSON"),
    (b"[" * 100_000, "broken JSON"),
    (b'{"text": ' + b"1" * 5000 + b"}", "broken JSON"),
    (b"[1]", "expected one JSON object a line"),
    (b'{"txt": "a"}', "no field 'text'; the record has 'txt'"),
    (b'{"text": 5}', "field 'text': expected text"),
    (b'{"text": null}', "expected text"),
    (b'{"text": "\xff"}', "invalid UTF-8: byte 0xff at byte offset 10"),
    (b'{"text": "\\ud800"}', "lone surrogate"),
    (b'{"text": "a", "key": null}', None),
]


@pytest.mark.parametrize(("bad", "reason"), BAD_LINES[:-1], ids=[str(reason) for _, reason in BAD_LINES[:-1]])
def test_a_bad_line_stops_or_is_kept_elsewhere(tmp_path: Path, bad: bytes, reason: str) -> None:
    path = write(tmp_path / "a.jsonl", b'{"text": "one"}\n' + bad + b'\n{"text": "three"}')
    with pytest.raises(InputError, match=reason) as error:
        list(read_corpus(path))
    assert (error.value.source, error.value.line) == (str(path), 2)
    assert str(error.value).startswith(f"{path}:2: ")
    corpus = read_corpus(path, on_error="skip", rejects=tmp_path / "rejects.jsonl")
    for _ in range(2):  # the file is of the last reading
        assert texts(corpus) == ["one", "three"]
        assert corpus.num_rejected == 1
        (reject,) = map(json.loads, (tmp_path / "rejects.jsonl").read_text().splitlines())
        assert (reject["source"], reject["line"]) == (str(path), 2)
        assert reason in reject["reason"]
        assert reject["record"] == bad.decode(errors="backslashreplace")


@pytest.mark.parametrize("wrong", [-1, 1.0, True, [1], None, "1", DOCUMENT_END, 2**70])
def test_an_id_that_is_none_is_refused(tmp_path: Path, wrong: object) -> None:
    path = write(tmp_path / "a.jsonl", lines([{"ids": [1, wrong]}]))
    with pytest.raises(InputError, match="field 'ids': token ids") as error:
        list(read_corpus(path, tokens_field="ids"))
    assert error.value.line == 1
    with pytest.raises(InputError, match="record 2: "):
        list(as_corpus([[1], [1, wrong]]))


@pytest.mark.parametrize("value", [None, True, 1.5, [1]])
def test_a_document_needs_a_name_that_is_one(tmp_path: Path, value: object) -> None:
    path = write(tmp_path / "a.jsonl", lines([{"text": "a", "key": value}]))
    with pytest.raises(InputError, match="a document's id is a str or an int"):
        list(read_corpus(path, id_field="key"))
    with pytest.raises(InputError, match="no field 'other', which names the document"):
        list(read_corpus(path, id_field="other"))


@pytest.mark.parametrize("packing", [".gz", ".zst"])
def test_every_truncation_is_noticed(tmp_path: Path, packing: str) -> None:
    documents = [f"document {number}" for number in range(20)]
    packed = {".gz": gzip.compress, ".zst": zstandard.ZstdCompressor().compress}[packing](
        lines([{"text": text} for text in documents])
    )
    for size in range(1, len(packed)):
        path = write(tmp_path / f"a.jsonl{packing}", packed[:size])
        with pytest.raises(InputError, match="truncated") as error:
            list(read_corpus(path))
        assert error.value.source == str(path)
        corpus = read_corpus(path, on_error="skip", rejects=tmp_path / "rejects")
        found = []
        try:
            found = texts(corpus)
        except InputError:  # no line was whole
            assert corpus.num_rejected == 1
        assert documents[: len(found)] == found
        rejects = [json.loads(line) for line in (tmp_path / "rejects").read_text().splitlines()]
        assert "truncated" in rejects[-1]["reason"]


def test_a_damaged_tail_is_one_reject_at_its_line(tmp_path: Path) -> None:
    whole = gzip.compress(lines([{"text": "one"}, {"text": "two"}]))
    for tail, reason in ((b"no gzip", "damaged"), (gzip.compress(b"x" * 1000)[:-9], "truncated")):
        path = write(tmp_path / "a.jsonl.gz", whole + tail)
        corpus = read_corpus(path, on_error="skip", rejects=tmp_path / "rejects")
        assert texts(corpus) == ["one", "two"]
        assert corpus.num_rejected == 1
        reject = json.loads((tmp_path / "rejects").read_text())
        assert reject["line"] == 3
        assert reason in reject["reason"]


@pytest.mark.parametrize("packing", [".gz", ".zst"])
def test_every_flipped_byte_is_noticed_or_harmless(tmp_path: Path, packing: str) -> None:
    content = lines([{"text": "one"}, {"text": "two"}])
    with_checksum = zstandard.ZstdCompressor(write_checksum=True).compress
    packed = {".gz": gzip.compress, ".zst": with_checksum}[packing](content)
    for place in range(len(packed)):
        damaged = bytearray(packed)
        damaged[place] ^= 0x41
        path = write(tmp_path / f"a.jsonl{packing}", bytes(damaged))
        try:
            found = texts(read_corpus(path))
        except InputError:
            continue
        assert found == ["one", "two"]


def test_text_that_is_no_utf8(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", b"one\nt\xffo\nthree")
    with pytest.raises(InputError, match="invalid UTF-8: byte 0xff at byte offset 5") as error:
        list(read_corpus(path))
    assert (error.value.source, error.value.line) == (str(path), None)
    corpus = read_corpus(path, lines=True, on_error="skip", rejects=tmp_path / "rejects")
    assert texts(corpus) == ["one", "three"]
    assert json.loads((tmp_path / "rejects").read_text())["record"] == "t\\xffo"


def test_folders_and_patterns_come_in_one_order(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.txt", "a/b/c.txt", "a.txt", ".hidden.txt", ".git/x.txt", "notes.md", "10.txt", "9.txt"):
        write(tmp_path / name, name)
    everything = ["10.txt", "9.txt", "a/b/c.txt", "a/z.txt", "a.txt", "b.txt"]
    assert texts(read_corpus(tmp_path)) == everything
    assert texts(read_corpus(f"{tmp_path}/**/*.txt")) == everything
    assert texts(read_corpus(f"{tmp_path}/?.txt", tmp_path / "10.txt")) == ["9.txt", "a.txt", "b.txt", "10.txt"]
    assert texts(read_corpus(f"{tmp_path}/[a]")) == ["a/b/c.txt", "a/z.txt"]
    odd = write(tmp_path / "x[1].txt", "odd")
    assert texts(read_corpus(odd)) == ["odd"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["missing.jsonl"], "no such file"),
        (["*.jsonl"], "no file matches"),
        (["a.md"], r"unknown suffix; known are \.txt, \.jsonl"),
        (["a.npy.gz"], "unknown suffix"),
        (["empty"], "no file in this folder can be read"),
        (["a.bin"], "token_dtype"),
        ([], "no input"),
        (["-", "-"], "once only"),
    ],
)
def test_inputs_that_cannot_be_are_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.md", "a.npy.gz", "a.bin", "empty/x.md"):
        write(tmp_path / name, "")
    with pytest.raises(InputError, match=reason):
        read_corpus(*arguments)


@pytest.mark.parametrize(
    "options",
    [
        {"on_error": "ignore"},
        {"on_error": "skip"},
        {"rejects": "file"},
        {"token_dtype": "float32"},
        {"token_dtype": "nonsense"},
        {"end_token": -1},
        {"end_token": True},
        {"end_token": 2**32},
    ],
)
def test_options_that_contradict_are_refused(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        read_corpus(write(tmp_path / "a.txt", "x"), **options)


def test_a_file_for_rejects_that_cannot_be_written(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "x")
    with pytest.raises(InputError, match="rejects cannot be written"):
        list(read_corpus(path, on_error="skip", rejects=tmp_path / "missing" / "rejects"))


def test_no_document_at_all_is_an_error(tmp_path: Path) -> None:
    for corpus in (read_corpus(write(tmp_path / "a.jsonl", "\n\n")), as_corpus([]), as_corpus(np.empty((0, 3), int))):
        with pytest.raises(InputError, match="no document at all"):
            list(corpus)


def test_a_file_that_goes_away_is_an_input_error(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", '{"text": "a"}')
    corpus = read_corpus(path)
    path.unlink()
    with pytest.raises(InputError, match="No such file") as error:
        list(corpus)
    assert error.value.source == str(path)


def test_standard_input_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("é\nb".encode())))
    corpus = read_corpus("-", lines=True)
    assert texts(corpus) == ["é", "b"]
    assert not sys.stdin.buffer.closed
    assert (corpus.num_bytes, corpus.num_bytes_read) == (None, 4)
    with pytest.raises(InputError, match="once only"):
        list(corpus)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "<u4", ">u4", "int64"])
@given(documents=st.lists(st.lists(st.integers(0, 200), max_size=4), min_size=1, max_size=5), ended=st.booleans())
def test_arrays_are_split_at_the_end_token(
    tmp_path_factory: pytest.TempPathFactory, dtype: str, documents: list[list[int]], ended: bool
) -> None:
    if not ended and not documents[-1]:
        documents = [*documents[:-1], [5]]  # an empty document shows only by its end
    stream = np.array([token for document in documents for token in [*document, 255]], dtype)
    stream = stream if ended else stream[:-1]
    folder = tmp_path_factory.mktemp("arrays")
    np.save(folder / "a.npy", stream)
    stream.tofile(folder / "a.bin")
    for corpus in (
        read_corpus(folder / "a.npy", end_token=255),
        read_corpus(folder / "a.bin", end_token=255, token_dtype=dtype),
    ):
        assert ids(corpus) == documents
        assert [record.line for record in corpus] == list(range(1, len(documents) + 1))
    (whole,) = read_corpus(folder / "a.bin", token_dtype=dtype)
    assert whole.tokens is not None
    assert whole.tokens.tolist() == stream.tolist()


def test_the_end_token_may_be_one_that_no_document_can_hold(tmp_path: Path) -> None:
    np.array([1, DOCUMENT_END, 2], np.uint32).tofile(tmp_path / "a.bin")
    assert ids(read_corpus(tmp_path / "a.bin", token_dtype="uint32", end_token=DOCUMENT_END)) == [[1], [2]]
    with pytest.raises(InputError, match=f"found {DOCUMENT_END}"):
        list(read_corpus(tmp_path / "a.bin", token_dtype="uint32"))


def test_rows_of_an_array_are_documents(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[1, 2], [3, 4]], order="F"))
    assert ids(read_corpus(tmp_path / "a.npy")) == [[1, 2], [3, 4]]
    assert ids(as_corpus(np.array([[1, 2], [3, 4]]))) == [[1, 2], [3, 4]]


def test_arrays_that_are_none_are_refused(tmp_path: Path) -> None:
    bad: dict[str, bytes] = {"empty": b"", "text": b"no array", "truncated": b""}
    buffer = io.BytesIO()
    np.save(buffer, np.arange(100))
    bad["truncated"] = buffer.getvalue()[:-8]
    for name, array in {"float": np.ones(3), "bool": np.ones(3, bool), "deep": np.ones((1, 1, 1), int)}.items():
        buffer = io.BytesIO()
        np.save(buffer, array)
        bad[name] = buffer.getvalue()
    buffer = io.BytesIO()
    np.save(buffer, np.array([{}], object), allow_pickle=True)
    bad["pickle"] = buffer.getvalue()
    for name, content in bad.items():
        with pytest.raises(InputError) as error:
            list(read_corpus(write(tmp_path / f"{name}.npy", content)))
        assert error.value.source == str(tmp_path / f"{name}.npy")
    with pytest.raises(InputError, match="truncated: 3 bytes"):
        list(read_corpus(write(tmp_path / "a.bin", b"123"), token_dtype="uint16"))


def test_empty_arrays_hold_no_document(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.empty(0, np.uint16))
    write(tmp_path / "a.bin", b"")
    corpus = read_corpus(tmp_path, write(tmp_path / "b.txt", "x"), token_dtype="uint16")
    assert texts(corpus) == ["x", "x"]


def test_objects_are_documents() -> None:
    documents = ["a", [1, 2], (), np.array([3], np.uint16), range(2), {"text": "b", "n": 1}, {"tokens": [4], "k": None}]
    records = list(as_corpus(documents))
    assert [record.text for record in records] == ["a", None, None, None, None, "b", None]
    found = [None if record.tokens is None else record.tokens.tolist() for record in records]
    assert found == [None, [1, 2], [], [3], [0, 1], None, [4]]
    assert [record.metadata for record in records[-2:]] == [{"n": 1}, {"k": None}]
    assert {(record.source, record.line, record.id) for record in records} == {(None, None, None)}


def test_an_array_that_is_used_again_does_no_harm() -> None:
    buffer = np.zeros(2, np.uint32)

    def fill() -> Any:
        for value in range(3):
            buffer[:] = value
            yield buffer

    assert ids(as_corpus(fill())) == [[0, 0], [1, 1], [2, 2]]


@pytest.mark.parametrize(
    ("documents", "reason"),
    [
        ("text", "found one str"),
        (b"text", "found one bytes"),
        ({"text": "a"}, "found one mapping"),
        (np.array([1, 2]), "found one array"),
        (np.zeros((1, 1, 1), int), "3 dimensions"),
        (5, "found int"),
        (Path("a"), "read_corpus"),
    ],
)
def test_what_is_no_collection_is_refused_at_once(documents: object, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        as_corpus(documents)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (5, "one number"),
        (np.int64(5), "one number"),
        (None, "NoneType"),
        (b"a", "bytes"),
        ("\ud800", "surrogate"),
        ({"txt": "a"}, "found neither; the record has 'txt'"),
        ({"text": "a", "tokens": [1]}, "found both"),
        ({"text": b"a"}, "expected text"),
        ({"text": "a", 5: 1}, "name of a field"),
        ({"text": "a", "when": {1, 2}}, "field 'when': metadata is"),
        ({"text": "a", "pair": (1, 2)}, "found .*tuple"),
        ({"text": "a", "deep": {"x": [{1: 2}]}}, "keys of a dict"),
    ],
)
def test_what_is_no_document_is_refused_with_its_number(document: object, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as error:
        list(as_corpus(["first", document]))
    assert (error.value.source, error.value.line) == (None, 2)


def test_metadata_without_end_is_refused() -> None:
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(InputError, match="nested too deeply"):
        list(as_corpus([{"text": "a", "x": endless}]))


def test_a_generator_is_read_lazily_and_once() -> None:
    corpus = as_corpus(text for text in ["a", "b"])
    iterator = iter(corpus)
    assert next(iterator).text == "a"
    with pytest.raises(InputError, match="once only"):
        list(corpus)
    assert as_corpus(corpus) is corpus


def test_a_table_is_not_taken_for_the_names_of_its_columns() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    assert texts(as_corpus(pyarrow.table({"text": ["a"]}))) == ["a"]
    with pytest.raises(InputError, match="neither; the table has 'columns'"):
        texts(as_corpus(pyarrow.table({"columns": ["a"]})))
