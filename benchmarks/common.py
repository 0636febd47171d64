"""What the benchmarks share: the machine's facts, interleaved rounds, medians with spread, files of results."""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

HERE = Path(__file__).resolve().parent

_T = TypeVar("_T")


# --- arguments


def new_parser(description: str | None) -> argparse.ArgumentParser:
    """A parser with the flag that all benchmarks have."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter, allow_abbrev=False
    )
    today = datetime.now(UTC).date().isoformat()
    parser.add_argument("--results", type=Path, default=HERE / "results" / today, help="folder for the results")
    return parser


def add_rounds(parser: argparse.ArgumentParser, rounds: int) -> None:
    parser.add_argument("--rounds", type=int, default=rounds, help="how often each is measured, in turn")


def add_seed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=0, help="all draws depend on it alone")


def available_cpus() -> int:
    return len(os.sched_getaffinity(0))


# --- what it ran on


def machine_facts() -> dict[str, Any]:
    """The machine, the software and its load, as far as they bear on speed."""
    cpu = _field("/proc/cpuinfo", "model name") or platform.processor()
    flags = (_field("/proc/cpuinfo", "flags") or _field("/proc/cpuinfo", "Features") or "").split()
    huge_pages = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": cpu,
        "cpus_machine": os.cpu_count(),
        "cpus_usable": available_cpus(),
        "cpu_vectors": [
            name for name in ("avx2", "avx512f", "avx512bw", "avx512vbmi2", "asimd", "sve") if name in flags
        ],
        "memory_gb": _memory_gb("MemTotal"),
        "memory_available_gb": _memory_gb("MemAvailable"),
        "page_cache_gb": _memory_gb("Cached"),
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "kernel": platform.release(),
        "huge_pages": huge_pages.read_text(encoding="ascii").strip() if huge_pages.exists() else "unknown",
        "python": platform.python_version(),
        "numpy": metadata.version("numpy"),
        "anygram": _version("anygram"),
        **{
            package.replace("-", "_"): _version(package)
            for package in ("infini-gram", "tokengrams", "fast-gram", "kenlm")
        },
        "commit": _commit(),
    }


def _field(path: str, name: str) -> str | None:
    with Path(path).open(encoding="utf-8") as lines:
        return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), None)


def _memory_gb(name: str) -> float:
    return round(int((_field("/proc/meminfo", name) or "0 kB").split()[0]) * 1024 / 1e9, 1)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _commit() -> str:
    """The commit of this working tree, marked if files differ from it."""
    try:
        commit = _git("rev-parse", "HEAD")
        return f"{commit} and uncommitted changes" if _git("status", "--porcelain") else commit
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(HERE), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def warm(*paths: Path) -> None:
    """Reads files, and all files of folders, so that they lie in the page cache."""
    for file in _files(paths):
        with file.open("rb", buffering=0) as stream:
            while stream.read(1 << 24):
                pass


def cached_share(*paths: Path) -> float:
    """The share of files, and of all files of folders, that lies in the page cache now."""
    pages = cached = 0
    for file in _files(paths):
        mapped = np.memmap(file, np.uint8, mode="r")
        found = np.empty(-(-len(mapped) // os.sysconf("SC_PAGE_SIZE")), np.uint8)
        address, length = ctypes.c_void_p(mapped.ctypes.data), ctypes.c_size_t(len(mapped))
        if ctypes.CDLL(None).mincore(address, length, ctypes.c_void_p(found.ctypes.data)) != 0:
            raise SystemExit(f"{file}: mincore failed")
        pages += len(found)
        cached += int((found & 1).sum())
    return cached / pages


def folder_bytes(path: Path) -> int:
    return sum(file.stat().st_size for file in _files([path]))


def _files(paths: Iterable[Path]) -> list[Path]:
    """Those that hold something, of files and folders."""
    found = [file for path in paths for file in ([path] if path.is_file() else sorted(path.rglob("*")))]
    return [file for file in found if file.is_file() and file.stat().st_size]


# --- repeated measurements


@dataclass(frozen=True)
class Summary:
    """Some measurements of one thing."""

    median: float
    least: float
    most: float
    rounds: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Summary:
        found = sorted(map(float, values))
        return cls(statistics.median(found), found[0], found[-1], len(found))

    def show(self, digits: int = 2) -> str:
        median = f"{self.median:,.{digits}f}"
        return median if self.rounds == 1 else f"{median} ({self.least:,.{digits}f}-{self.most:,.{digits}f})"


def interleave(contenders: Mapping[str, Callable[[], _T]], rounds: int) -> dict[str, list[_T]]:
    """Measures each contender once a round, A B A B, so that a slow minute of the machine hits all of them."""
    found: dict[str, list[_T]] = {name: [] for name in contenders}
    for number in range(rounds):
        for name, measure in contenders.items():
            note(f"round {number + 1} of {rounds}: {name}")
            found[name].append(measure())
    return found


def seconds_of(run: Callable[[], object]) -> float:
    """The time of one run. A short one is not repeated: it would find all it needs still in the CPU's caches."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


