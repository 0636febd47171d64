"""infini-gram's files by sorting suffix after suffix: right at a glance, and slow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

WIDTHS = {"u8": 1, "u16": 2, "u32": 4}


def naive_files(
    documents: Sequence[Sequence[int]], token_dtype: str, *, is_reversed: bool = False, unigrams: bool = False
) -> dict[str, bytes]:
    """What a correct builder of theirs writes for one shard, without metadata."""
    width = WIDTHS[token_dtype]
    tokens, offsets = b"", []
    for document in documents:
        offsets.append(len(tokens))
        tokens += b"\xff" * width
        tokens += b"".join(token.to_bytes(width, "little") for token in (document[::-1] if is_reversed else document))
    places = sorted(range(0, len(tokens), width), key=lambda place: tokens[place:])
    pointer = next(k for k in range(1, 9) if 256**k >= len(tokens))
    files = {
        "tokenized": tokens,
        "offset": b"".join(offset.to_bytes(8, "little") for offset in offsets),
        "table": b"".join(place.to_bytes(pointer, "little") for place in places),
    }
    if unigrams:
        counts = Counter(
            int.from_bytes(tokens[place : place + width], "little") for place in range(0, len(tokens), width)
        )
        files["unigram"] = "".join(f"{token} {count}\n" for token, count in sorted(counts.items())).encode()
    return files
