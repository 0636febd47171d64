"""Tokenizers of the library `tokenizers`: a tokenizer.json, or an object of that library.

Whether decoding gives texts back is known from the tokenizer's parts where they show it (byte-level BPE that does not
normalise: most of today's). Otherwise each text is decoded and compared, which costs an eighth of encoding it, and only
until one differs: with a tokenizer that normalises, that is among the first documents.
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from anygram.errors import IndexFormatError
from anygram.tokenizers.literal import (
    byte_characters,
    is_byte_level,
    make_literal,
    parts,
    round_trips_by_construction,
    separator_of,
)
from anygram.tokenizers.text import REPLACEMENT, content_hash, utf8
from anygram.types import Int64Array, Ragged, TokenArray

if TYPE_CHECKING:
    import tokenizers

_BYTE_FALLBACK = re.compile(r"<0x([0-9A-F]{2})>")


class HuggingFaceTokenizer:
    """A tokenizer.json, literally: see `anygram.tokenizers.literal`.

    Args:
        content: the file's bytes, kept as they are for `save` and `hash`.
        spec: what the user called it.

    Raises:
        IndexFormatError: the bytes are no tokenizer.json that the installed library reads.
    """

    kind = "tokenizer.json"

    def __init__(self, content: bytes, spec: str = "tokenizer.json") -> None:
        import tokenizers

        self.spec = spec
        self._content = content
        try:
            self._parts = make_literal(json.loads(content))
            self._tokenizer = tokenizers.Tokenizer.from_str(json.dumps(self._parts))
            self._tokenizer.encode_special_tokens = True
            self._round_trips = round_trips_by_construction(self._parts)
        # The library raises Exception itself, and a file that is no tokenizer fails in any of these lines.
        except Exception as error:  # noqa: BLE001
            raise IndexFormatError(f"expected a tokenizer.json, found something else: {error}") from None
        # Of the file, only what is asked later is kept: vocabulary and merges are large.
        self._parts = {name: self._parts.get(name) for name in ("decoder", "normalizer")}
        self._known: NDArray[np.bool_] | None = None

    @classmethod
    def from_object(cls, tokenizer: tokenizers.Tokenizer) -> HuggingFaceTokenizer:
        """A literal copy; the object is left alone."""
        return cls(tokenizer.to_str().encode(), spec="tokenizers.Tokenizer")

    @property
    def round_trip(self) -> bool | None:
        """See `anygram.types.Tokenizer`."""
        return True if self._round_trips else None

    @cached_property
    def vocab_size(self) -> int:
        """See `anygram.types.Tokenizer`."""
        return 1 + max(self._tokenizer.get_vocab(with_added_tokens=True).values(), default=-1)

    @cached_property
    def separator(self) -> str | None:
        """See `anygram.types.Tokenizer`."""
        return separator_of(self._parts["decoder"])

    @cached_property
    def hash(self) -> str:
        """See `anygram.types.Tokenizer`."""
        return content_hash(self._content)

    def save(self) -> bytes:
        """See `anygram.types.Tokenizer`."""
        return self._content

    def encode(self, text: str) -> TokenArray:
        """See `anygram.types.Tokenizer`."""
        utf8(text)  # for its errors
        return np.array(self._tokenizer.encode(text, add_special_tokens=False).ids, np.uint32)

    def encode_batch(self, texts: Sequence[str]) -> Ragged:
        """See `anygram.types.Tokenizer`. On all cores, without the GIL."""
        for text in texts:
            utf8(text)  # for its errors
        # The fast one leaves out the offsets.
        encodings = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        # Of lists, numpy makes arrays at a third of the speed of the standard library.
        arrays = [array("I", encoding.ids) for encoding in encodings]
        values = np.concatenate([np.frombuffer(ids, np.uint32) for ids in arrays]) if arrays else np.empty(0, np.uint32)
        return Ragged.from_lengths(values, np.fromiter(map(len, arrays), np.int64, len(arrays)))

    def encode_with_offsets(self, text: str) -> tuple[TokenArray, Int64Array]:
        """See `anygram.types.Tokenizer`."""
        utf8(text)  # for its errors
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        return np.array(encoding.ids, np.uint32), np.array(encoding.offsets, np.int64).reshape(-1, 2)

    def decode(self, tokens: Sequence[int] | TokenArray) -> str:
        """See `anygram.types.Tokenizer`."""
        ids = np.asarray(tokens, np.int64)
        unknown = np.flatnonzero(~self._has_text(ids))
        if not len(unknown):
            return self._decode(ids)
        # Between ids without text, each run is decoded on its own.
        runs = [run[1:] if number else run for number, run in enumerate(np.split(ids, unknown))]
        return REPLACEMENT.join(map(self._decode, runs))

    def _decode(self, ids: Int64Array) -> str:
        return self._tokenizer.decode(ids.tolist(), skip_special_tokens=False)

    def _has_text(self, ids: Int64Array) -> NDArray[np.bool_]:
        if self._known is None:
            self._known = np.zeros(self.vocab_size + 1, np.bool_)  # the last stands for all ids past the vocabulary
            self._known[list(self._tokenizer.get_vocab(with_added_tokens=True).values())] = True
        return self._known[np.minimum(ids, self.vocab_size)]

    def token_bytes(self, token: int) -> bytes:
        """See `anygram.types.Tokenizer`."""
        written = self._tokenizer.id_to_token(token) if 0 <= token < self.vocab_size else None
        if written is None:
            return REPLACEMENT.encode()
        if is_byte_level(self._parts):
            as_bytes = [_BYTE_OF.get(character) for character in written]
            return written.encode() if None in as_bytes else bytes(byte for byte in as_bytes if byte is not None)
        decoders = {part.get("type"): part for part in parts(self._parts["decoder"])}
        if "ByteFallback" in decoders and (byte := _BYTE_FALLBACK.fullmatch(written)):
            return bytes.fromhex(byte[1])
        if "WordPiece" in decoders:
            return written.removeprefix(decoders["WordPiece"].get("prefix", "##")).encode()
        if "Metaspace" in decoders or "Replace" in decoders:
            return written.replace("\N{LOWER ONE EIGHTH BLOCK}", " ").encode()
        return self._decode(np.array([token])).encode()

    def round_trips(self, texts: Sequence[str], tokens: Ragged) -> bool:
        """See `anygram.types.Tokenizer`."""
        if self._round_trips:
            return True
        ids = [document.tolist() for document in tokens]
        return self._tokenizer.decode_batch(ids, skip_special_tokens=False) == list(texts)

    def __reduce__(self) -> tuple[object, tuple[bytes, str]]:
        return HuggingFaceTokenizer, (self._content, self.spec)


_BYTE_OF = byte_characters()
