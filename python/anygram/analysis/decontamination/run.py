"""Decontamination from end to end: evaluations read, documents judged, the list or the filtered corpus written."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeAlias, cast

from anygram.analysis.contamination.benchmarks import BenchmarkSource, Fields, read_benchmarks
from anygram.analysis.contamination.items import Item
from anygram.analysis.decontamination.documents import CorpusDocument, Documents
from anygram.analysis.decontamination.result import DroppedDocuments
from anygram.analysis.decontamination.rules import Judgement, TrainingRule, parse_training_rule
from anygram.arguments import optional_integer
from anygram.errors import InputError, InvalidQueryError
from anygram.results.base import plain

if TYPE_CHECKING:
    from anygram.index import Index

Progress: TypeAlias = Callable[[str, int, int | None], None]

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
    count = optional_integer(threads, "threads", 1)
    documents = Documents(corpus, text_field=text_field, id_field=document_id_field, threads=count)
    if output is not None and not documents.is_exact:
        raise InvalidQueryError(
            "this index's texts are renderings of what it was built from: filter the files it was built from instead"
        )
    judge = chosen.filter(items)
    dropped: list[tuple[CorpusDocument, Judgement]] = []
    num_documents = num_bytes = 0
    with ExitStack() as stack:
        kept = None if output is None else stack.enter_context(_open_output(Path(output)))
        for batch in documents.batches():
            judgements = judge.judge(batch)
            num_documents += len(batch)
            num_bytes += batch.num_bytes
            gone = [number for number, judgement in enumerate(judgements) if judgement.dropped]
            for number, document in zip(gone, batch.documents(gone), strict=True):
                dropped.append((document._replace(text="", metadata={}), judgements[number]))
            if kept is not None:
                rest = [number for number, judgement in enumerate(judgements) if not judgement.dropped]
                for document in batch.documents(rest):
                    kept.write(json.dumps(_record(document, documents), ensure_ascii=False) + "\n")
            if progress is not None:
                progress("judge", documents.num_read, documents.total)
        if progress is not None:
            progress("judge", documents.total or num_documents, documents.total or num_documents)
    return _result(dropped, items, chosen, num_documents, num_bytes)


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
