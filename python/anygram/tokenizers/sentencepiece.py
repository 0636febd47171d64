"""Models of the library `sentencepiece`, literally: no space is put before a text, and none is taken away."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from anygram.errors import IndexFormatError, MissingExtraError
from anygram.tokenizers.text import REPLACEMENT, character_offsets, content_hash, utf8
from anygram.types import Int64Array, Ragged, TokenArray

_SPACE = "\N{LOWER ONE EIGHTH BLOCK}"


class SentencePieceTokenizer:
    """A model file.

    Its normalisation stays, but for what depends on where a text begins: the space that is put before it, and the
    removal of spaces at its ends and next to each other.

    Args:
        content: the file's bytes, kept as they are for `save` and `hash`.
        spec: what the user called it.

    Raises:
        IndexFormatError: the bytes are no model that the installed library reads.
        MissingExtraError: the library is not installed.
    """

    kind = "sentencepiece"

    def __init__(self, content: bytes, spec: str) -> None:
        try:
            import sentencepiece
            from sentencepiece import sentencepiece_model_pb2
        except ImportError as error:
            raise MissingExtraError(
                "sentencepiece models need the library: pip install 'anygram[sentencepiece]'"
            ) from error
        self.spec = spec
        self._content = content
        model = sentencepiece_model_pb2.ModelProto()  # type: ignore[attr-defined]  # made when it is imported
        try:
            model.ParseFromString(content)
            model.normalizer_spec.add_dummy_prefix = False
            model.normalizer_spec.remove_extra_whitespaces = False
            self._model: Any = sentencepiece.SentencePieceProcessor(model_proto=model.SerializeToString())
        # The libraries raise classes of their own that have no documented base, and RuntimeError.
        except Exception as error:  # noqa: BLE001
            raise IndexFormatError(f"expected a sentencepiece model, found something else: {error}") from None

    #: A model may normalise, and have no piece for some characters.
    round_trip = None
    separator = ""

    @cached_property
    def vocab_size(self) -> int:
        """See `anygram.types.Tokenizer`."""
        return int(self._model.get_piece_size())

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
        return np.array(self._model.encode(text), np.uint32)

    def encode_batch(self, texts: Sequence[str]) -> Ragged:
        """See `anygram.types.Tokenizer`. On one core; the library holds the GIL for little of it."""
        for text in texts:
            utf8(text)  # for its errors
        arrays = [np.array(ids, np.uint32) for ids in self._model.encode(list(texts), num_threads=1)]
        values = np.concatenate(arrays) if arrays else np.empty(0, np.uint32)
        return Ragged.from_lengths(values, np.fromiter(map(len, arrays), np.int64, len(arrays)))

    def encode_with_offsets(self, text: str) -> tuple[TokenArray, Int64Array]:
        """See `anygram.types.Tokenizer`."""
        encoded = utf8(text)
        pieces = self._model.encode(text, return_type="proto").pieces
        begins = np.array([piece.begin for piece in pieces], np.int64)
        ends = np.array([piece.end for piece in pieces], np.int64)
        # Of the bytes of a character that has no piece, the last alone has the character's place.
        for number in range(len(pieces) - 2, -1, -1):
            if ends[number] == begins[number] and self._model.is_byte(pieces[number].id):
                ends[number] = ends[number + 1]
        return np.array([piece.id for piece in pieces], np.uint32), character_offsets(encoded, begins, ends)

    def decode(self, tokens: Sequence[int] | TokenArray) -> str:
        """See `anygram.types.Tokenizer`."""
        return b"".join(map(self.token_bytes, np.asarray(tokens, np.int64).tolist())).decode("utf-8", "replace")

    def token_bytes(self, token: int) -> bytes:
        """See `anygram.types.Tokenizer`. A control token, such as the beginning of a sentence, stands for nothing."""
        if not 0 <= token < self.vocab_size or self._model.is_unknown(token) or self._model.is_unused(token):
            return REPLACEMENT.encode()
        if self._model.is_control(token):
            return b""
        piece: str = self._model.id_to_piece(token)
        if self._model.is_byte(token):
            return bytes.fromhex(piece[3:5])
        return piece.replace(_SPACE, " ").encode()

    def round_trips(self, texts: Sequence[str], tokens: Ragged) -> bool:
        """See `anygram.types.Tokenizer`."""
        return all(map(str.__eq__, map(self.decode, tokens), texts))

    def __reduce__(self) -> tuple[object, tuple[bytes, str]]:
        return SentencePieceTokenizer, (self._content, self.spec)
