"""From documents to an index."""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from anygram import _core
from anygram.errors import AnygramError, DiskFullError, IndexIOError, InputError, LimitError
from anygram.index import Index, is_whole
from anygram.machine import available_cpus, available_memory, memory_in_use
from anygram.manifest import CURRENT, Manifest, ShardEntry, TokenizerEntry, content_hash, publish, read_manifest
from anygram.opening import open as open_index
from anygram.opening import open_memory
from anygram.types import Tokenizer

# What only a build needs is imported when there is one: a program that asks an index questions starts sooner.
if TYPE_CHECKING:
    from anygram.ingest import DocumentRecord, NumberedLines
    from anygram.io import Corpus
    from anygram.metadata import MetadataReader, MetadataWriter

#: Called with the stage's name, what is done of it, and its whole (None if unknown).
Progress: TypeAlias = Callable[[str, int, int | None], None]

Profile: TypeAlias = Literal["fast", "lean"]

# Bytes a token beyond its own width: the order of the suffixes and what leads into it, and a little for the rest.
_ORDER_BYTES = {"fast": (4096 + 8 * 16 / 15 + 8 + 1) / 672 + 0.05, "lean": 4.0 + 8 / 64 * 16 / 15 + 0.05}

_STAGES = ("reading", "metadata", "writing", "sorting", "syncing")

# What a build takes beside what grows with a shard: Python, libraries, a tokenizer, documents under way.
_BASE_BYTES = 260_000_000

# Kept free for the core's threads: blocks on their way to files, stacks.
_SPARE_BYTES = 40_000_000

# For the estimate of a plan, measured on 110 million tokens: bytes a token that sorting takes beside the text when it
# is not bounded, bytes that a build takes beside, and the seconds of one CPU that it takes for each token.
_SORT_BYTES = 1.55
_USUAL_BYTES = 60_000_000
_SORT_SECONDS = 130e-9

_MAX_STREAM_LENGTH = 2**32  # tokens and document ends of a shard

_PLAN_SECONDS = 5.0  # how long a plan reads the corpus


@dataclass(frozen=True)
class _Options:
    profile: Profile
    threads: int
    memory: int
    shards: int | None
    sync: bool
    progress: Progress | None
    stages: dict[str, float]

    def report(self, stage: str, before: int, total: int) -> Callable[[int, int], None] | None:
        """A stage's progress in one shard, as that of all shards."""
        progress = self.progress
        if progress is None:
            return None
        return lambda done, _: progress(stage, before + done, total)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Adds to the seconds of a stage."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.stages[stage] += time.perf_counter() - started


