"""An index's folder: which generation is current, and what it consists of. The format is in docs/index-format.md.

Everything that a generation refers to is written and on the disk before its manifest, and the manifest before the
pointer to it, which is renamed into place: an index exists or it does not.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from anygram.errors import (
    ChecksumError,
    IncompleteBuildError,
    IndexFormatError,
    IndexIOError,
    IndexNotFoundError,
    UnsupportedVersionError,
)
from anygram.types import Tokenizer

FORMAT_VERSION = 0

CURRENT = "CURRENT"
SHARDS = "shards"
TOKENIZERS = "tokenizers"
LANGUAGE_MODELS = "language_models"
BUILD = ".build"

_POINTER = re.compile(r"(manifest-\d{6,}\.json) ([0-9a-f]{32})\n", re.ASCII)

_MAX_MANIFEST_BYTES = 1 << 28


@dataclass(frozen=True)
class TokenizerEntry:
    """Which tokenizer an index has; its content is in the folder `tokenizers`, under its hash."""

    kind: str
    spec: str
    hash: str
    round_trips: bool


@dataclass(frozen=True)
class ShardEntry:
    """One shard of an index, in the order of their documents."""

    id: str
    num_tokens: int
    num_documents: int
    checksum: int


@dataclass(frozen=True)
class Manifest:
    """One generation of an index."""

    generation: int
    num_tokens: int
    num_documents: int
    vocab_size: int
    token_width: int
    profile: str
    tokenizer: TokenizerEntry | None
    shards: tuple[ShardEntry, ...]

    def to_bytes(self) -> bytes:
        """The manifest's file."""
        content = {"format": "anygram", "format_version": FORMAT_VERSION, **asdict(self)}
        return (json.dumps(content, indent=1) + "\n").encode()

    @property
    def id(self) -> str:
        """The index's name: a hash of what it consists of, so that equal indexes have equal ids."""
        return content_hash(self.to_bytes())


def content_hash(content: bytes) -> str:
    """BLAKE2b of 128 bits, in hex."""
    import hashlib

    return hashlib.blake2b(content, digest_size=16).hexdigest()


def read_manifest(folder: Path) -> Manifest:
    """The current generation of the index in a folder.

    Raises:
        IndexNotFoundError: there is nothing.
        IncompleteBuildError: a build was stopped there, or still runs.
        IndexFormatError: it is something else, or damaged.
    """
    pointer = folder / CURRENT
    try:
        line = pointer.read_text(encoding="ascii")
    except FileNotFoundError:
        raise _no_index(folder) from None
    except (NotADirectoryError, UnicodeDecodeError) as error:
        raise IndexFormatError(f"{folder} is no anygram index: {error}", str(folder)) from None
    except OSError as error:
        raise IndexIOError(error.errno, error.strerror, str(pointer)) from None
    match = _POINTER.fullmatch(line)
    if match is None:
        message = f"{pointer}: expected the name of a manifest and its hash, found {line[:80]!r}"
        raise IndexFormatError(message, str(pointer), 0)
    name, expected = match.groups()
    path = folder / name
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_MANIFEST_BYTES)
    except FileNotFoundError:
        message = f"{pointer} points to {name}, which is missing: restore the index from a backup, or build it again"
        raise IndexFormatError(message, str(path)) from None
    found = content_hash(content)
    if found != expected:
        message = f"{path}: expected the hash {expected}, found {found}: restore it from a backup, or build it again"
        raise ChecksumError(message, str(path), 0)
    return _parsed(content, path)


def _no_index(folder: Path) -> Exception:
    if (folder / BUILD).exists():
        return IncompleteBuildError(
            f"{folder}: a build was stopped here, or still runs, and left no index; "
            "run it again: it starts over and clears what is left"
        )
    if not folder.exists():
        return IndexNotFoundError(f"there is no index at {folder}: nothing is there")
    return IndexFormatError(f"{folder} is no anygram index: it has no file {CURRENT}", str(folder))


def _parsed(content: bytes, path: Path) -> Manifest:
    try:
        fields: dict[str, Any] = json.loads(content)
        version = fields.pop("format_version")
        if fields.pop("format") != "anygram":
            raise ValueError("it is of another format")
        if version != FORMAT_VERSION:
            raise UnsupportedVersionError(
                f"{path}: expected format version {FORMAT_VERSION}, found {version}: "
                "another version of anygram wrote it; install that one, or build the index again",
                str(path),
            )
        tokenizer = fields.pop("tokenizer")
        shards = tuple(ShardEntry(**shard) for shard in fields.pop("shards"))
        entry = None if tokenizer is None else TokenizerEntry(**tokenizer)
        manifest = Manifest(**fields, tokenizer=entry, shards=shards)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise IndexFormatError(f"{path}: not a manifest of an index: {error}", str(path)) from None
    if any(not shard.id.isalnum() for shard in shards):
        raise IndexFormatError(f"{path}: a shard's id is no name", str(path))
    return manifest


