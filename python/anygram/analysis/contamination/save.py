"""The report as a file, by the file's suffix."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from anygram.analysis.contamination.page import render
from anygram.analysis.report_table import ReportTable
from anygram.analysis.saving import save_report
from anygram.errors import InvalidQueryError
from anygram.results.base import plain

if TYPE_CHECKING:
    from anygram.analysis.contamination.report import ContaminationReport

TABLES = ("items", "spans", "documents", "rates", "rule_agreement", "subsets", "calibration")


def save(report: ContaminationReport, path: Path, table: str) -> None:
    """See `ContaminationReport.save`."""
    save_report(path, page=lambda: render(report), data=report.to_dict, table=lambda: _table(report, table))


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
