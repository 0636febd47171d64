"""Answers on stdout or in a file; everything else belongs on stderr."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import typer

from anygram.results.base import plain
from anygram.results.text import visible

if TYPE_CHECKING:
    from rich.text import Text

Columns: TypeAlias = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Delivery:
    """What the user asked for: `--json`, `-o FILE`, both, or neither."""

    json: bool
    output: Path | None = None

    def deliver(self, verb: str, answer: Mapping[str, Any], columns: Columns, show: Callable[[], None]) -> None:
        """Give the answer in each form that was asked for.

        Args:
            verb: the command, which names the JSON's schema.
            answer: the JSON object, without its schema.
            columns: the table for `-o`.
            show: prints the answer for people; called if nothing else was asked for.
        """
        if self.output is not None:
            from anygram.io.tables import write_table

            write_table(columns, self.output)
        if self.json:
            print_json(verb, answer)
        elif self.output is None:
            show()


def print_json(verb: str, answer: Mapping[str, Any]) -> None:
    """One object on one line, nan as null. Text is ASCII-escaped: any terminal and any locale can take it."""
    typer.echo(json.dumps({"schema": f"anygram.{verb}/1", **plain(answer)}, allow_nan=False))


def on_terminal() -> bool:
    """Whether a person reads stdout."""
    return sys.stdout.isatty()


def note(text: str) -> None:
    """A remark on stderr."""
    typer.echo(visible(text), err=True)


def table_of(records: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, list[Any]]:
    """Columns from records."""
    return {name: [record[name] for record in records] for name in names}


def show_table(columns: Columns) -> None:
    """A table for people: aligned on a terminal, else with tabs between the cells, for `cut` and `sort`.

    Cells are made visible (see `visible`), so that neither a terminal nor a line is broken by what a corpus holds.
    """
    rows = [[_cell(cell) for cell in row] for row in zip(*columns.values(), strict=True)]
    if not on_terminal():
        for line in [list(columns), *rows]:
            typer.echo("\t".join(line))
        return
    from rich.cells import cell_len

    lines = [list(columns), *rows]
    widths = [max(cell_len(line[column]) for line in lines) for column in range(len(columns))]
    numeric = [all(isinstance(value, int | float) for value in values) for values in columns.values()]
    for number, line in enumerate(lines):
        cells = [
            " " * (width - cell_len(cell)) + cell if right else cell + " " * (width - cell_len(cell))
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ]
        typer.secho("  ".join(cells).rstrip(), bold=True if number == 0 else None)


def show_facts(facts: Mapping[str, object]) -> None:
    """Names and values, one a line."""
    width = max(map(len, facts))
    for name, value in facts.items():
        typer.echo(f"{name:<{width}}  {_cell(value)}")


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return "nan" if math.isnan(value) else f"{value:.6g}"
    return "" if value is None else visible(str(value))


def plain_text(text: str) -> Text:
    """Plain text for a table of rich's: no markup of its own, and nothing that would command the terminal."""
    from rich.text import Text

    return Text(visible(text))


def share_bar(share: float, colour: str = "red") -> Text:
    """A share as a bar."""
    from rich.text import Text

    filled = round(share * 16)
    return Text.assemble(("█" * filled, colour), ("░" * (16 - filled), "dim"))
