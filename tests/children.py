"""Scripts in processes of their own, to be killed, interrupted and starved."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

PREAMBLE = "import os, signal, sys, time\nimport numpy as np\nimport anygram\n"


def run(script: str, prefix: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """Runs a script to its end; the prefix is a command that runs a command."""
    command = [*prefix, sys.executable, "-c", PREAMBLE + dedent(script)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@contextmanager
def started(script: str) -> Iterator[subprocess.Popen[str]]:
    """A script that has printed its first line. It is killed in the end."""
    command = [sys.executable, "-c", PREAMBLE + dedent(script)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline(), "the script ended before it printed anything"
            yield process
        finally:
            process.kill()


@contextmanager
def building(path: Path, options: str = "") -> Iterator[subprocess.Popen[str]]:
    """A process that is in the middle of a build there."""
    with started(f"""
        def documents():
            yield from [[1, 2, 3]] * 1000
            print("building", flush=True)
            sys.stdin.read()
        anygram.build(documents(), {str(path)!r}, tokenizer=None, {options})
    """) as process:
        yield process