def read_tokenizer(folder: Path, manifest: Manifest) -> Tokenizer | None:
    """The index's own copy of its tokenizer.

    Raises:
        IndexFormatError: the copy is missing or damaged.
    """
    entry = manifest.tokenizer
    if entry is None:
        return None
    path = folder / TOKENIZERS / entry.hash
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise IndexFormatError(f"{path}: the index's copy of its tokenizer is missing", str(path)) from None
    import hashlib

    found = hashlib.sha256(content).hexdigest()
    if found != entry.hash:
        raise ChecksumError(f"{path}: expected the SHA-256 {entry.hash}, found {found}", str(path), 0)
    from anygram.tokenizers import load_tokenizer

    return load_tokenizer(entry.kind, content, entry.spec)


def publish(
    folder: Path,
    manifest: Manifest,
    tokenizer: Tokenizer | None,
    built: Path,
    *,
    is_whole: Callable[[Path], bool],
    sync: bool,
) -> None:
    """Makes a generation the current one, then removes what no generation refers to any more.

    Args:
        folder: the index's folder.
        manifest: the generation.
        tokenizer: its tokenizer.
        built: where its shards lie, in folders named after their ids; they are moved. A shard that an earlier
            generation has too stays where it is, unless it is damaged.
        is_whole: whether a shard that is there already is undamaged.
        sync: whether all is on the disk when this returns; the shards' own files are already.
    """
    (folder / SHARDS).mkdir(exist_ok=True)
    for shard in manifest.shards:
        final, new = folder / SHARDS / shard.id, built / shard.id
        if final.exists() and new.exists() and not is_whole(final):
            shutil.rmtree(final)
        if not final.exists():
            new.rename(final)
    if sync:
        sync_folder(folder / SHARDS)
    if tokenizer is not None:
        _write(folder / TOKENIZERS / tokenizer.hash, tokenizer.save(), sync)
    content = manifest.to_bytes()
    name = _manifest_name(manifest)
    _write(folder / name, content, sync)
    _write(folder / CURRENT, f"{name} {content_hash(content)}\n".encode(), sync)
    remove_unused(folder, manifest)


def remove_unused(folder: Path, manifest: Manifest | None) -> None:
    """Removes the parts of an index that the current generation does not refer to; all parts if there is none."""
    shards = set() if manifest is None else {shard.id for shard in manifest.shards}
    manifests = set() if manifest is None else {_manifest_name(manifest)}
    tokenizers = set() if manifest is None or manifest.tokenizer is None else {manifest.tokenizer.hash}
    _remove_others((folder / SHARDS).glob("*"), shards)
    _remove_others((folder / TOKENIZERS).glob("*"), tokenizers)
    _remove_others(folder.glob("manifest-*.json"), manifests)
    models = () if manifest is None else kneser_ney_files(folder, manifest)
    _remove_others((folder / LANGUAGE_MODELS).glob("*"), {path.name for path in models})
    for part in (folder / SHARDS, folder / TOKENIZERS, folder / LANGUAGE_MODELS):
        if part.exists() and not any(part.iterdir()):
            part.rmdir()


def kneser_ney_file(folder: Path, name: str, order: int) -> Path:
    """Where the counts for Kneser-Ney of the generation with that id are kept."""
    return folder / LANGUAGE_MODELS / f"kneser_ney-{order}-{name}"


def kneser_ney_files(folder: Path, manifest: Manifest) -> list[Path]:
    """The counts that are kept of this generation, by order."""
    pattern = re.compile(rf"kneser_ney-([1-9]\d*)-{manifest.id}", re.ASCII)
    found = [path for path in (folder / LANGUAGE_MODELS).glob("*") if pattern.fullmatch(path.name)]
    return sorted(found, key=lambda path: (len(path.name), path.name))


def _remove_others(entries: Iterable[Path], kept: set[str]) -> None:
    for entry in list(entries):
        if entry.name in kept:
            continue
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _manifest_name(manifest: Manifest) -> str:
    return f"manifest-{manifest.generation:06}.json"


def _write(path: Path, content: bytes, sync: bool) -> None:
    """Writes a file under another name and renames it: a reader sees all of it or nothing."""
    path.parent.mkdir(exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as file:
        file.write(content)
        if sync:
            file.flush()
            os.fsync(file.fileno())
    partial.rename(path)
    if sync:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
