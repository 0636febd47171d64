"""Which characters of a text its tokens are, where a character may be cut in two by the seam of two tokens."""

from __future__ import annotations

from collections.abc import Sequence

from anygram.results.base import Decode

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

# A decoder shows the bytes of a character that is cut off as one mark or one for each.
_MOST_MARKS = 4


class Spelling:
    """The text of tokens, and where in it each of them ends: found by decoding beginnings of them.

    Attributes:
        text: all tokens decoded.
        is_regular: whether all beginnings that were asked about decode to a beginning of it, but for marks in place of
            a character that is cut off. Decoders that tidy up what they give may break this; places are then near.
    """

    def __init__(self, decode: Decode, tokens: Sequence[int]) -> None:
        self._decode = decode
        self._tokens = tokens
        self.text = decode(tokens)
        self.is_regular = True
        self._known: dict[int, tuple[int, bool]] = {0: (0, False), len(tokens): (len(self.text), False)}

    def whole_before(self, number: int) -> int:
        """How many characters are whole before token `number` begins."""
        return self._seam(number)[0]

    def begun_before(self, number: int) -> int:
        """How many characters have begun before token `number` begins."""
        whole, is_cut = self._seam(number)
        return whole + is_cut

    def covering(self, text_begin: int, text_end: int, begin: int, end: int) -> tuple[int, int]:
        """The fewest tokens around [begin, end) that hold the characters [text_begin, text_end)."""
        low, high = 0, begin  # the last token before which no such character has begun
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.begun_before(middle) <= text_begin else (low, middle - 1)
        first = low
        low, high = end, len(self._tokens)
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if self.whole_before(middle) >= text_end else (middle + 1, high)
        return first, low

    def _seam(self, number: int) -> tuple[int, bool]:
        """How many characters are whole before a seam, and whether one lies across it."""
        if number not in self._known:
            beginning = self._decode(self._tokens[:number])
            whole = len(beginning)
            while whole and not self.text.startswith(beginning[:whole]):
                if beginning[whole - 1] != _REPLACEMENT or len(beginning) - whole == _MOST_MARKS:
                    self.is_regular = False
                    whole = len(beginning)
                    break
                whole -= 1
            self._known[number] = min(whole, len(self.text)), whole < min(len(beginning), len(self.text))
        return self._known[number]
