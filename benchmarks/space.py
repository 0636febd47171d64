"""What an index weighs, section by section, in both profiles and with ids of 3 bytes; and converting profiles."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import anygram
from builds import build_anygram, cut, write_widened
from common import folder_bytes, markdown_table, new_parser, note, warm, write_results
from corpus import Corpus
from findings import Goal, Line, at_most, lines_table, one, plain_lines

_FOLDERS = {"fast": "anygram", "lean": "lean", "wide": "wide"}


def section_bytes(index: Path) -> dict[str, int]:
    """Bytes of each kind of file, checksums included; what is not a shard's is "manifests"."""
    found: Counter[str] = Counter()
    for file in index.rglob("*"):
        if file.is_file():
            in_shard = file.parent != index and (file.parent / "shard").exists()
            found[file.name if in_shard and file.name != "shard" else "manifests"] += file.stat().st_size
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def convert(index: Path, target: Path, profile: str) -> float | None:
    """The seconds of the command, start of Python included; None if this version has none."""
    shutil.rmtree(target, ignore_errors=True)
    command = [sys.executable, "-m", "anygram", "convert", str(index), "-o", str(target), "--profile", profile]
    started = time.perf_counter()
    process = subprocess.run(command, check=False, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if process.returncode == 2 and "convert" in process.stderr:
        return None
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{process.stderr}")
    return seconds


def same_shards(one_index: Path, other: Path) -> bool:
    """Whether an index has the sections of another, byte for byte."""

    def sections(index: Path) -> dict[str, bytes]:
        found = {file.name: file for file in index.rglob("*") if (file.parent / "shard").exists()}
        return {name: file.read_bytes() for name, file in found.items() if file.is_file()}

    return sections(one_index) == sections(other)


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("corpus", type=Path, help="a token file of corpus.py")
    parser.add_argument(
        "folder", type=Path, help="for the indexes: FOLDER/anygram (kept if there), FOLDER/lean, FOLDER/wide"
    )
    parser.add_argument("--wide-tokens", type=int, default=1_000_000_000, help="of the index with ids of 3 bytes")
    arguments = parser.parse_args()

    corpus = Corpus(arguments.corpus)
    folder: Path = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    tables, lines = {}, []
    wide = folder / "wide.bin"
    write_widened(cut(corpus.stream, arguments.wide_tokens), wide)
    kinds: dict[str, tuple[Path, str, str, Goal | None]] = {
        "fast": (arguments.corpus, "fast", "uint16", at_most(8.5)),
        "lean": (arguments.corpus, "lean", "uint16", at_most(6.2)),
        "wide": (wide, "fast", "uint32", None),
    }
    sections = {}
    for name, (source, profile, dtype, goal) in kinds.items():
        note(f"building: {name}")
        built = folder / _FOLDERS[name]
        if name != "fast" or not built.exists():
            build_anygram(source, built, profile=profile, token_dtype=dtype)
        with anygram.open(built) as index:
            num_tokens, width = index.num_tokens, index.token_width
        sections[name] = section_bytes(built)
        total = sum(size for kind, size in sections[name].items() if kind != "metadata")
        lines.append(
            Line(f"{name}, ids of {width} bytes, all but metadata", "bytes a token", one(total / num_tokens), goal=goal)
        )
        rows = [(kind, f"{size:,}", f"{size / num_tokens:.4f}") for kind, size in sections[name].items()]
        tables[f"{name}: {profile}, {num_tokens:,} tokens"] = markdown_table(["section", "bytes", "a token"], rows)
    wide.unlink()

    remarks = []
    for begin, end in (("fast", "lean"), ("lean", "fast")):
        note(f"converting {begin} to {end}")
        warm(folder / _FOLDERS[begin])
        target = folder / "converted"
        seconds = convert(folder / _FOLDERS[begin], target, end)
        if seconds is None:
            remarks.append(f"{begin} to {end}: this version has no `anygram convert`\n")
            continue
        lines.append(Line(f"convert {begin} to {end}", "ns a token", one(1e9 * seconds / corpus.num_tokens)))
        written = folder_bytes(target) / 1e6
        remarks.append(f"{begin} to {end}: {seconds:.2f} s, {written / seconds:,.0f} MB/s of output\n")
        same = same_shards(target, folder / _FOLDERS[end])
        lines.append(Line(f"converted to {end}: the bytes of a build", "1 if so", one(float(same))))
        shutil.rmtree(target)
    tables = {f"{corpus.num_tokens:,} tokens": lines_table(lines, ""), **tables, "Conversion": "\n".join(remarks)}
    found = {"lines": plain_lines(lines), "corpus": corpus.facts, "sections": sections}
    write_results(arguments.results, "space", arguments, found, tables)


if __name__ == "__main__":
    main()
