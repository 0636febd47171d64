"""Builds as processes of their own, measured from outside: anygram's and infini-gram's."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

import peer
from common import HERE, Cost, available_cpus, run_command
from corpus import END, Tokens


class Run(NamedTuple):
    """One build: the seconds of its stages, those that go into the order, and what the process took."""

    stages: dict[str, float]
    sorting: float
    cost: Cost


def build_anygram(
    source: Path,
    folder: Path,
    *,
    profile: str = "fast",
    threads: int | None = None,
    memory: int | None = None,
    tokenizer: str = "none",
    token_dtype: str = "uint16",
) -> Run:
    """Builds the index of a token file, or of a text file with a tokenizer."""
    # Removed before: replacing an index costs what a new one does not.
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, str(HERE / "build_anygram.py"), str(source), str(folder), "--profile", profile]
    command += ["--threads", str(threads or available_cpus()), "--tokenizer", tokenizer, "--token-dtype", token_dtype]
    if memory is not None:
        command += ["--memory", str(memory)]
    printed, cost = run_command(command)
    stages = json.loads(printed.splitlines()[-1])
    return Run(stages, stages["sorting"], cost)


def build_infini_gram(folder: Path, cpus: int) -> Run:
    """Builds from what `peer.write_stream` wrote into the folder."""
    steps, cost = peer.build(folder, cpus)
    return Run(steps, sum(steps.values()), cost)


def write_widened(stream: Tokens, path: Path) -> None:
    """The same tokens with ids that need 3 bytes: each times 3, as in a vocabulary of up to 196,000."""
    with path.open("wb") as file:
        for begin in range(0, len(stream), 1 << 24):
            part = stream[begin : begin + (1 << 24)].astype(np.uint32)
            np.where(part == END, np.uint32(2**32 - 1), part * 3).astype("<u4").tofile(file)


def cut(stream: Tokens, num_tokens: int) -> Tokens:
    """The beginning of a token stream, whole documents, about so many tokens."""
    if num_tokens >= len(stream):
        return stream
    end = num_tokens
    while stream[end - 1] != END:
        end += 1
    return stream[:end]


def write_drawn(source: str, num_tokens: int, target: str) -> None:
    """Documents of a token file drawn at random, in their order, until there are so many tokens."""
    stream: Tokens = np.memmap(source, "<u2", mode="r")
    ends = np.flatnonzero(stream == END)
    begins = np.concatenate([[0], ends[:-1] + 1])
    order = np.random.default_rng(0).permutation(len(ends))
    number = int(np.searchsorted(np.cumsum((ends - begins)[order]), num_tokens)) + 1
    with Path(target).open("wb") as file:
        for document in np.sort(order[:number]).tolist():
            stream[begins[document] : ends[document] + 1].tofile(file)


def write_cut(stream: Tokens, num_tokens: int, path: Path) -> Path:
    """The same as a token file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cut(stream, num_tokens).tofile(path)
    return path
