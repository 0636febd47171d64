"""`anygram contamination`: is a benchmark in a corpus?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anygram.cli.exits import ExitCode, UsageError
from anygram.cli.options import IndexPath, Json, Threads, named_paths, open_index
from anygram.cli.output import note, on_terminal, plain_text, print_json, share_bar, show_table, table_of
from anygram.cli.progress import reporting

if TYPE_CHECKING:
    from anygram.analysis.contamination.report import ContaminationReport

Benchmarks = Annotated[
    list[str],
    typer.Argument(
        metavar="BENCHMARK",
        help="Files (.jsonl, .json, .parquet, .arrow) or folders of a dataset; NAME=PATH names one.",
    ),
]
FieldNames = Annotated[
    list[str] | None,
    typer.Option(
        "--field",
        metavar="ROLE=NAME",
        help="The field that holds the question, choices, answer or passage; NAME may be a path with dots, and several "
        "with commas. BENCHMARK:ROLE=NAME is of that benchmark alone. May be repeated.",
        show_default="recognised",
    ),
]
ItemId = Annotated[
    str | None,
    typer.Option("--id-field", metavar="NAME", help="The field that names an item.", show_default="recognised"),
]


def contamination(
    index: IndexPath,
    benchmarks: Benchmarks,
    *,
    rule: Annotated[
        list[str] | None,
        typer.Option(
            "--rule",
            metavar="RULE",
            help="A rule, with parameters: llama2:length=20. May be repeated.",
            show_default="all",
        ),
    ] = None,
    field: FieldNames = None,
    id_field: ItemId = None,
    results: Annotated[
        list[str] | None,
        typer.Option(
            "--results",
            metavar="FILE",
            help='How a model did: JSON lines {"id", "score"}; BENCHMARK=FILE for one of several. Or the name of a '
            "field of the items. May be repeated.",
        ),
    ] = None,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Plant canaries: tells how much each rule finds of what is there.")
    ] = False,
    seed: Annotated[int, typer.Option(metavar="N", help="For what is drawn by chance.")] = 0,
    resume: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Keep what was judged there, and go on from it.", file_okay=False),
    ] = None,
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="Write the report: .html (a page), .json (everything), or a table: .csv .parquet .jsonl. "
            "May be repeated.",
            dir_okay=False,
        ),
    ] = None,
    table: Annotated[
        str,
        typer.Option(
            metavar="TABLE", help="Which one: items, spans, documents, rates, rule_agreement, subsets, calibration."
        ),
    ] = "items",
    clean: Annotated[
        Path | None,
        typer.Option(
            "--clean", metavar="FOLDER", help="Write the clean items of each benchmark there, by the first rule."
        ),
    ] = None,
    fail_over: Annotated[
        float | None,
        typer.Option("--fail-over", min=0, max=1, metavar="SHARE", help="Exit with 1 if a rate is over this."),
    ] = None,
    threads: Threads = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Show no progress.")] = False,
    json: Json = False,
) -> None:
    """Which items of benchmarks stand in a corpus, by every published rule, with the evidence.

    Items that are too short for a rule are not applicable to it, never clean.
    """
    import anygram
    from anygram.analysis.contamination.save import TABLES
    from anygram.analysis.saving import SUFFIXES

    for path in output or []:
        if path.suffix.lower() not in SUFFIXES:  # refused before the work, not after it
            raise UsageError(f"-o: expected a name that ends in {' '.join(SUFFIXES)}, found {path.name!r}")
    if table not in TABLES:
        raise UsageError(f"--table: expected one of {', '.join(TABLES)}, found {table!r}")
    named = named_benchmarks(benchmarks)
    with open_index(index) as opened, reporting(quiet) as progress:
        report = anygram.contamination(
            opened,
            named,
            rule or "all",
            fields=parse_fields(field),
            id_field=id_field,
            results=_results(results, list(named)),
            calibrate=calibrate,
            seed=seed,
            resume=resume,
            threads=threads,
            progress=progress,
        )
    for path in output or []:
        report.save(path, table=table)
    if clean is not None:
        _write_clean(report, clean)
    for remark in report.notes:
        note(remark)
    if json:
        print_json("contamination", report.summary())
    elif not output:
        _show(report)
    if fail_over is not None and report.worst_rate() > fail_over:
        note(f"a rate is over {fail_over:g}: {report.worst_rate():.4g}")
        raise typer.Exit(ExitCode.FOUND)


def named_benchmarks(benchmarks: list[str]) -> dict[str, str]:
    """Benchmarks by name: as NAME=PATH says, or called by their files."""
    from anygram.analysis.contamination.benchmarks import name_of_path

    return named_paths(benchmarks, name_of_path, "benchmarks")


def parse_fields(given: list[str] | None) -> dict[str, Any] | None:
    """ROLE=NAME and BENCHMARK:ROLE=NAME, as `anygram.contamination` takes them."""
    fields: dict[str, Any] = {}
    for one in given or []:
        role, equals, names = one.partition("=")
        if not equals or not names:
            raise UsageError(f"--field: expected ROLE=NAME, found {one!r}")
        benchmark, colon, role = role.rpartition(":")
        into = fields.setdefault(benchmark, {}) if colon else fields
        into[role] = names.split(",")
    return fields or None


def _results(given: list[str] | None, benchmarks: list[str]) -> Any:
    if not given:
        return None
    if len(given) == 1 and "=" not in given[0] and not Path(given[0]).exists():
        return dict.fromkeys(benchmarks, given[0])  # the name of a field
    results: dict[str, Any] = {}
    for one in given:
        name, equals, path = one.partition("=")
        if not equals:
            name, path = benchmarks[0], one
            if len(benchmarks) > 1:
                raise UsageError("--results: there are several benchmarks: give BENCHMARK=FILE")
        if name not in benchmarks:
            raise UsageError(f"--results: no benchmark is called {name!r}; there are {', '.join(benchmarks)}")
        results[name] = _read_results(path) if Path(path).exists() else path
    return results


def _read_results(path: str) -> dict[str, object]:
    from anygram.analysis.contamination.sources import read_records
    from anygram.errors import InputError

    found: dict[str, object] = {}
    for record, source, line in read_records(path):
        score = next((record[name] for name in ("score", "correct", "result") if name in record), None)
        if "id" not in record or not isinstance(score, int | float):
            raise InputError('expected {"id": ..., "score": NUMBER} (or "correct" or "result")', source, line)
        found[str(record["id"])] = score
    return found


def _write_clean(report: ContaminationReport, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rule = report.rules[0].name
    for benchmark in report.benchmarks:
        name = "".join(character if character.isalnum() or character in "-_." else "_" for character in benchmark.name)
        path = folder / f"{name.lstrip('.') or 'benchmark'}.jsonl"
        written = report.save_clean(path, benchmark.name, rule)
        note(f"{path}: {written:,} of {len(benchmark):,} items, clean by {rule}")


def _show(report: ContaminationReport) -> None:
    if not on_terminal():
        rates = report.rates.rows()
        show_table(table_of(rates, list(report.rates.columns())))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console()
    for benchmark in report.benchmarks:
        grid = Table(
            title=plain_text(f"{benchmark.name}: {len(benchmark):,} items"), box=box.SIMPLE_HEAD, title_justify="left"
        )
        for heading in ("rule", "contaminated", "applicable", "rate", "95 % interval", "", "labels"):
            grid.add_column(heading, justify="left" if heading in {"rule", "", "labels"} else "right")
        for name, facts in report.summary()["benchmarks"][report.benchmarks.index(benchmark)]["rules"].items():
            rate, (low, high) = facts["rate"], facts["interval"]
            applicable = len(benchmark) - facts["not_applicable"]
            labels = ", ".join(f"{label} {count:,}" for label, count in facts["labels"].items())
            known = rate is not None
            grid.add_row(
                plain_text(name),
                "" if facts["contaminated"] is None else f"{facts['contaminated']:,}",
                f"{applicable:,}",
                f"{rate:.1%}" if known else "–",
                f"{low:.1%} – {high:.1%}" if known else "",
                share_bar(rate) if known else plain_text(""),
                plain_text(labels),
            )
        console.print(grid)
    console.print(plain_text("-o report.html shows the evidence."), style="dim")
