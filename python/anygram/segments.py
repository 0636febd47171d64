"""Where words begin and end: the default word boundaries of Unicode (UAX #29, section 4).

Written out as one regular expression over the `Word_Break` property. The `regex` module has word boundaries of its own,
but tailored: they join an apostrophe to a vowel that follows it, so that 'apple' in single quotes would be the word
"'apple".

Segments of nothing but white space are left out; every other character is in exactly one segment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import regex

# Most lines are ASCII, where the rules come down to this, at several times the speed. WB5-WB13b in the first branch.
_ASCII = re.compile(
    r"\w+(?:(?:(?<=[A-Za-z])[:.'](?=[A-Za-z])|(?<=[0-9])[,;.'](?=[0-9]))\w+)*|[^\s\w]",
    re.ASCII,
)

_CLASSES = {
    "letter": r"\p{WB=ALetter}\p{WB=Hebrew_Letter}",
    "hebrew": r"\p{WB=Hebrew_Letter}",
    "number": r"\p{WB=Numeric}",
    "katakana": r"\p{WB=Katakana}",
    "joiner": r"\p{WB=ExtendNumLet}",
    "inside_word": r"\p{WB=MidLetter}\p{WB=MidNumLet}\p{WB=Single_Quote}",
    "inside_number": r"\p{WB=MidNum}\p{WB=MidNumLet}\p{WB=Single_Quote}",
    "flag": r"\p{WB=Regional_Indicator}",
    "space": r"\p{WB=WSegSpace}",
    "newline": r"\p{WB=Newline}\p{WB=CR}\p{WB=LF}",
    # WB4: these belong to the character before them.
    "extend": r"\p{WB=Extend}\p{WB=Format}\p{WB=ZWJ}",
}


def _pattern() -> str:
    def run(name: str) -> str:
        return f"[{_CLASSES[name]}][{_CLASSES[name]}{_CLASSES['extend']}]*+"

    def one(name: str) -> str:
        return f"[{_CLASSES[name]}]{extend}"

    extend = f"[{_CLASSES['extend']}]*+"
    hebrew_quote = f'(?:"(?<=[{_CLASSES["hebrew"]}]{extend}"){extend}(?=[{_CLASSES["hebrew"]}]))'  # WB7b, WB7c
    letters = f"{run('letter')}(?:(?:{one('inside_word')}|{hebrew_quote}){run('letter')})*"  # WB5-WB7
    numbers = f"{run('number')}(?:{one('inside_number')}{run('number')})*"  # WB8, WB11, WB12
    part = f"(?:(?:{letters}|{numbers})+|{run('katakana')})"  # WB9, WB10, WB13
    joined = f"{part}(?:{run('joiner')}{part})*(?:{run('joiner')})?"
    word = f"(?:{joined}|{run('joiner')}(?:{joined})?)"  # WB13a, WB13b
    word += f"(?:'(?<=[{_CLASSES['hebrew']}]{extend}'){extend})?"  # WB7a
    flags = f"{one('flag')}(?:{one('flag')})?"  # WB15, WB16
    spaces = f"[{_CLASSES['space']}]+[{_CLASSES['extend']}]++"  # WB3d, WB4: white space that carries something
    other = rf"(?:\S|[^{_CLASSES['newline']}](?=[{_CLASSES['extend']}])){extend}"  # WB999
    emoji = rf"(?:(?<=\u200d)\p{{Extended_Pictographic}}{extend})*"  # WB3c
    return f"(?:{word}|{flags}|{spaces}|{other}){emoji}"


@lru_cache(maxsize=1)
def _unicode() -> regex.Pattern[str]:
    import regex

    return regex.compile(_pattern(), regex.VERSION1)


def segments(text: str) -> list[str]:
    """The segments of a text, in order, without those of white space only."""
    if text.isascii():
        return _ASCII.findall(text)
    found: list[str] = []
    # Nothing joins across the end of a line (WB3a, WB3b), so that lines may be split each on its own.
    for line in text.split("\n"):
        found += (_ASCII if line.isascii() else _unicode()).findall(line)
    return found


def segment_offsets(text: str) -> list[tuple[int, int]]:
    """Where each of `segments` begins and ends, in characters."""
    matches: Iterable[re.Match[str] | regex.Match[str]] = (_ASCII if text.isascii() else _unicode()).finditer(text)
    return [match.span() for match in matches]


# What nothing joins to what stands beside it, but for what extends it, and space to space. Not all white space is so:
# U+202F joins words.
_SPACES = r"\t\p{WB=WSegSpace}\p{WB=Newline}\p{WB=CR}\p{WB=LF}"
_IDEOGRAPHS = r"[\p{Han}\p{Hiragana}]&&\p{WB=Other}"

_ASCII_APART = "\t\n\v\f\r "


@lru_cache(maxsize=1)
def _apart() -> tuple[regex.Pattern[str], regex.Pattern[str]]:
    import regex

    extend = _CLASSES["extend"]
    first = f"[{_SPACES}](?![{_SPACES}{extend}])|[{_IDEOGRAPHS}](?![{extend}])"
    last = f"(?r)[{_SPACES}]|[{_IDEOGRAPHS}]"
    return regex.compile(first, regex.VERSION1), regex.compile(last, regex.VERSION1)


def certain_range(text: str) -> tuple[int, int]:
    """Where in a piece of a longer text, from and to, `segment_offsets` are right whatever stands around the piece.

    The first is the text's length and the second 0 if they are certain nowhere.
    """
    if text.isascii():
        first = next((place + 1 for place, character in enumerate(text) if character in _ASCII_APART), len(text))
        return first, max(0, *(text.rfind(character) for character in _ASCII_APART))
    first_match, last_match = (pattern.search(text) for pattern in _apart())
    return len(text) if first_match is None else first_match.end(), 0 if last_match is None else last_match.start()
