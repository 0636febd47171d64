"""How many 4 KB pages a count needs from the disk, and its time, when no more than the top of the tree is in memory.

Before each question everything else of the index is dropped from this process and from the page cache; then each page
that the question touches costs one major fault, which the system counts. The bits that say which pages were checked
stay, so that these are the pages of the answer; a batch is asked of an index that was just opened, and pays for its
checksums too.
"""

from __future__ import annotations

import ctypes
import os
import resource
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import anygram
import peer
from both import time_each
from common import Summary, add_seed, new_parser, note, seconds_of, write_results
from corpus import Corpus, Ngram, draw_window
from findings import Goal, Line, at_most, lines_table, one, plain_lines

LENGTHS = (1, 2, 3, 5, 6, 8, 10, 20, 30, 50)

# Sections that lead to the pages, and are meant to stay in memory: so many bytes a token, and so many a distinct token.
_TOP_BYTES, _UNIGRAM_BYTES = 0.03, 8.2

_FIRST = 500  # questions that are asked of an index just opened

_MADV_DONTNEED = 4
_libc = ctypes.CDLL(None, use_errno=True)


class Faults(NamedTuple):
    """What a count needed: pages and microseconds of each question, in the order of the questions."""

    pages: NDArray[np.int64]
    microseconds: NDArray[np.float64]


