"""Builds the same index within several budgets of memory: what it takes, how long, whether the bytes are the same."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import anygram
from builds import Run, build_anygram
from common import Summary, add_rounds, interleave, new_parser, warm, write_results
from corpus import END, Corpus
from findings import Line, at_least, at_most, lines_table, one, plain_lines

_LEAST_BYTES_A_TOKEN, _LEAST_BYTES = 3.2, 300_000_000
_FACTORS = (1.0, 1.5, 2.0, 4.0)


def lines_of(budgets: dict[str, int | None], runs: dict[str, list[Run]], ids: dict[str, str]) -> list[Line]:
    unbounded = Summary.of(run.cost.seconds for run in runs["unbounded"])
    lines = []
    for name, budget in budgets.items():
        seconds = Summary.of(run.cost.seconds for run in runs[name])
        anonymous = Summary.of(run.cost.peak_anonymous / 1e6 for run in runs[name])
        resident = Summary.of(run.cost.peak_resident / 1e6 for run in runs[name])
        lines.append(Line(f"{name}: build", "s", seconds))
        lines.append(Line(f"{name}: peak anonymous memory", "MB", anonymous))
        lines.append(Line(f"{name}: peak resident memory, pages of files included", "MB", resident))
        if budget is None:
            continue
        lines.append(Line(f"{name}: of the budget", "share", one(resident.median * 1e6 / budget), goal=at_most(1.1)))
        speed = one(unbounded.median / seconds.median)
        lines.append(Line(f"{name}: speed of the unbounded", "share", speed, goal=at_least(1 / 3)))
        same = one(float(ids[name] == ids["unbounded"]))
        lines.append(Line(f"{name}: the bytes are the same", "1 if so", same, goal=at_least(1)))
    return lines


def refusal(tokens: Path, folder: Path, memory: int) -> str:
    """What is said to a budget that is too small; "" if it is accepted."""
    try:
        documents = anygram.read_corpus(tokens, token_dtype="uint16", end_token=END)
        anygram.build(documents, folder, tokenizer="none", shards=1, memory=memory, overwrite=True)
    except anygram.LimitError as error:
        return str(error)
    return ""


def least_budget(said: str) -> int:
    """The least that would do, as the refusal names it."""
    found = re.search(r"at least ([\d.]+) GB", said)
    if found is None:
        raise SystemExit(f"a budget of 1 MB was not refused with the least that would do, but: {said!r}")
    return int((float(found[1]) + 0.001) * 1e9)  # it names it to three places


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("corpus", type=Path, help="a token file of corpus.py")
    parser.add_argument("folder", type=Path, help="for the indexes, which are removed again")
    add_rounds(parser, 1)
    arguments = parser.parse_args()

    corpus = Corpus(arguments.corpus)
    warm(arguments.corpus)
    said = refusal(arguments.corpus, arguments.folder, 1_000_000)
    least = least_budget(said)
    budgets: dict[str, int | None] = {
        f"{factor:g} × least ({factor * least / 1e6:,.0f} MB)": int(factor * least) for factor in _FACTORS
    }
    # The default is half of the memory; where that is little, unbounded says more than there is.
    budgets["unbounded"] = None
    ids = {}

    def build(name: str) -> Run:
        run = build_anygram(arguments.corpus, arguments.folder, memory=budgets[name] or 10**12)
        with anygram.open(arguments.folder) as index:
            ids[name] = index.id
        return run

    runs = interleave({name: partial(build, name) for name in budgets}, arguments.rounds)
    wanted = _LEAST_BYTES_A_TOKEN * len(corpus.stream) + _LEAST_BYTES
    title = f"least budget, of {_LEAST_BYTES_A_TOKEN} bytes a token and {_LEAST_BYTES / 1e6:.0f} MB"
    lines = [Line(title, "share", one(least / wanted), goal=at_most(1)), *lines_of(budgets, runs, ids)]
    found = {"lines": plain_lines(lines), "corpus": corpus.facts, "least": least, "refusal": said}
    found["runs"] = {name: [run._asdict() for run in each] for name, each in runs.items()}
    title = f"{corpus.num_tokens:,} tokens, profile fast, one shard"
    answer = f"A budget of 1 MB is refused: {said}\n"
    write_results(
        arguments.results, "budgets", arguments, found, {title: lines_table(lines), "Too little memory": answer}
    )


if __name__ == "__main__":
    main()