def build(
    documents: Corpus | Iterable[object],
    path: str | os.PathLike[str] | None = None,
    *,
    tokenizer: object,
    shards: int | None = None,
    memory: int | None = None,
    threads: int | None = None,
    profile: Profile = "fast",
    overwrite: bool = False,
    progress: Progress | None = None,
    scratch: str | os.PathLike[str] | None = None,
    stages: dict[str, float] | None = None,
) -> Index:
    """Indexes documents.

    The index exists when this returns, or not at all: a build that fails or is stopped leaves nothing behind, and with
    `overwrite` the index that was there. The index's bytes depend on the documents, the tokenizer, `shards` and
    `profile` only.

    Args:
        documents: what `read_corpus` gives; or an iterable of str, of sequences of token ids, or of mappings
            {"text" | "tokens", **metadata}; or a 2-D integer array, a document a row.
        path: the folder to make. Without it the index is in memory (in fact in files of the temporary folder that have
            no name any more), until it is saved.
        tokenizer: "words", "words:fold", "bytes", the path of a tokenizer.json, an object of the `tokenizers` library,
            or one with the methods of `anygram.types.Tokenizer`; "none" or None for documents that are token ids.
        shards: how many parts to sort independently, at most one a document; None for as few as the format allows.
        memory: bytes that the build may use, other processes that it starts and what the process holds already
            included; None for half of what the process may use, or a gigabyte if that is more. The least is about 300
            MB, and for each token of the largest shard as many bytes as it takes on disk (2, or 3 if the vocabulary is
            larger than 65,535) and 1.2.
        threads: CPUs to use; None for all that the process may use.
        profile: "fast", or "lean": smaller and slower.
        overwrite: replace the index at `path`.
        progress: called now and then.
        scratch: where temporary files go, which take about as much as the token stream; None for `path`.
        stages: filled with the seconds of each stage, by its name: reading (and tokenizing), metadata, writing (of
            what is not sorted), sorting (and writing the order), syncing (what is left to bring to the disk then).

    Raises:
        InputError: a document is bad, there is none, or the tokenizer does not fit them.
        IndexExistsError: `path` is taken.
        IndexBusyError: another process builds there.
        DiskFullError: the disk has too little room.
        LimitError: a shard would be larger than the format or `memory` allows.
    """
    import tempfile

    from anygram.io import as_corpus
    from anygram.tokenizers import open_tokenizer

    chosen = open_tokenizer(tokenizer)
    corpus = as_corpus(documents)
    options = _Options(
        profile=checked_profile(profile),
        threads=at_least_1(threads, "threads") or available_cpus(),
        memory=at_least_1(memory, "memory") or _usual_memory(),
        shards=at_least_1(shards, "shards"),
        sync=path is not None,
        progress=progress,
        stages={} if stages is None else stages,
    )
    if path is None:
        with tempfile.TemporaryDirectory(prefix="anygram-", dir=scratch) as temporary:
            folder = Path(temporary) / "index"
            _build(corpus, folder, chosen, options, overwrite=False, scratch=None)
            return open_memory(folder, threads)
    folder = Path(path).absolute()
    _build(corpus, folder, chosen, options, overwrite=overwrite, scratch=scratch)
    return open_index(folder, threads=threads)


def _build(
    corpus: Corpus,
    folder: Path,
    tokenizer: Tokenizer | None,
    options: _Options,
    *,
    overwrite: bool,
    scratch: str | os.PathLike[str] | None,
) -> None:
    from anygram.workplace import workplace

    options.stages.update(dict.fromkeys(_STAGES, 0.0))
    _check_memory_of_arrays(corpus, tokenizer, options)
    with (
        named_errors(folder),
        workplace(folder, overwrite=overwrite) as place,
        _scratch_folder(scratch, place) as temporary,
    ):
        spool = _Spool(temporary, tokenizer)
        spool.fill(corpus, options)
        vocab_size = spool.vocab_size
        _check_room(folder, spool, vocab_size, options)
        runs = spool.tokens.cut(options.shards or 0)
        _check_memory(spool, runs, vocab_size, options)
        entries = [
            _build_shard(spool, run, place / f"shard-{number}", vocab_size, options) for number, run in enumerate(runs)
        ]
        manifest = Manifest(
            generation=read_manifest(folder).generation + 1 if (folder / CURRENT).exists() else 1,
            num_tokens=spool.tokens.num_tokens,
            num_documents=spool.tokens.num_documents,
            vocab_size=vocab_size,
            token_width=_core.width_for(vocab_size),
            profile=options.profile,
            tokenizer=_tokenizer_entry(tokenizer, spool.round_trips),
            shards=tuple(entries),
        )
        with options.timed("syncing"):
            publish(folder, manifest, tokenizer, place, is_whole=is_whole, sync=options.sync)


@contextmanager
def named_errors(folder: Path) -> Iterator[None]:
    """What the system refuses while Python writes is reported as where the core writes."""
    try:
        yield
    except AnygramError:
        raise
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise IndexIOError(error.errno, error.strerror, error.filename or str(folder)) from error
        raise disk_full(folder) from error


def disk_full(folder: Path, needed: int | None = None) -> DiskFullError:
    """The error of a disk that is full, or too small for what is needed."""
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    wanted = "the build needs more" if needed is None else f"the index needs {needed / 1e9:.3f} GB"
    message = f"{wanted}, and {free / 1e9:.3f} GB are free: make room, or build elsewhere (also scratch=, --scratch)"
    return DiskFullError(errno.ENOSPC, message, str(folder))


