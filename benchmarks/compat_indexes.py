"""Indexes that the installed infini-gram builds: of bytes and of 2-byte tokens, forwards and backwards."""

from __future__ import annotations

import json
import resource
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common import run_command
from corpus import END

Documents = list[NDArray[np.unsignedinteger[Any]]]


@dataclass(frozen=True)
class Layout:
    """One kind of index."""

    width: int
    backwards: bool
    num_shards: int

    @property
    def name(self) -> str:
        return f"v{5 if self.backwards else 4}-u{8 * self.width}"

    @property
    def separator(self) -> int:
        return (1 << 8 * self.width) - 1

    def options(self, end: int) -> dict[str, Any]:
        """What both constructors are told."""
        return {
            "eos_token_id": end,
            "vocab_size": self.separator,
            "version": 5 if self.backwards else 4,
            "token_dtype": f"u{8 * self.width}",
            "ds_prefetch_depth": 0,
            "sa_prefetch_depth": 0,
            "od_prefetch_depth": 0,
        }


LAYOUTS = [Layout(1, False, 2), Layout(1, True, 1), Layout(2, False, 1), Layout(2, True, 3)]


class Files:
    """A directory of theirs, read here once more by itself: what the answers are held against.

    Attributes:
        streams: of each shard, the tokens with a separator before each document.
        tables: of each shard, the positions in their order.
        documents: of each shard, the document of each position.
    """

    def __init__(self, folder: Path, layout: Layout) -> None:
        self.layout = layout
        self.streams = [
            np.fromfile(folder / f"tokenized.{shard}", f"<u{layout.width}").astype(np.int64)
            for shard in range(layout.num_shards)
        ]
        self.tables = [self._table(folder / f"table.{shard}", len(each)) for shard, each in enumerate(self.streams)]
        self.documents = [np.cumsum(stream == layout.separator) - 1 for stream in self.streams]

    def _table(self, path: Path, length: int) -> NDArray[np.int64]:
        rows = np.fromfile(path, np.uint8).reshape(length, -1).astype(np.int64)
        pointers = sum(rows[:, byte] << 8 * byte for byte in range(rows.shape[1]))
        return np.asarray(pointers // self.layout.width, np.int64)


def read_texts(path: Path, num_bytes: int) -> list[str]:
    """The first texts of a JSONL file."""
    texts: list[str] = []
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            texts.append(json.loads(line)["text"])
            num_bytes -= len(texts[-1].encode())
            if num_bytes < 0:
                break
    return texts


def read_documents(path: Path, num_tokens: int) -> Documents:
    """The first documents of a token file."""
    stream = np.fromfile(path, "<u2", count=num_tokens)
    return np.split(stream, np.flatnonzero(stream == END) + 1)[:-1]  # each with its END


def build(folder: Path, layout: Layout, texts: list[str], documents: Documents) -> Path:
    """Builds one with their builder, in one part: so that it is right whatever its size."""
    shutil.rmtree(folder, ignore_errors=True)
    source = folder / "source"
    source.mkdir(parents=True)
    if layout.width == 1 and not layout.backwards:  # their builder does all
        lines = (json.dumps({"text": text, "number": number}) + "\n" for number, text in enumerate(texts))
        (source / "a.jsonl").write_text("".join(lines), encoding="utf-8")
    else:  # it has no tokenizer for these: its first step finds its work done
        tokens = [np.frombuffer(text.encode(), np.uint8) for text in texts] if layout.width == 1 else documents
        _write_streams(folder, layout, [document[document != layout.separator] for document in tokens])
    _, open_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    flags = {"data_dir": source, "save_dir": folder, "cpus": 1, "mem": 2, "shards": layout.num_shards}
    command = [sys.executable, "-m", "infini_gram.indexing", "--token_dtype", f"u{8 * layout.width}"]
    command += ["--version", str(5 if layout.backwards else 4), "--add_metadata", "--ulimit", str(open_files)]
    for flag, value in flags.items():
        command += [f"--{flag}", str(value)]
    run_command(command)
    return folder


def _write_streams(folder: Path, layout: Layout, documents: Documents) -> None:
    separator = np.array([layout.separator], f"<u{layout.width}")
    for shard in range(layout.num_shards):
        chosen = documents[shard :: layout.num_shards]
        parts = [part[::-1] if layout.backwards else part for part in chosen]
        lengths = np.array([len(part) + 1 for part in parts])
        starts = np.cumsum([0, *lengths])[:-1] * layout.width
        np.concatenate([piece for part in parts for piece in (separator, part)]).tofile(folder / f"tokenized.{shard}")
        starts.astype("<u8").tofile(folder / f"offset.{shard}")
        lines = [json.dumps({"path": "a", "linenum": number, "metadata": {}}) + "\n" for number in range(len(parts))]
        (folder / f"metadata.{shard}").write_text("".join(lines), encoding="utf-8")
        np.cumsum([0, *map(len, lines)])[:-1].astype("<u8").tofile(folder / f"metaoff.{shard}")
