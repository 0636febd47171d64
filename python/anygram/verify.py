"""Whether an index is what was written, and whether that is right."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from anygram import _core
from anygram.errors import ChecksumError, IndexFormatError
from anygram.machine import available_cpus
from anygram.manifest import (
    SHARDS,
    Manifest,
    ShardEntry,
    content_hash,
    kneser_ney_files,
    read_manifest,
    read_tokenizer,
)

#: Called with the stage's name, what is done of it, and its whole.
Progress: TypeAlias = Callable[[str, int, int | None], None]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        path: the file.
        offset: where in it, in bytes; None if it is about the whole file.
        expected: what should be there.
        found: what is.
    """

    path: str
    offset: int | None
    expected: str
    found: str


@dataclass(frozen=True)
class Verification:
    """What `verify` found.

    Attributes:
        problems: by shard, then by file and offset, and last those of counts kept for language models; at most ten
            are listed of a wrong suffix array.
    """

    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def verify(path: str | os.PathLike[str], *, deep: bool = False, progress: Progress | None = None) -> Verification:
    """Compares every byte of an index with its checksums.

    Files of infini-gram have none: they are checked as `open` checks them, and with `deep` all that they say, with
    about 30 bytes of memory for each token of the largest shard.

    Args:
        path: the index's folder.
        deep: also check what the bytes say: the order of all suffixes, that each is there once, the totals. Linear,
            with 4 bytes of memory for each token of the largest shard.
        progress: called now and then.

    Raises:
        IndexNotFoundError: there is no index.
        IncompleteBuildError: a build was stopped there.
    """
    from anygram.infini_gram_files import is_infini_gram

    folder = Path(path)
    if is_infini_gram(folder):
        return _verify_infini_gram(folder, deep)
    try:
        manifest = read_manifest(folder)
        read_tokenizer(folder, manifest)
    except IndexFormatError as error:
        return Verification((_problem_of(error, folder),))
    problems = [problem for entry in manifest.shards for problem in _verify_shard(folder, entry, deep, progress)]
    problems += [problem for path in kneser_ney_files(folder, manifest) for problem in _verify_section(path)]
    return Verification(tuple(problems or _check_totals(folder, manifest)))


def _verify_section(path: Path) -> list[Problem]:
    try:
        return [Problem(*found) for found in _core.verify_section(str(path), available_cpus())]
    except (IndexFormatError, FileNotFoundError) as error:
        return [_problem_of(error, path)]


def _verify_infini_gram(folder: Path, deep: bool) -> Verification:
    from anygram.infini_gram_checks import check_shard
    from anygram.infini_gram_files import find_shards
    from anygram.opening import open as open_index

    try:
        with open_index(folder, format="infini-gram") as index:
            width = index.token_width
        shards = find_shards([folder]) if deep else []
        return Verification(tuple(Problem(*found) for _, files in shards for found in check_shard(files, width)))
    except (IndexFormatError, FileNotFoundError) as error:
        return Verification((_problem_of(error, folder),))


def _verify_shard(folder: Path, entry: ShardEntry, deep: bool, progress: Progress | None) -> list[Problem]:
    path = folder / SHARDS / entry.id

    def report(done: int, total: int) -> None:
        if progress is not None:
            progress("verifying", done, total)

    try:
        problems = [Problem(*found) for found in _core.verify_shard(str(path), deep, available_cpus(), report)]
        if not problems:
            expected = entry.id, entry.checksum
            found = content_hash(_core.content_checksums(str(path))), _core.shard_checksum(str(path))
            if expected != found:
                problems.append(Problem(str(path), None, f"the shard {expected}", f"the shard {found}"))
    except (IndexFormatError, FileNotFoundError) as error:
        return [_problem_of(error, path)]
    return problems


def _check_totals(folder: Path, manifest: Manifest) -> list[Problem]:
    problems = []
    for name in ("num_tokens", "num_documents"):
        expected, found = getattr(manifest, name), sum(getattr(shard, name) for shard in manifest.shards)
        if expected != found:
            problems.append(Problem(str(folder), None, f"{name} {expected}", f"{found} in the shards"))
    return problems


def _problem_of(error: Exception, path: Path) -> Problem:
    place = getattr(error, "path", None) or str(path)
    expected = "the bytes that were written" if isinstance(error, ChecksumError) else "an index as it was written"
    return Problem(place, getattr(error, "offset", None), expected, str(error))
