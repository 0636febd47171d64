"""A report as a file, by the file's suffix."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from anygram.analysis.report_table import ReportTable
from anygram.errors import InputError
from anygram.io.tables import write_table

SUFFIXES = (".html", ".json", ".jsonl", ".csv", ".parquet")


def save_report(
    path: Path,
    *,
    page: Callable[[], str],
    data: Callable[[], Mapping[str, Any]],
    table: Callable[[], ReportTable],
) -> None:
    """Writes one form of a report.

    Args:
        path: where to; its suffix says which form.
        page: the page of HTML.
        data: all of it, for .json.
        table: the table, for the others.

    Raises:
        InputError: the suffix is unknown.
        MissingExtraError: what writes such a file is not installed.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"unknown suffix {path.suffix!r}; a report is written as {', '.join(SUFFIXES)}", str(path))
    if suffix == ".html":
        path.write_text(page(), encoding="utf-8", errors="backslashreplace")
    elif suffix == ".json":
        path.write_text(json.dumps(data(), allow_nan=False) + "\n", encoding="ascii")
    else:
        write_table(table().columns(), path)
