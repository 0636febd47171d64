"""What templates show values with: text that commands nothing, numbers and shares for people."""

from __future__ import annotations

import math
import unicodedata

_UNSHOWN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_BRIEF = 60  # characters
_KEPT = frozenset("\n\t\u200c\u200d")


def shown(text: object) -> str:
    """The text with what would control a page's lines spelled out: marks of direction, controls, lone surrogates."""
    text = str(text)
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return "".join(_shown_character(character) for character in text)


def _shown_character(character: str) -> str:
    if character in _KEPT or unicodedata.category(character) not in _UNSHOWN:
        return character
    return f"⟨U+{ord(character):04X}⟩"


def brief(text: object) -> str:
    """The same, on one line and cut where it is long: a name that came from outside."""
    text = str(text)
    return " ".join(shown(text if len(text) <= _BRIEF else text[: _BRIEF - 1] + "…").split())


def percent(share: float) -> str:
    """A share for people: "12.3 %", "<0.1 %", or a dash."""
    if math.isnan(share):
        return "–"
    if 0 < share < 0.001:
        return "<0.1 %"
    return f"{share:.0%}".replace("%", " %") if share in (0, 1) else f"{share:.1%}".replace("%", " %")


def number(value: float) -> str:
    """A number for people."""
    if isinstance(value, float):
        return "–" if math.isnan(value) else f"{value:.3g}"
    return f"{value:,}"


def level(share: float) -> str:
    """The class of a cell's colour: from level-0 to level-10, or none."""
    return "level-none" if math.isnan(share) else f"level-{min(10, max(0, math.ceil(share * 10 - 1e-9)))}"
