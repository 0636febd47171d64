"""The arguments and flags that several verbs share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from anygram.cli.exits import UsageError
from anygram.cli.output import Delivery
from anygram.cli.sizes import parse_size

if TYPE_CHECKING:
    from anygram.index import Index


class ContextUnit(StrEnum):
    """What the width of a context is counted in."""

    TOKENS = "tokens"
    WORDS = "words"
    CHARACTERS = "characters"


class MatchKind(StrEnum):
    """What a text is looked for as."""

    TOKENS = "tokens"
    TEXT = "text"


_SUFFIXES = (".html", ".json", ".jsonl", ".csv", ".parquet")

IndexPath: TypeAlias = Annotated[Path, typer.Argument(metavar="INDEX", help="The folder of an index.")]
Texts: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="TEXT",
        help="Literal text, encoded by the index's tokenizer. Put -- before one that begins with a dash.",
        show_default=False,
    ),
]
File: TypeAlias = Annotated[
    str | None, typer.Option("-f", "--file", metavar="FILE", help="Read texts from a file, one a line; - is stdin.")
]
TokenIds: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--token-ids", metavar="IDS", help='Token ids in place of text: "5 6 7". May be repeated.'),
]
Backoff: TypeAlias = Annotated[
    bool, typer.Option("--backoff", help="Use the longest suffix of the prompt that occurs (the ∞-gram).")
]


def _memory(text: str) -> int:
    """A size as an option gives it."""
    try:
        return parse_size(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


Memory: TypeAlias = Annotated[
    int | None,
    typer.Option(
        parser=_memory,
        metavar="SIZE",
        help="Stay within this, for instance 8GB or 512MiB.",
        show_default="half of what this process may use",
    ),
]
Threads: TypeAlias = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Use N threads.", show_default="all this process may use")
]
Where: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="CONDITION",
        help="Only in documents whose fields fulfil it: \"source = 'web' AND year >= 2020\".",
    ),
]
Match: TypeAlias = Annotated[
    MatchKind,
    typer.Option(help="Look for the tokens that the text is encoded to, or for the text whatever its tokens are."),
]
IgnoreCase: TypeAlias = Annotated[
    bool, typer.Option("--ignore-case", help="With --match text: letters of either case are the same.")
]
Unit: TypeAlias = Annotated[
    ContextUnit, typer.Option(help="What --width counts: words as the tokenizer `words` splits them.")
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def _known_suffix(output: Path | None) -> Path | None:
    # Refused before the work, not after it.
    if output is not None and output.suffix.lower() not in _SUFFIXES:
        raise typer.BadParameter(f"expected a name that ends in {' '.join(_SUFFIXES)}, found {output.name!r}")
    return output


Output: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help=f"Write a table, by suffix: {' '.join(_SUFFIXES)}.",
        callback=_known_suffix,
        dir_okay=False,
    ),
]


def open_index(path: Path) -> Index:
    """Open the index, importing the engine only now."""
    import anygram

    return anygram.open(path)


def delivery(json: bool, output: Path | None = None) -> Delivery:
    """Where the answer goes."""
    return Delivery(json, output)


def named_paths(given: Sequence[str], name_of: Callable[[str], str], what: str) -> dict[str, str]:
    """Inputs by name: as NAME=PATH says, or called by their files.

    Args:
        given: the arguments.
        name_of: what a file's input is called.
        what: they are, for messages: "benchmarks".
    """
    named: dict[str, str] = {}
    for one in given:
        name, equals, path = one.partition("=")
        if not equals or Path(one).exists():
            name, path = name_of(one), one
        if name in named:
            raise UsageError(f"two {what} are called {name!r}: name them, as NAME=PATH")
        named[name] = path
    return named
