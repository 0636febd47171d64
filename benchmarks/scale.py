"""How building and asking grow with the corpus, from a million tokens up: each size a draw of one file's documents.

Fitted curves say what larger corpora would take; those figures are marked as extrapolated.
"""

from __future__ import annotations

import argparse
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import anygram
from both import ask_all, time_each
from builds import build_anygram, write_drawn
from cold import LENGTHS, measure_pages, split_top
from common import add_seed, folder_bytes, markdown_table, new_parser, note, seconds_of, warm, write_results
from corpus import Corpus, draw_absent, draw_present, draw_texts, draw_window
from findings import Line, at_most, lines_table, one, plain_lines
from scaling import PREDICTION_HEADER, best, fit, predictions

_SIZES = (1, 4, 16, 64, 110, 256, 1000)  # millions of tokens


def write_size(corpus: Corpus, source: Path, num_tokens: int, target: Path) -> Path:
    """A token file of that size; the whole if it has no more."""
    if num_tokens >= 0.99 * corpus.num_tokens:
        return source
    write_drawn(str(source), num_tokens, str(target))
    return target


def measure(tokens: Path, folder: Path, arguments: argparse.Namespace) -> dict[str, float]:
    """One size: builds, asks, and removes the index."""
    run = build_anygram(tokens, folder)
    corpus = Corpus(tokens)
    random = np.random.default_rng(arguments.seed)
    warm(folder)
    found: dict[str, float] = {
        "tokens": corpus.num_tokens,
        "documents": corpus.num_documents,
        "build_seconds": sum(run.stages.values()),
        **{f"{stage}_seconds": taken for stage, taken in run.stages.items()},
        "peak_anonymous_bytes": run.cost.peak_anonymous,
        "index_bytes": folder_bytes(folder),
    }
    with anygram.open(folder) as index, anygram.open(folder, threads=1) as alone:
        present = draw_present(corpus, arguments.ngrams, random)
        absent = draw_absent(corpus, arguments.ngrams, random, lambda ngrams: index.count_batch(ngrams).tolist())
        for name, ngrams in {"present": present, "absent": absent}.items():
            batch = anygram.Ragged.from_sequences(ngrams)
            index.count_batch(batch)
            taken = [seconds_of(partial(index.count_batch, batch)) for _ in range(3)]
            found[f"batch_{name}_ns"] = 1e9 * float(np.median(taken)) / len(ngrams)
            few = ngrams[: arguments.ngrams // 5]
            found[f"count_{name}_us"] = float(np.median([np.median(time_each(few, index.count)) for _ in range(3)]))
        texts = draw_texts(corpus, 10, 5000, random, 2500)
        ask_all(alone.score, texts)
        taken = [seconds_of(partial(ask_all, alone.score, texts)) for _ in range(3)]
        found["score_us"] = 1e6 * float(np.median(taken)) / sum(map(len, texts))
        asked = [draw_window(corpus, LENGTHS[number % len(LENGTHS)], random) for number in range(arguments.cold_ngrams)]
        faults = measure_pages(split_top(folder, index.num_tokens, len(corpus.used))[1], asked, index.count)
        lengths = np.array(list(map(len, asked)))
        found["pages_to_5"] = float(faults.pages[lengths <= 5].mean())
        found["pages_to_50"] = float(faults.pages[lengths > 5].mean())
        found["pages_99th"] = float(np.percentile(faults.pages, 99))
    shutil.rmtree(folder)
    return found


def show_points(points: list[dict[str, float]]) -> str:
    columns = {
        "tokens": lambda point: f"{point['tokens']:,.0f}",
        "build, s": lambda point: f"{point['build_seconds']:.2f}",
        "ns a token": lambda point: f"{1e9 * point['build_seconds'] / point['tokens']:.1f}",
        "peak, MB": lambda point: f"{point['peak_anonymous_bytes'] / 1e6:,.0f}",
        "bytes a token": lambda point: f"{point['index_bytes'] / point['tokens']:.3f}",
        "count, us, present": lambda point: f"{point['count_present_us']:.2f}",
        "absent": lambda point: f"{point['count_absent_us']:.2f}",
        "batch, ns, present": lambda point: f"{point['batch_present_ns']:.0f}",
        "absent ": lambda point: f"{point['batch_absent_ns']:.0f}",
        "score, us a token": lambda point: f"{point['score_us']:.3f}",
        "pages, n to 5": lambda point: f"{point['pages_to_5']:.2f}",
        "n from 6": lambda point: f"{point['pages_to_50']:.2f}",
        "99th": lambda point: f"{point['pages_99th']:.0f}",
    }
    return markdown_table(list(columns), ([show(point) for show in columns.values()] for point in points))


def lines_of(points: list[dict[str, float]], sizes: list[float]) -> list[Line]:
    """Growth of the pages, from the sizes that are not tiny."""
    lines = []
    for key, name in {"pages_to_5": "n up to 5", "pages_to_50": "n from 6 to 50"}.items():
        curve = fit(sizes, [point[key] for point in points], "log2 n")
        growth = curve.slope * float(np.log2(100))
        lines.append(Line(f"pages more for 100 times the tokens, {name}", "pages", one(growth), goal=at_most(1)))
    return lines


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("corpus", type=Path, help="a token file of corpus.py, as large as there is")
    parser.add_argument("folder", type=Path, help="for what is built, which is removed again")
    parser.add_argument("--sizes", type=float, nargs="+", default=_SIZES, help="millions of tokens")
    parser.add_argument("--ngrams", type=int, default=10_000, help="that occur, and as many that do not")
    parser.add_argument("--cold-ngrams", type=int, default=1000, help="of the corpus")
    add_seed(parser)
    arguments = parser.parse_args()

    folder: Path = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    corpus = Corpus(arguments.corpus)
    points = []
    for millions in arguments.sizes:
        if millions * 1e6 > 1.05 * corpus.num_tokens:
            note(f"{millions:,} M tokens: the corpus has {corpus.num_tokens / 1e6:,.0f} M only")
            continue
        note(f"{millions:,} M tokens")
        tokens = write_size(corpus, arguments.corpus, int(millions * 1e6), folder / "tokens.bin")
        points.append(measure(tokens, folder / "index", arguments))
    shutil.rmtree(folder)

    sizes = [point["tokens"] for point in points]
    tables: dict[str, str] = {f"{len(points)} sizes, profile fast, one shard": show_points(points)}
    found: dict[str, Any] = {"points": points, "corpus": corpus.facts}
    if len(points) >= 3:
        curves = {
            "build": best(sizes, [point["build_seconds"] for point in points], ["n", "n log2 n"]),
            "index": fit(sizes, [point["index_bytes"] for point in points], "n"),
            "memory": fit(sizes, [point["peak_anonymous_bytes"] for point in points], "n"),
            "count": fit(sizes, [point["count_present_us"] for point in points], "log2 n"),
            "score": fit(sizes, [point["score_us"] for point in points], "log2 n"),
            "pages to 5": fit(sizes, [point["pages_to_5"] for point in points], "log2 n"),
            "pages to 50": fit(sizes, [point["pages_to_50"] for point in points], "log2 n"),
        }
        units = ("s", "bytes", "bytes", "us", "us a token", "pages", "pages")
        shown = [(name, curve.show(unit)) for (name, curve), unit in zip(curves.items(), units, strict=True)]
        tables["Fitted, n in tokens"] = markdown_table(["figure", "curve"], shown)
        lines = lines_of(points, sizes)
        tables["Growth"] = lines_table(lines, "")
        rows = predictions(curves["build"], curves["index"], curves["pages to 50"])
        tables["EXTRAPOLATED, not measured: profile fast, n from 6 to 50"] = markdown_table(PREDICTION_HEADER, rows)
        found |= {"lines": plain_lines(lines), "curves": {name: vars(curve) for name, curve in curves.items()}}
        found["extrapolated"] = [dict(zip(PREDICTION_HEADER, row, strict=True)) for row in rows]
    write_results(arguments.results, "scale", arguments, found, tables)


if __name__ == "__main__":
    main()
