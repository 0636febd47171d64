"""From one profile to the other, without sorting again."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

from anygram import _core
from anygram.build import Profile, Progress, at_least_1, checked_profile, disk_full, index_bytes, named_errors
from anygram.index import Index, is_whole
from anygram.index import open as open_index
from anygram.machine import available_cpus, available_memory
from anygram.manifest import CURRENT, SHARDS, ShardEntry, content_hash, publish, read_manifest, read_tokenizer


def convert(
    path: str | os.PathLike[str],
    destination: str | os.PathLike[str],
    *,
    profile: Profile,
    threads: int | None = None,
    memory: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Index:
    """Writes an index again in another profile: byte for byte what a build with that profile gives.

    To "lean", it is one sequential pass over the index. To "fast", what neighbouring suffixes share is computed from
    the tokens, some tens of nanoseconds of CPU each, spread over the threads. All that is read is checked against its
    checksums. The new index exists when this returns, or not at all, as in `build`.

    Args:
        path: the folder of an index.
        destination: the folder to make; with `overwrite`, also that of an index to be replaced, `path` itself too.
        profile: "fast" or "lean".
        threads: CPUs to use; None for all that the process may use.
        memory: bytes that it may use; None for half of what the process may use. With more than a shard's tokens take,
            they are copied to memory, which is faster.
        overwrite: replace the index at `destination`.
        progress: called now and then.

    Raises:
        IndexNotFoundError: there is no index at `path`.
        IndexFormatError: it is damaged.
        IndexExistsError: `destination` is taken.
        IndexBusyError: another process builds there.
        DiskFullError: the disk has too little room.
        InputError: an option is none.
    """
    from anygram.workplace import workplace

    checked_profile(profile)
    threads = at_least_1(threads, "threads")
    memory = at_least_1(memory, "memory") or available_memory() // 2
    source, folder = Path(path).absolute(), Path(destination).absolute()
    manifest = read_manifest(source)
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
                threads=threads or available_cpus(),
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
    return open_index(folder, threads=threads)


def _report(progress: Progress | None, before: int, total: int) -> _core._Progress:
    if progress is None:
        return None
    return lambda done, _: progress("converting", before + done, total)
