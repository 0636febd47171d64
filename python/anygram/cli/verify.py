"""`anygram verify`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from anygram.cli.exits import ExitCode
from anygram.cli.options import IndexPath, Json, delivery
from anygram.cli.output import note, show_table, table_of
from anygram.cli.progress import reporting


def verify(
    index: IndexPath,
    deep: Annotated[bool, typer.Option("--deep", help="Check order, permutation and totals, too: slower.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Show no progress.")] = False,
    json: Json = False,
) -> None:
    """Check every checksum of an index; exits with 1 if something is wrong."""
    import anygram

    with reporting(quiet) as progress:
        verification = anygram.verify(index, deep=deep, progress=progress)
    problems: list[dict[str, Any]] = [
        {"path": str(one.path), "offset": one.offset, "expected": one.expected, "found": one.found}
        for one in verification.problems
    ]
    columns = table_of(problems, ["path", "offset", "expected", "found"])

    def show() -> None:
        if verification.ok:
            typer.echo(f"ok: {index} is whole{' and in order' if deep else ''}")
        else:
            note(f"{len(problems):,} problems in {index}:")
            show_table(columns)

    delivery(json).deliver("verify", {"ok": verification.ok, "problems": problems}, columns, show)
    if not verification.ok:
        raise typer.Exit(ExitCode.FOUND)