# --- a command and its processes


@dataclass(frozen=True)
class Cost:
    """What a command and its processes took.

    Attributes:
        seconds: from start to end.
        cpu_seconds: user and system, of all processes.
        peak_anonymous: the most memory in use at once that no file backs, in bytes, of all processes.
        peak_resident: the same with pages of files; a page that two processes share is counted twice.
    """

    seconds: float
    cpu_seconds: float
    peak_anonymous: int
    peak_resident: int


_SAMPLE_SECONDS = 0.02  # between looks at a command's memory


def run_command(command: Sequence[str]) -> tuple[str, Cost]:
    """Runs a command to its end.

    Returns:
        What it printed, and what it took.

    Raises:
        SystemExit: it failed.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        memory = _MemoryWatch(process.pid)
        # It gives the CPU time of the processes that the command waited for, too.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        memory.stop()
        output.seek(0)
        printed = output.read()
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{printed}")
    resident = max(memory.resident, usage.ru_maxrss * 1024)
    return printed, Cost(seconds, usage.ru_utime + usage.ru_stime, memory.anonymous, resident)


class _MemoryWatch:
    """Looks at the memory of a process and those it started, in a thread, until it is stopped."""

    def __init__(self, pid: int) -> None:
        self.anonymous = 0
        self.resident = 0
        self._pid = pid
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(_SAMPLE_SECONDS):
            anonymous, resident = _memory_of_tree(self._pid)
            self.anonymous, self.resident = max(self.anonymous, anonymous), max(self.resident, resident)


def _memory_of_tree(pid: int) -> tuple[int, int]:
    """Anonymous and resident bytes of a process and those it started; what ends meanwhile counts 0."""
    try:
        _, resident, shared, *_ = map(int, Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split())
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        children = [child for thread in threads for child in (thread / "children").read_text(encoding="ascii").split()]
    except OSError:
        return 0, 0
    page = os.sysconf("SC_PAGE_SIZE")
    parts = [((resident - shared) * page, resident * page), *(_memory_of_tree(int(child)) for child in children)]
    return sum(part[0] for part in parts), sum(part[1] for part in parts)


# --- results


def note(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def write_results(
    folder: Path, name: str, arguments: argparse.Namespace, found: Mapping[str, object], tables: Mapping[str, str]
) -> None:
    """Writes NAME.json and NAME.md into the folder; a number is added to the name if it is taken."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [name, *(f"{name}-{number}" for number in range(2, 10_000))]
    free = next(one for one in names if not (folder / f"{one}.json").exists())
    facts = machine_facts()
    # Of paths the name will do: where they stand says something about a person, and nothing about speed.
    given = {key: _nameless(value) for key, value in vars(arguments).items()}
    del given["results"]
    content = {"benchmark": name, "machine": facts, "arguments": given, **found}
    text = json.dumps(content, indent=1, default=_plain)
    (folder / f"{free}.json").write_text(text + "\n", encoding="utf-8")
    parts = [f"# {name}\n", *(f"{title}\n\n{table}" for title, table in tables.items())]
    parts.append(markdown_table(["machine", ""], facts.items()))
    parts.append(markdown_table(["argument", ""], given.items()))
    page = "\n".join(parts)
    (folder / f"{free}.md").write_text(page, encoding="utf-8")
    print(page)
    note(f"written: {folder / free}.json and .md")


def _nameless(value: object) -> object:
    if isinstance(value, list):
        return [_nameless(one) for one in value]
    return value.name if isinstance(value, Path) else value


def _plain(value: object) -> object:
    if isinstance(value, Summary | Cost):
        return asdict(value)
    raise TypeError(f"{type(value).__name__} is no part of a result")
