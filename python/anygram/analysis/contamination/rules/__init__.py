"""The published rules, and how they are named."""

from __future__ import annotations

import dataclasses
import typing

from anygram.analysis.contamination.rules.base import FittedCutoff, Rule, SubsetResult, SubsetTest
from anygram.analysis.contamination.rules.decon import Decon
from anygram.analysis.contamination.rules.documents import Tulu3, Wimbd
from anygram.analysis.contamination.rules.shares import Gpt2, Gpt3, Gpt4, InfiniGramMini, LmEval, Palm, Quip
from anygram.analysis.contamination.rules.tokens import (
    ContamLongestMatch,
    ContamNgramMatch,
    ContamTokenExtend,
    ContamTokenMatch,
    Llama2,
)
from anygram.errors import InvalidQueryError

#: Every rule, by name.
ALL_RULES: dict[str, type[Rule]] = {
    rule.name: rule
    for rule in (
        Llama2,
        ContamTokenMatch,
        ContamNgramMatch,
        ContamTokenExtend,
        ContamLongestMatch,
        Gpt2,
        Gpt3,
        LmEval,
        Palm,
        Gpt4,
        Tulu3,
        InfiniGramMini,
        Decon,
        Wimbd,
        Quip,
    )
}

__all__ = [
    "ALL_RULES",
    "ContamLongestMatch",
    "ContamNgramMatch",
    "ContamTokenExtend",
    "ContamTokenMatch",
    "Decon",
    "FittedCutoff",
    "Gpt2",
    "Gpt3",
    "Gpt4",
    "InfiniGramMini",
    "Llama2",
    "LmEval",
    "Palm",
    "Quip",
    "Rule",
    "SubsetResult",
    "SubsetTest",
    "Tulu3",
    "Wimbd",
    "parse_rule",
]


def parse_rule(text: str) -> Rule:
    """The rule that a text names: ``llama2``, or with parameters ``llama2:length=20,skip_budget=4``.

    Raises:
        InvalidQueryError: there is no such rule or parameter, or its value is not of its kind.
    """
    name, _, given = text.partition(":")
    kind = ALL_RULES.get(name.strip())
    if kind is None:
        raise InvalidQueryError(f"no rule is called {name.strip()!r}; the rules are {', '.join(ALL_RULES)}")
    types = typing.get_type_hints(kind)
    known = [parameter.name for parameter in dataclasses.fields(kind)]
    parameters: dict[str, object] = {}
    for assignment in filter(None, map(str.strip, given.split(","))):
        parameter, equals, value = map(str.strip, assignment.partition("="))
        if not equals or parameter not in known:
            raise InvalidQueryError(
                f"{kind.name} has no parameter {parameter!r}: write {kind.name}:NAME=VALUE,... with "
                f"{', '.join(known) or 'none at all'}"
            )
        if parameter in parameters:
            raise InvalidQueryError(f"{kind.name}: {parameter} is given twice")
        parameters[parameter] = _value(kind.name, parameter, value, types[parameter])
    return kind(**parameters)


def _value(rule: str, parameter: str, value: str, kind: object) -> object:
    if value == "None" and kind not in (int, float):
        return None
    try:
        return int(value) if kind is int else float(value)
    except ValueError:
        wanted = "an int" if kind is int else "a number"
        raise InvalidQueryError(f"{rule}: {parameter} is {wanted}, found {value!r}") from None
