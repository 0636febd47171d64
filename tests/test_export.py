"""`convert` to infini-gram's files: byte for byte what sorting every suffix gives, or nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import anygram
import strategies
from anygram import errors
from folders import contents
from naive_infini_gram import WIDTHS, naive_files


def named(files: dict[str, bytes], name: str = "0") -> dict[str, bytes]:
    return {f"{kind}.{name}": data for kind, data in files.items()}


def build(folder: Path, documents: object, tokenizer: object = "none", **options: object) -> Path:
    anygram.build(documents, folder, tokenizer=tokenizer, **options).close()  # type: ignore[arg-type]
    return folder


def test_the_dump_of_a_stock_build(tmp_path: Path) -> None:
    """Written by infini-gram 2.6.0 itself; 256 comes before 1, and a suffix before what it begins."""
    build(tmp_path / "index", [[256, 2, 256], [1, 256, 2], [2, 1, 65534], [256, 2]])
    anygram.convert(tmp_path / "index", tmp_path / "new", to="infini-gram", unigrams=True)
    assert contents(tmp_path / "new") == {
        "tokenized.0": bytes.fromhex("ffff000102000001ffff010000010200ffff02000100feffffff00010200"),
        "table.0": bytes.fromhex("1a020c060a141c04120e1618000810"),
        "offset.0": b"".join(offset.to_bytes(8, "little") for offset in (0, 8, 16, 24)),
        "unigram.0": b"1 2\n2 4\n256 4\n65534 1\n65535 4\n",
    }
    anygram.convert(tmp_path / "index", tmp_path / "reversed", to="infini-gram", reversed=True)
    expected = "ffff000102000001ffff020000010100fffffeff01000200ffff02000001"
    assert (tmp_path / "reversed/tokenized.0").read_bytes().hex() == expected


@settings(max_examples=15)
@given(data=st.data())
def test_what_sorting_every_suffix_gives(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("export")
    documents = data.draw(strategies.corpora())
    largest = max((token for document in documents for token in document), default=0)
    options = {
        "token_dtype": data.draw(st.sampled_from([dtype for dtype, w in WIDTHS.items() if largest < 256**w - 1])),
        "reversed": data.draw(st.booleans()),
        "unigrams": data.draw(st.booleans()),
    }
    with anygram.build(documents, folder / "index", tokenizer="none", shards=data.draw(strategies.shard_counts())) as i:
        sizes = [shard.num_documents for shard in i.shards]
    anygram.convert(folder / "index", folder / "new", to="infini-gram", **options)
    expected, begin = {}, 0
    for number, size in enumerate(sizes):
        files = naive_files(
            documents[begin : begin + size],
            options["token_dtype"],
            is_reversed=options["reversed"],
            unigrams=options["unigrams"],
        )
        expected.update(named(files, str(number)))
        begin += size
    assert contents(folder / "new") == expected


@pytest.mark.parametrize("shards", [1, 2, 3, 5, 12, 30])
def test_as_many_shards_as_asked_for(tmp_path: Path, shards: int) -> None:
    """Of nearly equal tokens, none without a document, in the documents' order also by the files' names."""
    documents = [[number] * (number % 7) for number in range(20)] + [[50] * 100]
    build(tmp_path / "index", documents, shards=2)
    anygram.convert(tmp_path / "index", tmp_path / "new", to="infini-gram", token_dtype="u8", shards=shards)
    files = sorted((tmp_path / "new").glob("tokenized.*"))
    assert len(files) == min(shards, 21)
    assert b"".join(file.read_bytes() for file in files) == naive_files(documents, "u8")["tokenized"]
    assert {file.read_bytes()[0] for file in files} == {255}
    if shards == 2:
        assert abs(len(files[0].read_bytes()) - len(files[1].read_bytes())) < 101


def test_records(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.jsonl"
    records = [{"text": "to be", "author": "Ö", "year": 1600}, {"text": "", "tags": ["a"], "x": None}, {"text": "or"}]
    corpus.write_text("".join(json.dumps(record) + "\n" for record in records))
    build(tmp_path / "index", anygram.read_corpus(corpus), "bytes")
    anygram.convert(tmp_path / "index", tmp_path / "new", to="infini-gram")
    lines = [
        json.dumps({"path": str(corpus), "linenum": number, "metadata": dict(list(record.items())[1:])}) + "\n"
        for number, record in enumerate(records)
    ]
    assert (tmp_path / "new/metadata.0").read_text() == "".join(lines)
    offsets = [sum(map(len, lines[:number])) for number in range(3)]
    assert (tmp_path / "new/metaoff.0").read_bytes() == b"".join(o.to_bytes(8, "little") for o in offsets)
    assert (tmp_path / "new/tokenized.0").read_bytes() == b"\xffto be\xff\xffor"


def test_long_repeats(tmp_path: Path) -> None:
    """Beyond 100,000 bytes their own merge gives up, and nearly every place of a periodic text is an anchor."""
    document = list(range(200)) * 700
    build(tmp_path / "index", [document, document, [1, 2], document])
    anygram.convert(tmp_path / "index", tmp_path / "new", to="infini-gram", token_dtype="u8")
    tokens = (tmp_path / "new/tokenized.0").read_bytes()
    table = (tmp_path / "new/table.0").read_bytes()
    ranks = [int.from_bytes(table[i : i + 3], "little") for i in range(0, len(table), 3)]
    assert sorted(ranks) == list(range(len(tokens)))
    sample = [*range(0, len(ranks) - 1, 997), *range(200)]
    assert all(tokens[ranks[i] :] < tokens[ranks[i + 1] :] for i in sample)


def test_what_is_wrong_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    index, new = build(tmp_path / "index", [[5, 65535], [255]]), tmp_path / "new"
    before = sorted(tmp_path.iterdir())
    for options, message in [
        ({"token_dtype": "u16"}, "65535"),
        ({"token_dtype": "u8"}, "wider"),
        ({"token_dtype": "u64"}, "u8, u16, u32"),
        ({"profile": "fast"}, "profile"),
        ({"shards": 0}, "shards"),
    ]:
        with pytest.raises(errors.InputError, match=message):
            anygram.convert(index, new, to="infini-gram", **options)  # type: ignore[arg-type]
    for options in [{"to": "tokengrams"}, {"shards": 2}, {"reversed": True}, {"unigrams": True}]:
        with pytest.raises(errors.InputError, match="infini-gram"):
            anygram.convert(index, new, **options)  # type: ignore[arg-type]
    with pytest.raises(errors.LimitError, match="memory"):
        anygram.convert(index, new, to="infini-gram", memory=1000)

    def stop(stage: str, *_: object) -> None:
        if stage == "sorting":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        anygram.convert(index, new, to="infini-gram", progress=stop)
    assert sorted(tmp_path.iterdir()) == before


def test_a_folder_that_is_taken(tmp_path: Path) -> None:
    index, new = build(tmp_path / "index", [[1, 2]]), tmp_path / "new"
    new.mkdir()
    anygram.convert(index, new, to="infini-gram", unigrams=True)
    with pytest.raises(errors.IndexExistsError, match="overwrite"):
        anygram.convert(index, new, to="infini-gram")
    anygram.convert(index, new, to="infini-gram", token_dtype="u32", overwrite=True)
    assert contents(new) == named(naive_files([[1, 2]], "u32"))
    (new / "thesis.txt").write_text("mine")
    for taken in (new, index, new / "thesis.txt"):
        with pytest.raises(errors.IndexExistsError):
            anygram.convert(index, taken, to="infini-gram", overwrite=True)
    assert (new / "thesis.txt").read_text() == "mine"


def documents_of(index: anygram.Index) -> list[list[int]]:
    return [index.document(number).tokens.tolist() for number in range(index.num_documents)]


@settings(max_examples=10)
@given(data=st.data())
def test_from_their_files(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Of any width, which the files show; without the table, which may be wrong."""
    folder = tmp_path_factory.mktemp("import")
    shards = data.draw(st.lists(strategies.corpora(), min_size=1, max_size=3))
    largest = max((token for documents in shards for document in documents for token in document), default=0)
    dtype = data.draw(st.sampled_from([dtype for dtype, w in WIDTHS.items() if largest < 256**w - 1]))
    is_reversed = data.draw(st.booleans())
    (folder / "theirs").mkdir()
    for number, documents in enumerate(shards):
        for name, content in named(naive_files(documents, dtype, is_reversed=is_reversed), str(number)).items():
            if not name.startswith("table"):
                (folder / "theirs" / name).write_bytes(content)
    dtypes = data.draw(st.sampled_from([None, dtype]))
    with anygram.convert(folder / "theirs", folder / "ours", token_dtype=dtypes, reversed=is_reversed) as index:
        assert documents_of(index) == [document for documents in shards for document in documents]


