"""How rules see texts: the faster ways give what the definition, character by character, gives."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anygram.analysis.contamination import normalisers
from anygram.analysis.decontamination.grams import SEGMENTS
from anygram.scanning import Normaliser

_ALL = [one for one in vars(normalisers).values() if isinstance(one, Normaliser)] + [SEGMENTS]
_TEXTS = st.text(alphabet="abZ09 _.,:;'\"-\t\n\r\x1c\0(", max_size=30)


@pytest.mark.parametrize("normaliser", _ALL, ids=lambda one: one.name)
@given(text=_TEXTS)
def test_ascii_is_seen_as_any_text_is(normaliser: Normaliser, text: str) -> None:
    # A character that is no ASCII, and goes with nothing before it, makes the whole text one of any characters.
    view, longer = normaliser.view(text), normaliser.view(text + "\n\u3042")
    number = int(np.searchsorted(longer.begins, len(text)))
    assert len(view) == number
    assert view.encoded == (longer.gram(0, number) if number else b"")
    for column, expected in zip(view[1:], longer[1:], strict=True):
        assert column.tolist() == expected[:number].tolist()


@pytest.mark.parametrize("normaliser", _ALL, ids=lambda one: one.name)
def test_the_core_rewrites_each_character_as_python_does(normaliser: Normaliser) -> None:
    _, mapping, expansions, offsets, _ = normaliser.tables
    random = Random(3)
    codes = [*range(0x800), *random.sample(range(0x800, 0xD800), 2000), *random.sample(range(0xE000, 0x110000), 3000)]
    for code in codes:
        value = int(mapping[code])
        made = expansions[offsets[-3 - value] : offsets[-2 - value]].tolist() if value < -2 else [value]
        becomes = "".join(" " if one == -1 else "" if one == -2 else chr(one) for one in made)
        assert becomes == normaliser.rewrite(chr(code)), hex(code)
