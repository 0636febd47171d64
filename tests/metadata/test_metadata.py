from __future__ import annotations

import contextlib
import json
import math
import mmap
import random
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anygram.errors import DocumentNotFoundError, IndexFormatError, InputError, UnsupportedVersionError
from anygram.metadata import MetadataReader, encode_metadata, layout, writer

Own = tuple[dict[str, Any], str | None, int | None, str | None]

anything = st.text(st.characters(), max_size=8)  # lone surrogates too
plain = st.none() | st.booleans() | st.integers() | st.integers(-(2**70), 2**70) | st.floats() | anything
values = st.recursive(plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(anything, inner, max_size=3))
names = st.sampled_from(["text", "url", "", "é"]) | anything
records = st.tuples(
    st.dictionaries(names, values, max_size=4),
    st.none() | st.sampled_from(["a.jsonl", "b.jsonl"]),
    st.none() | st.integers(1, 2**40),
    st.none() | anything,
)


def encode(documents: list[Own]) -> bytes:
    return b"".join(encode_metadata(documents))


def of(*metadata: dict[str, Any]) -> bytes:
    return encode([(fields, None, None, None) for fields in metadata])


def same(left: object, right: object) -> bool:
    """Equal in value, type and order, where Python's == takes 1 for True and a nan for another."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict) and isinstance(right, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float) and isinstance(right, float):
        if math.isnan(left) or math.isnan(right):
            return math.isnan(left) and math.isnan(right)
        return left == right and math.copysign(1, left) == math.copysign(1, right)
    return left == right


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three documents a chunk, so that small examples have several."""
    monkeypatch.setattr(writer, "CHUNK_DOCUMENTS", 3)


small = pytest.mark.usefixtures("small_chunks")


@given(st.lists(records, max_size=10), st.sampled_from([1, 3, 4096]))
def test_every_record_comes_back_as_it_was(documents: list[Own], chunk_documents: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "CHUNK_DOCUMENTS", chunk_documents)
        reader = MetadataReader(encode(documents))
    assert len(reader) == reader.num_documents == len(documents)
    for number, (metadata, source, line, name) in enumerate(documents):
        assert same(reader[number], metadata)
        assert (reader.source(number), reader.line(number)) == (source, line)
        place = str(number + 7) if source is None else source if line is None else f"{source}:{line}"
        assert reader.id(number, number + 7) == (place if name is None else name)
    assert set(reader.fields) == {field for metadata, *_ in documents for field in metadata}


@given(st.lists(records, max_size=10), st.integers(0, 10), st.integers(0, 10))
def test_a_slice_is_the_payload_of_its_documents(documents: list[Own], first: int, end: int) -> None:
    first, end = sorted((min(first, len(documents)), min(end, len(documents))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "CHUNK_DOCUMENTS", 3)
        whole = MetadataReader(encode(documents))
        part = MetadataReader(b"".join(whole.slice(first, end)))
    assert len(part) == end - first
    for number in range(len(part)):
        assert same(part[number], whole[first + number])
        assert part.id(number, 5) == whole.id(first + number, 5)


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3), min_size=1, max_size=20))
def test_integers_of_any_range_and_step(numbers: list[int]) -> None:
    for series in (numbers, np.cumsum(np.array(numbers, np.int64)).tolist()):
        reader = MetadataReader(of(*({"n": number} for number in series)))
        assert [reader[document]["n"] for document in range(len(series))] == series


def test_integers_beyond_what_python_converts_to_decimal() -> None:
    large = 7**9000
    assert MetadataReader(of({"n": large, "m": -large}))[0] == {"n": large, "m": -large}
    with pytest.raises(InputError, match="cannot be stored") as error:
        encode([({"n": [large]}, "a.jsonl", 3, None)])
    assert (error.value.source, error.value.line) == ("a.jsonl", 3)


@pytest.mark.parametrize("value", [{1, 2}, b"x", (1,), np.int64(1), object()], ids=repr)
def test_values_of_other_types_are_refused(value: Any) -> None:
    with pytest.raises(InputError, match="cannot be stored"):
        of({"x": value})


def test_what_is_given_may_be_changed() -> None:
    reader = MetadataReader(of({"x": [1], "y": {"a": 1}}, {"x": [1]}))
    for _ in range(2):
        given_out = reader[0]
        assert given_out == {"x": [1], "y": {"a": 1}}
        given_out["x"].append(2)  # type: ignore[union-attr]
        given_out["z"] = 1


@small
def test_a_column_is_its_distinct_values_and_codes() -> None:
    reader = MetadataReader(of({"l": "en"}, {"l": "de", "n": 1}, {"l": "en"}, {}, {"l": None}))
    assert (reader.num_chunks, reader.fields) == (2, ("l", "n"))
    assert reader.chunk_documents(1) == range(3, 5)
    column = reader.column("l", 0)
    assert (column.codes.tolist(), column.values) == ([0, 1, 0], ["en", "de"])
    assert reader.column("n", 0).codes.tolist() == [-1, 0, -1]
    column = reader.column("l", 1)
    assert (column.codes.tolist(), column.values) == ([-1, 0], [None])
    assert reader.column("other", 1).codes.tolist() == [-1, -1]