@pytest.mark.parametrize("tokenizer", ["bytes", None])
def test_there_and_back(tmp_path: Path, tokenizer: str | None) -> None:
    corpus = tmp_path / "corpus.jsonl"
    records = [{"text": "to be", "author": "Ö", "year": 1600}, {"text": "", "tags": ["a"], "x": None}, {"text": "or"}]
    corpus.write_text("".join(json.dumps(record) + "\n" for record in records))
    build(tmp_path / "index", anygram.read_corpus(corpus), "bytes", shards=2)
    anygram.convert(tmp_path / "index", tmp_path / "theirs", to="infini-gram")
    with (
        anygram.convert(tmp_path / "theirs", tmp_path / "back", tokenizer=tokenizer, profile="lean", shards=2) as back,
        anygram.open(tmp_path / "index") as index,
    ):
        assert (back.num_shards, back.profile) == (2, "lean")
        for number in range(3):
            found, expected = back.document(number), index.document(number)
            assert (found.metadata, found.source, found.id) == (expected.metadata, expected.source, expected.id)
            assert found.tokens.tolist() == expected.tokens.tolist()
            assert found.text == (None if tokenizer is None else expected.text)
    anygram.convert(tmp_path / "back", tmp_path / "again", to="infini-gram")
    assert contents(tmp_path / "again") == contents(tmp_path / "theirs")


