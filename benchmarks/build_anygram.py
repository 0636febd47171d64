"""Builds an index and prints the seconds of each stage as JSON; the benchmarks run it as a process of its own."""

from __future__ import annotations

import argparse
import json
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import anygram
from anygram import _core
from corpus import END

_STAGES = ("reading", "writing", "sorting", "finishing")


class TimedShardBuilder(_core.ShardBuilder):
    """Notes when each stage of the core ends: a progress callback would hear of it only now and then."""

    ends: dict[str, float] = {}  # noqa: RUF012  # of the only shard there is

    def __init__(self, folder: str, **options: Any) -> None:
        self.ends["reading"] = time.perf_counter()
        super().__init__(folder, **options)

    def write_tokens(self, *arguments: Any, **options: Any) -> None:
        super().write_tokens(*arguments, **options)
        self.ends["writing"] = time.perf_counter()

    def sort(self, *arguments: Any, **options: Any) -> None:
        super().sort(*arguments, **options)
        self.ends["sorting"] = time.perf_counter()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("input", type=Path, help="a token file, or text with --tokenizer")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tokenizer", default="none")
    parser.add_argument("--token-dtype", default="uint16")
    parser.add_argument("--profile", default="fast")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--memory", type=int)
    arguments = parser.parse_args()

    _core.ShardBuilder = TimedShardBuilder  # type: ignore[misc]
    started = time.perf_counter()
    if arguments.tokenizer == "none":
        end = END if arguments.token_dtype == "uint16" else 2**32 - 1
        documents = anygram.read_corpus(arguments.input, token_dtype=arguments.token_dtype, end_token=end)
    else:
        documents = anygram.read_corpus(arguments.input)
    options = {"profile": arguments.profile, "threads": arguments.threads, "memory": arguments.memory}
    anygram.build(documents, arguments.folder, tokenizer=arguments.tokenizer, shards=1, overwrite=True, **options)
    ends = [started, *(TimedShardBuilder.ends[stage] for stage in _STAGES[:-1]), time.perf_counter()]
    stages = {stage: end - begin for stage, (begin, end) in zip(_STAGES, pairwise(ends), strict=True)}
    print(json.dumps(stages))


if __name__ == "__main__":
    main()