def test_a_column_is_read_without_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    payload = of(*({f"f{field}": document for field in range(20)} for document in range(100)))
    reader = MetadataReader(payload)
    read: list[int] = []
    decompress = layout.decompress
    monkeypatch.setattr(
        "anygram.metadata.reader.decompress", lambda frame, size: read.append(size) or decompress(frame, size)
    )
    reader.column("f3", 0)
    assert len(read) == 3  # the chunk's header, its documents' shapes, the column
    reader.column("f3", 0)
    assert len(read) == 3


def test_large_values_end_a_chunk() -> None:
    documents = [{"x": chr(97 + number) * 1_500_000} for number in range(7)]
    reader = MetadataReader(of(*documents))
    assert reader.num_chunks == 3
    assert [reader[number] for number in range(7)] == documents


@small
def test_there_are_only_the_documents_there_are() -> None:
    for reader in (MetadataReader(of({}, {}, {}, {})), MetadataReader(of())):
        for outside in (-1, len(reader)):
            for ask in (reader.__getitem__, reader.source, reader.line, reader.id):
                with pytest.raises(DocumentNotFoundError):
                    ask(outside)
        with pytest.raises(DocumentNotFoundError):
            list(reader.slice(0, len(reader) + 1))


def test_a_mapped_payload_can_be_closed(tmp_path: Path) -> None:
    (tmp_path / "payload").write_bytes(encode(SAMPLE))
    with (tmp_path / "payload").open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        reader = MetadataReader(memoryview(mapped))
        assert same(reader[0], SAMPLE[0][0])
        assert len(list(reader.slice(0, 3))) > 0
        reader.release()


@small
def test_many_threads_may_ask_at_once() -> None:
    documents = [{"n": number, "s": str(number)} for number in range(100)]
    reader = MetadataReader(of(*documents))
    wrong: list[int] = []

    def ask(seed: int) -> None:
        order = list(range(100))
        random.Random(seed).shuffle(order)
        wrong.extend(number for number in order if reader[number] != documents[number])

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_typical_metadata_takes_less_than_a_third_of_its_json() -> None:
    chance = random.Random(1)
    documents = [
        {
            "url": f"https://www.site{chance.randint(0, 300)}.com/news/{chance.getrandbits(48):x}",
            "date": f"2023-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}T00:00:00Z",
            "language": "en",
            "language_score": chance.random(),
            "token_count": chance.randint(10, 3000),
            "dump": "CC-MAIN-2023-06",
        }
        for _ in range(5000)
    ]
    size = sum(len(json.dumps(document)) + 1 for document in documents)
    assert len(encode([(document, "a.jsonl", line, None) for line, document in enumerate(documents, 1)])) < size / 3


def read_all(payload: bytes) -> list[object]:
    reader = MetadataReader(payload)
    every = range(len(reader))
    return [[reader[number], reader.source(number), reader.line(number), reader.id(number)] for number in every]


SAMPLE: list[Own] = [
    ({"url": "a" * 50, "n": 1, "f": 0.5, "big": 2**80, "list": [1, {"a": None}]}, "a.jsonl", 1, None),
    ({"url": "b", "n": None, "f": True}, "a.jsonl", 2, "x"),
    ({}, None, None, None),
    ({"n": 300, "url": "a" * 50}, "b.jsonl", 9, None),
]


@small
def test_every_truncation_is_refused() -> None:
    payload = encode(SAMPLE)
    for size in range(len(payload)):
        with pytest.raises(IndexFormatError):
            read_all(payload[:size])
    with pytest.raises(IndexFormatError):
        read_all(payload + b"\0")


@small
def test_any_bytes_are_safe_to_read() -> None:
    payload = encode(SAMPLE)
    for place in range(len(payload)):
        for flip in (0x01, 0x80, 0xFF):
            damaged = bytearray(payload)
            damaged[place] ^= flip
            with contextlib.suppress(IndexFormatError):
                read_all(bytes(damaged))


@given(st.data())
def test_columns_of_any_bytes_are_refused_or_read(data: st.DataObject) -> None:
    """What a frame holds, damaged before it is compressed: flips in the payload seldom get past zstd."""
    compress = layout.compress

    def damage(raw: bytes) -> bytes:
        damaged = bytearray(raw)
        if damaged:
            place = data.draw(st.integers(0, len(damaged) - 1))
            damaged[place] = data.draw(st.integers(0, 255))
        return compress(bytes(damaged))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "compress", damage)
        payload = encode(SAMPLE)
    with contextlib.suppress(IndexFormatError):
        read_all(payload)


def test_a_frame_that_claims_much_gets_nothing() -> None:
    frame = memoryview(layout.compress(b"x" * (layout.MAX_FRAME_BYTES + 1)))
    for claimed in (layout.MAX_FRAME_BYTES + 1, 1):
        with pytest.raises(IndexFormatError, match="frame"), layout.refusing("it"):
            layout.decompress(frame, claimed)


def test_a_newer_version_is_named() -> None:
    payload = bytearray(of({}))
    payload[8] = 9
    with pytest.raises(UnsupportedVersionError, match="version 9"):
        MetadataReader(bytes(payload))
