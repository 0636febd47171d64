"""The report as a file, by the file's suffix."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from anygram.analysis.report_table import ReportTable
from anygram.errors import InputError, InvalidQueryError
from anygram.io.tables import write_table
from anygram.results.base import plain

if TYPE_CHECKING:
    from anygram.analysis.contamination.report import ContaminationReport

SUFFIXES = (".html", ".json", ".jsonl", ".csv", ".parquet")
TABLES = ("items", "spans", "documents", "rates", "rule_agreement", "subsets", "calibration")


def save(report: ContaminationReport, path: Path, table: str) -> None:
    """See `ContaminationReport.save`."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"unknown suffix {path.suffix!r}; a report is written as {', '.join(SUFFIXES)}", str(path))
    if suffix == ".html":
        from anygram.analysis.contamination.page import render

        path.write_text(render(report), encoding="utf-8", errors="backslashreplace")
    elif suffix == ".json":
        path.write_text(json.dumps(report.to_dict(), allow_nan=False) + "\n", encoding="ascii")
    else:
        write_table(_table(report, table).columns(), path)


def write_records(records: Iterable[Mapping[str, object]], path: Path) -> None:
    """Writes records as JSON lines."""
    with path.open("w", encoding="utf-8", errors="backslashreplace") as file:
        file.writelines(json.dumps(plain(record), ensure_ascii=False) + "\n" for record in records)


def _table(report: ContaminationReport, name: str) -> ReportTable:
    if name not in TABLES:
        raise InvalidQueryError(f"the tables of a report are {', '.join(TABLES)}, found {name!r}")
    table = getattr(report, name)
    if table is None:
        raise InvalidQueryError("the report was made without calibration: ask for it (calibrate=True)")
    assert isinstance(table, ReportTable)
    return table
