"""infini-gram's files, written naively: what its builder makes of documents of token ids."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np


def write_index(
    folder: Path,
    documents: Sequence[Sequence[int]],
    *,
    width: int = 2,
    backwards: bool = False,
    num_shards: int = 1,
    metadata: bool = True,
) -> str:
    """Writes a v4 (or, backwards, v5) directory and gives its path."""
    folder.mkdir(parents=True, exist_ok=True)
    for shard in range(num_shards):
        _write_shard(folder, shard, documents[shard::num_shards], width, backwards, metadata, num_shards)
    return str(folder)


def _write_shard(
    folder: Path,
    shard: int,
    documents: Sequence[Sequence[int]],
    width: int,
    backwards: bool,
    metadata: bool,
    num_shards: int,
) -> None:
    offsets, stream = [], b""
    for document in documents:
        offsets.append(len(stream))
        tokens = list(document)[::-1] if backwards else list(document)
        stream += b"\xff" * width + np.array(tokens, f"<u{width}").tobytes()
    places = sorted(range(0, len(stream), width), key=lambda place: stream[place:])
    size = max(1, (len(stream) - 1).bit_length() + 7 >> 3)
    (folder / f"tokenized.{shard}").write_bytes(stream)
    (folder / f"table.{shard}").write_bytes(b"".join(place.to_bytes(size, "little") for place in places))
    (folder / f"offset.{shard}").write_bytes(np.array(offsets, "<u8").tobytes())
    if metadata:
        lines = [
            json.dumps({"path": "a.jsonl", "linenum": shard + num_shards * number, "metadata": {}}) + "\n"
            for number in range(len(documents))
        ]
        starts = np.cumsum([0, *map(len, lines)])[:-1]
        (folder / f"metadata.{shard}").write_text("".join(lines))
        (folder / f"metaoff.{shard}").write_bytes(starts.astype("<u8").tobytes())
