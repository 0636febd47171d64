"""Whether infini-gram's files say what they should: every pointer, every document, the whole order."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anygram.errors import IndexFormatError
from anygram.infini_gram_files import MetadataLines, ShardFiles

_MOST_REPORTED = 10

# Their builder merges parts by the first 100,000 bytes of suffixes: equal ones may stand in any order.
_ORDERED_BYTES = 100_000

_BLOCK = 1 << 20


class Finding(NamedTuple):
    """What is wrong: the file, where in it in bytes, what should be there and what is."""

    path: str
    offset: int | None
    expected: str
    found: str


def check_shard(files: ShardFiles, width: int) -> list[Finding]:
    """Everything in a shard that was opened, so its sizes fit. At most ten findings of a file.

    The order is checked by induction: of two neighbours the first tokens ascend, or are equal and the suffixes behind
    them stand in the right order. So it takes O(tokens), with about 20 bytes of memory for each.
    """
    tokens = np.fromfile(files.tokens, f">u{width}")  # as they compare: byte by byte
    findings = _check_offsets(files, tokens, width)
    positions, wrong = _positions(files, len(tokens), width)
    findings += wrong or _check_order(files, tokens, positions, width)
    if files.metadata is not None and files.metadata_offsets is not None:
        findings += _check_lines(MetadataLines(files.metadata, files.metadata_offsets, _num_documents(files)), files)
    return findings


def _num_documents(files: ShardFiles) -> int:
    return files.offsets.stat().st_size // 8


def _check_offsets(files: ShardFiles, tokens: NDArray[np.unsignedinteger[Any]], width: int) -> list[Finding]:
    offsets = np.fromfile(files.offsets, "<u8")
    separators = np.flatnonzero(tokens == np.iinfo(tokens.dtype).max).astype(np.uint64) * np.uint64(width)
    if len(offsets) != len(separators):
        return [Finding(str(files.offsets), None, f"{len(separators)} documents", f"{len(offsets)}")]
    return [
        Finding(str(files.offsets), 8 * int(row), f"the separator at {separators[row]}", str(offsets[row]))
        for row in np.flatnonzero(offsets != separators)[:_MOST_REPORTED]
    ]


def _positions(files: ShardFiles, length: int, width: int) -> tuple[NDArray[np.int64], list[Finding]]:
    """The table in tokens; and what keeps it from being a permutation."""
    table = np.fromfile(files.table, np.uint8).reshape(length, -1)
    size = table.shape[1]
    pointers = np.zeros(length, np.uint64)
    for byte in range(size):
        pointers |= table[:, byte].astype(np.uint64) << np.uint64(8 * byte)
    positions = (pointers // np.uint64(width)).astype(np.int64)
    is_pointer = (pointers % np.uint64(width) == 0) & (pointers < np.uint64(length * width))
    expected = f"a multiple of {width} below {length * width}"
    wrong = [
        Finding(str(files.table), size * int(rank), expected, str(pointers[rank]))
        for rank in np.flatnonzero(~is_pointer)[:_MOST_REPORTED]
    ]
    if not wrong:
        times = np.bincount(positions, minlength=length)
        wrong = [
            Finding(str(files.table), None, f"a pointer to {width * int(position)} once", f"{times[position]} times")
            for position in np.flatnonzero(times != 1)[:_MOST_REPORTED]
        ]
    return positions, wrong


def _check_order(
    files: ShardFiles, tokens: NDArray[np.unsignedinteger[Any]], positions: NDArray[np.int64], width: int
) -> list[Finding]:
    ranks = np.empty(len(positions) + 1, np.int64)
    ranks[positions] = np.arange(len(positions))
    ranks[-1] = -1  # the end of the file is before everything
    pointer_bytes = files.table.stat().st_size // len(positions)
    findings: list[Finding] = []
    for begin in range(0, len(positions) - 1, _BLOCK):
        before, after = positions[begin : begin + _BLOCK], positions[begin + 1 : begin + 1 + _BLOCK]
        before = before[: len(after)]
        first, second = tokens[before], tokens[after]
        fine = (first < second) | ((first == second) & (ranks[before + 1] < ranks[after + 1]))
        for row in np.flatnonzero(~fine):
            a, b = (int(place[row]) for place in (before, after))
            depth = -(-_ORDERED_BYTES // width)
            left, right = tokens[a : a + depth].tobytes(), tokens[b : b + depth].tobytes()
            if left > right:
                place = pointer_bytes * (begin + int(row) + 1)
                findings.append(Finding(str(files.table), place, f"a suffix after that at {a * width}", str(b * width)))
                if len(findings) == _MOST_REPORTED:
                    return findings
    return findings


def _check_lines(lines: MetadataLines, files: ShardFiles) -> list[Finding]:
    findings = []
    for document in range(_num_documents(files)):
        try:
            lines.record(document)
        except IndexFormatError as error:
            findings.append(Finding(error.path or str(files.metadata), error.offset, "a line of JSON", str(error)))
            if len(findings) == _MOST_REPORTED:
                break
    return findings
