"""Documents into batches of tokens: read, encoded on all cores, handed on in the input's order.

Reading goes on in the caller's thread while earlier batches are encoded elsewhere; only a few batches exist at a time.
What comes out does not depend on how many threads there are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple, TypeAlias, TypeVar

import numpy as np

from anygram.errors import InputError, LimitError
from anygram.io import Corpus, Record, TokenBlock, TokenIds, as_corpus
from anygram.machine import available_cpus, memory_in_use
from anygram.tokenizers import MISSING_TOKENIZER
from anygram.tokenizers.utf8 import BytesTokenizer
from anygram.tokenizers.words import WordsTokenizer, number_words
from anygram.types import Int64Array, Metadata, Ragged, TokenArray, Tokenizer

#: Called with the bytes done and, if it is known, how many there are.
Progress: TypeAlias = Callable[[int, int | None], None]

#: Metadata, source, line and id of a document: what `MetadataWriter.add` takes.
DocumentRecord: TypeAlias = tuple[Metadata, str | None, int | None, str | None]

_BATCH_BYTES = 1 << 20  # of text: small enough to end soon after Ctrl-C, large enough for many cores
_LEAST_BATCH_BYTES = 1 << 17
_BATCH_DOCUMENTS = 1 << 14
_BATCH_COST = 100  # bytes of memory for each byte of text in a batch, from its reading to its last use
_LONE_COST = 130  # the same for one document with a library's tokenizer: it keeps that much of each text it encodes
_PROCESS_BYTES = 60_000_000  # memory of another process that splits words
_IN_PROCESS_BYTES = 1 << 23  # of text, whose words are split sooner than other processes would start

_T = TypeVar("_T")


@dataclass(frozen=True)
class NumberedLines:
    """What is known of consecutive documents of one source that have nothing but their numbers there."""

    source: str | None
    first_line: int | None
    num_documents: int

    def __len__(self) -> int:
        return self.num_documents

    def __iter__(self) -> Iterator[DocumentRecord]:
        for number in range(self.num_documents):
            yield {}, self.source, None if self.first_line is None else self.first_line + number, None


class Batch(NamedTuple):
    """Consecutive documents, as tokens.

    Attributes:
        ids: the tokens of all of them, one after another.
        lengths: tokens of each.
        records: what is known of each beside.
        num_bytes: of their text, in UTF-8; for documents given as ids, 0.
        round_trips: whether decoding gives each text back. False for documents given as ids, whose text is not known.
        separated: whether in `ids` one id that is no token stands behind each document.
    """

    ids: TokenIds
    lengths: Int64Array
    records: list[DocumentRecord] | NumberedLines
    num_bytes: int
    round_trips: bool
    separated: bool = False

    @property
    def num_tokens(self) -> int:
        """Tokens of all documents."""
        return len(self.ids) - len(self.lengths) * self.separated

    @property
    def tokens(self) -> TokenArray:
        """The tokens of all documents and nothing else; a copy if `ids` is not that."""
        tokens = np.delete(self.ids, np.cumsum(self.lengths + 1) - 1) if self.separated else self.ids
        return tokens.astype(np.uint32, copy=False)


@dataclass
class _Group:
    """Documents that become a batch: all texts, or all ids, or what came as a block."""

    block: TokenBlock | None = None

    texts: list[str] = field(default_factory=list)
    ids: list[TokenArray] = field(default_factory=list)  # of each document
    records: list[DocumentRecord] = field(default_factory=list)
    size: int = 0  # characters, or bytes of ids
    bytes_read: int = 0  # of the whole input, when it was cut

    def add(self, record: Record) -> None:
        if record.text is not None:
            self.texts.append(record.text)
            self.size += len(record.text)
        elif record.tokens is not None:
            self.ids.append(record.tokens)
            self.size += record.tokens.nbytes
        self.records.append((record.metadata, record.source, record.line, record.id))

    def takes(self, record: Record, batch_bytes: int) -> bool:
        """Whether there is room for a document of this kind."""
        fits = self.size < batch_bytes and len(self.records) < _BATCH_DOCUMENTS
        return not self.records or (fits and (record.text is not None) == bool(self.texts))


def ingest(
    documents: Corpus | Iterable[object],
    tokenizer: Tokenizer | None,
    *,
    threads: int | None = None,
    memory: int | None = None,
    progress: Progress | None = None,
) -> Iterator[Batch]:
    """The documents as tokens, batch after batch, in their order.

    Args:
        documents: what `build` takes.
        tokenizer: encodes text; one that numbers words learns them on the way. None if the documents are ids.
        threads: how many cores to use; None for all that this process may.
        memory: bytes to use, with all that the process holds already; batches are smaller then, and other processes
            fewer. None for no bound.
        progress: called after each batch, in the caller's thread.

    Raises:
        InputError: a document is bad, there is none, or the tokenizer does not fit what the documents are.
    """
    corpus = as_corpus(documents)
    threads = threads or available_cpus()
    num_bytes_encoded = 0
    bounds = _Bounds.within(memory, threads)
    for group, batch in _encode(_groups(corpus, tokenizer, bounds), tokenizer, threads, bounds.processes):
        yield batch
        num_bytes_encoded += batch.num_bytes or batch.ids.nbytes
        if progress is not None:
            # Objects have no size on disk: what became of them is counted instead.
            progress(group.bytes_read or num_bytes_encoded, corpus.num_bytes)


class _Bounds(NamedTuple):
    """How much is under way at once."""

    batch_bytes: int = _BATCH_BYTES
    processes: int = 1
    room: int | None = None  # bytes of memory for documents under way

    @classmethod
    def within(cls, memory: int | None, threads: int) -> _Bounds:
        """What a bound of memory leaves room for, beside what this process holds already."""
        if memory is None:
            return cls(processes=threads)
        room = max(0, memory - memory_in_use())
        # Of the batches under way, two are being encoded at any time, and the others are little more than their text.
        batch_bytes = max(min(_LEAST_BATCH_BYTES, _BATCH_BYTES), min(_BATCH_BYTES, room // (2 * _BATCH_COST)))
        return cls(batch_bytes, min(threads, room // 2 // _PROCESS_BYTES), room)


def _groups(corpus: Corpus, tokenizer: Tokenizer | None, bounds: _Bounds) -> Iterator[_Group]:
    group = _Group()
    for part in corpus.parts():
        _check_fits(part, tokenizer)
        if isinstance(part, Record) and part.text is not None and bounds.room is not None:
            _check_memory(part, tokenizer, bounds.room)
        if isinstance(part, TokenBlock):
            if group.records:
                yield group
                group = _Group()
            yield _Group(block=part, size=part.ids.nbytes, bytes_read=corpus.num_bytes_read)
            continue
        if not group.takes(part, bounds.batch_bytes):
            yield group
            group = _Group()
        group.add(part)
        group.bytes_read = corpus.num_bytes_read
    if group.records:
        yield group


def _check_fits(part: Record | TokenBlock, tokenizer: Tokenizer | None) -> None:
    if isinstance(part, TokenBlock):
        is_text, line = False, part.first_line
    else:
        is_text, line = part.text is not None, part.line
    if is_text and tokenizer is None:
        raise InputError(MISSING_TOKENIZER, part.source, line)
    if not is_text and isinstance(tokenizer, WordsTokenizer):
        raise InputError(
            f"the document is token ids, and the tokenizer {tokenizer.spec!r} numbers the words of texts: "
            "give tokenizer='none', or the tokenizer that made the ids",
            part.source,
            line,
        )


def _check_memory(document: Record, tokenizer: Tokenizer | None, room: int) -> None:
    """A document is encoded as a whole, and nothing bounds what a library takes for that but its length."""
    if isinstance(tokenizer, WordsTokenizer | BytesTokenizer) or document.text is None:
        return
    needed = len(document.text) * _LONE_COST
    if needed > room:
        place = f"{document.source}:{document.line}" if document.line else document.source or "a document"
        raise LimitError(
            f"{place}: to tokenize a text of {len(document.text):,} characters takes about {needed / 1e9:.3f} GB of "
            f"memory, and {room / 1e9:.3f} GB are left of what is allowed: allow more (memory=, --memory), or split it"
        )


def _encode(
    groups: Iterator[_Group], tokenizer: Tokenizer | None, threads: int, processes: int
) -> Iterator[tuple[_Group, Batch]]:
    if isinstance(tokenizer, WordsTokenizer):
        return _encode_words(groups, tokenizer, processes)
    if tokenizer is None or isinstance(tokenizer, BytesTokenizer):
        encoder = _Encoder(tokenizer, one_by_one=False)
        return ((group, encoder.encode(group)) for group in groups)
    return _encode_in_threads(groups, tokenizer, threads)


class _Encoder:
    """Makes batches of groups, in any thread."""

    def __init__(self, tokenizer: Tokenizer | None, one_by_one: bool) -> None:
        self._tokenizer = tokenizer
        self._one_by_one = one_by_one
        self._round_trips = True

    def encode(self, group: _Group) -> Batch:
        if group.block is not None:
            ids, lengths, separated, *_ = group.block
            return Batch(ids, lengths, _records_of(group.block), 0, False, separated)
        if self._tokenizer is None or group.ids:
            return _batch(group, Ragged.from_sequences(group.ids), round_trips=False)
        ragged = self._encode_texts(self._tokenizer, group.texts)
        # One text that does not come back settles it; looking at more would only cost time.
        round_trips = self._round_trips and self._tokenizer.round_trips(group.texts, ragged)
        self._round_trips = self._round_trips and round_trips
        return _batch(group, ragged, round_trips)

    def _encode_texts(self, tokenizer: Tokenizer, texts: list[str]) -> Ragged:
        if self._one_by_one:
            return Ragged.from_sequences(tokenizer.encode_batch([text]).values for text in texts)
        return tokenizer.encode_batch(texts)


def _records_of(block: TokenBlock) -> list[DocumentRecord] | NumberedLines:
    numbered = NumberedLines(block.source, block.first_line, len(block.lengths))
    if block.details is None:
        return numbered
    return [
        (metadata, source, line, name)
        for (metadata, name), (_, source, line, _) in zip(block.details, numbered, strict=True)
    ]


def _batch(group: _Group, ragged: Ragged, round_trips: bool) -> Batch:
    num_bytes = sum(len(text) if text.isascii() else len(text.encode()) for text in group.texts)
    return Batch(ragged.values, ragged.lengths, group.records, num_bytes, round_trips)


def _encode_in_threads(groups: Iterator[_Group], tokenizer: Tokenizer, threads: int) -> Iterator[tuple[_Group, Batch]]:
    # A tokenizer of the library encodes a batch on all cores, whoever calls. Two callers keep them busy: while one
    # makes arrays of ids, the other encodes. For fewer cores, each caller gives it one text at a time.
    all_cores = threads >= available_cpus()
    encoder = _Encoder(tokenizer, one_by_one=not all_cores)
    callers = 2 if all_cores else threads
    with _ending(ThreadPoolExecutor(callers, thread_name_prefix="anygram-encode")) as executor:
        yield from _in_order(groups, lambda group: executor.submit(encoder.encode, group), callers + 2)


def _encode_words(
    groups: Iterator[_Group], tokenizer: WordsTokenizer, processes: int
) -> Iterator[tuple[_Group, Batch]]:
    size = 0
    for group in groups:
        if processes > 1 and size >= _IN_PROCESS_BYTES:
            yield from _encode_words_in_processes(chain([group], groups), tokenizer, processes)
            return
        size += group.size
        yield group, _batch(group, tokenizer.learn(group.texts), round_trips=False)


def _encode_words_in_processes(
    groups: Iterator[_Group], tokenizer: WordsTokenizer, processes: int
) -> Iterator[tuple[_Group, Batch]]:
    # Splitting is Python's work, for which threads are no help; loky's processes need no `if __name__ == "__main__"`.
    import loky

    with _ending(loky.ProcessPoolExecutor(processes)) as executor:
        numbered = _in_order(
            groups, lambda group: executor.submit(number_words, group.texts, tokenizer.fold), 2 * processes + 1
        )
        # Vocabularies are merged here, in the input's order, so that the numbers are those of one thread.
        for group, words in numbered:
            yield group, _batch(group, tokenizer.merge(words), round_trips=False)


def _in_order(
    groups: Iterator[_Group], submit: Callable[[_Group], Future[_T]], limit: int
) -> Iterator[tuple[_Group, _T]]:
    """What becomes of each group, in order, with at most `limit` of them under way."""
    under_way: deque[tuple[_Group, Future[_T]]] = deque()
    for group in groups:
        under_way.append((group, submit(group)))
        # Those that are done are handed on at once; the oldest is waited for only when there are many.
        while under_way and (len(under_way) >= limit or under_way[0][1].done()):
            done, future = under_way.popleft()
            yield done, future.result()
    while under_way:
        done, future = under_way.popleft()
        yield done, future.result()


@contextmanager
def _ending(executor: Executor) -> Iterator[Executor]:
    """Ends an executor's work at once if the caller ends early: nothing is waited for, no process stays."""
    try:
        yield executor
    finally:
        if isinstance(executor, ThreadPoolExecutor):
            executor.shutdown(wait=False, cancel_futures=True)
        else:
            executor.shutdown(wait=True, kill_workers=True)  # type: ignore[call-arg]  # loky's has it
