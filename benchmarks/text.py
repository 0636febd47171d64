"""Builds an index from text, stage by stage, beside what the tokenizer library alone takes for it on all cores.

The library is called as it is at its best: texts that lie in memory, `encode_batch_fast`, its own threads.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from pathlib import Path

import anygram
from builds import Run, build_anygram
from common import HERE, Summary, add_rounds, interleave, markdown_table, new_parser, run_command, warm, write_results
from findings import Line, at_most, lines_table, one, plain_lines

_BATCH = 1000  # texts that the library gets at once


def texts_of(path: Path) -> list[str]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in lines]


def encode_all(path: Path, tokenizer: Path) -> None:
    """What the process for the library alone does: prints the seconds it took, and the number of tokens."""
    from tokenizers import Tokenizer

    texts = texts_of(path)
    library = Tokenizer.from_file(str(tokenizer))
    library.no_padding()
    library.no_truncation()
    num_tokens = 0
    started = time.perf_counter()
    for begin in range(0, len(texts), _BATCH):
        encoded = library.encode_batch_fast(texts[begin : begin + _BATCH], add_special_tokens=False)
        num_tokens += sum(map(len, encoded))
    print(json.dumps({"seconds": time.perf_counter() - started, "tokens": num_tokens}))


def cut_text(path: Path, num_bytes: int, target: Path) -> Path:
    """The first lines of a JSONL file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with path.open("rb") as source, target.open("wb") as file:
        for line in source:
            file.write(line)
            if file.tell() >= num_bytes:
                break
    return target


def metadata_sizes(path: Path, index: Path) -> tuple[int, int]:
    """Bytes of everything but the text: as JSON, a line a document, and in the index."""
    as_json = 0
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            fields = json.loads(line)
            del fields["text"]
            as_json += len(json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()) + 1
    return as_json, sum(file.stat().st_size for file in index.rglob("metadata*"))


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("text", type=Path, help='a JSONL file: {"text", and any metadata}')
    parser.add_argument("tokenizer", type=Path, help="a tokenizer.json")
    parser.add_argument("folder", type=Path, help="for what is built, which is removed again")
    parser.add_argument("--text-bytes", type=int, default=60_000_000, help="of the file, from its beginning")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    add_rounds(parser, 3)
    arguments = parser.parse_args()
    if arguments.alone:
        encode_all(arguments.text, arguments.tokenizer)
        return

    folder = arguments.folder
    text = cut_text(arguments.text, arguments.text_bytes, folder / "text.jsonl")
    warm(text, arguments.tokenizer)

    def alone() -> dict[str, float]:
        command = [sys.executable, str(HERE / "text.py"), str(text), str(arguments.tokenizer), str(folder), "--alone"]
        answer: dict[str, float] = json.loads(run_command(command)[0])
        return answer

    def build() -> dict[str, float]:
        run: Run = build_anygram(text, folder / "index", tokenizer=str(arguments.tokenizer))
        return {**run.stages, "whole process": run.cost.seconds, "CPU": run.cost.cpu_seconds}

    runs = interleave({"tokenizer library": alone, "anygram": build}, arguments.rounds)
    with anygram.open(folder / "index") as index:
        facts = {"tokens": index.num_tokens, "documents": index.num_documents, "bytes": text.stat().st_size}
    as_json, packed = metadata_sizes(text, folder / "index")
    shutil.rmtree(folder)

    library = Summary.of(run["seconds"] for run in runs["tokenizer library"])
    reading = Summary.of(run["reading"] for run in runs["anygram"])
    lines = [
        Line("text to tokens, all cores (peer: the library alone)", "s", reading, library),
        Line("of what the library takes alone", "share", one(reading.median / library.median), goal=at_most(1.1)),
        Line("metadata, of its JSON", "share", one(packed / as_json), goal=at_most(1 / 3)),
    ]
    stages = [(stage, Summary.of(run[stage] for run in runs["anygram"]).show()) for stage in runs["anygram"][0]]
    megabytes = facts["bytes"] / 1e6
    title = f"{megabytes:,.0f} MB of JSONL, {facts['tokens']:,} tokens in {facts['documents']:,} documents"
    if runs["tokenizer library"][0]["tokens"] != facts["tokens"]:
        title += f" ({runs['tokenizer library'][0]['tokens']:,} by the library, which knows special tokens in text)"
    found = {"lines": plain_lines(lines), **facts, "runs": runs, "metadata": {"json": as_json, "index": packed}}
    tables = {title: lines_table(lines, "tokenizers"), "The whole build": markdown_table(["stage", "s"], stages)}
    write_results(arguments.results, "text", arguments, found, tables)


if __name__ == "__main__":
    main()
