"""Decontamination from end to end: evaluations read, documents judged, the list or the filtered corpus written."""

from __future__ import annotations

import gzip
import json
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeAlias, cast

from anygram.analysis.contamination.benchmarks import BenchmarkSource, Fields, read_benchmarks
from anygram.analysis.contamination.items import Item
from anygram.analysis.decontamination.documents import CorpusDocument, Documents
from anygram.analysis.decontamination.result import DroppedDocuments
from anygram.analysis.decontamination.rules import Filter, Judgement, TrainingRule, parse_training_rule
from anygram.errors import InputError, InvalidQueryError
from anygram.machine import available_cpus
from anygram.results.base import plain

if TYPE_CHECKING:
    from anygram.index import Index

Progress: TypeAlias = Callable[[str, int, int | None], None]

_BATCH_CHARACTERS = 1 << 20
_IN_PROCESS_CHARACTERS = 1 << 24  # judged sooner than other processes would start
_SUFFIXES = (".jsonl", ".json", ".jsonl.gz", ".json.gz", ".jsonl.zst", ".json.zst")


def decontaminate(
    corpus: Index | object,
    benchmarks: BenchmarkSource,
    rule: str | TrainingRule = "bff",
    *,
    output: str | os.PathLike[str] | None = None,
    fields: Fields | None = None,
    id_field: str | None = None,
    text_field: str = "text",
    document_id_field: str | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> DroppedDocuments:
    """Which documents of a corpus to drop, so that benchmarks remain what a model has not seen.

    Args:
        corpus: an index, whose documents are decoded; a path or a list of `Path`s, which are streamed; a `Corpus`; or
            an iterable of texts or mappings.
        benchmarks: what `contamination` takes.
        rule: "bff", "dolma", "tulu3" or "decon", with parameters ("bff:length=8"); or as an object.
        output: writes the documents that are kept as JSON lines (.jsonl, also .gz and .zst).
        fields: as in `contamination`.
        id_field: the benchmarks' field that names an item.
        text_field: of a corpus of JSON lines, the field that holds the text.
        document_id_field: the field that names a document.
        threads: how many CPUs to use; None for all.
        progress: called with a stage, what is done of it, and how much there is.

    Cost: every document is read once; memory goes by the benchmarks alone.

    Raises:
        InputError: a benchmark or the corpus cannot be read, or the output cannot be written.
        InvalidQueryError: there is no such rule; the index has no tokenizer; or the kept documents of an index are to
            be written whose texts are not what they were made of.
    """
    chosen = parse_training_rule(rule) if isinstance(rule, str) else rule
    sets = read_benchmarks(benchmarks, fields=fields, id_field=id_field)
    items = tuple(chain.from_iterable(benchmark.items for benchmark in sets))
    documents = Documents(corpus, text_field=text_field, id_field=document_id_field)
    if output is not None and not documents.is_exact:
        raise InvalidQueryError(
            "this index's texts are renderings of what it was built from: filter the files it was built from instead"
        )
    dropped: list[tuple[CorpusDocument, Judgement]] = []
    num_documents = num_bytes = 0
    with ExitStack() as stack:
        kept = None if output is None else stack.enter_context(_open_output(Path(output)))
        for document, judgement in _judged(documents, chosen, items, threads or available_cpus()):
            num_documents += 1
            text = document.text
            num_bytes += len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
            if judgement.dropped:
                dropped.append((document._replace(text="", metadata={}), judgement))
            elif kept is not None:
                kept.write(json.dumps(_record(document, documents), ensure_ascii=False) + "\n")
            if progress is not None and num_documents % 256 == 0:
                progress("judge", document.num_bytes_read, documents.total)
        if progress is not None:
            progress("judge", documents.total or num_documents, documents.total or num_documents)
    return _result(dropped, items, chosen, num_documents, num_bytes)


def _judged(
    documents: Documents, rule: TrainingRule, items: Sequence[Item], processes: int
) -> Iterator[tuple[CorpusDocument, Judgement]]:
    """Each document with its judgement, in order; judged in other processes where there is much of it."""
    judge = rule.filter(items)
    rest = iter(documents)
    characters = 0
    for document in rest:
        yield document, judge(document.text)
        characters += len(document.text)
        if processes > 1 and characters >= _IN_PROCESS_CHARACTERS:
            break
    else:
        return
    # Counting words is Python's work, for which threads are no help; loky's processes need no `if __name__ == ...`.
    import loky

    with loky.ProcessPoolExecutor(processes, initializer=_prepare, initargs=(rule, items)) as executor:
        under_way: deque[tuple[list[CorpusDocument], Future[list[Judgement]]]] = deque()
        try:
            for batch in _batches(rest):
                under_way.append((batch, executor.submit(_judge_texts, [document.text for document in batch])))
                while len(under_way) > 2 * processes or (under_way and under_way[0][1].done()):
                    judged, future = under_way.popleft()
                    yield from zip(judged, future.result(), strict=True)
            for judged, future in under_way:
                yield from zip(judged, future.result(), strict=True)
        finally:
            executor.shutdown(wait=True, kill_workers=True)


_filter: Filter | None = None
"""What judges in a process of its own."""


def _prepare(rule: TrainingRule, items: Sequence[Item]) -> None:
    global _filter
    _filter = rule.filter(items)


def _judge_texts(texts: list[str]) -> list[Judgement]:
    assert _filter is not None
    return [_filter(text) for text in texts]


def _batches(documents: Iterator[CorpusDocument]) -> Iterator[list[CorpusDocument]]:
    while batch := list(islice(documents, 1)):
        size = len(batch[0].text)
        for document in documents if size < _BATCH_CHARACTERS else ():
            batch.append(document)
            size += len(document.text)
            if size >= _BATCH_CHARACTERS:
                break
        yield batch


def _record(document: CorpusDocument, documents: Documents) -> dict[str, Any]:
    """The document as its record was."""
    name = {documents.id_field: document.id} if document.has_id else {}
    return {documents.text_field: document.text, **name, **plain(document.metadata)}


def _open_output(path: Path) -> TextIO:
    name = path.name.lower()
    if not name.endswith(_SUFFIXES):
        raise InputError(f"the kept documents are written as {', '.join(_SUFFIXES)}", str(path))
    try:
        if name.endswith(".gz"):
            return cast(TextIO, gzip.open(path, "wt", encoding="utf-8"))
        if name.endswith(".zst"):
            import zstandard

            return cast(TextIO, zstandard.open(path, "wt", encoding="utf-8"))
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", str(path)) from None


def _result(
    dropped: Sequence[tuple[CorpusDocument, Judgement]],
    items: Sequence[Item],
    rule: TrainingRule,
    num_documents: int,
    num_bytes: int,
) -> DroppedDocuments:
    names = [[f"{items[number].benchmark}/{items[number].id}" for number in one.items] for _, one in dropped]
    return DroppedDocuments(
        document=[document.number for document, _ in dropped],  # type: ignore[arg-type]  # the table makes arrays
        id=[document.id for document, _ in dropped],  # type: ignore[arg-type]
        source=[document.source for document, _ in dropped],  # type: ignore[arg-type]
        line=[document.line or 0 for document, _ in dropped],  # type: ignore[arg-type]
        score=[judgement.score for _, judgement in dropped],  # type: ignore[arg-type]
        benchmark=[items[judgement.items[0]].benchmark for _, judgement in dropped],  # type: ignore[arg-type]
        items=[json.dumps(one, ensure_ascii=False) for one in names],  # type: ignore[arg-type]
        rule=repr(rule),
        num_documents=num_documents,
        num_bytes=num_bytes,
    )
