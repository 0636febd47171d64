"""`combine` gives the index that one build gives, of parts that it leaves alone, or nothing."""

from __future__ import annotations

import os
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import anygram
import plain
import strategies
from anygram import errors
from folders import contents

TEXTS = [{"text": f"to be or not to be, question {i % 7} of day {i}", "number": i} for i in range(60)]


def build(folder: Path, documents: object, tokenizer: object = "bytes", **options: object) -> Path:
    anygram.build(documents, folder, tokenizer=tokenizer, **options).close()  # type: ignore[arg-type]
    return folder


def three_parts(folder: Path, **options: object) -> list[Path]:
    """The shards that one build in three makes of TEXTS, built apart."""
    with anygram.build(TEXTS, folder / "whole", tokenizer="bytes", shards=3) as whole:
        sizes = [shard.num_documents for shard in whole.shards]
    bounds = [0, sizes[0], sizes[0] + sizes[1], 60]
    runs = pairwise(bounds)
    return [build(folder / f"part{begin}", TEXTS[begin:end], **options) for begin, end in runs]


@pytest.mark.parametrize("copy", ["link", "copy"])
def test_the_same_bytes_as_one_build(tmp_path: Path, copy: str) -> None:
    parts = three_parts(tmp_path)
    before = [contents(part) for part in parts]
    progress: list[tuple[int, int | None]] = []
    with anygram.combine(
        parts,
        tmp_path / "new",
        copy=copy,  # type: ignore[arg-type]
        progress=lambda _, done, total: progress.append((done, total)),
    ) as index:
        assert (index.num_documents, index.num_shards) == (60, 3)
        assert index.document(59).metadata == {"number": 59}
    assert contents(tmp_path / "new") == contents(tmp_path / "whole")
    assert [contents(part) for part in parts] == before
    assert progress[-1][0] == progress[-1][1]
    files = [file.stat().st_nlink for file in (tmp_path / "new/shards").rglob("*") if file.is_file()]
    assert set(files) == {2 if copy == "link" else 1}
    for part in parts:
        shutil.rmtree(part)
    assert anygram.verify(tmp_path / "new", deep=True).ok


def test_where_there_are_no_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refused)
    monkeypatch.setattr(os, "copy_file_range", refused, raising=False)
    anygram.combine(three_parts(tmp_path), tmp_path / "new").close()
    assert contents(tmp_path / "new") == contents(tmp_path / "whole")


