"""What the languages that users write have in common: refusals that point at the place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anygram.errors import InvalidQueryError

if TYPE_CHECKING:
    import lark


def error_place(text: str, error: lark.UnexpectedInput) -> int:
    """The character that a text cannot be parsed from; its end if it ends too early."""
    import lark

    if isinstance(error, lark.UnexpectedToken) and error.token.type == "$END":
        return len(text.rstrip())
    # The library calls it an int, and leaves it None where it knows of none.
    place: int | None = error.pos_in_stream
    return 0 if place is None else place


def refusal(text: str, place: int, reason: str) -> InvalidQueryError:
    """The error of a text that cannot be used, which shows where."""
    shown = text.replace("\n", " ").replace("\t", " ")
    return InvalidQueryError(f"at character {place}: {reason}\n  {shown}\n  {' ' * place}^")
