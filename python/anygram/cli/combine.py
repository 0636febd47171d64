"""`anygram combine`."""

from __future__ import annotations

import enum
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from anygram.cli.options import Json, delivery
from anygram.cli.progress import reporting
from anygram.cli.sizes import format_seconds, format_size


class Copying(enum.StrEnum):
    """How a new index comes by its parts' files."""

    link = "link"
    copy = "copy"


def combine(
    parts: Annotated[list[Path], typer.Argument(metavar="PART...", help="The folders of indexes.")],
    *,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="The new index's folder.")],
    copy: Annotated[
        Copying, typer.Option(help="Link the parts' files where the file system can, or always copy them.")
    ] = Copying.link,
    allow_repeated: Annotated[
        bool, typer.Option("--allow-repeated", help="Count the documents of equal shards as often as they are given.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the index that stands there.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Show no progress.")] = False,
    json: Json = False,
) -> None:
    """Make one index of parts that were built apart, without sorting anything again.

    The parts have the same tokenizer; documents are numbered in their order. The parts stay as they are, and the new
    index does not need them any more.
    """
    import anygram

    started = time.perf_counter()
    with reporting(quiet) as progress:
        combined = anygram.combine(
            parts,
            output,
            overwrite=overwrite,
            copy=copy.value,
            allow_repeated=allow_repeated,
            progress=progress,
        )
    seconds = time.perf_counter() - started
    with combined:
        answer: dict[str, Any] = {
            "path": str(output),
            "num_tokens": combined.num_tokens,
            "num_documents": combined.num_documents,
            "num_shards": combined.num_shards,
            "num_bytes": combined.num_bytes,
            "seconds": seconds,
        }

    def show() -> None:
        typer.echo(
            f"{output}: {answer['num_tokens']:,} tokens in {answer['num_documents']:,} documents, "
            f"{answer['num_shards']} shards of {len(parts)} parts, in {format_seconds(seconds)}; "
            f"{format_size(answer['num_bytes'])}"
        )

    delivery(json).deliver("combine", answer, {}, show)