@settings(max_examples=12)  # each writes many files
@given(data=st.data())
def test_the_answers_are_those_of_the_parts_and_of_one_build(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("parts")
    runs = data.draw(st.lists(strategies.corpora(), min_size=1, max_size=4))
    documents = [document for run in runs for document in run]
    parts = []
    for number, run in enumerate(runs):
        options = {
            "profile": data.draw(st.sampled_from(["fast", "lean"])),
            "shards": data.draw(strategies.shard_counts()),
        }
        parts.append(build(folder / str(number), run, "none", **options))
    queries = data.draw(st.lists(strategies.ngrams(documents, min_size=1), min_size=3, max_size=6))
    with anygram.combine(parts, folder / "new", allow_repeated=True) as index:
        answers = plain.answers(index, queries)
        with anygram.open(parts) as apart:
            assert answers == plain.answers(apart, queries)
            assert (index.vocab_size, index.token_width) == (apart.vocab_size, apart.token_width)
            assert index.profile == apart.profile
        with anygram.build(documents, tokenizer="none") as whole:
            assert answers == plain.answers(whole, queries)
    assert anygram.verify(folder / "new", deep=True).ok
    with anygram.convert(folder / "new", folder / "lean", profile="lean") as lean:
        assert answers == plain.answers(lean, queries)
    shutil.rmtree(folder)


def test_the_same_documents_twice_are_refused_unless_asked_for(tmp_path: Path) -> None:
    part = build(tmp_path / "part", TEXTS)
    copied = Path(shutil.copytree(part, tmp_path / "copied"))
    for paths in ([part, part], [part, copied]):
        with pytest.raises(errors.InputError, match="counted twice"):
            anygram.combine(paths, tmp_path / "new")
        assert not (tmp_path / "new").exists()
    with anygram.combine([part, copied], tmp_path / "new", allow_repeated=True) as index:
        assert (index.count("to be"), index.num_documents) == (240, 120)
        assert len(list((tmp_path / "new/shards").iterdir())) == 1
    assert anygram.verify(tmp_path / "new", deep=True).ok


def test_equal_documents_of_other_vocabularies(tmp_path: Path) -> None:
    """Of their empty shards every byte is equal but for the size of the vocabulary."""
    parts = [build(tmp_path / "a", [[]], "none"), build(tmp_path / "b", [[], [5]], "none", shards=2)]
    with anygram.combine(parts, tmp_path / "new", allow_repeated=True) as index:
        assert (index.num_documents, index.count([5]), index.vocab_size) == (3, 1, 6)
    assert anygram.verify(tmp_path / "new", deep=True).ok


def test_both_profiles(tmp_path: Path) -> None:
    parts = [build(tmp_path / profile, TEXTS[:n], profile=profile) for n, profile in ((9, "fast"), (8, "lean"))]
    with anygram.combine(parts, tmp_path / "new") as index:
        assert (index.profile, index.num_documents) == ("fast,lean", 17)
    with pytest.raises(errors.InputError, match="both profiles"):
        anygram.convert(tmp_path / "new", tmp_path / "copy")
    assert anygram.convert(tmp_path / "new", tmp_path / "copy", profile="lean").profile == "lean"


def test_other_tokenizers_are_refused(tmp_path: Path) -> None:
    first = build(tmp_path / "first", ["to be"], "words")
    second = build(tmp_path / "second", ["or not"], "words")
    with pytest.raises(errors.IncompatibleIndexesError, match="numbers its own words"):
        anygram.combine([first, second], tmp_path / "new")
    for tokenizer, documents in [("bytes", ["to be"]), ("none", [[1, 2]])]:
        other = build(tmp_path / tokenizer, documents, tokenizer)
        with pytest.raises(errors.IncompatibleIndexesError, match="the same one"):
            anygram.combine([first, other], tmp_path / "new")
    same = build(tmp_path / "same", ["to be", "be to"], "words")
    assert anygram.combine([first, same], tmp_path / "new").count("to be") == 2


def test_in_place(tmp_path: Path) -> None:
    first, second = build(tmp_path / "first", ["to be"]), build(tmp_path / "second", ["or not"])
    with pytest.raises(errors.IndexExistsError):
        anygram.combine([first, second], first)
    with anygram.combine([first, second], first, overwrite=True) as index:
        assert [index.document(number).text for number in range(2)] == ["to be", "or not"]
    with anygram.combine([first, build(tmp_path / "third", ["is"])], first, overwrite=True) as index:
        assert index.num_documents == 3
    assert len(list((first / "shards").iterdir())) == 3
    assert anygram.verify(first, deep=True).ok


def test_bad_parts_leave_nothing(tmp_path: Path) -> None:
    part, other = build(tmp_path / "part", TEXTS), build(tmp_path / "other", TEXTS[:5])
    new = tmp_path / "new"
    for paths in ([], str(part)):
        with pytest.raises(errors.InputError):
            anygram.combine(paths, new)  # type: ignore[arg-type]
    with pytest.raises(errors.InputError, match="'link' or 'copy'"):
        anygram.combine([part, other], new, copy="move")  # type: ignore[arg-type]
    with pytest.raises(errors.IndexNotFoundError):
        anygram.combine([part, tmp_path / "nothing"], new)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        anygram.combine([part, other], new, progress=stop)
    assert not new.exists()
    (manifest,) = part.glob("shards/*/shard")
    (other_manifest,) = other.glob("shards/*/shard")
    shutil.copy(other_manifest, manifest)
    with pytest.raises(errors.IndexFormatError):
        anygram.combine([other, part], new)
    assert not new.exists()
