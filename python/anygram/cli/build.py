"""`anygram build`."""

from __future__ import annotations

import time
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anygram.cli.exits import UsageError
from anygram.cli.options import Json, Memory, Threads, delivery
from anygram.cli.output import note, show_facts
from anygram.cli.progress import reporting
from anygram.cli.sizes import format_seconds, format_size

if TYPE_CHECKING:
    from anygram.build import Plan
    from anygram.index import Index


class Profile(StrEnum):
    """How an index trades size for speed."""

    FAST = "fast"
    LEAN = "lean"


class OnError(StrEnum):
    """What a bad record does."""

    STOP = "stop"
    SKIP = "skip"


def build(
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="INPUT", help="Files, folders, globs or URLs of text or token ids; - is stdin."),
    ],
    *,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="The index's folder.")],
    tokenizer: Annotated[
        str | None,
        typer.Option(
            metavar="SPEC",
            help="words, words:fold, bytes, the path of a tokenizer.json, or none.",
        ),
    ] = None,
    text_field: Annotated[str, typer.Option(metavar="NAME", help="The field that holds a record's text.")] = "text",
    tokens_field: Annotated[
        str | None, typer.Option(metavar="NAME", help="The field that holds a record's token ids, in place of text.")
    ] = None,
    id_field: Annotated[
        str | None, typer.Option(metavar="NAME", help="The field that names a document for good.")
    ] = None,
    metadata: Annotated[
        str, typer.Option(metavar="all|none|F,F", help="The other fields to keep.", show_default=True)
    ] = "all",
    lines: Annotated[bool, typer.Option("--lines", help="Each line of a text file is a document.")] = False,
    end_token: Annotated[
        int | None, typer.Option(metavar="ID", help="The id that ends a document in files of token ids.")
    ] = None,
    token_dtype: Annotated[
        str | None, typer.Option(metavar="uint16|uint32", help="The type of the ids in raw files.")
    ] = None,
    shards: Annotated[int | None, typer.Option(min=1, metavar="N", help="Cut the index into N shards.")] = None,
    memory: Memory = None,
    threads: Threads = None,
    profile: Annotated[Profile, typer.Option(help="fast, or lean: smaller and slower.")] = Profile.FAST,
    scratch: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where temporary files go.", show_default="the index's folder")
    ] = None,
    on_error: Annotated[OnError, typer.Option(help="What a record that cannot be read does.")] = OnError.STOP,
    rejects: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --on-error skip: where the skipped records are written.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the index that stands there.")] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Only say what the build would need.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Show no progress.")] = False,
    json: Json = False,
) -> None:
    """Index a corpus: text, JSON lines, Parquet, Arrow or token ids; text compressed or not."""
    if tokenizer is None:
        from anygram.tokenizers import KNOWN_TOKENIZERS

        raise UsageError(f"--tokenizer is missing: {KNOWN_TOKENIZERS}")
    if (on_error is OnError.SKIP) != (rejects is not None):
        raise UsageError("--on-error skip and --rejects FILE belong together: nothing is skipped in silence")

    import anygram

    corpus = anygram.read_corpus(
        *inputs,
        text_field=text_field,
        tokens_field=tokens_field,
        id_field=id_field,
        metadata=metadata,
        lines=lines,
        end_token=end_token,
        token_dtype=token_dtype,
        on_error=on_error.value,
        rejects=rejects,
    )
    if plan:
        planned = anygram.plan(
            corpus, tokenizer=tokenizer, shards=shards, memory=memory, threads=threads, profile=profile.value
        )
        _deliver_plan(planned, json)
        return
    started = time.perf_counter()
    stages: dict[str, float] = {}
    try:
        with reporting(quiet) as progress:
            index = anygram.build(
                corpus,
                output,
                tokenizer=tokenizer,
                shards=shards,
                memory=memory,
                threads=threads,
                profile=profile.value,
                overwrite=overwrite,
                progress=progress,
                scratch=scratch,
                stages=stages,
            )
    except KeyboardInterrupt:
        stands = (output / "CURRENT").exists()
        left = f"the index at {output} is as it was" if stands else f"nothing was left at {output}"
        raise KeyboardInterrupt(f"interrupted: {left}") from None
    with index:
        if corpus.num_rejected:
            note(f"{corpus.num_rejected:,} records could not be read and were skipped: see {rejects}")
        if not quiet:
            for stage, seconds in stages.items():
                note(f"{stage:<8} {seconds:10.3f} s")
        _deliver_built(index, output, corpus.num_rejected, time.perf_counter() - started, stages, json)


def _deliver_built(
    index: Index, output: Path, num_rejected: int, seconds: float, stages: dict[str, float], json: bool
) -> None:
    answer: dict[str, Any] = {
        "path": str(output),
        "num_tokens": index.num_tokens,
        "num_documents": index.num_documents,
        "num_rejected": num_rejected,
        "num_shards": index.num_shards,
        "num_bytes": index.num_bytes,
        "seconds": seconds,
        "stages": stages,
    }

    def show() -> None:
        typer.echo(
            f"{output}: {index.num_tokens:,} tokens of {index.num_documents:,} documents in {format_seconds(seconds)}; "
            f"{format_size(index.num_bytes)}"
        )

    delivery(json).deliver("build", answer, {}, show)


def _deliver_plan(planned: Plan, json: bool) -> None:
    answer = asdict(planned)
    about = "" if planned.exact else "about "

    def show() -> None:
        show_facts(
            {
                "documents": f"{about}{planned.num_documents:,}",
                "tokens": f"{about}{planned.num_tokens:,}",
                "shards": f"{planned.num_shards:,}",
                "memory": f"{about}{format_size(planned.memory_bytes)}, or {format_size(planned.least_memory_bytes)} "
                "at the least (--memory)",
                "scratch": f"{about}{format_size(planned.scratch_bytes)} of disk while it runs",
                "index": f"{about}{format_size(planned.index_bytes)} of disk",
                "time": f"about {format_seconds(planned.seconds)}",
            }
        )

    delivery(json).deliver("plan", answer, {}, show)
