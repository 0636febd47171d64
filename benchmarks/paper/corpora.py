"""The corpora, where none are given: documentation, source code and dictionaries of Debian, each a JSONL file."""

from __future__ import annotations

import gzip
import json
import re
import string
import subprocess
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from common import note
from data import Archive, Text, texts_of_source, write_text

_CODE = ("linux", "emacs")
_CODE_SUFFIXES = (".c", ".h", ".S", ".py", ".sh", ".pl", ".el")
_DICTIONARIES = ("dict-gcide", "dict-wn", "dict-foldoc", "dict-jargon")
_DIGITS = {
    digit: value for value, digit in enumerate(f"{string.ascii_uppercase}{string.ascii_lowercase}{string.digits}+/")
}


def fetch(folder: Path) -> list[Path]:
    """Fetches what is not there; one file a domain."""
    folder.mkdir(parents=True, exist_ok=True)
    archive = Archive(folder / "debian")
    documentation = folder / "documentation.jsonl"
    if not documentation.exists():
        write_text(folder, 1 << 40).rename(documentation)  # all there is
    code = _written(folder / "code.jsonl", ((name, _code(archive, name)) for name in _CODE))
    entries = ((name, _entries(archive.binary(name))) for name in _DICTIONARIES)
    return [documentation, code, _written(folder / "dictionaries.jsonl", entries)]


def _written(target: Path, packages: Iterable[tuple[str, Iterable[Text]]]) -> Path:
    if not target.exists():
        partial = target.with_suffix(".partial")
        with partial.open("w", encoding="utf-8") as file:
            for package, texts in packages:
                note(f"{target.name}: {package}")
                for text, source in texts:
                    record = {"text": text, "source": source, "package": package}
                    file.write(json.dumps(record, ensure_ascii=False) + "\n")
        partial.rename(target)
    return target


def _code(archive: Archive, package: str) -> Iterator[Text]:
    return (text for text in texts_of_source(archive.source(package)) if text.source.endswith(_CODE_SUFFIXES))


def _entries(package: Path) -> Iterator[Text]:
    """The entries of a dictd dictionary: where each begins and how long it is stands in its index, in base 64."""
    process = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE)
    assert process.stdout is not None
    contents = {}
    with tarfile.open(fileobj=process.stdout, mode="r|") as tar:
        for member in tar:
            if member.isfile() and member.name.endswith((".index", ".dict.dz")):
                file = tar.extractfile(member)
                assert file is not None
                contents[Path(member.name).name] = file.read()
    process.wait()
    for name in sorted(contents):
        if name.endswith(".index"):
            stem = name.removesuffix(".index")
            data = gzip.decompress(contents[f"{stem}.dict.dz"])
            spans = {}
            for line in contents[name].decode("utf-8", "replace").splitlines():
                word, begin, length = line.split("\t")[:3]
                if not word.startswith("00-"):
                    spans.setdefault((_number(begin), _number(length)), word)
            for (begin, length), word in spans.items():
                text = data[begin : begin + length].decode("utf-8", "replace")
                yield Text(re.sub(r"[ \t]+\n", "\n", text).strip(), f"{stem}:{word}")


def _number(digits: str) -> int:
    value = 0
    for digit in digits:
        value = value * 64 + _DIGITS[digit]
    return value
