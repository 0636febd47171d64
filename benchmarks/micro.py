"""The parts of the core, without Python: compiled from cpp/bench, timed by themselves.

Sorting alone with 1 and 2 threads, interleaved with any other sorter that `--compare-sorter COMMAND` names: the shell
runs it with the symbols' file as its last argument, and the last number that it prints is the seconds of its sorting.
Then what vector instructions bring and shared lengths cost; and pages, which the engine counts by itself.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from builds import cut
from common import (
    HERE,
    Summary,
    add_rounds,
    available_cpus,
    interleave,
    markdown_table,
    new_parser,
    note,
    run_command,
    write_results,
)
from corpus import END, Corpus, Tokens
from findings import Line, lines_table, plain_lines, times


def compile_benches(folder: Path) -> Path:
    """The folder of the programs, compiled as a release is."""
    cmake = [sys.executable, "-m", "cmake"]
    options = ["-DCMAKE_BUILD_TYPE=Release", "-DANYGRAM_BENCH=ON", f"-B{folder}", f"-S{HERE.parent}"]
    run_command([*cmake, *options])
    run_command([*cmake, "--build", str(folder), "--parallel", str(available_cpus())])
    return folder


def write_symbols(stream: Tokens, path: Path) -> None:
    """What a shard stores: id + 1, and 0 for a document's end."""
    with path.open("wb") as file:
        for begin in range(0, len(stream), 1 << 24):
            part = stream[begin : begin + (1 << 24)].astype(np.uint32)
            np.where(part == END, 0, part + 1).astype("<u2").tofile(file)


def sort_seconds(program: Path, symbols: Path, number: int, *options: str) -> float:
    """Of sorting alone, by what the program prints for each symbol."""
    printed = run_command([str(program), str(symbols), *options])[0]
    found = re.search(r"wall ([\d.]+) ns", printed)
    if found is None:
        raise SystemExit(f"{program.name} did not say how long it took:\n{printed}")
    return float(found[1]) * number / 1e9


def other_seconds(command: str, symbols: Path) -> float:
    printed = subprocess.run(f"{command} {symbols}", shell=True, check=True, capture_output=True, text=True).stdout
    return float(re.findall(r"\d+(?:\.\d+)?(?:e[-+]?\d+)?", printed)[-1])


def sort_lines(programs: Path, symbols: Path, number: int, others: list[str], rounds: int) -> list[Line]:
    program = programs / "sort_bench"
    cpus = available_cpus()
    variants = {
        f"sort, {cpus} threads, without vector instructions": ["--threads", str(cpus), "--portable"],
        f"sort, {cpus} threads, with shared lengths": ["--threads", str(cpus), "--shared"],
    }
    contenders: dict[str, Callable[[], float]] = {
        "sort, 1 thread": partial(sort_seconds, program, symbols, number, "--threads", "1"),
        f"sort, {cpus} threads": partial(sort_seconds, program, symbols, number, "--threads", str(cpus)),
    }
    contenders |= {command: partial(other_seconds, command, symbols) for command in others}
    found = interleave(contenders, rounds)
    for name, flags in variants.items():
        note(name)
        found[name] = [sort_seconds(program, symbols, number, *flags)]
    each = {name: Summary.of(1e9 * taken / number for taken in runs) for name, runs in found.items()}
    best = min((each[command] for command in others), key=lambda summary: summary.median, default=None)
    lines = []
    for name, summary in each.items():
        goal = None
        if best is not None and name == f"sort, {cpus} threads":
            goal = times(1.5)
        if best is not None and name == "sort, 1 thread":
            goal = times(1.0)
        lines.append(Line(name, "ns a symbol", summary, None if name in others else best, goal))
    return lines


def core_rows(programs: Path, symbols: Path) -> dict[str, float]:
    rows: dict[str, float] = json.loads(run_command([str(programs / "core_bench"), str(symbols), "20000000"])[0])
    return rows


def page_rows(programs: Path, symbols: Path, folder: Path) -> str:
    """What the engine itself counts: pages of an index just opened; "" if this version has no such program."""
    program = programs / "query_bench"
    if not program.exists():
        return ""
    (folder / "shard").mkdir()
    return run_command([str(program), str(symbols), str(folder / "shard"), "fast", "0", "pages"])[0]


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("corpus", type=Path, help="a token file of corpus.py")
    parser.add_argument("folder", type=Path, help="for what is compiled and written, which is removed again")
    parser.add_argument("--tokens", type=int, default=110_000_000, help="of the corpus, from its beginning")
    parser.add_argument("--compare-sorter", action="append", default=[], metavar="COMMAND", help="see above")
    add_rounds(parser, 3)
    arguments = parser.parse_args()

    folder: Path = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    note("compiling")
    programs = compile_benches(folder / "build")
    stream = cut(Corpus(arguments.corpus).stream, arguments.tokens)
    symbols = folder / "symbols.bin"
    write_symbols(stream, symbols)
    lines = sort_lines(programs, symbols, len(stream), arguments.compare_sorter, arguments.rounds)
    core = core_rows(programs, symbols)
    pages = page_rows(programs, symbols, folder)
    shutil.rmtree(folder)

    tables = {
        f"Sorting {len(stream):,} symbols of 2 bytes": lines_table(lines, "the fastest other"),
        "Parts": markdown_table(["part", ""], core.items()),
    }
    if pages:
        tables["Pages that a count touches, as the engine counts them, of an index just opened"] = f"```\n{pages}```\n"
    found = {"lines": plain_lines(lines), "symbols": len(stream), "core": core, "pages": pages}
    write_results(arguments.results, "micro", arguments, found, tables)


if __name__ == "__main__":
    main()
