"""`anygram convert`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from anygram.cli.build import Profile
from anygram.cli.options import IndexPath, Json, Memory, Threads, delivery
from anygram.cli.progress import reporting
from anygram.cli.sizes import format_seconds, format_size


def convert(
    index: IndexPath,
    *,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="The new index's folder.")],
    profile: Annotated[Profile, typer.Option(help="fast, or lean: smaller and slower.")],
    memory: Memory = None,
    threads: Threads = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the index that stands there.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Show no progress.")] = False,
    json: Json = False,
) -> None:
    """Write an index again in another profile, without sorting it again."""
    import anygram

    started = time.perf_counter()
    with reporting(quiet) as progress:
        converted = anygram.convert(
            index,
            output,
            profile=profile.value,
            threads=threads,
            memory=memory,
            overwrite=overwrite,
            progress=progress,
        )
    seconds = time.perf_counter() - started
    with converted:
        answer: dict[str, Any] = {
            "path": str(output),
            "profile": converted.profile,
            "num_tokens": converted.num_tokens,
            "num_bytes": converted.num_bytes,
            "seconds": seconds,
        }

    def show() -> None:
        typer.echo(
            f"{output}: {answer['num_tokens']:,} tokens, profile {answer['profile']}, in {format_seconds(seconds)}; "
            f"{format_size(answer['num_bytes'])}"
        )

    delivery(json).deliver("convert", answer, {}, show)