class _Spool:
    """All documents as tokens, and what is known of each beside, in scratch files."""

    def __init__(self, folder: Path, tokenizer: Tokenizer | None) -> None:
        from anygram.tokenizers.words import WordsTokenizer

        self._tokenizer = tokenizer
        known_size = None if tokenizer is None or isinstance(tokenizer, WordsTokenizer) else tokenizer.vocab_size
        # Of an unknown vocabulary, the spool takes as many bytes a token as it needs.
        self.tokens = _core.TokenSpool(str(folder), 0 if known_size is None else _core.width_for(known_size))
        self._metadata_path = folder / "metadata.spool"
        self.has_metadata = False
        self.round_trips = True

    def fill(self, corpus: Corpus, options: _Options) -> None:
        from anygram.ingest import ingest
        from anygram.metadata import MetadataWriter

        progress = options.progress
        report = None if progress is None else lambda done, total: progress("reading", done, total)
        with self._metadata_path.open("wb") as file, options.timed("reading"):
            metadata = MetadataWriter(file.write)
            for batch in ingest(
                corpus, self._tokenizer, threads=options.threads, memory=options.memory, progress=report
            ):
                self.tokens.append(batch.ids, batch.lengths, batch.separated)
                self.round_trips = self.round_trips and batch.round_trips
                with options.timed("metadata"):
                    self._add_records(metadata, batch.records)
                _check_memory_of_reading(options)
            metadata.finish()
            self.tokens.close()
        options.stages["reading"] -= options.stages["metadata"]

    def _add_records(self, metadata: MetadataWriter, records: list[DocumentRecord] | NumberedLines) -> None:
        from anygram.ingest import NumberedLines

        if isinstance(records, NumberedLines):
            metadata.add_lines(records.source, records.first_line, len(records))
            self.has_metadata = self.has_metadata or records.source is not None
            return
        for record in records:
            metadata.add(*record)
            self.has_metadata = self.has_metadata or bool(record[0]) or record[1:] != (None, None, None)

    @property
    def vocab_size(self) -> int:
        """What the tokenizer says; without one, one more than the largest id."""
        return self.tokens.max_token + 1 if self._tokenizer is None else self._tokenizer.vocab_size

    def metadata(self) -> MetadataReader:
        import mmap

        from anygram.metadata import MetadataReader

        with self._metadata_path.open("rb") as file:
            return MetadataReader(memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)))


def _build_shard(
    spool: _Spool, run: _core.DocumentRun, partial: Path, vocab_size: int, options: _Options
) -> ShardEntry:
    """Builds one shard in a folder beside `partial`, named after the shard's id."""
    partial.mkdir()
    builder = _core.ShardBuilder(
        str(partial),
        vocab_size=vocab_size,
        profile=options.profile,
        threads=options.threads,
        memory=max(1, options.memory - memory_in_use() - _SPARE_BYTES),
        sync=options.sync,
    )
    total = spool.tokens.num_tokens + spool.tokens.num_documents
    before = run.stream_begin
    with options.timed("writing"):
        builder.write_tokens(spool.tokens, run, options.report("writing", before, total))
    with options.timed("metadata"):
        if spool.has_metadata:
            end = run.first_document + run.num_documents
            builder.write_metadata(spool.metadata().slice(run.first_document, end))
    with options.timed("sorting"):
        builder.sort(options.report("sorting", before, total))
    with options.timed("syncing"):
        checksum = builder.finish()
    name = content_hash(_core.content_checksums(str(partial)))
    final = partial.with_name(name)
    if final.exists():  # another part of the corpus has the same documents
        shutil.rmtree(partial)
    else:
        partial.rename(final)
    return ShardEntry(name, run.num_tokens, run.num_documents, checksum)


def _tokenizer_entry(tokenizer: Tokenizer | None, round_trips: bool) -> TokenizerEntry | None:
    if tokenizer is None:
        return None
    # Of a path, its name alone: the same corpus gives the same index wherever the tokenizer lies.
    return TokenizerEntry(tokenizer.kind, _spec_name(tokenizer.spec), tokenizer.hash, round_trips)


def _spec_name(spec: str) -> str:
    if spec.startswith(("hf:", "tiktoken:")):
        return spec
    scheme = "sentencepiece:" if spec.startswith("sentencepiece:") else ""
    return scheme + Path(spec.removeprefix(scheme)).name


