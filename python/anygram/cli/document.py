"""`anygram document`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from anygram.cli.options import IndexPath, Json, Output, delivery, open_index
from anygram.cli.output import note, on_terminal, table_of
from anygram.results.text import visible

if TYPE_CHECKING:
    from anygram.results import Document


def document(
    index: IndexPath,
    numbers: Annotated[list[int], typer.Argument(metavar="NUMBER", help="Documents, from 0 in input order.")],
    output: Output = None,
    json: Json = False,
) -> None:
    """The documents of these numbers: their text, or their token ids if the index has no tokenizer."""
    with open_index(index) as opened:
        found = [opened.document(number) for number in numbers]
    results = [one.to_dict() for one in found]

    def show() -> None:
        for one in found:
            _show(one)

    columns = table_of(results, ["number", "source", "id", "text", "tokens", "metadata"])
    delivery(json, output).deliver("document", {"results": results}, columns, show)


def _show(found: Document) -> None:
    facts = [f"document {found.number}", found.source, found.id, f"{len(found):,} tokens"]
    note(", ".join(fact for fact in facts if fact is not None))
    text = found.text if found.text is not None else " ".join(map(str, found.tokens))
    if on_terminal():
        # Line by line: what breaks lines may stay, what controls the terminal may not.
        text = "\n".join(visible(line) for line in text.splitlines())
    typer.echo(text)
