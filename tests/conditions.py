"""Conditions on documents' fields: as text, and what they mean by brute force, record by record."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from hypothesis import strategies as st

Record: TypeAlias = dict[str, Any]

#: A value of each kind for each field, so that no condition compares with what the field never holds.
EVERY_KIND: list[Record] = [
    {"a": value, "b c": value, "m": {"x": value, "y z": value}} for value in (1, "p", True, ["p", 1], {"k": 1}, None)
]

FIELDS: dict[str, tuple[str, ...]] = {
    "a": ("a",),
    '"b c"': ("b c",),
    "m.x": ("m", "x"),
    'm."y z"': ("m", "y z"),
}

NUMBERS: list[int | float] = [-1, 0, 1, 2, 2**70, 1.0, 0.5, -2.25, 1e3]
TEXTS = ["", "p", "q", "it's", "pq%", 'a "b"', "a_b", "Ünicode", "\\"]
VALUES = st.one_of(
    st.sampled_from([*NUMBERS, *TEXTS, True, False, None]),
    st.lists(st.sampled_from([0, 1, 1.0, "p", "q", True, None]), max_size=3),
    st.just({"k": 2}),
)


class Condition(NamedTuple):
    text: str
    holds: Callable[[Record], bool | None]  # None: unknown


@st.composite
def records(draw: st.DrawFn, size: int) -> list[Record]:
    inner = st.dictionaries(st.sampled_from(["x", "y z"]), VALUES, max_size=2)
    fields = {"a": VALUES, "b c": VALUES, "m": st.one_of(inner, VALUES)}
    record = st.fixed_dictionaries({}, optional=fields)
    return draw(st.lists(record, min_size=size, max_size=size))


def kind(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    return {int: "number", float: "number", str: "text", list: "list"}.get(type(value), "other")


def written(value: object) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def looked_up(path: tuple[str, ...], record: Record) -> Any:
    value: Any = record
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def like(value: str, pattern: str) -> bool:
    """By trying everything."""
    if not pattern:
        return not value
    if pattern[0] == "%":
        return any(like(value[start:], pattern[1:]) for start in range(len(value) + 1))
    if pattern[0] == "\\" and len(pattern) > 1:
        return value[:1] == pattern[1] and like(value[1:], pattern[2:])
    return bool(value) and pattern[0] in {"_", value[0]} and like(value[1:], pattern[1:])


@st.composite
def tests(draw: st.DrawFn) -> Condition:
    name = draw(st.sampled_from(list(FIELDS)))
    path = FIELDS[name]
    numbers, texts = st.sampled_from(NUMBERS), st.sampled_from(TEXTS)
    constants = st.one_of(numbers, texts, st.booleans())
    form = draw(st.sampled_from(["compare", "between", "in", "like", "contains", "null"]))
    negated = draw(st.booleans())
    word = "NOT " if negated else ""

    def test(text: str, ask: Callable[[Any], bool | None]) -> Condition:
        def holds(record: Record) -> bool | None:
            value = looked_up(path, record)
            answer = None if value is None else ask(value)
            return None if answer is None else answer != negated

        return Condition(f"{name} {text}", holds)

    if form == "compare":
        negated = False
        constant = draw(constants)
        signs = ["=", "!=", "<>", "=="] if isinstance(constant, bool) else ["=", "!=", "<", "<=", ">", ">="]
        sign = draw(st.sampled_from(signs))
        asks = {
            "=": lambda value: value == constant,
            "!=": lambda value: value != constant,
            "<": lambda value: value < constant,
            "<=": lambda value: value <= constant,
            ">": lambda value: value > constant,
            ">=": lambda value: value >= constant,
        }
        ask = asks[{"==": "=", "<>": "!="}.get(sign, sign)]
        return test(f"{sign} {written(constant)}", lambda value: ask(value) if kind(value) == kind(constant) else None)
    if form == "between":
        low, high = draw(st.one_of(st.tuples(numbers, numbers), st.tuples(texts, texts)))
        return test(
            f"{word}BETWEEN {written(low)} AND {written(high)}",
            lambda value: low <= value <= high if kind(value) == kind(low) else None,
        )
    if form == "in":
        several = draw(st.lists(constants, min_size=1, max_size=4))
        return test(
            f"{word}in ({', '.join(map(written, several))})",
            lambda value: next(
                (True for one in several if kind(one) == kind(value) and one == value),
                False if kind(value) in map(kind, several) else None,
            ),
        )
    if form == "like":
        pattern = draw(st.text("pq%_\\'b", max_size=5))
        return test(
            f"{word}LIKE {written(pattern)}", lambda value: like(value, pattern) if isinstance(value, str) else None
        )
    if form == "contains":
        constant = draw(constants)

        def contains(value: Any) -> bool | None:
            if isinstance(value, list):
                return any(kind(item) == kind(constant) and item == constant for item in value)
            return constant in value if isinstance(value, str) and isinstance(constant, str) else None

        return test(f"{word}contains {written(constant)}", contains)
    return Condition(f"{name} IS {word}null", lambda record: (looked_up(path, record) is None) != negated)


def _joined(word: str, parts: list[Condition]) -> Condition:
    decisive = word == "OR"

    def holds(record: Record) -> bool | None:
        answers = [part.holds(record) for part in parts]
        return decisive if decisive in answers else (None if None in answers else not decisive)

    return Condition(f" {word} ".join(f"({part.text})" for part in parts), holds)


def _negated(part: Condition) -> Condition:
    def holds(record: Record) -> bool | None:
        answer = part.holds(record)
        return None if answer is None else not answer

    return Condition(f"NOT ({part.text})", holds)


def conditions() -> st.SearchStrategy[Condition]:
    return st.recursive(
        tests(),
        lambda parts: st.one_of(
            parts.map(_negated),
            st.builds(_joined, st.sampled_from(["AND", "OR"]), st.lists(parts, min_size=2, max_size=3)),
        ),
        max_leaves=5,
    )


def chosen(condition: Condition, records: list[Record]) -> list[bool]:
    """Which records fulfil it."""
    return [condition.holds(record) is True for record in records]


def plain_text(text: str) -> str:
    """White space that a person might have put there."""
    return re.sub(" ", "\n ", text)
