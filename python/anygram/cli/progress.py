"""How far a long call is, on stderr: a live line on a terminal, a few plain lines in a log."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import typer

from anygram.cli.sizes import format_seconds, format_size

if TYPE_CHECKING:
    from rich.progress import TaskID

Report: TypeAlias = Callable[[str, int, int | None], None]
"""Called with the stage's name, what is done of it, and its whole (None if unknown)."""

_SECONDS_BETWEEN_LINES = 30.0


@contextlib.contextmanager
def reporting(quiet: bool = False) -> Iterator[Report | None]:
    """A progress callback for the time of a long call; None if nothing shall be shown."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        with _live() as report:
            yield report
    else:
        log = _Log()
        yield log.report
        log.finish()


def memory_in_use() -> int:
    """This process's resident memory in bytes; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    import resource

    return pages * resource.getpagesize()


@contextlib.contextmanager
def _live() -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if not speed else f"{speed:,.0f}/s")

    class Memory(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text("" if task.finished else format_size(memory_in_use()))

    columns = (
        TextColumn("{task.description:<14}"),
        BarColumn(24),
        TextColumn("{task.completed:>15,.0f}"),
        Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        Memory(),
    )
    with Progress(*columns, console=Console(stderr=True), refresh_per_second=4) as progress:
        tasks: dict[str, TaskID] = {}

        def report(stage: str, done: int, total: int | None) -> None:
            if stage not in tasks:
                for task in progress.tasks:
                    progress.update(task.id, total=task.completed)
                tasks[stage] = progress.add_task(stage, total=total)
            progress.update(tasks[stage], completed=done, total=total)

        yield report
        for task in progress.tasks:
            progress.update(task.id, total=task.completed)


@dataclass
class _Log:
    """Plain lines: where a stage begins and ends, and every half minute in between."""

    stage: str | None = None
    done: int = 0
    started: float = 0.0
    written: float = 0.0

    def report(self, stage: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        if stage != self.stage:
            self.finish()
            self.stage, self.started, self.written = stage, now, now
            typer.echo(f"{stage}: started", err=True)
        elif now - self.written >= _SECONDS_BETWEEN_LINES:
            self.written = now
            typer.echo(f"{stage}: {self._how_far(done, total, now)}", err=True)
        self.done = done

    def finish(self) -> None:
        if self.stage is not None:
            seconds = time.monotonic() - self.started
            typer.echo(f"{self.stage}: {self.done:,} done in {format_seconds(seconds)}", err=True)
        self.stage = None

    def _how_far(self, done: int, total: int | None, now: float) -> str:
        seconds = now - self.started
        part = f"{done:,}" if not total else f"{done:,} of {total:,} ({done / total:.0%})"
        left = f", {format_seconds(seconds / done * (total - done))} left" if total and done else ""
        return f"{part}, {format_seconds(seconds)}{left}, {format_size(memory_in_use())} of memory"
