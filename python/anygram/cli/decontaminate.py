"""`anygram decontaminate`: which documents to drop."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from anygram.cli.contamination import Benchmarks, FieldNames, ItemId, named_benchmarks, parse_fields
from anygram.cli.options import Json, Output, Threads, delivery, open_index
from anygram.cli.output import note, show_table, table_of
from anygram.cli.progress import reporting
from anygram.cli.sizes import format_size


def decontaminate(
    corpus: Annotated[Path, typer.Argument(metavar="INDEX|CORPUS", help="An index, or a file or folder of documents.")],
    benchmarks: Benchmarks,
    *,
    rule: Annotated[
        str, typer.Option("--rule", metavar="RULE", help="bff, dolma, tulu3 or decon, with parameters: bff:length=8.")
    ] = "bff",
    kept: Annotated[
        Path | None,
        typer.Option(
            "--kept", metavar="FILE", help="Write the other documents: .jsonl, also .gz and .zst.", dir_okay=False
        ),
    ] = None,
    field: FieldNames = None,
    id_field: ItemId = None,
    text_field: Annotated[str, typer.Option(metavar="NAME", help="The corpus's field that holds the text.")] = "text",
    document_id_field: Annotated[
        str | None, typer.Option(metavar="NAME", help="The corpus's field that names a document.")
    ] = None,
    output: Output = None,
    threads: Threads = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Show no progress.")] = False,
    json: Json = False,
) -> None:
    """Which documents of a corpus to drop for a set of evaluations: the list, or the corpus without them."""
    import anygram

    is_index = (corpus / "CURRENT").exists()
    opened = open_index(corpus) if is_index else None
    try:
        with reporting(quiet) as progress:
            dropped = anygram.decontaminate(
                corpus if opened is None else opened,
                named_benchmarks(benchmarks),
                rule,
                output=kept,
                fields=parse_fields(field),
                id_field=id_field,
                text_field=text_field,
                document_id_field=document_id_field,
                threads=threads,
                progress=progress,
            )
    finally:
        if opened is not None:
            opened.close()
    if not quiet:
        note(
            f"{len(dropped):,} of {dropped.num_documents:,} documents ({dropped.share:.2%}, of "
            f"{format_size(dropped.num_bytes)}) are dropped by {dropped.rule}"
        )
    answer: dict[str, Any] = {
        "rule": dropped.rule,
        "num_documents": dropped.num_documents,
        "num_dropped": len(dropped),
        "kept": None if kept is None else str(kept),
        "dropped": dropped.rows(),
    }
    columns = table_of(answer["dropped"], list(dropped.columns()))
    delivery(json, output).deliver("decontaminate", answer, columns, lambda: show_table(columns))
