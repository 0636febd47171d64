"""`convert` gives what a build with that profile gives, or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

import anygram
from anygram import errors
from folders import contents

DOCUMENTS = [
    {"text": f"to be or not to be, that is question {i % 7} of the day " * 9, "id": f"d{i}"} for i in range(90)
]


def build(folder: Path, profile: str, shards: int = 1) -> Path:
    anygram.build(DOCUMENTS, folder, tokenizer="words", profile=profile, shards=shards).close()  # type: ignore[arg-type]
    return folder


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("source", ["fast", "lean"])
@pytest.mark.parametrize("profile", ["fast", "lean"])
def test_the_same_bytes_as_a_build(tmp_path: Path, source: str, profile: str, shards: int) -> None:
    path = build(tmp_path / "source", source, shards)
    before = contents(path)
    stages = set()
    with anygram.convert(
        path,
        tmp_path / "converted",
        profile=profile,  # type: ignore[arg-type]
        progress=lambda stage, *_: stages.add(stage),
    ) as index:
        assert index.profile == profile
        assert index.count("to be") == 2 * 9 * 90
        assert index.document(7).metadata == {"id": "d7"}
    assert contents(tmp_path / "converted") == contents(build(tmp_path / "built", profile, shards))
    assert contents(path) == before
    assert stages == ({"converting"} if source != profile else set())
    assert anygram.verify(tmp_path / "converted", deep=True).ok


def test_in_place(tmp_path: Path) -> None:
    path = build(tmp_path / "index", "fast")
    with pytest.raises(errors.IndexExistsError):
        anygram.convert(path, path, profile="lean")
    with anygram.convert(path, path, profile="lean", overwrite=True, threads=1, memory=1) as index:
        assert (index.profile, index.count("question 3")) == ("lean", 9 * 13)
    assert len(list((path / "shards").iterdir())) == 1


def test_what_is_wrong_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    path = build(tmp_path / "index", "fast")
    for options in [{"profile": "slim"}, {"profile": "lean", "threads": 0}, {"profile": "lean", "memory": -1}]:
        with pytest.raises(errors.InputError):
            anygram.convert(path, tmp_path / "new", **options)  # type: ignore[arg-type]
    with pytest.raises(errors.IndexNotFoundError):
        anygram.convert(tmp_path / "nothing", tmp_path / "new", profile="lean")
    (section,) = path.glob("shards/*/position_pages")
    content = bytearray(section.read_bytes())
    content[5000] ^= 1
    section.write_bytes(content)
    with pytest.raises(errors.ChecksumError, match="position_pages"):
        anygram.convert(path, tmp_path / "new", profile="lean")
    assert not (tmp_path / "new").exists()
