"""How the published rules see texts. Each works character by character, so that it is the same wherever a text is cut.

Lower case is that of each character by itself: str.lower writes a sigma at the end of a word in another way.
"""

from __future__ import annotations

import string
import unicodedata

from anygram.scanning import Normaliser

_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_PUNCTUATION = frozenset(string.punctuation)
_DECON_PUNCTUATION = frozenset("!'\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\u201c\u201d\u2018\u2019\u2014")
_NO_WHITE_SPACE = frozenset("\x1c\x1d\x1e\x1f")  # Python takes these for space; Unicode does not


def _gpt2(character: str) -> str:
    return "".join(c if c.isalnum() else " " for c in character.lower())


def _gpt3(character: str) -> str:
    if character in _PUNCTUATION or unicodedata.category(character).startswith("P"):
        return ""
    return " " if character.isspace() else character.lower()


def _lm_eval(character: str) -> str:
    if character in _PUNCTUATION:
        return ""
    return " " if character.isspace() else character.translate(_ASCII_LOWER)


def _decon(character: str) -> str:
    if character in _DECON_PUNCTUATION or (character.isspace() and character not in _NO_WHITE_SPACE):
        return " "
    return character.lower()


#: Lower case; what is no letter and no digit separates words.
ALPHANUMERIC_WORDS = Normaliser("alphanumeric words", "words", _gpt2)

#: Lower case; punctuation (ASCII's, and Unicode's categories P) taken away; white space separates words.
UNPUNCTUATED_WORDS = Normaliser("unpunctuated words", "words", _gpt3)

#: ASCII in lower case, ASCII's punctuation taken away; white space separates words.
ASCII_UNPUNCTUATED_WORDS = Normaliser("words as lm-evaluation-harness cleans them", "words", _lm_eval)

#: Unicode's words that have a letter or a digit, case-folded: what the tokenizer words:fold gives.
FOLDED_WORDS = Normaliser("folded words", "unicode words", str.casefold)

#: Lower case; the punctuation that decon lists, and white space, separate words.
DECON_WORDS = Normaliser("words as decon cleans them", "words", _decon)

#: Letters and digits alone, in their case.
ALPHANUMERIC_CHARACTERS = Normaliser("alphanumeric characters", "characters", lambda c: c if c.isalnum() else "")

#: As they are.
CHARACTERS = Normaliser("characters", "characters", lambda c: c)
