"""Tokenizers of the library `tiktoken`: one of its encodings by name, or an object of that library.

The strings of special tokens in a text are ordinary text (`encode_ordinary`), and nothing is added.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from anygram.errors import IndexFormatError, InputError, MissingExtraError
from anygram.tokenizers.text import REPLACEMENT, character_offsets, content_hash, utf8
from anygram.types import Int64Array, Ragged, TokenArray

if TYPE_CHECKING:
    import tiktoken


class TiktokenTokenizer:
    """An encoding, with its pattern and ranks; what `save` returns needs no network to be loaded again.

    Args:
        encoding: the library's object.
        spec: what the user called it.
    """

    kind = "tiktoken"

    def __init__(self, encoding: tiktoken.Encoding, spec: str) -> None:
        self.spec = spec
        self._encoding = encoding

    @classmethod
    def named(cls, name: str) -> TiktokenTokenizer:
        """One of the library's encodings, such as "cl100k_base", or that of a model, such as "gpt-4o".

        Raises:
            InputError: there is none of that name, or its ranks could not be fetched.
            MissingExtraError: the library is not installed.
        """
        library = _library()
        try:
            known = name in library.list_encoding_names()
            encoding = library.get_encoding(name) if known else library.encoding_for_model(name)
        except KeyError:
            names = ", ".join(sorted(library.list_encoding_names()))
            raise InputError(f"tiktoken has no encoding or model {name!r}; its encodings are {names}") from None
        # The library fetches ranks through another one, whose errors are of no common class.
        except Exception as error:
            raise InputError(
                f"tiktoken could not fetch the ranks of {name!r} ({error}); where there is no network, put them "
                "into the folder that TIKTOKEN_CACHE_DIR names"
            ) from error
        return cls(encoding, f"tiktoken:{name}")

    @classmethod
    def load(cls, content: bytes, spec: str) -> TiktokenTokenizer:
        """The tokenizer whose `save` returned the content.

        Raises:
            IndexFormatError: the content is something else.
            MissingExtraError: the library is not installed.
        """
        library = _library()
        try:
            parts = json.loads(content)
            ranks = {base64.b64decode(token, validate=True): int(rank) for token, rank in parts["ranks"]}
            encoding = library.Encoding(
                str(parts["name"]),
                pat_str=str(parts["pattern"]),
                mergeable_ranks=ranks,
                special_tokens={str(token): int(rank) for token, rank in parts["special_tokens"]},
            )
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise IndexFormatError(f"expected a saved tiktoken encoding, found something else: {error!r}") from None
        return cls(encoding, spec)

    #: Whether a pattern takes all of every text cannot be told from it.
    round_trip = None
    separator = ""

    @property
    def vocab_size(self) -> int:
        """See `anygram.types.Tokenizer`."""
        return self._encoding.n_vocab

    @cached_property
    def hash(self) -> str:
        """See `anygram.types.Tokenizer`."""
        return content_hash(self.save())

    def save(self) -> bytes:
        """See `anygram.types.Tokenizer`. JSON: name, pattern, ranks and special tokens, each by rank."""
        # The library gives its parts back through pickle alone, and then not always.
        encoding = self._encoding
        ranks = sorted(encoding._mergeable_ranks.items(), key=lambda item: item[1])
        content = {
            "name": encoding.name,
            "pattern": encoding._pat_str,
            "ranks": [(base64.b64encode(token).decode(), rank) for token, rank in ranks],
            "special_tokens": sorted(encoding._special_tokens.items(), key=lambda item: item[1]),
        }
        return json.dumps(content, separators=(",", ":")).encode()

    def encode(self, text: str) -> TokenArray:
        """See `anygram.types.Tokenizer`."""
        utf8(text)  # for its errors
        return np.array(self._encoding.encode_ordinary(text), np.uint32)

    def encode_batch(self, texts: Sequence[str]) -> Ragged:
        """See `anygram.types.Tokenizer`. On one core; the library holds the GIL for little of it."""
        for text in texts:
            utf8(text)  # for its errors
        arrays = [np.array(self._encoding.encode_ordinary(text), np.uint32) for text in texts]
        values = np.concatenate(arrays) if arrays else np.empty(0, np.uint32)
        return Ragged.from_lengths(values, np.fromiter(map(len, arrays), np.int64, len(arrays)))

    def encode_with_offsets(self, text: str) -> tuple[TokenArray, Int64Array]:
        """See `anygram.types.Tokenizer`."""
        tokens = self.encode(text)
        ends = np.cumsum([len(self.token_bytes(int(token))) for token in tokens], dtype=np.int64)
        begins = np.concatenate([np.zeros(1, np.int64), ends])[:-1]
        return tokens, character_offsets(utf8(text), begins, ends)

    def decode(self, tokens: Sequence[int] | TokenArray) -> str:
        """See `anygram.types.Tokenizer`."""
        ids = np.asarray(tokens, np.int64).tolist()
        try:
            return self._encoding.decode_bytes(ids).decode("utf-8", "replace")
        except (KeyError, OverflowError):  # some id has no text
            return b"".join(map(self.token_bytes, ids)).decode("utf-8", "replace")

    def token_bytes(self, token: int) -> bytes:
        """See `anygram.types.Tokenizer`."""
        try:
            return self._encoding.decode_single_token_bytes(token)
        except (KeyError, OverflowError):
            return REPLACEMENT.encode()

    def round_trips(self, texts: Sequence[str], tokens: Ragged) -> bool:
        """See `anygram.types.Tokenizer`."""
        return all(map(str.__eq__, map(self.decode, tokens), texts))

    def __reduce__(self) -> tuple[object, tuple[bytes, str]]:
        return TiktokenTokenizer.load, (self.save(), self.spec)


def _library() -> Any:
    try:
        import tiktoken
    except ImportError as error:
        raise MissingExtraError("tiktoken tokenizers need the library: pip install 'anygram[tiktoken]'") from error
    return tiktoken
