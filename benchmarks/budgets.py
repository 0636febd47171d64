"""Builds the same index within several budgets of memory: what it takes, how long, whether the bytes are the same."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import anygram
from builds import Run, build_anygram
from common import Summary, add_rounds, interleave, new_parser, warm, write_results
from corpus import Corpus
from findings import Line, at_least, at_most, lines_table, one, plain_lines

_LEAST_BYTES_A_TOKEN, _LEAST_BYTES = 3.2, 300_000_000
_FACTORS = (1.0, 1.25, 1.5, 2.0, 3.0)


def lines_of(budgets: dict[str, int | None], runs: dict[str, list[Run]], ids: dict[str, str]) -> list[Line]:
    unbounded = Summary.of(run.cost.seconds for run in runs["unbounded"])
    lines = []
    for name, budget in budgets.items():
        seconds = Summary.of(run.cost.seconds for run in runs[name])
        anonymous = Summary.of(run.cost.peak_anonymous / 1e6 for run in runs[name])
        lines.append(Line(f"{name}: build", "s", seconds))
        lines.append(Line(f"{name}: peak anonymous memory", "MB", anonymous))
        if budget is None:
            continue
        lines.append(
            Line(
                f"{name}: peak anonymous memory of the budget",
                "share",
                _scaled(anonymous, 1e6 / budget),
                goal=at_most(1.1),
            )
        )
        resident = Summary.of(run.cost.peak_resident / budget for run in runs[name])
        lines.append(Line(f"{name}: peak resident memory, files included, of the budget", "share", resident))
        speed = one(unbounded.median / seconds.median)
        lines.append(Line(f"{name}: speed of the unbounded", "share", speed, goal=at_least(1 / 3)))
        same = one(float(ids[name] == ids["unbounded"]))
        lines.append(Line(f"{name}: the bytes are the same", "1 if so", same, goal=at_least(1)))
    return lines


def _scaled(summary: Summary, factor: float) -> Summary:
    return Summary(summary.median * factor, summary.least * factor, summary.most * factor, summary.rounds)


def below_least(tokens: Path, folder: Path, memory: int) -> str:
    """What is said to a budget that is too small."""
    try:
        documents = anygram.read_corpus(tokens, token_dtype="uint16", end_token=65535)
        anygram.build(documents, folder, tokenizer="none", shards=1, memory=memory, overwrite=True)
    except anygram.LimitError as error:
        return f"LimitError: {error}"
    return "nothing: the index was built"


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("corpus", type=Path, help="a token file of corpus.py")
    parser.add_argument("folder", type=Path, help="for the indexes, which are removed again")
    add_rounds(parser, 1)
    arguments = parser.parse_args()

    corpus = Corpus(arguments.corpus)
    warm(arguments.corpus)
    least = int(_LEAST_BYTES_A_TOKEN * len(corpus.stream) + _LEAST_BYTES)
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
    refusal = below_least(arguments.corpus, arguments.folder, int(0.8 * least))
    lines = lines_of(budgets, runs, ids)
    found = {"lines": plain_lines(lines), "corpus": corpus.facts, "least": least, "below_least": refusal}
    found["runs"] = {name: [run._asdict() for run in each] for name, each in runs.items()}
    title = f"{corpus.num_tokens:,} tokens, profile fast, one shard"
    answer = f"With 0.8 × least: {refusal}\n"
    write_results(
        arguments.results, "budgets", arguments, found, {title: lines_table(lines), "Too little memory": answer}
    )


if __name__ == "__main__":
    main()
