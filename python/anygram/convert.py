"""An index in another form: the other profile, without sorting again, or the files of infini-gram."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from anygram import _core
from anygram.build import Profile, Progress, at_least_1, build, checked_profile, disk_full, index_bytes, named_errors
from anygram.errors import InputError
from anygram.index import Index, is_whole
from anygram.machine import available_cpus, available_memory
from anygram.manifest import CURRENT, SHARDS, ShardEntry, content_hash, publish, read_manifest, read_tokenizer
from anygram.opening import open as open_index

if TYPE_CHECKING:
    from anygram.foreign_files import TokenDtype

Format: TypeAlias = Literal["anygram", "infini-gram"]


def convert(
    path: str | os.PathLike[str],
    destination: str | os.PathLike[str],
    *,
    to: Format = "anygram",
    profile: Profile | None = None,
    tokenizer: object = None,
    token_dtype: TokenDtype | None = None,
    shards: int | None = None,
    reversed: bool = False,  # noqa: A002  # as anygram.open calls it
    unigrams: bool = False,
    threads: int | None = None,
    memory: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Index:
    """Writes an index again: in another profile, as the files of infini-gram, or of such files as one of anygram.

    From profile to profile, it is byte for byte what a build with that profile gives, without sorting again. To "lean",
    it is one sequential pass over the index. To "fast", what neighbouring suffixes share is computed from the tokens,
    some tens of nanoseconds of CPU each, spread over the threads. All that is read is checked against its checksums.

    Files of infini-gram are, byte for byte, what a correct builder of theirs writes for the index's documents, in their
    order: version 4, or 5 if reversed. Their suffixes are in another order (by the tokens' bytes, and across
    documents), so they are sorted, within `memory`. A document's record is its path, line and fields, if there are any.

    Of infini-gram's files (versions 4 to 6), the documents and their records are read, and built as any others; their
    table of suffixes is not read, so an index whose table is wrong is made right.

    The new index exists when this returns, or not at all, as in `build`.

    Args:
        path: the folder of an index, of anygram or of infini-gram.
        destination: the folder to make; with `overwrite`, also that of an index to be replaced, which may be `path`
            itself from profile to profile.
        to: "anygram" or "infini-gram".
        profile: "fast" or "lean"; None for that of the index, and "fast" from infini-gram's files.
        tokenizer: from infini-gram's files, what made the tokens, as in `build`; None if that is not known.
        token_dtype: of infini-gram's files, "u8", "u16" or "u32"; None for what they show, and when they are written
            for the narrowest that the vocabulary fits in.
        shards: to or from infini-gram's files, how many to cut the documents into, in runs of nearly equal tokens; None
            for the index's own, and from infini-gram's files for as few as possible.
        reversed: of infini-gram's files, whether documents are there from their ends to their beginnings (version 5).
        unigrams: of infini-gram's files, whether to write how often each token occurs.
        threads: CPUs to use; None for all that the process may use.
        memory: bytes that it may use; None for half of what the process may use. From profile to profile, with more
            than a shard's tokens take, they are copied to memory, which is faster.
        overwrite: replace the index at `destination`.
        progress: called now and then.

    Returns:
        The new index, opened.

    Raises:
        IndexNotFoundError: there is no index at `path`.
        IndexFormatError: it is damaged.
        IndexExistsError: `destination` is taken.
        IndexBusyError: another process builds there.
        DiskFullError: the disk has too little room.
        InputError: an option is none, or a token does not fit `token_dtype`.
        LimitError: infini-gram's files need more `memory`.
    """
    threads = at_least_1(threads, "threads") or available_cpus()
    memory = at_least_1(memory, "memory") or available_memory() // 2
    source, folder = Path(path).absolute(), Path(destination).absolute()
    from anygram.io.infini_gram import is_infini_gram, read_infini_gram

    if to not in ("anygram", "infini-gram"):
        raise InputError(f"to is 'anygram' or 'infini-gram', found {to!r}")
    if is_infini_gram(source):
        if to != "anygram" or unigrams:
            raise InputError(f"{source} has files of infini-gram: convert them to an index of anygram first")
        return build(
            read_infini_gram(source, token_dtype=token_dtype, is_reversed=reversed),
            folder,
            tokenizer=tokenizer,
            shards=shards,
            memory=memory,
            threads=threads,
            profile=profile or "fast",
            overwrite=overwrite,
            progress=progress,
        )
    if tokenizer is not None:
        raise InputError("the index has its own tokenizer: leave the argument out")
    if to == "infini-gram":
        from anygram.export import write_infini_gram

        if profile is not None:
            raise InputError("a profile is what an index of anygram has; leave it out with to='infini-gram'")
        with open_index(source, threads=threads) as index:
            dtype = write_infini_gram(
                index,
                folder,
                token_dtype=token_dtype,
                shards=at_least_1(shards, "shards"),
                is_reversed=reversed,
                unigrams=unigrams,
                threads=threads,
                memory=memory,
                overwrite=overwrite,
                progress=progress,
            )
            given = index.tokenizer
        return open_index(
            folder, format="infini-gram", token_dtype=dtype, reversed=reversed, tokenizer=given, threads=threads
        )
    if token_dtype is not None or shards is not None or reversed or unigrams:
        raise InputError("token_dtype, shards, reversed and unigrams are of infini-gram's files: give to='infini-gram'")
    _change_profile(source, folder, profile, threads, memory, overwrite, progress)
    return open_index(folder, threads=threads)


def _change_profile(
    source: Path,
    folder: Path,
    profile: Profile | None,
    threads: int,
    memory: int,
    overwrite: bool,
    progress: Progress | None,
) -> None:
    from anygram.workplace import workplace

    manifest = read_manifest(source)
    if profile is None and manifest.profile == "fast,lean":
        raise InputError(f"{source}: its shards have both profiles; say which to write (profile=, --profile)")
    profile = checked_profile(manifest.profile if profile is None else profile)  # type: ignore[arg-type]
    tokenizer = read_tokenizer(source, manifest)
    with named_errors(folder), workplace(folder, overwrite=overwrite) as place:
        needed = index_bytes(manifest.num_tokens, manifest.num_documents, manifest.vocab_size, profile)
        if needed > shutil.disk_usage(folder).free:
            raise disk_full(folder, needed)
        shards: list[ShardEntry] = []
        checksums: dict[str, int] = {}
        done = 0
        for entry in manifest.shards:
            partial = place / f"shard-{len(shards)}"
            partial.mkdir()
            checksum = _core.convert_shard(
                str(source / SHARDS / entry.id),
                str(partial),
                profile=profile,
                threads=threads,
                memory=memory,
                sync=True,
                progress=_report(progress, done, manifest.num_tokens),
            )
            done += entry.num_tokens
            name = content_hash(_core.content_checksums(str(partial)))
            if (place / name).exists():  # another shard has the same documents
                shutil.rmtree(partial)
            else:
                partial.rename(place / name)
            # Equal shards of a combined index may say other sizes of their vocabularies: the first one stands for all.
            shards.append(replace(entry, id=name, checksum=checksums.setdefault(name, checksum)))
        generation = read_manifest(folder).generation + 1 if (folder / CURRENT).exists() else 1
        new = replace(manifest, generation=generation, profile=profile, shards=tuple(shards))
        publish(folder, new, tokenizer, place, is_whole=is_whole, sync=True)


def _report(progress: Progress | None, before: int, total: int) -> _core._Progress:
    if progress is None:
        return None
    return lambda done, _: progress("converting", before + done, total)
