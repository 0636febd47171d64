"""Which characters are the same letter where case is ignored: one character for one, so that places stay."""

from __future__ import annotations

import sys
from functools import cache


def fold(character: str) -> str:
    """What stands for a character where case is ignored.

    Unicode's case folding where it gives one character; else the small letter: ß is itself, not ss.
    """
    for folded in (character.casefold(), character.lower()):
        if len(folded) == 1:
            return folded
    return character


def same_letters(character: str) -> tuple[str, ...]:
    """All characters that are the same letter, itself among them."""
    return _letters().get(fold(character), (character,))


@cache
def _letters() -> dict[str, tuple[str, ...]]:
    """By what stands for them; characters that are alone are left out."""
    found: dict[str, list[str]] = {}
    # Scripts with case stand in the first two planes.
    for character in map(chr, range(min(0x20000, sys.maxunicode))):
        folded = fold(character)
        if folded != character:
            found.setdefault(folded, [folded]).append(character)
    return {folded: tuple(letters) for folded, letters in found.items()}
