"""All benchmarks in one command: `python benchmarks/run.py FOLDER`.

It makes an environment in FOLDER with this repository's anygram and the peers from PyPI, fetches text (see data.py)
unless it is given some, measures, and writes results/DATE: figures as JSON, tables as Markdown, plots, and README.md
that leads to them. Needs Python 3.11, a C++ compiler, and nothing else running; about 25 bytes of disk a token.

    python benchmarks/run.py /tmp/bench                          # all of it: half an hour besides the fetching
    python benchmarks/run.py /tmp/bench --quick                  # 4 million tokens: does everything work?
    python benchmarks/run.py /tmp/bench --only build,query       # some of it
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

# This file runs before anything is installed: it imports nothing but the standard library.

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent

#: Its package wants `transformers` for its shell; its engine does not.
_WITHOUT_DEPENDENCIES = ("fast-gram==0.1.0",)

_TOKENS, _QUICK_TOKENS = 110_000_000, 4_000_000
_SCALE_TOKENS = 1_000_000_000


class Inputs(NamedTuple):
    """What the benchmarks work on.

    Attributes:
        tokens: a token file.
        scale_tokens: one with as many tokens as there are.
        text: a JSONL file.
        tokenizer: a tokenizer.json.
    """

    tokens: Path
    scale_tokens: Path
    text: Path
    tokenizer: Path


class Workplace(NamedTuple):
    """Where things are.

    Attributes:
        python: of the environment.
        folder: for data and indexes.
        results: for what is found out.
        quick: whether sizes are small.
        sorters: commands to compare the sorting with.
    """

    python: Path
    folder: Path
    results: Path
    quick: bool
    sorters: Sequence[str]

    def run(self, script: str, *arguments: object) -> None:
        command = [str(self.python), str(HERE / script), *map(str, arguments), "--results", str(self.results)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    def sized(self, flag: str, whole: int, quick: int) -> tuple[str, int]:
        return flag, quick if self.quick else whole


# --- the steps, in their order: the later ones use what the earlier ones built


def build(place: Workplace, inputs: Inputs) -> None:
    place.run("build.py", inputs.tokens, place.folder / "index", *place.sized("--rounds", 3, 1))


def space(place: Workplace, inputs: Inputs) -> None:
    place.run("space.py", inputs.tokens, place.folder / "index")


def query(place: Workplace, inputs: Inputs) -> None:
    place.run("query.py", inputs.tokens, place.folder / "index", *place.sized("--ngrams", 20_000, 2000))


def continuations(place: Workplace, inputs: Inputs) -> None:
    place.run("continuations.py", inputs.tokens, place.folder / "index", *place.sized("--prompts", 60, 10))


def scores(place: Workplace, inputs: Inputs) -> None:
    place.run("scores.py", inputs.tokens, place.folder / "index", *place.sized("--texts", 16, 4))


def documents(place: Workplace, inputs: Inputs) -> None:
    place.run("documents.py", inputs.tokens, place.folder / "index")


def search(place: Workplace, inputs: Inputs) -> None:
    place.run("search.py", inputs.tokens, place.folder / "index", *place.sized("--tokens", 1000, 100))


def cold(place: Workplace, inputs: Inputs) -> None:
    place.run("cold.py", inputs.tokens, place.folder / "index", *place.sized("--ngrams", 5000, 500))


def memory(place: Workplace, inputs: Inputs) -> None:
    place.run("memory.py", inputs.tokens, place.folder / "index" / "anygram")


def budgets(place: Workplace, inputs: Inputs) -> None:
    place.run("budgets.py", inputs.tokens, place.folder / "budgets")


def repetition(place: Workplace, inputs: Inputs) -> None:
    sizes = (*place.sized("--tokens", 20_000_000, 1_000_000), *place.sized("--hard-tokens", 10_000_000, 500_000))
    place.run("repetition.py", inputs.tokens, place.folder / "repetition", *sizes)


def text(place: Workplace, inputs: Inputs) -> None:
    sizes = place.sized("--text-bytes", 60_000_000, 5_000_000)
    place.run("text.py", inputs.text, inputs.tokenizer, place.folder / "text", *sizes)


def others(place: Workplace, inputs: Inputs) -> None:
    place.run("others.py", inputs.tokens, place.folder / "others", *place.sized("--tokens", 20_000_000, 1_000_000))


def language_models(place: Workplace, inputs: Inputs) -> None:
    sizes = (*place.sized("--tokens", 20_000_000, 1_000_000), *place.sized("--scored-tokens", 500_000, 50_000))
    place.run("language_models.py", inputs.tokens, place.folder / "language_models", *sizes)


def exactness(place: Workplace, inputs: Inputs) -> None:
    cut = place.folder / "exactness.bin"
    with inputs.tokens.open("rb") as source, cut.open("wb") as target:
        data = source.read(2 * (1_000_000 if place.quick else 10_000_000))
        end = len(data) // 2 * 2  # after the last document end
        while data[end - 2 : end] != b"\xff\xff":
            end -= 2
        target.write(data[:end])
    place.run("exactness.py", cut, "--scratch", place.folder)
    cut.unlink()


def micro(place: Workplace, inputs: Inputs) -> None:
    others = [part for command in place.sorters for part in ("--compare-sorter", command)]
    sizes = place.sized("--tokens", 110_000_000, 1_000_000)
    place.run("micro.py", inputs.tokens, place.folder / "micro", *sizes, *others)


def scale(place: Workplace, inputs: Inputs) -> None:
    sizes = ("--sizes", 0.5, 1, 2) if place.quick else ()
    place.run("scale.py", inputs.scale_tokens, place.folder / "scale", *sizes)


STEPS: dict[str, Callable[[Workplace, Inputs], None]] = {
    step.__name__: step
    for step in (
        build, space, query, continuations, scores, documents, search, cold, memory,
        budgets, repetition, text, others, language_models, exactness, micro, scale,
    )
}  # fmt: skip


# --- before the steps


def make_environment(folder: Path) -> Path:
    """An environment with everything, if it is not there; anygram is installed again, as it is now."""
    python = folder / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    if not python.exists():
        say(f"making an environment in {folder}")
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([*pip, "-r", str(HERE / "requirements.txt")], check=True)
        subprocess.run([*pip, "--no-deps", *_WITHOUT_DEPENDENCIES], check=True)
    subprocess.run([*pip, f"{REPOSITORY}[all]"], check=True)
    return python


def make_inputs(arguments: argparse.Namespace, python: Path, folder: Path) -> Inputs:
    """Takes what is given, and fetches the rest."""
    data = folder / "data"
    wanted = _QUICK_TOKENS if arguments.quick else _TOKENS
    most = wanted if arguments.quick or "scale" not in arguments.only else _SCALE_TOKENS
    needed = {
        "tokens": (arguments.tokens, data / "tokens.bin", ["--tokens", str(most)]),
        "text": (arguments.corpus, data / "text.jsonl", ["--text-bytes", str(200_000_000)]),
        "tokenizer": (arguments.tokenizer, data / "tokenizers" / "tokenizer.json", ["--tokenizers"]),
    }
    found = {}
    for name, (given, path, flags) in needed.items():
        if given is None:
            say(f"fetching: {name}")
            subprocess.run([str(python), str(HERE / "data.py"), str(data), *flags], check=True)
        found[name] = given or path
    scale_tokens = arguments.scale_tokens or found["tokens"]
    tokens = found["tokens"]
    if tokens.stat().st_size > 2.2 * wanted:
        tokens = folder / f"tokens-{wanted // 1_000_000}M.bin"
        draw = "import sys; from builds import write_drawn; write_drawn(sys.argv[1], int(sys.argv[2]), sys.argv[3])"
        subprocess.run([str(python), "-c", draw, str(found["tokens"]), str(wanted), str(tokens)], check=True, cwd=HERE)
    return Inputs(tokens, tokens if arguments.quick else scale_tokens, found["text"], found["tokenizer"])


def fresh_results(given: Path | None) -> Path:
    """A folder of today's that is not there yet."""
    today = HERE / "results" / datetime.now(UTC).date().isoformat()
    names = [today, *(today.with_name(f"{today.name}-{number}") for number in range(2, 1000))]
    results = given or next(name for name in names if not name.exists())
    results.mkdir(parents=True, exist_ok=True)
    return results


