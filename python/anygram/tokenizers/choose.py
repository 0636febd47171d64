"""From what a user names, or an index holds, to a tokenizer."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from anygram.errors import IndexFormatError, InputError
from anygram.tokenizers.hub import fetch_tokenizer
from anygram.tokenizers.huggingface import HuggingFaceTokenizer
from anygram.tokenizers.sentencepiece import SentencePieceTokenizer
from anygram.tokenizers.tiktoken import TiktokenTokenizer
from anygram.tokenizers.utf8 import BytesTokenizer
from anygram.tokenizers.words import WordsTokenizer
from anygram.types import Tokenizer

#: What can be named, in words for a person.
KNOWN_TOKENIZERS = (
    "'words' counts words (Unicode word boundaries; 'words:fold' without case and punctuation), 'bytes' takes the "
    "text's UTF-8 bytes as tokens, a path to a tokenizer.json takes that tokenizer, 'hf:NAME' that of a model on the "
    "Hugging Face hub, 'tiktoken:NAME' and 'sentencepiece:PATH' those of these libraries, and 'none' is for documents "
    "that are token ids already"
)

#: What to say when text is to be built, and no tokenizer was given.
MISSING_TOKENIZER = f"the documents are text, and no tokenizer says what its tokens are: {KNOWN_TOKENIZERS}"


def open_tokenizer(tokenizer: object) -> Tokenizer | None:
    """The tokenizer that a user gave.

    Args:
        tokenizer: "bytes", "words", "words:fold", the path of a tokenizer.json, "hf:NAME", "tiktoken:NAME",
            "sentencepiece:PATH"; a `tokenizers.Tokenizer`, a fast tokenizer of `transformers`, a `tiktoken.Encoding`, a
            `sentencepiece.SentencePieceProcessor`, any object with the methods of `anygram.types.Tokenizer`; or "none"
            or None.

    Returns:
        The tokenizer; None for "none" and None. Of words, a copy, so that a build can teach it.

    Raises:
        InputError: there is no such tokenizer. The message says which there are.
        MissingExtraError: the library that reads it is not installed.
    """
    if tokenizer is None or tokenizer == "none":
        return None
    if isinstance(tokenizer, WordsTokenizer):
        return tokenizer.copy()
    if isinstance(tokenizer, Tokenizer):
        return tokenizer
    if isinstance(tokenizer, str | os.PathLike):
        return _of_spec(os.fspath(tokenizer))
    adapted = _of_object(tokenizer)
    if adapted is not None:
        return adapted
    raise InputError(
        f"an object of type {type(tokenizer).__name__} is no tokenizer that anygram knows: {KNOWN_TOKENIZERS}"
    )


def _of_object(tokenizer: object) -> Tokenizer | None:
    """The adapter of an object of one of the libraries; where it is one, that library has been imported."""
    # A fast tokenizer of `transformers` is a wrapper around one of `tokenizers`.
    tokenizer = getattr(tokenizer, "backend_tokenizer", tokenizer)
    if _is_instance(tokenizer, "tokenizers", "Tokenizer"):
        return HuggingFaceTokenizer.from_object(tokenizer)  # type: ignore[arg-type]  # just checked
    if _is_instance(tokenizer, "tiktoken", "Encoding"):
        return TiktokenTokenizer(tokenizer, f"tiktoken:{tokenizer.name}")  # type: ignore[arg-type,attr-defined]
    if _is_instance(tokenizer, "sentencepiece", "SentencePieceProcessor"):
        content = tokenizer.serialized_model_proto()  # type: ignore[attr-defined]
        return SentencePieceTokenizer(content, "sentencepiece.SentencePieceProcessor")
    return None


def _is_instance(value: object, library: str, name: str) -> bool:
    module = sys.modules.get(library)
    return module is not None and isinstance(value, getattr(module, name))


def _of_spec(spec: object) -> Tokenizer:
    if spec == "bytes":
        return BytesTokenizer()
    if spec in {"words", "words:fold"}:
        return WordsTokenizer(fold=spec == "words:fold")
    if not isinstance(spec, str):
        raise InputError(f"a tokenizer's path is a str, found {type(spec).__name__}")
    scheme, separator, name = spec.partition(":")
    if separator and scheme == "tiktoken":
        return TiktokenTokenizer.named(name)
    if separator and scheme == "hf":
        return _of_file(fetch_tokenizer(name), spec)
    if separator and scheme == "sentencepiece":
        return _of_file(Path(name), spec)
    path = Path(spec)
    return _of_file(path / "tokenizer.json" if path.is_dir() else path, spec)


def _of_file(path: Path, spec: str) -> Tokenizer:
    adapter = SentencePieceTokenizer if spec.startswith("sentencepiece:") else HuggingFaceTokenizer
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"there is no tokenizer {spec!r} ({reason}): {KNOWN_TOKENIZERS}") from None
    try:
        return adapter(content, spec)
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
        MissingExtraError: the library that reads it is not installed.
    """
    if kind == "bytes":
        if content != BytesTokenizer().save():
            raise IndexFormatError("expected the tokenizer 'bytes', found something else")
        return BytesTokenizer()
    if kind in {"words", "words:fold"}:
        return WordsTokenizer.load(kind, content)
    if kind == "tokenizer.json":
        return HuggingFaceTokenizer(content, spec or kind)
    if kind == "tiktoken":
        return TiktokenTokenizer.load(content, spec or kind)
    if kind == "sentencepiece":
        return SentencePieceTokenizer(content, spec or kind)
    raise IndexFormatError(f"the index has a tokenizer of the unknown kind {kind!r}: a newer version may have made it")
