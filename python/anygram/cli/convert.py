"""`anygram convert`."""

from __future__ import annotations

import enum
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from anygram.cli.build import Profile
from anygram.cli.options import Json, Memory, Threads, delivery
from anygram.cli.progress import reporting
from anygram.cli.sizes import format_seconds, format_size


class Format(enum.StrEnum):
    """Whose files."""

    anygram = "anygram"
    infini_gram = "infini-gram"


class TokenDtype(enum.StrEnum):
    """How wide a token of infini-gram is."""

    u8 = "u8"
    u16 = "u16"
    u32 = "u32"


def convert(
    index: Annotated[Path, typer.Argument(metavar="INDEX", help="The folder of an index, of anygram or infini-gram.")],
    *,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="The new index's folder.")],
    to: Annotated[Format, typer.Option(help="Whose files to write.")] = Format.anygram,
    profile: Annotated[
        Profile | None,
        typer.Option(help="fast, or lean: smaller and slower.", show_default="the index's own"),
    ] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(metavar="SPEC", help="From infini-gram's files: what made the tokens, as in build."),
    ] = None,
    token_dtype: Annotated[
        TokenDtype | None,
        typer.Option(
            help="infini-gram: how wide a token is.",
            show_default="what the files show; to them the narrowest that fits",
        ),
    ] = None,
    shards: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="infini-gram: cut into N shards.", show_default="as the index is"),
    ] = None,
    reversed: Annotated[  # noqa: A002  # the flag's name
        bool, typer.Option("--reversed", help="infini-gram: documents from their ends to their beginnings (version 5).")
    ] = False,
    unigrams: Annotated[bool, typer.Option("--unigrams", help="infini-gram: how often each token occurs.")] = False,
    memory: Memory = None,
    threads: Threads = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the index that stands there.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Show no progress.")] = False,
    json: Json = False,
) -> None:
    """Write an index again: in another profile, without sorting it again, as the files of infini-gram, or from such."""
    import anygram

    started = time.perf_counter()
    with reporting(quiet) as progress:
        converted = anygram.convert(
            index,
            output,
            to=to.value,
            profile=None if profile is None else profile.value,
            tokenizer=tokenizer,
            token_dtype=None if token_dtype is None else token_dtype.value,
            shards=shards,
            reversed=reversed,
            unigrams=unigrams,
            threads=threads,
            memory=memory,
            overwrite=overwrite,
            progress=progress,
        )
    seconds = time.perf_counter() - started
    with converted:
        answer: dict[str, Any] = {
            "path": str(output),
            "format": to.value,
            "profile": converted.profile if to is Format.anygram else None,
            "num_tokens": converted.num_tokens,
            "num_bytes": sum(file.stat().st_size for file in output.rglob("*") if file.is_file()),
            "seconds": seconds,
        }

    def show() -> None:
        kind = f"profile {answer['profile']}" if to is Format.anygram else "files of infini-gram"
        typer.echo(
            f"{output}: {answer['num_tokens']:,} tokens, {kind}, in {format_seconds(seconds)}; "
            f"{format_size(answer['num_bytes'])}"
        )

    delivery(json).deliver("convert", answer, {}, show)
