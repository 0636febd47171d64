"""Tokenizers behind one protocol, `anygram.types.Tokenizer`; one adapter a file."""

from anygram.tokenizers.choose import KNOWN_TOKENIZERS, MISSING_TOKENIZER, load_tokenizer, open_tokenizer

__all__ = ["KNOWN_TOKENIZERS", "MISSING_TOKENIZER", "load_tokenizer", "open_tokenizer"]
