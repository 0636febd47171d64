"""One index of parts that were built apart, whose shards it adopts as they are."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, TypeAlias

from anygram.build import Progress, disk_full, named_errors
from anygram.errors import IncompatibleIndexesError, InputError
from anygram.index import Index, is_whole
from anygram.manifest import CURRENT, SHARDS, Manifest, ShardEntry, publish, read_manifest, read_tokenizer, sync_folder
from anygram.opening import check_part
from anygram.opening import open as open_index
from anygram.types import Tokenizer

Copying: TypeAlias = Literal["link", "copy"]

_PIECE_BYTES = 1 << 26  # copied at a time, so that Ctrl-C need not wait


def combine(
    paths: Sequence[str | os.PathLike[str]],
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    copy: Copying = "link",
    allow_repeated: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Index:
    """Makes one index of several that were built apart, on other machines for example, without sorting anything again.

    The parts' shards become those of the new index, as they are; its documents are numbered in the order of the parts.
    It answers as the parts do when they are opened together, and as one build does that cuts the corpus the same way.
    The parts are not changed, and may be removed afterwards. The new index exists when this returns, or not at all.

    Args:
        paths: the folders of the parts. All have the same tokenizer; their profiles, and the vocabularies of those
            without a tokenizer, may differ.
        path: the folder to make; with `overwrite`, also that of an index to be replaced, which may be one of the parts.
        overwrite: replace the index at `path`.
        copy: "link" has the files under a second name where the file system can (hard links: no time, no room), and
            copies them elsewhere; "copy" always copies, so that who damages a part's file does not damage this index.
        allow_repeated: allow parts that have equal shards: their documents are then there as often as they are given.
        threads: as in `open`.
        progress: called now and then, with bytes.

    Cost: a moment with links, else that of copying the files.

    Raises:
        InputError: there are no parts, or the same documents stand in two of them.
        IncompatibleIndexesError: the parts have different tokenizers.
        IndexNotFoundError: there is no index at one of the `paths`.
        IndexFormatError: one of them is damaged.
        IndexExistsError: `path` is taken.
        IndexBusyError: another process builds there.
        DiskFullError: the disk has too little room for copies.
    """
    from anygram.workplace import workplace

    folders = _folders(paths)
    if copy not in ("link", "copy"):
        raise InputError(f"copy is 'link' or 'copy', found {copy!r}")
    manifests = [read_manifest(folder) for folder in folders]
    tokenizer = _common_tokenizer(folders, manifests)
    if not allow_repeated:
        _check_repeated(folders, manifests)
    for folder, manifest in zip(folders, manifests, strict=True):
        check_part(folder, manifest)
    destination = Path(path).absolute()
    with named_errors(destination), workplace(destination, overwrite=overwrite) as place:
        shards = _distinct_shards(folders, manifests, destination)
        _adopt(
            [source for source, _ in shards.values() if source.parent != destination / SHARDS], place, copy, progress
        )
        generation = read_manifest(destination).generation + 1 if (destination / CURRENT).exists() else 1
        manifest = _combined(manifests, {name: entry for name, (_, entry) in shards.items()}, generation)
        publish(destination, manifest, tokenizer, place, is_whole=is_whole, sync=True)
    return open_index(destination, threads=threads)


def _folders(paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    if isinstance(paths, str | os.PathLike):
        raise InputError(f"the parts are a list of folders, found one path: {os.fspath(paths)!r}")
    folders = [Path(path).absolute() for path in paths]
    if not folders:
        raise InputError("no parts to combine: the list of paths is empty")
    return folders


def _common_tokenizer(folders: list[Path], manifests: list[Manifest]) -> Tokenizer | None:
    entries = [manifest.tokenizer for manifest in manifests]
    first = entries[0]
    for folder, entry in zip(folders, entries, strict=True):
        if (None if entry is None else entry.hash) == (None if first is None else first.hash):
            continue
        message = (
            f"the parts have different tokenizers, {first.spec if first else 'none'!r} at {folders[0]} and "
            f"{entry.spec if entry else 'none'!r} at {folder}: their ids mean different things; "
        )
        if entry is not None and first is not None and entry.kind == first.kind and entry.kind.startswith("words"):
            message += "each build numbers its own words, so build the whole corpus at once, or the parts with one "
            message += "tokenizer that is fixed (a tokenizer.json, tiktoken:, sentencepiece:, bytes)"
        else:
            message += "build them with the same one"
        raise IncompatibleIndexesError(message)
    return read_tokenizer(folders[0], manifests[0])


def _check_repeated(folders: list[Path], manifests: list[Manifest]) -> None:
    owners: dict[str, Path] = {}
    for folder, manifest in zip(folders, manifests, strict=True):
        ids = {shard.id for shard in manifest.shards}
        for name in sorted(ids):
            if name in owners:
                raise InputError(
                    f"{owners[name]} and {folder} have the same shard ({name}), so its documents would be counted "
                    "twice: give each part once, or allow it (allow_repeated=True, --allow-repeated)"
                )
        owners.update(dict.fromkeys(ids, folder))


def _distinct_shards(
    folders: list[Path], manifests: list[Manifest], destination: Path
) -> dict[str, tuple[Path, ShardEntry]]:
    """The folder and the entry of each shard, by its id.

    Of equal ones that is one for all: they hold the same documents, though they may say other sizes of their
    vocabularies. It is that of a part which is replaced itself, whose shards are where they belong.
    """
    shards: dict[str, tuple[Path, ShardEntry]] = {}
    for folder, manifest in sorted(zip(folders, manifests, strict=True), key=lambda part: part[0] != destination):
        for entry in manifest.shards:
            shards.setdefault(entry.id, (folder / SHARDS / entry.id, entry))
    return shards


def _combined(manifests: list[Manifest], shards: dict[str, ShardEntry], generation: int) -> Manifest:
    entry = manifests[0].tokenizer
    if entry is not None:
        round_trips = all(manifest.tokenizer is not None and manifest.tokenizer.round_trips for manifest in manifests)
        entry = replace(entry, round_trips=round_trips)
    return Manifest(
        generation=generation,
        num_tokens=sum(manifest.num_tokens for manifest in manifests),
        num_documents=sum(manifest.num_documents for manifest in manifests),
        vocab_size=max(manifest.vocab_size for manifest in manifests),
        token_width=max(manifest.token_width for manifest in manifests),
        profile=",".join(sorted({name for manifest in manifests for name in manifest.profile.split(",")})),
        tokenizer=entry,
        shards=tuple(shards[entry.id] for manifest in manifests for entry in manifest.shards),
    )


def _adopt(sources: list[Path], place: Path, copy: Copying, progress: Progress | None) -> None:
    """Puts shards into `place`, on the disk."""
    sizes = {file: file.stat().st_size for source in sources for file in _files(source)}
    total, done = sum(sizes.values()), 0
    for source in sources:
        adopted = place / source.name
        adopted.mkdir()
        for file in _files(source):
            new = adopted / file.name
            if copy == "copy" or not _linked(file, new):
                if total - done > shutil.disk_usage(place).free:
                    raise disk_full(place, total - done)
                _copy(file, new)
            done += sizes[file]
            if progress is not None:
                progress("adopting", done, total)
        sync_folder(adopted)


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.iterdir()) if file.is_file())


def _linked(file: Path, new: Path) -> bool:
    """Gives a file a second name, if the file system can."""
    try:
        new.hardlink_to(file.resolve())
    except OSError:  # another disk, a file system without links, or a file of another user
        return False
    return True


def _copy(file: Path, new: Path) -> None:
    """Copies a file onto the disk; where the file system shares blocks between copies, it does so."""
    with file.open("rb") as source, new.open("wb") as target:
        try:
            while os.copy_file_range(source.fileno(), target.fileno(), _PIECE_BYTES):
                pass
        except (AttributeError, OSError):  # no such call, or not between these two
            source.seek(0)
            target.seek(0)
            shutil.copyfileobj(source, target, _PIECE_BYTES)
        target.flush()
        os.fsync(target.fileno())
