"""One step: `python -m paper STEP FOLDER`, with benchmarks/ as PYTHONPATH. run.py calls them in their order.

A step whose files are there has nothing to do. One that was stopped is called again; training goes on from its last
checkpoint.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from importlib import import_module, metadata
from pathlib import Path

from common import HERE, note, write_results
from paper.settings import QUICK, WHOLE, Settings

#: What a step that has to be called again ends with.
UNFINISHED = 75

#: Each makes the file, of the folder or of the results.
PREPARATION = {
    "documents": "documents.jsonl",
    "tokenizer": "tokenizer.json",
    "tokens": "tokens.npy",
    "roles": "roles.npy",
    "indexes": "indexes.json",
}
EXPERIMENTS = ("agreement", "scaling", "interpolation", "weakness", "machine_text", "ablation")


def prepare(step: str, folder: Path, settings: Settings, corpora: list[Path]) -> None:
    from paper import documents
    from paper.references import Workplace

    if (folder / PREPARATION[step]).exists():
        return
    run: dict[str, Callable[[], None]] = {
        "documents": lambda: documents.choose(corpora, folder, settings),
        "tokenizer": lambda: documents.train_tokenizer(folder, settings),
        "tokens": lambda: documents.encode(folder),
        "roles": lambda: documents.assign_roles(folder, settings),
        "indexes": lambda: Workplace(folder, settings).build_indexes(),
    }
    run[step]()


def train(folder: Path, settings: Settings, name: str, seconds: float) -> None:
    """Trains a model and lets it score the evaluated texts."""
    import torch

    from paper import neural
    from paper.references import Workplace

    torch.set_num_threads(1)  # models are trained side by side
    workplace = Workplace(folder, settings)
    plan = next(plan for plan in neural.plans(settings) if plan.name == name)
    if not neural.train(workplace, plan, seconds):
        raise SystemExit(UNFINISHED)
    if not (folder / "scores" / f"{name}-test.npy").exists():
        neural.score(workplace, plan)


def write_machine_text(folder: Path, settings: Settings) -> None:
    import torch

    from paper import machine, neural
    from paper.references import Workplace

    torch.set_num_threads(1)  # for rows this small more threads cost more than they give
    if not (folder / "machine.json").exists():
        machine.write(Workplace(folder, settings), *neural.plans(settings)[:2])


def experiment(step: str, folder: Path, settings: Settings, results: Path) -> None:
    if (results / f"{step}.json").exists():
        return
    from paper.references import Workplace

    module = import_module(f"paper.{step}")
    found = module.run(Workplace(folder, settings))
    arguments = argparse.Namespace(**vars(settings), results=results)
    plain = {"torch": metadata.version("torch"), **found.plain()}
    write_results(results, step, arguments, plain, found.tables)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m paper", description=__doc__)
    parser.add_argument("step", choices=["corpora", *PREPARATION, "train", "machine", *EXPERIMENTS, "report"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--corpus", type=Path, nargs="+", default=[], help="of the step documents")
    parser.add_argument("--model", help="of the step train")
    parser.add_argument("--seconds", type=float, default=math.inf, help="train so long; what is left, another time")
    parser.add_argument("--results", type=Path, default=HERE / "results" / "paper")
    arguments = parser.parse_args()
    settings = QUICK if arguments.quick else WHOLE
    folder = arguments.folder
    note(f"--- {arguments.step} {arguments.model or ''}")
    if arguments.step == "corpora":
        from paper.corpora import fetch

        print(*fetch(folder), sep="\n")
    elif arguments.step in PREPARATION:
        prepare(arguments.step, folder, settings, arguments.corpus)
    elif arguments.step == "train":
        train(folder, settings, arguments.model, arguments.seconds)
    elif arguments.step == "machine":
        write_machine_text(folder, settings)
    elif arguments.step == "report":
        from paper.report import write_report

        write_report(folder, arguments.results, settings)
    else:
        experiment(arguments.step, folder, settings, arguments.results)


if __name__ == "__main__":
    main()
