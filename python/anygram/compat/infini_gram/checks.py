"""Checks of arguments. Each gives infini-gram's error string, or None if all is well.

As there, an argument must be exactly of the type that it names: no bool or numpy integer for an int, no tuple for a
list. (Where 2.6.0 and the later sources say different things, these are the later sources' words.)
"""

from __future__ import annotations

from collections.abc import Iterable


def is_integer(value: object, least: int, bound: int | None = None) -> bool:
    """Whether it is an int, not less than `least`, and below `bound`."""
    return type(value) is int and value >= least and (bound is None or value < bound)


def is_ids(value: object, largest: int) -> bool:
    """Whether it is a list of token ids."""
    return type(value) is list and all(type(one) is int and 0 <= one <= largest for one in value)


def is_cnf(value: object, largest: int) -> bool:
    """Whether it is a list of lists of lists of token ids, none of them empty."""
    return _is_filled(value) and all(
        _is_filled(clause) and all(_is_filled(term) and is_ids(term, largest) for term in clause)
        for clause in value  # type: ignore[attr-defined]  # a list, as was just found
    )


def _is_filled(value: object) -> bool:
    return type(value) is list and len(value) > 0


def positive(**values: object) -> str | None:
    """Each must be an int from 1 up; the first that is not is named."""
    for name, value in values.items():
        if not is_integer(value, 1):
            return f"{name} must be a positive integer"
    return None


def not_negative(**values: object) -> str | None:
    """Each must be an int from 0 up."""
    for name, value in values.items():
        if not is_integer(value, 0):
            return f"{name} must be a non-negative integer"
    return None


def ids(name: str, value: object, largest: int, kind: str = "list") -> str | None:
    """A list of token ids; `kind` is what the error string calls it."""
    return None if is_ids(value, largest) else f"{name} must be a {kind} of integers in range [0, {largest}]"


def cnf(value: object, largest: int) -> str | None:
    """A boolean query."""
    if is_cnf(value, largest):
        return None
    return f"cnf must be a non-empty, triply-nested list of integers in range [0, {largest}]"


def below(name: str, value: object, bound: int, text: str | None = None) -> str | None:
    """An int from 0 up and below `bound`."""
    return None if is_integer(value, 0, bound) else f"{name} must be an integer in range {text or f'[0, {bound})'}"


def pointer(value: object, bound: int, width: int) -> str | None:
    """A byte offset of a token."""
    if is_integer(value, 0, bound) and value % width == 0:  # type: ignore[operator]  # an int, as was just found
        return None
    return f"ptr must be an integer in range [0, {bound}) and a multiple of {width}"


def flag(name: str, value: object) -> str | None:
    """A bool."""
    return None if type(value) is bool else f"{name} must be a boolean"


def first(errors: Iterable[str | None]) -> str | None:
    """The first error of several checks."""
    return next((error for error in errors if error is not None), None)