def say(message: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S}  {message}", file=sys.stderr, flush=True)


def run_steps(names: Sequence[str], place: Workplace, inputs: Inputs) -> dict[str, str]:
    """What became of each step. One that fails does not keep the others from being run."""
    found = {}
    for name in names:
        say(f"=== {name}")
        started = time.perf_counter()
        try:
            STEPS[name](place, inputs)
            found[name] = "done"
        except (subprocess.CalledProcessError, OSError) as error:
            found[name] = f"FAILED: {error}"
            say(found[name])
        found[name] += f", {time.perf_counter() - started:.0f} s"
    return found


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="for the environment, the data and the indexes")
    parser.add_argument("--only", type=lambda names: names.split(","), default=list(STEPS), help=",".join(STEPS))
    parser.add_argument("--quick", action="store_true", help="small sizes: shows that it works, not how fast it is")
    parser.add_argument("--tokens", type=Path, help="a token file (see corpus.py) to take instead of fetched text")
    parser.add_argument("--scale-tokens", type=Path, help="a larger one, for how things grow")
    parser.add_argument("--corpus", type=Path, help='JSONL with {"text"}, for the build from text')
    parser.add_argument("--tokenizer", type=Path, help="a tokenizer.json, for the build from text")
    parser.add_argument("--compare-sorter", action="append", default=[], help="see micro.py")
    parser.add_argument("--python", type=Path, help="an environment's Python that has everything, instead of a new one")
    parser.add_argument("--results", type=Path, help="where to write, instead of results/DATE")
    parser.add_argument("--keep", action="store_true", help="keep the indexes")
    arguments = parser.parse_args()
    unknown = set(arguments.only) - STEPS.keys()
    if unknown:
        parser.error(f"no such step: {', '.join(sorted(unknown))}; there are {', '.join(STEPS)}")
    return arguments


def main() -> None:
    arguments = parsed()
    folder = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    python = arguments.python or make_environment(folder / "environment")
    inputs = make_inputs(arguments, python, folder)
    place = Workplace(python, folder, fresh_results(arguments.results), arguments.quick, arguments.compare_sorter)
    os.environ["PYTHONPATH"] = str(HERE)
    names = [name for name in STEPS if name in arguments.only]
    outcomes = run_steps(names, place, inputs)
    if not arguments.keep:
        shutil.rmtree(folder / "index", ignore_errors=True)
    flags = ["--quick"] * arguments.quick + [f"{name}={outcome}" for name, outcome in outcomes.items()]
    subprocess.run([str(python), str(HERE / "report.py"), str(place.results), *flags], check=True)
    say(f"written: {place.results / 'README.md'}")
    if any("FAILED" in outcome for outcome in outcomes.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
