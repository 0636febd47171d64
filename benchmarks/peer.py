"""infini-gram 2.6.0, as its package offers it: its files, its builder, its engine at its fastest settings."""

from __future__ import annotations

import math
import re
import resource
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from common import Cost, run_command
from corpus import END, Corpus, Ngram

if TYPE_CHECKING:
    from infini_gram.engine import InfiniGramEngine

# Its reader tells its files by these words anywhere in their path.
_WORDS = ("tokenized", "table", "offset", "metadata", "metaoff", "unigram")

_OVERLAP_BYTES = 100_000  # of its parts; with parts that are smaller it builds a wrong order without a word


def write_stream(corpus: Corpus, folder: Path, cpus: int) -> None:
    """Writes what its first step would: the ids, with the separator before each document instead of after it."""
    if any(word in str(folder.resolve()) for word in _WORDS):
        raise SystemExit(f"{folder}: infini-gram cannot read files whose path holds one of {', '.join(_WORDS)}")
    if corpus.stream.nbytes < 2 * cpus * _OVERLAP_BYTES:
        raise SystemExit("the corpus is too small: infini-gram would build a wrong index of it")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rotated = np.concatenate([corpus.stream[-1:], corpus.stream[:-1]])
    rotated.tofile(folder / "tokenized.0")
    (2 * np.flatnonzero(rotated == END)).astype("<u8").tofile(folder / "offset.0")


def build(folder: Path, cpus: int) -> tuple[dict[str, float], Cost]:
    """Runs its builder on what `write_stream` wrote; its first step sees that there is nothing left for it to do.

    Returns:
        The seconds of each part of its second step, and what the process took.
    """
    (folder / "table.0").unlink(missing_ok=True)
    # In one batch of parts, which is what it does best.
    gigabytes = math.ceil(8 * (folder / "tokenized.0").stat().st_size / 2**30) + 1
    _, open_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    command = [sys.executable, "-m", "infini_gram.indexing", "--token_dtype", "u16"]
    for flag, value in {"data_dir": folder, "save_dir": folder, "cpus": cpus, "mem": gigabytes}.items():
        command += [f"--{flag}", str(value)]
    printed, cost = run_command([*command, "--ulimit", str(open_files)])
    steps = {name: float(taken) for name, taken in re.findall(r"\(([\w-]+)\): Done. Took ([\d.]+) seconds", printed)}
    if steps.keys() != {"make-part", "merge", "concat", "build_sa"} or not (folder / "table.0").stat().st_size:
        raise SystemExit(f"infini-gram did not build:\n{printed}")
    del steps["build_sa"]  # the whole of them
    return steps, cost


class Engine:
    """Its engine, without the prefetching that slows it down when files are in the page cache."""

    def __init__(self, folder: Path, corpus: Corpus) -> None:
        from infini_gram.engine import InfiniGramEngine

        #: What it calls a document's end: an id that the corpus does not use.
        self.end_token = int(corpus.unused[-1])
        self.engine: InfiniGramEngine = InfiniGramEngine(
            index_dir=str(folder),
            eos_token_id=self.end_token,
            ds_prefetch_depth=0,
            sa_prefetch_depth=0,
            od_prefetch_depth=0,
        )

    def count(self, ngram: Ngram) -> int:
        answer: Any = self.engine.count(ngram)
        times: int = answer["count"]
        return times

    def counts(self, ngrams: Sequence[Ngram]) -> list[int]:
        return [self.count(ngram) for ngram in ngrams]