def evict(files: list[Path]) -> None:
    """Drops files from this process's memory and from the page cache, whatever maps them."""
    for begin, end in mappings(set(map(str, files))):
        if _libc.madvise(ctypes.c_void_p(begin), ctypes.c_size_t(end - begin), _MADV_DONTNEED) != 0:
            raise SystemExit(f"madvise failed: {os.strerror(ctypes.get_errno())}")
    for file in files:
        descriptor = os.open(file, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def mappings(files: set[str]) -> list[tuple[int, int]]:
    """Where this process maps them."""
    found = []
    with Path("/proc/self/maps").open(encoding="utf-8") as lines:
        for line in lines:
            span, *_, path = line.rstrip("\n").split(maxsplit=5)
            if path in files:
                begin, end = (int(address, 16) for address in span.split("-"))
                found.append((begin, end))
    return found


def pages_in_memory(files: list[Path]) -> int:
    """How many pages of what this process maps of them lie in the page cache."""
    total = 0
    for begin, end in mappings(set(map(str, files))):
        found = np.empty((end - begin) // os.sysconf("SC_PAGE_SIZE"), np.uint8)
        address, length = ctypes.c_void_p(begin), ctypes.c_size_t(end - begin)
        if _libc.mincore(address, length, ctypes.c_void_p(found.ctypes.data)) != 0:
            raise SystemExit(f"mincore failed: {os.strerror(ctypes.get_errno())}")
        total += int((found & 1).sum())
    return total


def files_of(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.resolve().rglob("*")) if file.is_file()]


def split_top(folder: Path, num_tokens: int, num_distinct: int) -> tuple[list[Path], list[Path]]:
    """The files of an index that are meant to stay in memory, and the rest.

    The smallest sections stay, as many as are allowed in all; what tells documents apart is not needed to count.
    """
    allowed = _TOP_BYTES * num_tokens + _UNIGRAM_BYTES * num_distinct + 8 * 8192
    top: list[Path] = []
    for file in sorted(files_of(folder), key=lambda one_file: one_file.stat().st_size):
        if file.name.startswith(("document", "metadata")):
            continue
        allowed -= file.stat().st_size
        if allowed < 0:
            break
        top.append(file)
    return top, [file for file in files_of(folder) if file not in top]


def measure_pages(files: list[Path], ngrams: list[Ngram], count: Callable[[Ngram], object]) -> Faults:
    for ngram in ngrams:  # so that every page is checked, and what stays in memory is there
        count(ngram)
    pages = np.empty(len(ngrams), np.int64)
    times = np.empty(len(ngrams))
    for number, ngram in enumerate(ngrams):
        evict(files)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_majflt
        times[number] = time_each([ngram], count)[0]
        pages[number] = resource.getrusage(resource.RUSAGE_SELF).ru_majflt - before
    return Faults(pages, times)


def measure_first(folder: Path, files: list[Path], ngrams: list[Ngram]) -> NDArray[np.int64]:
    """The pages that the first question of all needs, each on an index just opened: with those of the checksums."""
    pages = np.empty(len(ngrams), np.int64)
    for number, ngram in enumerate(ngrams):
        with anygram.open(folder) as index:
            evict(files)
            before = pages_in_memory(files)
            index.count(ngram)
            pages[number] = pages_in_memory(files) - before
    return pages


def lines_of(name: str, ngrams: list[Ngram], faults: Faults, peers: Faults | None) -> list[Line]:
    """Means by length, and of all; with the peer's for the same questions, and goals, if they are given."""
    lengths = np.array([len(ngram) for ngram in ngrams])
    lines: list[Line] = []

    def add(title: str, unit: str, of: Callable[[Faults], float], goal: Goal | None = None) -> None:
        theirs = None if peers is None else one(of(peers))
        lines.append(Line(f"{name}, {title}", unit, one(of(faults)), theirs, goal if peers is not None else None))

    def by(
        rows: NDArray[np.bool_], measure: Callable[[NDArray[Any]], Any], what: str = "pages"
    ) -> Callable[[Faults], float]:
        # The peer was asked the first of them.
        return lambda found: float(measure(getattr(found, what)[rows[: len(found.pages)]]))

    for length in LENGTHS:
        add(f"n = {length}: mean", "pages a count", by(lengths == length, np.mean), at_most(4 if length <= 5 else 6))
    for title, rows, bound in (("n up to 5", lengths <= 5, 4), ("n from 6 to 50", lengths > 5, 6)):
        add(f"{title}: mean", "pages a count", by(rows, np.mean), at_most(bound))
        add(f"{title}: 99th percentile", "pages a count", by(rows, partial(np.percentile, q=99)))
        add(f"{title}: most", "pages a count", by(rows, np.max))
        add(f"{title}: median", "us a cold count", by(rows, np.median, "microseconds"))
    return lines


def measure_index(name: str, folder: Path, ngrams: list[Ngram], num_distinct: int, peers: Faults | None) -> list[Line]:
    with anygram.open(folder) as index:
        top, rest = split_top(folder, index.num_tokens, num_distinct)
        faults = measure_pages(rest, ngrams, index.count)
        lines = lines_of(name, ngrams, faults, peers)
        staying = sum(file.stat().st_size for file in top) / index.num_tokens
    few = ngrams[:_FIRST]
    first, lengths = measure_first(folder, rest, few), np.array(list(map(len, few)))
    for title, rows in {"n up to 5": lengths <= 5, "n from 6 to 50": lengths > 5}.items():
        mean = one(first[rows].mean())
        lines.append(Line(f"{name}, {title}: mean, index just opened", "pages, with checksums", mean))
    staying_names = ", ".join(sorted(file.name for file in top))
    return [*lines, Line(f"{name}, staying in memory: {staying_names}", "bytes a token", one(staying))]


def cold_batch(folder: Path, ngrams: list[Ngram], num_distinct: int) -> float:
    """Microseconds a query of a batch, on an index just opened."""
    with anygram.open(folder) as index:
        top, _ = split_top(folder, index.num_tokens, num_distinct)
    evict(files_of(folder))
    for file in top:
        file.read_bytes()
    questions = anygram.Ragged.from_sequences(ngrams)
    with anygram.open(folder) as index:
        return 1e6 * seconds_of(lambda: index.count_batch(questions)) / len(ngrams)


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("corpus", type=Path, help="a token file of corpus.py")
    parser.add_argument(
        "folder", type=Path, help="FOLDER/anygram and FOLDER/infini-gram of build.py; FOLDER/lean, /wide"
    )
    parser.add_argument("--ngrams", type=int, default=5000, help="of the corpus")
    parser.add_argument("--peer-ngrams", type=int, default=1000, help="of them, for infini-gram")
    parser.add_argument("--rounds", type=int, default=3, help="of cold batches")
    add_seed(parser)
    arguments = parser.parse_args()

    corpus = Corpus(arguments.corpus)
    random = np.random.default_rng(arguments.seed)
    ngrams = [draw_window(corpus, LENGTHS[number % len(LENGTHS)], random) for number in range(arguments.ngrams)]
    lines: list[Line] = []
    folder: Path = arguments.folder
    engine = peer.Engine(folder / "infini-gram", corpus)
    few = ngrams[: arguments.peer_ngrams]
    with anygram.open(folder / "anygram") as index:
        if index.count_batch(few).tolist() != engine.counts(few):
            raise SystemExit("anygram and infini-gram do not count alike: nothing is measured")
    note("pages: infini-gram")
    theirs = measure_pages(files_of(folder / "infini-gram"), few, engine.count)
    for name, place in {"fast": "anygram", "lean": "lean", "fast, ids of 3 bytes": "wide"}.items():
        if not (folder / place).exists():
            note(f"{name}: there is no {folder / place}")
            continue
        note(f"pages: {name}")
        asked = ngrams if place == "anygram" else ngrams[: len(ngrams) // 2]
        if place == "wide":
            asked = [[3 * token for token in ngram] for ngram in asked]
        peers = theirs if place == "anygram" else None
        lines += measure_index(name, folder / place, asked, len(corpus.used), peers)
        batch = Summary.of(cold_batch(folder / place, asked, len(corpus.used)) for _ in range(arguments.rounds))
        lines.append(Line(f"{name}: count_batch of {len(asked):,}, index just opened", "us a query", batch))
    title = f"{corpus.num_tokens:,} tokens, {len(ngrams):,} n-grams of the corpus, {len(few):,} of them for infini-gram"
    found = {"lines": plain_lines(lines), "corpus": corpus.facts}
    write_results(arguments.results, "cold", arguments, found, {title: lines_table(lines)})


if __name__ == "__main__":
    main()