@contextmanager
def _scratch_folder(scratch: str | os.PathLike[str] | None, place: Path) -> Iterator[Path]:
    import tempfile

    with tempfile.TemporaryDirectory(prefix="anygram-", dir=place if scratch is None else scratch) as folder:
        yield Path(folder)


def index_bytes(num_tokens: int, num_documents: int, vocab_size: int, profile: Profile) -> int:
    """How much disk an index takes, without metadata; a little more than it will be."""
    per_token = _core.width_for(vocab_size) + _ORDER_BYTES[profile]
    return int(num_tokens * per_token + num_documents * 8) + (1 << 16)


def _check_room(folder: Path, spool: _Spool, vocab_size: int, options: _Options) -> None:
    """Better refused before the work than after it."""
    tokens = spool.tokens
    needed = index_bytes(tokens.num_tokens, tokens.num_documents, vocab_size, options.profile)
    if needed > shutil.disk_usage(folder).free:
        raise disk_full(folder, needed)


def _usual_memory() -> int:
    """Half of what there is; but so small a machine is not worth refusing."""
    available = available_memory()
    return max(available // 2, min(available, 10**9))


def _least_memory(stream_length: int, width: int, profile: Profile) -> int:
    """Bytes without which a shard of so many tokens and document ends cannot be built."""
    return _BASE_BYTES + _core.least_memory(stream_length, width, profile)


def _longest_stream(memory: int, width: int, profile: Profile) -> int:
    """Tokens and document ends of the largest shard that so many bytes are enough for; 0 if they are for none."""
    longest, too_long = 0, _MAX_STREAM_LENGTH + 1
    while too_long - longest > 1:
        middle = (longest + too_long) // 2
        if _least_memory(middle, width, profile) <= memory:
            longest = middle
        else:
            too_long = middle
    return longest


def _check_memory_of_arrays(corpus: Corpus, tokenizer: Tokenizer | None, options: _Options) -> None:
    """Of arrays it is known how large they are, so too little memory is refused before they are read."""
    facts = corpus.array_facts()
    if facts is None:
        if options.memory < _BASE_BYTES:
            raise _too_little_memory(_BASE_BYTES, options, None)
        return
    width = _core.width_for(facts.largest + 1 if tokenizer is None else tokenizer.vocab_size)
    shards = options.shards or max(1, -(-facts.stream_length // _MAX_STREAM_LENGTH))
    least = _least_memory(-(-facts.stream_length // shards), width, options.profile)
    if least > options.memory:
        longest = _longest_stream(options.memory, width, options.profile)
        # Documents are not cut, so the largest shard is a little larger than the others.
        enough = -(-facts.stream_length // int(longest * 0.99)) if longest > 1000 else None
        raise _too_little_memory(least, options, enough)


def _check_memory(spool: _Spool, runs: list[_core.DocumentRun], vocab_size: int, options: _Options) -> None:
    """Better refused before the sort than killed in it."""
    width = _core.width_for(vocab_size)
    _core.release_memory()
    # A tokenizer may be larger than what is reckoned for all of Python.
    excess = max(0, memory_in_use() + _SPARE_BYTES - _BASE_BYTES)
    least = max(_least_memory(run.num_tokens + run.num_documents, width, options.profile) + excess for run in runs)
    if least <= options.memory:
        return
    longest = _longest_stream(options.memory - excess, width, options.profile)
    try:
        enough = len(spool.tokens.cut(0, longest)) if longest else None
    except LimitError:
        enough = None
    raise _too_little_memory(least, options, enough)


def _check_memory_of_reading(options: _Options) -> None:
    """A vocabulary that is learned, or one huge document, may take any memory."""
    if memory_in_use() > options.memory:
        _core.release_memory()
        if (taken := memory_in_use()) > options.memory:
            raise LimitError(
                f"reading and tokenizing take {taken / 1e9:.3f} GB, and {options.memory / 1e9:.3f} GB are allowed: "
                "allow more (memory=, --memory)"
            )


def _too_little_memory(least: int, options: _Options, shards: int | None) -> LimitError:
    parts = f", or cut the index into {shards:,} shards (shards=, --shards)" if shards else ""
    return LimitError(
        f"this build takes at least {least / 1e9:.3f} GB of memory, and {options.memory / 1e9:.3f} GB are allowed: "
        f"allow more (memory=, --memory){parts}"
    )


@dataclass(frozen=True)
class Plan:
    """What a build would need.

    Attributes:
        num_documents: documents of the corpus.
        num_tokens: their tokens.
        num_shards: parts to be sorted independently.
        memory_bytes: the most memory in use at once.
        least_memory_bytes: the least `memory` with which it can be done.
        scratch_bytes: disk for temporary files while it runs.
        index_bytes: disk for the index.
        seconds: how long it takes, roughly.
        exact: whether the whole corpus was read; otherwise the numbers are scaled up from its beginning.
    """

    num_documents: int
    num_tokens: int
    num_shards: int
    memory_bytes: int
    least_memory_bytes: int
    scratch_bytes: int
    index_bytes: int
    seconds: float
    exact: bool


def plan(
    documents: Corpus | Iterable[object],
    *,
    tokenizer: object,
    shards: int | None = None,
    memory: int | None = None,
    threads: int | None = None,
    profile: Profile = "fast",
) -> Plan:
    """What `build` would need for these documents; reads at most some seconds of them, and writes nothing.

    Args:
        documents: as in `build`; they are read again by a build, so standard input cannot be planned.
        tokenizer: as in `build`.
        shards: as in `build`.
        memory: as in `build`.
        threads: as in `build`.
        profile: as in `build`.

    Raises:
        InputError: as in `build`.
    """
    from anygram.ingest import ingest
    from anygram.io import as_corpus
    from anygram.tokenizers import open_tokenizer

    chosen = open_tokenizer(tokenizer)
    corpus = as_corpus(documents)
    threads = threads or available_cpus()
    reading_bytes = memory_in_use()
    started = time.perf_counter()
    num_tokens = num_documents = max_token = 0
    exact = True
    for batch in ingest(corpus, chosen, threads=threads, memory=memory):
        num_tokens += batch.num_tokens
        num_documents += len(batch.lengths)
        max_token = max(max_token, int(batch.tokens.max(initial=0)))
        reading_bytes = max(reading_bytes, memory_in_use())
        if corpus.num_bytes and time.perf_counter() - started > _PLAN_SECONDS:
            exact = corpus.num_bytes_read >= corpus.num_bytes
            break
    seconds = time.perf_counter() - started
    scale = 1.0
    if not exact and corpus.num_bytes:
        scale = max(1.0, corpus.num_bytes / max(1, corpus.num_bytes_read))
    vocab_size = max_token + 1 if chosen is None else chosen.vocab_size
    tokens, count = int(num_tokens * scale), int(num_documents * scale)
    width = _core.width_for(vocab_size)
    num_shards = shards or -(-(tokens + count) // 2**32)
    in_shard = -(-tokens // num_shards)
    sorting_bytes = max(memory_in_use(), _USUAL_BYTES) + int(in_shard * (width + _SORT_BYTES))
    return Plan(
        num_documents=count,
        num_tokens=tokens,
        num_shards=num_shards,
        memory_bytes=max(reading_bytes, min(memory or _usual_memory(), sorting_bytes)),
        least_memory_bytes=_least_memory(in_shard + -(-count // num_shards), width, profile),
        # The spooled stream of a single shard becomes that of the index.
        scratch_bytes=(tokens + count) * width * (num_shards > 1) + count * 4,
        index_bytes=index_bytes(tokens, count, vocab_size, profile),
        seconds=seconds * scale + tokens * _SORT_SECONDS / threads,
        exact=exact,
    )


def checked_profile(profile: Profile) -> Profile:
    """The profile, if it is one."""
    if profile not in ("fast", "lean"):
        raise InputError(f"the profile is 'fast' or 'lean', found {profile!r}")
    return profile


def at_least_1(value: object, name: str) -> int | None:
    """An option that is a number from 1 up, or None."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InputError(f"{name} is an int from 1 up, found {value!r}")
    return value
