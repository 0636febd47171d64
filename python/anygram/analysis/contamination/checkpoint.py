"""What was judged already, kept in a folder, so that long work can be stopped and resumed.

A file holds what one rule says of one benchmark. Its name is a hash of all that this depends on: the index, the items,
the rule with its parameters, and for some rules the other benchmarks. What is damaged or belongs to something else is
judged anew, never believed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from anygram.analysis.contamination.benchmarks import Benchmark
from anygram.analysis.contamination.items import Evidence, Verdict
from anygram.errors import InputError

_FORMAT = "anygram.contamination-checkpoint/1"


class Kept(NamedTuple):
    """What a rule said of a benchmark."""

    verdicts: list[Verdict]
    way: str
    notes: list[str]


class Checkpoints:
    """A folder of judgements.

    Args:
        folder: where they are kept; made if it is not there.
        index_id: the index that is asked.

    Raises:
        InputError: the folder cannot be made, or is a file.
    """

    def __init__(self, folder: str | os.PathLike[str], index_id: str) -> None:
        self._folder = Path(folder)
        self._index_id = index_id
        self.num_read = 0
        self.num_refused = 0
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"no folder for checkpoints: {error.strerror}", str(folder)) from None

    def read(self, context: object, benchmark: Benchmark, rule: object) -> Kept | None:
        """What a rule says of a benchmark, if it was kept whole.

        Args:
            context: what this depends on beside; its repr tells all of it.
            benchmark: the benchmark.
            rule: the rule.
        """
        key = self._key(context, benchmark, rule)
        try:
            content = self._path(key).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InputError(f"the checkpoint cannot be read: {error.strerror}", str(self._path(key))) from None
        kept = _verdicts(content, key, len(benchmark))
        if kept is None:
            self.num_refused += 1
        else:
            self.num_read += 1
        return kept

    def write(
        self,
        context: object,
        benchmark: Benchmark,
        rule: object,
        verdicts: Sequence[Verdict],
        way: str,
        notes: list[str],
    ) -> None:
        """Keeps what a rule says of a benchmark; the file is whole or is not there.

        Raises:
            InputError: it cannot be written.
        """
        key = self._key(context, benchmark, rule)
        kept = {"key": key, "way": way, "notes": notes, "verdicts": [_plain(verdict) for verdict in verdicts]}
        body = json.dumps(kept).encode()
        path = self._path(key)
        unfinished = path.with_suffix(f".{os.getpid()}.unfinished")
        try:
            unfinished.write_bytes(f"{_FORMAT} {_hash(body)}\n".encode() + body)
            unfinished.replace(path)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            raise InputError(f"the checkpoint cannot be written: {error.strerror}", str(path)) from None

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.checkpoint"

    def _key(self, context: object, benchmark: Benchmark, rule: object) -> str:
        # The repr of a rule, a frozen dataclass, has its name and all of its parameters.
        parts = (_FORMAT, self._index_id, benchmark.name, benchmark.hash, len(benchmark), rule, context)
        return _hash(repr(parts).encode("utf-8", "backslashreplace"))


def _hash(content: bytes) -> str:
    return blake2b(content, digest_size=16).hexdigest()


def _plain(verdict: Verdict) -> list[Any]:
    evidence = [
        [e.field, int(e.begin), int(e.end), int(e.count), list(map(int, e.documents))] for e in verdict.evidence
    ]
    return [bool(verdict.applicable), bool(verdict.contaminated), float(verdict.score), verdict.label, evidence]


def _verdicts(content: bytes, key: str, number: int) -> Kept | None:
    head, _, body = content.partition(b"\n")
    if head != f"{_FORMAT} {_hash(body)}".encode():
        return None
    kept = json.loads(body)
    if kept["key"] != key or len(kept["verdicts"]) != number:
        return None
    verdicts = [_verdict(one, item) for item, one in enumerate(kept["verdicts"])]
    return Kept(verdicts, kept["way"], kept["notes"])


def _verdict(kept: list[Any], item: int) -> Verdict:
    applicable, contaminated, score, label, evidence = kept
    found = tuple(
        Evidence(field, begin, end, count, tuple(documents)) for field, begin, end, count, documents in evidence
    )
    return Verdict(item, applicable, contaminated, score, label, found)
