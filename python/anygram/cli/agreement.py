"""`anygram agreement`: how far a corpus agrees with texts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anygram.cli.exits import UsageError
from anygram.cli.options import IndexPath, Json, named_paths, open_index
from anygram.cli.output import on_terminal, plain_text, print_json, share_bar, show_table, table_of
from anygram.cli.progress import reporting

if TYPE_CHECKING:
    from anygram.analysis.agreement.report import AgreementReport

_MOST_DOMAINS = 20  # on a terminal


def agreement(
    index: IndexPath,
    texts: Annotated[
        list[str],
        typer.Argument(
            metavar="TEXTS",
            help="Files of texts, in the formats of build, each a set called by its file; NAME=PATH names one.",
        ),
    ],
    *,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="FIELD", help='The field of the texts that tells their domain; "source" is the file they came from.'
        ),
    ] = None,
    orders: Annotated[
        str, typer.Option(metavar="N,N", help="Which n-grams: 5 is the 5-gram, inf the ∞-gram.")
    ] = "5,inf",
    argmax: Annotated[
        bool, typer.Option("--argmax", help="Also tell whether each token is the most frequent one; takes longer.")
    ] = False,
    text_field: Annotated[str, typer.Option(metavar="NAME", help="The field that holds a record's text.")] = "text",
    tokens_field: Annotated[
        str | None, typer.Option(metavar="NAME", help="The field that holds token ids, instead of text.")
    ] = None,
    model_probs_field: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The field that holds a neural model's probability of each token, to relate the two.",
        ),
    ] = None,
    lines: Annotated[
        bool, typer.Option("--lines", help="Each line of a text file is a text, instead of the whole file.")
    ] = False,
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="Write the report: .html (a page), .json (all but the single tokens), or a table: .csv .parquet "
            ".jsonl. May be repeated.",
            dir_okay=False,
        ),
    ] = None,
    table: Annotated[
        str,
        typer.Option(
            metavar="TABLE",
            help="Which one: overall, by_effective_n, by_frequency, by_domain, by_model_prob, model_relation, tokens.",
        ),
    ] = "overall",
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Show no progress.")] = False,
    json: Json = False,
) -> None:
    """How far a corpus agrees with texts: each token given all before it, by the Infini-gram paper's measure.

    The corpus agrees with a token if it gives it more than half of the probability.
    """
    import anygram
    from anygram.analysis.agreement.tabulate import TABLES
    from anygram.analysis.agreement.texts import name_of_path
    from anygram.analysis.saving import SUFFIXES

    for path in output or []:
        if path.suffix.lower() not in SUFFIXES:  # refused before the work, not after it
            raise UsageError(f"-o: expected a name that ends in {' '.join(SUFFIXES)}, found {path.name!r}")
    if table not in TABLES:
        raise UsageError(f"--table: expected one of {', '.join(TABLES)}, found {table!r}")
    chosen = _orders(orders)
    sets = {
        name: anygram.read_corpus(path, text_field=text_field, tokens_field=tokens_field, lines=lines)
        for name, path in named_paths(texts, name_of_path, "sets of texts").items()
    }
    with open_index(index) as opened, reporting(quiet) as progress:
        report = anygram.agreement(
            opened, sets, by=by, orders=chosen, model_probs=model_probs_field, argmax=argmax, progress=progress
        )
    for path in output or []:
        report.save(path, table=table)
    if json:
        print_json("agreement", report.summary())
    elif not output:
        _show(report)


def _orders(given: str) -> tuple[int | None, ...]:
    try:
        return tuple(None if one.strip() in {"inf", "∞"} else int(one) for one in given.split(","))
    except ValueError:
        raise UsageError(f"--orders: expected numbers and inf, such as 5,inf; found {given!r}") from None


def _show(report: AgreementReport) -> None:
    if not on_terminal():
        show_table(table_of(report.overall.rows(), list(report.overall.columns())))
        return
    from rich.console import Console

    from anygram.analysis.agreement.figures import main_order
    from anygram.analysis.agreement.tabulate import model_name

    console = Console()
    console.print(_table("", report.overall.rows(), ["set"]))
    if report.by is not None:
        rows: list[dict[str, Any]] = [
            row for row in report.by_domain.rows() if row["order"] == model_name(main_order(report))
        ]
        rows.sort(key=lambda row: (-row["tokens"], row["set"], row["domain"]))
        console.print(_table(f"by {report.by}", rows[:_MOST_DOMAINS], ["domain", "set"]))
        if len(rows) > _MOST_DOMAINS:
            left_out = f"{len(rows) - _MOST_DOMAINS:,} more with fewer tokens: -o domains.csv --table by_domain has all"
            console.print(plain_text(left_out), style="dim")
    console.print(plain_text("-o report.html shows figures, and texts token by token."), style="dim")


def _table(title: str, rows: list[dict[str, Any]], keys: list[str]) -> Any:
    from rich import box
    from rich.table import Table

    grid = Table(title=plain_text(title) if title else None, box=box.SIMPLE_HEAD, title_justify="left")
    for key in [*keys, "order"]:
        grid.add_column("texts" if key == "set" else key)
    for heading in ("tokens", "agreement", "95 % interval", "", "sparse", "agreement", "P = 0", "mean n", "median"):
        grid.add_column(heading, justify="right" if heading else "left")
    has_argmax = bool(rows) and "argmax_agreement" in rows[0]
    if has_argmax:
        grid.add_column("argmax", justify="right")
    for row in rows:
        known = row["tokens"] > 0
        cells = [
            *(plain_text(str(row[key])) for key in keys),
            row["order"],
            f"{row['tokens']:,}",
            _percent(row["agreement"]),
            f"{row['low']:.1%} – {row['high']:.1%}" if known else "",
            share_bar(row["agreement"], "cyan") if known else "",
            _percent(row["sparse_share"]),
            _percent(row["sparse_agreement"]),
            _percent(row["zero_share"]),
            f"{row['mean_effective_n']:.1f}" if known else "–",
            f"{row['median_effective_n']:g}" if known else "–",
        ]
        grid.add_row(*cells, *([_percent(row["argmax_agreement"])] if has_argmax else []))
    return grid


def _percent(share: float) -> str:
    return f"{share:.1%}" if share == share else "–"  # noqa: PLR0124  # nan
