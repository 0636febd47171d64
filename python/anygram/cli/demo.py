"""`anygram demo`: an index over text that every Python brings along, and a few questions to it."""

from __future__ import annotations

import shlex
import sysconfig
import time
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anygram.cli.find import concordance
from anygram.cli.options import Json, delivery, open_index
from anygram.cli.probability import continuations_of
from anygram.cli.progress import reporting
from anygram.cli.queries import Query, encode
from anygram.cli.sizes import format_seconds, format_size
from anygram.errors import AnygramError

if TYPE_CHECKING:
    from anygram.index import Index

# What two slow cores index while one still likes to wait.
_MAX_BYTES = 30_000_000
# Every document says so: a folder whose documents do is the demo's own, and may be replaced.
_CORPUS = "anygram demo: the standard library of Python"

_COUNTED = (
    "self",
    "import os",
    "return None",
    "for i in range",
    "raise NotImplementedError",
    "the file does not exist",
)
_PROMPT = "raise"
_LONG_PROMPT = "words that were never written before : for i in"
_FOUND = "the standard library"


def demo(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Where the index goes.")] = Path(
        "anygram-demo"
    ),
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Show no progress.")] = False,
    json: Json = False,
) -> None:
    """Index the source text of this Python's standard library by words, and ask it a few questions.

    Needs no network and less than a minute. A demo that stands there is replaced, anything else is left alone.
    """
    import anygram

    documents = list(standard_library(Path(sysconfig.get_path("stdlib"))))
    started = time.perf_counter()
    with reporting(quiet) as progress:
        index = anygram.build(documents, output, tokenizer="words", overwrite=_is_demo(output), progress=progress)
    seconds = time.perf_counter() - started
    with index:
        answer = {"path": str(output), "seconds": seconds, **_facts(index), **_answers(index)}
    delivery(json).deliver("demo", answer, {}, lambda: _show(answer))


def standard_library(folder: Path, max_bytes: int = _MAX_BYTES) -> Iterator[dict[str, str]]:
    """The modules of a folder and below as documents, by name, until there are `max_bytes` of them.

    What cannot be read is left out: tests of Python's own decoder are among them.
    """
    num_bytes = 0
    for path in sorted(folder.rglob("*.py")):
        if "site-packages" in path.parts:
            continue
        try:
            with tokenize.open(path) as file:
                text = file.read()
            num_bytes += len(text.encode())
        except (OSError, SyntaxError, UnicodeError):
            continue
        if num_bytes > max_bytes:
            return
        yield {"text": text, "path": path.relative_to(folder).as_posix(), "corpus": _CORPUS}


def _is_demo(folder: Path) -> bool:
    try:
        with open_index(folder) as index:
            return index.num_documents > 0 and index.document(0).metadata.get("corpus") == _CORPUS
    except AnygramError:
        return False


def _facts(index: Index) -> dict[str, int]:
    return {name: getattr(index, name) for name in ("num_tokens", "num_documents", "num_bytes")}


def _answers(index: Index) -> dict[str, Any]:
    counts = [{"ngram": text, "count": index.count(text)} for text in _COUNTED]
    ngrams = [encode(index, text) for text in _COUNTED]
    started = time.perf_counter_ns()
    for ngram in ngrams * 100:
        index.count(ngram)
    nanoseconds = time.perf_counter_ns() - started
    prompt = Query(_PROMPT, encode(index, _PROMPT))
    long_prompt = Query(_LONG_PROMPT, encode(index, _LONG_PROMPT))
    occurrences = index.find(_FOUND)
    found = concordance(index, occurrences, occurrences[:5], width=10)
    for row in found:
        row["source"] = index.document(row["document"]).metadata["path"]
    return {
        "counts": counts,
        "count_microseconds": nanoseconds / 1000 / (100 * len(ngrams)),
        "continuations": continuations_of(index, prompt, top_k=5, backoff=False),
        "backoff": continuations_of(index, long_prompt, top_k=3, backoff=True),
        "find": {
            "ngram": _FOUND,
            "tokens": encode(index, _FOUND),
            "count": len(occurrences),
            "occurrences": found,
        },
    }


def _show(answer: dict[str, Any]) -> None:
    from anygram.cli.find import show_concordance
    from anygram.cli.output import show_table, table_of

    def heading(text: str) -> None:
        typer.secho(f"\n{text}", bold=True)

    typer.echo(
        f"{answer['num_documents']:,} modules of Python's standard library, {answer['num_tokens']:,} words and signs, "
        f"indexed in {format_seconds(answer['seconds'])}: {format_size(answer['num_bytes'])} in {answer['path']}"
    )
    heading(f"How often? ({answer['count_microseconds']:.1f} microseconds a question)")
    show_table(table_of(answer["counts"], ["count", "ngram"]))
    heading(f"What follows {_PROMPT!r}?")
    show_table(table_of(answer["continuations"]["continuations"], ["prob", "count", "text"]))
    backoff = answer["backoff"]
    heading(f"And {_LONG_PROMPT!r}? Only its last {backoff['suffix_length']} tokens occur; after them:")
    show_table(table_of(backoff["continuations"], ["prob", "count", "text"]))
    heading(f"Where is {answer['find']['ngram']!r}?")
    show_concordance(answer["find"]["occurrences"])
    heading("Now you:")
    index = shlex.quote(answer["path"])
    typer.echo(f'  anygram count {index} "your words"\n  anygram find {index} "open source" --sample')
    typer.echo(f'  anygram continuations {index} "def __init__ ( self ,"')
    typer.echo("  anygram build your-corpus.jsonl -o your-index --tokenizer words")
