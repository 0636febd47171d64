"""From what a user names, or an index holds, to a tokenizer."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from anygram.errors import IndexFormatError, InputError
from anygram.tokenizers.huggingface import HuggingFaceTokenizer
from anygram.tokenizers.utf8 import BytesTokenizer
from anygram.tokenizers.words import WordsTokenizer
from anygram.types import Tokenizer

#: What can be named, in words for a person.
KNOWN_TOKENIZERS = (
    "'words' counts words (Unicode word boundaries; 'words:fold' without case and punctuation), 'bytes' takes the "
    "text's UTF-8 bytes as tokens, a path to a tokenizer.json takes that tokenizer, and 'none' is for "
    "documents that are token ids already"
)

#: What to say when text is to be built, and no tokenizer was given.
MISSING_TOKENIZER = f"the documents are text, and no tokenizer says what its tokens are: {KNOWN_TOKENIZERS}"

# Named in the design of tokenizer names, and not read yet: said plainly instead of looking for a file of that name.
_SCHEMES = ("hf:", "tiktoken:", "sentencepiece:")


def open_tokenizer(tokenizer: object) -> Tokenizer | None:
    """The tokenizer that a user gave.

    Args:
        tokenizer: "bytes", "words", "words:fold", the path of a tokenizer.json, a `tokenizers.Tokenizer`, any object
            with the methods of `anygram.types.Tokenizer`; or "none" or None.

    Returns:
        The tokenizer; None for "none" and None. Of words, a copy, so that a build can teach it.

    Raises:
        InputError: there is no such tokenizer. The message says which there are.
    """
    if tokenizer is None or tokenizer == "none":
        return None
    if isinstance(tokenizer, WordsTokenizer):
        return tokenizer.copy()
    if isinstance(tokenizer, Tokenizer):
        return tokenizer
    if isinstance(tokenizer, str | os.PathLike):
        return _of_spec(os.fspath(tokenizer))
    # If it is an object of that library, then the library has been imported.
    library = sys.modules.get("tokenizers")
    if library is not None and isinstance(tokenizer, library.Tokenizer):
        return HuggingFaceTokenizer.from_object(tokenizer)
    raise InputError(
        f"an object of type {type(tokenizer).__name__} is no tokenizer that anygram knows: {KNOWN_TOKENIZERS}"
    )


def _of_spec(spec: object) -> Tokenizer:
    if spec == "bytes":
        return BytesTokenizer()
    if spec in {"words", "words:fold"}:
        return WordsTokenizer(fold=spec == "words:fold")
    if not isinstance(spec, str):
        raise InputError(f"a tokenizer's path is a str, found {type(spec).__name__}")
    if spec.startswith(_SCHEMES):
        raise InputError(f"the tokenizer {spec!r} cannot be read by this version: {KNOWN_TOKENIZERS}")
    path = Path(spec)
    if path.is_dir():
        path /= "tokenizer.json"
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"there is no tokenizer {spec!r} ({reason}): {KNOWN_TOKENIZERS}") from None
    try:
        return HuggingFaceTokenizer(content, spec)
    except IndexFormatError as error:
        raise InputError(str(error), os.fspath(path)) from None


def load_tokenizer(kind: str, content: bytes, spec: str | None = None) -> Tokenizer:
    """The tokenizer whose `save` returned the content.

    Args:
        kind: its `kind`.
        content: what `save` returned.
        spec: its `spec`; without it, the kind.

    Raises:
        IndexFormatError: the content is not of that kind, or the kind is unknown.
    """
    if kind == "bytes":
        if content != BytesTokenizer().save():
            raise IndexFormatError("expected the tokenizer 'bytes', found something else")
        return BytesTokenizer()
    if kind in {"words", "words:fold"}:
        return WordsTokenizer.load(kind, content)
    if kind == "tokenizer.json":
        return HuggingFaceTokenizer(content, spec or kind)
    raise IndexFormatError(f"the index has a tokenizer of the unknown kind {kind!r}: a newer version may have made it")
