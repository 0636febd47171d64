"""The tokenizer `bytes`: the UTF-8 bytes of a text are its ids."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from anygram.tokenizers.text import REPLACEMENT, character_offsets, content_hash, utf8
from anygram.types import Int64Array, Ragged, TokenArray


class BytesTokenizer:
    """UTF-8 bytes as ids. 0xFF cannot occur, so that there are 255 ids, and a symbol of the index is one byte."""

    kind = "bytes"
    spec = "bytes"
    vocab_size = 255
    round_trip = True
    separator = ""

    @property
    def hash(self) -> str:
        """See `anygram.types.Tokenizer`."""
        return content_hash(self.save())

    def save(self) -> bytes:
        """See `anygram.types.Tokenizer`."""
        return b'{"tokenizer": "bytes"}\n'

    def encode(self, text: str) -> TokenArray:
        """See `anygram.types.Tokenizer`."""
        return np.frombuffer(utf8(text), np.uint8).astype(np.uint32)

    def encode_batch(self, texts: Sequence[str]) -> Ragged:
        """See `anygram.types.Tokenizer`."""
        encoded = [utf8(text) for text in texts]
        values = np.frombuffer(b"".join(encoded), np.uint8).astype(np.uint32)
        return Ragged.from_lengths(values, np.fromiter(map(len, encoded), np.int64, len(encoded)))

    def encode_with_offsets(self, text: str) -> tuple[TokenArray, Int64Array]:
        """See `anygram.types.Tokenizer`."""
        tokens = self.encode(text)
        begins = np.arange(len(tokens), dtype=np.int64)
        return tokens, character_offsets(utf8(text), begins, begins + 1)

    def decode(self, tokens: Sequence[int] | TokenArray) -> str:
        """See `anygram.types.Tokenizer`."""
        # 0xFF is never valid, so that an id without text becomes U+FFFD like any other broken sequence.
        ids = np.minimum(np.asarray(tokens, np.int64), 0xFF).astype(np.uint8)
        return ids.tobytes().decode(errors="replace")

    def token_bytes(self, token: int) -> bytes:
        """See `anygram.types.Tokenizer`."""
        return bytes([token]) if 0 <= token < self.vocab_size else REPLACEMENT.encode()

    def round_trips(self, texts: Sequence[str], tokens: Ragged) -> bool:  # noqa: ARG002  # known without a look
        """See `anygram.types.Tokenizer`."""
        return True
