"""A tokenizer.json made literal: what the text says and nothing else, encoded the same wherever it stands.

Works on the parsed file, since the objects of the library `tokenizers` cannot be asked for all of this.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

# A part of the file: any object of JSON, of one of the library's many types. Checked by the library, when it loads it.
Part: TypeAlias = dict[str, Any]

_NOTHING: Part = {"type": "Sequence", "normalizers": []}

# What splits a text and loses none of it.
_LOSSLESS_SPLITS = {"ByteLevel", "Split", "Digits", "Punctuation", "UnicodeScripts", "Sequence"}


def make_literal(tokenizer: Part) -> Part:
    """The same tokenizer, without all that adds to a text or takes from it by its place.

    Gone are: truncation and padding; the post-processor (special tokens, trimmed offsets); dropout, which is random;
    the space before the first word, and the taking away of it when decoding.
    """
    literal = tokenizer | {"truncation": None, "padding": None, "post_processor": None}
    if "dropout" in (tokenizer.get("model") or {}):
        literal["model"] = tokenizer["model"] | {"dropout": None}
    had_prefix = any(part.get("type") == "Prepend" for part in parts(tokenizer.get("normalizer")))
    for name in ("normalizer", "pre_tokenizer", "decoder"):
        if isinstance(tokenizer.get(name), dict):
            literal[name] = _without_prefix(tokenizer[name], had_prefix)
    return literal


def _without_prefix(part: Part, had_prefix: bool) -> Part:
    for children in ("normalizers", "pretokenizers", "decoders"):
        if isinstance(part.get(children), list):
            return part | {children: [_without_prefix(child, had_prefix) for child in part[children]]}
    kind = part.get("type")
    if kind == "ByteLevel":
        return part | {"add_prefix_space": False}
    if kind == "Metaspace":
        rest = {key: value for key, value in part.items() if key != "add_prefix_space"}
        return rest | {"prepend_scheme": "never"}
    if kind == "Prepend":
        return _NOTHING
    if kind == "Strip" and had_prefix and "start" in part:
        return part | {"start": 0}
    return part


def parts(part: object) -> Iterator[Part]:
    """A normalizer, pre-tokenizer or decoder and all it is made of, in order."""
    if isinstance(part, dict):
        yield part
        for children in ("normalizers", "pretokenizers", "decoders"):
            for child in part.get(children) or ():
                yield from parts(child)


def byte_characters() -> dict[str, int]:
    """How byte-level tokenizers write bytes: GPT-2's table of printable characters, by character."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in set(printable)]
    characters = {chr(byte): byte for byte in printable}
    return characters | {chr(256 + number): byte for number, byte in enumerate(others)}


def is_byte_level(tokenizer: Part) -> bool:
    """Whether its tokens are written in `byte_characters`."""
    return any(part.get("type") == "ByteLevel" for part in parts(tokenizer.get("decoder")))


# Decoders that put what each token stands for one after another.
_JOINING = {"ByteLevel", "Metaspace", "Replace", "ByteFallback", "Fuse", "Strip", "Sequence"}


def separator_of(decoder: Part | None) -> str | None:
    """What decoding puts between the texts of two tokens; None if it does more than putting them one after another."""
    if decoder is None:
        return " "
    for part in parts(decoder):
        kind = part.get("type")
        is_space = part.get("pattern") == {"String": "\N{LOWER ONE EIGHTH BLOCK}"} and part.get("content") == " "
        strips = kind == "Strip" and (part.get("start") or part.get("stop"))
        if kind not in _JOINING or strips or (kind == "Replace" and not is_space):
            return None
    return ""


def round_trips_by_construction(tokenizer: Part) -> bool:
    """Whether decoding gives back every text, as its parts show: a complete byte-level BPE that changes nothing before.

    False means only that the parts do not show it.
    """
    model = tokenizer.get("model") or {}
    decoders = [part.get("type") for part in parts(tokenizer.get("decoder"))]
    splits = list(parts(tokenizer.get("pre_tokenizer")))
    return (
        all(part.get("type") == "Sequence" for part in parts(tokenizer.get("normalizer")))
        and model.get("type") == "BPE"
        and not model.get("continuing_subword_prefix")
        and not model.get("end_of_word_suffix")
        and byte_characters().keys() <= model["vocab"].keys()
        and decoders == ["ByteLevel"]
        and "ByteLevel" in {part.get("type") for part in splits}
        and all(part.get("type") in _LOSSLESS_SPLITS and part.get("behavior") != "Removed" for part in splits)
        and all(map(_keeps_its_text, tokenizer.get("added_tokens") or ()))
    )


def _keeps_its_text(added: Part) -> bool:
    """Whether an added token decodes to what it was found as. Special tokens are never found in a text."""
    if added.get("special"):
        return True
    characters = byte_characters()
    # The decoder takes it for bytes if it can: "é" would become the byte 0xE9.
    as_bytes = [characters.get(character) for character in added["content"]]
    unharmed = None in as_bytes or bytes(filter(None, as_bytes)) == added["content"].encode()
    return unharmed and not added.get("lstrip") and not added.get("rstrip")
