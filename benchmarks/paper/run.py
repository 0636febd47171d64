"""The Infini-gram paper at small scale, in one command: `python benchmarks/paper/run.py FOLDER`.

It makes an environment in FOLDER with this repository's anygram and torch, fetches corpora unless it is given some,
trains small neural language models, and writes results/DATE/paper: conditions, figures as JSON, tables, plots. What was
done stays in FOLDER, and a run that was stopped goes on from there; another corpus or size needs another folder.

    python benchmarks/paper/run.py /tmp/paper                         # an hour on two cores, besides the fetching
    python benchmarks/paper/run.py /tmp/paper --quick                 # five minutes: does everything work?
    python benchmarks/paper/run.py /tmp/paper --corpus a.jsonl b.jsonl
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

# This file runs before anything is installed: it imports nothing but the standard library.

HERE = Path(__file__).resolve().parent
BENCHMARKS, REPOSITORY = HERE.parent, HERE.parent.parent

_PREPARATION = ("documents", "tokenizer", "tokens", "roles", "indexes")
#: The one that takes the longest comes first.
_MODELS = ("large-half", "small-half", "small-reference", "small-narrow")
_EXPERIMENTS = ("agreement", "scaling", "interpolation", "weakness", "machine_text", "ablation")
_UNFINISHED = 75


class Steps:
    """Runs steps as processes of the environment."""

    def __init__(self, python: Path, folder: Path, flags: Sequence[str], prefix: Sequence[str]) -> None:
        self._command = [*prefix, str(python), "-m", "paper"]
        self._folder = folder
        self._flags = flags

    def run(self, step: str, *flags: object) -> None:
        command = [*self._command, step, str(self._folder), *self._flags, *map(str, flags)]
        say(f"{step} {' '.join(map(str, flags))}")
        environment = os.environ | {"PYTHONPATH": str(BENCHMARKS)}
        while True:
            process = subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL)
            if process.returncode != _UNFINISHED:
                break
        if process.returncode:
            raise SystemExit(f"the step {step} ended with {process.returncode}")


def make_environment(folder: Path) -> Path:
    """An environment with everything, if it is not there; anygram is installed again, as it is now."""
    python = folder / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    constraints = ["-c", str(HERE / "constraints.txt")]
    if not python.exists():
        say(f"making an environment in {folder}")
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([*pip, *constraints, "-r", str(HERE / "requirements.txt")], check=True)
    subprocess.run([*pip, *constraints, f"{REPOSITORY}[all]"], check=True)
    return python


def say(message: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S}  {message}", file=sys.stderr, flush=True)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="for the environment and all that is made on the way")
    parser.add_argument("--quick", action="store_true", help="small sizes: shows that it works, not what holds")
    parser.add_argument(
        "--corpus", type=Path, nargs="+", help='JSONL with {"text", "source"}, each a domain, instead of fetched text'
    )
    parser.add_argument("--results", type=Path, help="where to write, instead of results/DATE/paper")
    parser.add_argument("--python", type=Path, help="an environment's Python that has everything, instead of a new one")
    parser.add_argument("--slice", type=float, help="train for so many seconds at a time, in processes of their own")
    parser.add_argument("--prefix", default="", help="what each step's command begins with, such as `nice -n 10`")
    return parser.parse_args()


def main() -> None:
    arguments = parsed()
    folder = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    today = datetime.now(UTC).date().isoformat()
    results = (arguments.results or BENCHMARKS / "results" / today / "paper").resolve()
    python = arguments.python or make_environment(folder / "environment")
    steps = Steps(python, folder, ["--quick"] * arguments.quick, arguments.prefix.split())
    corpora = arguments.corpus
    if not corpora:
        Steps(python, folder / "corpora", [], []).run("corpora")
        corpora = sorted((folder / "corpora").glob("*.jsonl"))
    for step in _PREPARATION:
        steps.run(step, *(("--corpus", *corpora) if step == "documents" else ()))
    limit = ("--seconds", arguments.slice) if arguments.slice else ()
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as executor:
        under_way = [executor.submit(steps.run, "train", "--model", model, *limit) for model in _MODELS]
        for one in under_way:
            one.result()
    steps.run("machine")
    for step in (*_EXPERIMENTS, "report"):
        steps.run(step, "--results", results)
    say(f"written: {results / 'README.md'}")


if __name__ == "__main__":
    main()