def test_records_of_other_shapes_are_kept(tmp_path: Path) -> None:
    lines = ['{"path": "a", "linenum": 0, "metadata": {"b": 1}, "more": 2}\n', "a,1,b\n", "[1]\n", '{"path": 5}\n']
    files = named(naive_files([[1]] * 4, "u16"))
    files["metadata.0"] = "".join(lines).encode()
    files["metaoff.0"] = b"".join(sum(map(len, lines[:n])).to_bytes(8, "little") for n in range(4))
    (tmp_path / "theirs").mkdir()
    for name, content in files.items():
        (tmp_path / "theirs" / name).write_bytes(content)
    with anygram.convert(tmp_path / "theirs", tmp_path / "new") as index:
        assert [index.document(number).metadata for number in range(4)] == [
            {"path": "a", "linenum": 0, "metadata": {"b": 1}, "more": 2},
            {"metadata": "a,1,b"},
            {"metadata": [1]},
            {"path": 5},
        ]


def test_damaged_files_of_theirs_are_refused(tmp_path: Path) -> None:
    documents = [[1, 2, 3], [], [4]]
    good = named(naive_files(documents, "u16"))
    offsets = good["offset.0"]
    cases: list[tuple[dict[str, bytes], dict[str, object], str]] = [
        ({"offset.0": offsets[:-1]}, {}, "whole number"),
        ({"offset.0": offsets[8:]}, {}, "first document at 0"),
        ({"offset.0": offsets[:-8]}, {}, "one more"),
        ({"offset.0": offsets[:8] + offsets[:16]}, {}, "ascending"),
        ({"offset.0": offsets[:8] + b"\x06" + offsets[9:]}, {}, "separator"),
        ({"offset.0": offsets[:16] + b"\x0c" + offsets[17:]}, {}, "one more"),
        ({"offset.0": offsets + (99).to_bytes(8, "little")}, {}, "below"),
        ({"tokenized.0": good["tokenized.0"][:-1]}, {}, "whole number"),
        ({"tokenized.0": b"\x00" + good["tokenized.0"][1:]}, {}, "separator"),
        ({"tokenized.0": good["tokenized.0"][:6] + b"\xff\xff" + good["tokenized.0"][8:]}, {}, "one more"),
        ({"metadata.0": b"{}\n{}\n{}\n"}, {}, "metaoff.0 is missing"),
        ({"metadata.0": b"{}\n{}\n{}\n", "metaoff.0": bytes(8)}, {}, "3 documents"),
        ({}, {"token_dtype": "u8"}, "one more"),
        ({}, {"token_dtype": "u32"}, "whole number|multiple of 4|separator"),
    ]
    for number, (changes, options, message) in enumerate(cases):
        folder = tmp_path / str(number)
        folder.mkdir()
        for name, content in {**good, **changes}.items():
            (folder / name).write_bytes(content)
        with pytest.raises(errors.IndexFormatError, match=message):
            anygram.convert(folder, tmp_path / "new", **options)  # type: ignore[arg-type]
    (tmp_path / "0/offset.0").unlink()
    with pytest.raises(errors.IndexFormatError, match=r"offset.0 is missing"):
        anygram.convert(tmp_path / "0", tmp_path / "new")
    for options in ({"token_dtype": "u64"}, {"unigrams": True}, {"to": "infini-gram"}):
        with pytest.raises(errors.InputError):
            anygram.convert(tmp_path / "1", tmp_path / "new", **options)  # type: ignore[arg-type]
    assert not (tmp_path / "new").exists()
