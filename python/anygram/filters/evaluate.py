"""Which documents fulfil a condition: each distinct value is asked once, then the documents' codes are looked at.

As in SQL, a comparison with a missing field, with null or with a value of another kind is neither true nor false:
it is unknown, and so is its NOT. Documents for which the whole is true are chosen.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anygram.errors import InvalidQueryError
from anygram.filters.columns import Chunk, Columns, Source
from anygram.filters.language import (
    All,
    Between,
    Comparison,
    Condition,
    Constant,
    Contains,
    Either,
    Field,
    In,
    IsNull,
    Kind,
    Like,
    Not,
    Test,
    kind_of,
    parse_filter,
)
from anygram.parsing import refusal
from anygram.types import MetadataValue

_BoolArray = NDArray[np.bool_]

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

_TRUE, _FALSE, _UNKNOWN = 1, 0, -1


class Outcome(NamedTuple):
    """Of which documents something is true, and of which it is false; of the others it is unknown."""

    is_true: _BoolArray
    is_false: _BoolArray


def chosen_documents(text: str, columns: Columns) -> _BoolArray:
    """Whether each document fulfils the condition: bool (num_documents,).

    Cost: the condition's columns of all documents are decompressed, some thousand documents at a time.

    Raises:
        InvalidQueryError: the condition does not parse, names a field that no document has, or compares a field with
            a value of a kind that the field never has. The message shows the place.
    """
    condition = parse_filter(text)
    evaluation = _Evaluation(text, columns)
    chosen = np.zeros(columns.num_documents, np.bool_)
    evaluation.prepare(condition)
    for chunk in columns.chunks():
        begin = chunk.first_document
        chosen[begin : begin + chunk.num_documents] = evaluation.outcome(condition, chunk).is_true
    evaluation.check()
    return chosen


class _Evaluation:
    def __init__(self, text: str, columns: Columns) -> None:
        self._text = text
        self._columns = columns
        self._testers: dict[int, _Tester] = {}

    def prepare(self, condition: Condition) -> None:
        match condition:
            case Not(part):
                self.prepare(part)
            case All(parts) | Either(parts):
                for part in parts:
                    self.prepare(part)
            case _:
                source = self._columns.source(condition.field, self._text)
                self._testers[id(condition)] = _Tester(condition, source)

    def outcome(self, condition: Condition, chunk: Chunk) -> Outcome:
        match condition:
            case Not(part):
                outcome = self.outcome(part, chunk)
                return Outcome(outcome.is_false, outcome.is_true)
            case All(parts):
                outcomes = [self.outcome(part, chunk) for part in parts]
                return Outcome(
                    np.logical_and.reduce([one.is_true for one in outcomes]),
                    np.logical_or.reduce([one.is_false for one in outcomes]),
                )
            case Either(parts):
                outcomes = [self.outcome(part, chunk) for part in parts]
                return Outcome(
                    np.logical_or.reduce([one.is_true for one in outcomes]),
                    np.logical_and.reduce([one.is_false for one in outcomes]),
                )
            case _:
                return self._testers[id(condition)].outcome(chunk)

    def check(self) -> None:
        """Refuses what cannot have been meant: names that no object has, and kinds that never meet."""
        for tester in self._testers.values():
            field, source = tester.test.field, tester.source
            if source.inner and not tester.found:
                keys = sorted({key for chunk in self._columns.chunks() for key in chunk.keys(source)})
                if source.inner[-1] not in keys:
                    outer = ".".join((source.name, *source.inner[:-1]))
                    raise self._columns.unknown(field, self._text, keys, f"{outer}.")
            if tester.foreign is not None and not tester.compared:
                raise self._foreign(field, tester.foreign)

    def _foreign(self, field: Field, value: MetadataValue) -> InvalidQueryError:
        advice = {
            "text": "compare it with 'text' in single quotes",
            "number": "compare it with a number",
            "boolean": "compare it with true or false",
            "list": "ask CONTAINS",
            "object": f"name what is in it, {field.name}.NAME",
        }
        kind = kind_of(value)
        reason = f"{field.name} is never of that kind: it is a {kind}, such as {value!r:.60}; {advice.get(kind, '')}"
        return refusal(self._text, field.place.begin, reason)


class _Tester:
    """One test, and what it has met so far.

    Attributes:
        compared: whether some value was of the kind that the test is about.
        foreign: a value that was not, if there was one.
        found: whether some document had a value at all.
    """

    def __init__(self, test: Test, source: Source) -> None:
        self.test = test
        self.source = source
        self.compared = False
        self.foreign: MetadataValue = None
        self.found = False
        self._asks = _asks(test)

    def outcome(self, chunk: Chunk) -> Outcome:
        codes, values = chunk.values(self.source)
        # Code -1, no value, finds the last entry.
        outcomes = np.array([*map(self._ask, values), self._of_nothing()], np.int8)[codes]
        return Outcome(outcomes == _TRUE, outcomes == _FALSE)

    def _of_nothing(self) -> int:
        return _TRUE if isinstance(self.test, IsNull) else _UNKNOWN

    def _ask(self, value: MetadataValue) -> int:
        if value is None:
            return self._of_nothing()
        self.found = True
        ask = self._asks.get(kind_of(value))
        if ask is None:
            if self.foreign is None:
                self.foreign = value
            return _UNKNOWN
        self.compared = True
        return _TRUE if ask(value) else _FALSE


_Ask = Callable[[Any], bool]


def _asks(test: Test) -> dict[Kind, _Ask]:
    """What to ask of values, by their kind; of other kinds it is unknown."""
    match test:
        case Comparison(_, sign, constant):
            compare = _OPERATORS[sign]
            return {kind_of(constant): lambda value: compare(value, constant)}
        case Between(_, low, high):
            return {kind_of(low): lambda value: low <= value <= high}
        case In(_, constants):
            by_kind: dict[Kind, set[Constant]] = {}
            for constant in constants:
                by_kind.setdefault(kind_of(constant), set()).add(constant)
            return {kind: of_kind.__contains__ for kind, of_kind in by_kind.items()}
        case Like(_, pattern):
            whole = _like(pattern)
            return {"text": lambda value: whole.fullmatch(value) is not None}
        case Contains(_, constant):
            kind = kind_of(constant)
            asks: dict[Kind, _Ask] = {
                "list": lambda items: any(kind_of(item) == kind and item == constant for item in items)
            }
            if isinstance(constant, str):
                asks["text"] = lambda value: constant in value
            return asks
        case IsNull():
            kinds: tuple[Kind, ...] = ("text", "number", "boolean", "list", "object")
            return dict.fromkeys(kinds, lambda _: False)


def _like(pattern: str) -> re.Pattern[str]:
    """% is any characters, _ is one, and a backslash takes the meaning from what follows it.

    What stands between two % is taken where it comes first, and never elsewhere (an atomic group): that is as right,
    and its cost does not multiply.
    """
    pieces = [""]
    for part in re.findall(r"\\.|.", pattern, re.DOTALL):
        if part == "%":
            pieces.append("")
        else:
            pieces[-1] += "." if part == "_" else re.escape(part[-1])
    if len(pieces) == 1:
        return re.compile(pieces[0], re.DOTALL)
    middle = "".join(f"(?>.*?{piece})" for piece in pieces[1:-1] if piece)
    return re.compile(f"{pieces[0]}{middle}.*{pieces[-1]}", re.DOTALL)
