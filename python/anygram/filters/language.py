"""What `where` is written in: comparisons of a document's fields, joined by AND, OR and NOT, as in SQL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from anygram.errors import InvalidQueryError
from anygram.parsing import error_place, refusal

if TYPE_CHECKING:
    import lark

#: Deeper than this no person nests conditions.
MAX_DEPTH = 200

Constant: TypeAlias = str | int | float | bool
Operator: TypeAlias = Literal["=", "!=", "<", "<=", ">", ">="]


Kind: TypeAlias = Literal["text", "number", "boolean", "list", "object", "null"]


def kind_of(value: object) -> Kind:
    """What a value is to a comparison: only values of one kind compare."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case str():
            return "text"
        case int() | float():
            return "number"
        case list():
            return "list"
        case _:
            return "object"


class Place(NamedTuple):
    """Where something stands in the text of a filter, in characters."""

    begin: int
    end: int


@dataclass(frozen=True)
class Field:
    """A field of a document, or of an object that stands in one.

    Attributes:
        path: its name, or the names from outside in: ``meta.lang`` is ("meta", "lang").
        place: where it is written; no part of what it means.
    """

    path: tuple[str, ...]
    place: Place

    @property
    def name(self) -> str:
        """The names joined by dots."""
        return ".".join(self.path)


@dataclass(frozen=True)
class Comparison:
    """``year >= 2020``."""

    field: Field
    operator: Operator
    constant: Constant


@dataclass(frozen=True)
class Between:
    """``year BETWEEN 2010 AND 2020``, both ends included."""

    field: Field
    low: Constant
    high: Constant


@dataclass(frozen=True)
class In:
    """``source IN ('web', 'books')``."""

    field: Field
    constants: tuple[Constant, ...]


@dataclass(frozen=True)
class Like:
    """``url LIKE 'https://%.org/_'``: the whole of a text, % for any characters, _ for one."""

    field: Field
    pattern: str


@dataclass(frozen=True)
class Contains:
    """``title CONTAINS 'corpus'``: a part of a text, or an item of a list."""

    field: Field
    constant: Constant


@dataclass(frozen=True)
class IsNull:
    """``year IS NULL``: the field is missing, or null."""

    field: Field


@dataclass(frozen=True)
class Not:
    """``NOT ...``."""

    part: Condition


@dataclass(frozen=True)
class All:
    """``... AND ...``."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Either:
    """``... OR ...``."""

    parts: tuple[Condition, ...]


Test: TypeAlias = Comparison | Between | In | Like | Contains | IsNull
Condition: TypeAlias = Test | Not | All | Either

_GRAMMAR = r"""
    start: either
    alone: field
    ?either: all (_OR all)*
    ?all: part (_AND part)*
    ?part: _NOT part -> negation | "(" either ")" | test
    ?test: field COMPARE constant -> comparison
         | field _NOT? _BETWEEN constant _AND constant -> between
         | field _NOT? _IN "(" constant ("," constant)* ")" -> within
         | field _NOT? _LIKE STRING -> like
         | field _NOT? _CONTAINS constant -> contains
         | field _IS _NOT? _NULL -> null
    field: (NAME | QUOTED) ("." (NAME | QUOTED))*
    constant: STRING | NUMBER | TRUE | FALSE

    COMPARE: "<=" | ">=" | "!=" | "<>" | "==" | "=" | "<" | ">"
    STRING: /'([^']|'')*'/
    QUOTED: /"([^"]|"")+"/
    NUMBER: /[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?(?![\w.])/
    NAME: /[^\W\d][\w\-]*/
    %ignore /\s+/
"""

_KEYWORDS = ("AND", "OR", "NOT", "BETWEEN", "IN", "LIKE", "CONTAINS", "IS", "NULL", "TRUE", "FALSE")


@cache
def _parser() -> lark.Lark:
    import lark

    # Words of their own, in either case, and stronger than names.
    shown = {"TRUE", "FALSE", "NOT"}
    keywords = "".join(f"\n    {word if word in shown else '_' + word}.2: /{word}(?![\\w\\-])/i" for word in _KEYWORDS)
    grammar = _GRAMMAR.replace("_NOT", "NOT") + keywords + "\n"
    return lark.Lark(grammar, parser="lalr", start=["start", "alone"], lexer="basic", propagate_positions=True)


def parse_filter(text: str) -> Condition:
    """Parses a condition such as ``source = 'web' AND (year >= 2020 OR lang IN ('en', 'de'))``.

    Raises:
        InvalidQueryError: it is none. The message shows the place.
    """
    tree = _parsed(text, "start")
    return _Reader(text).condition(tree.children[0], 0)  # type: ignore[arg-type]  # all children are trees


def parse_field(text: str) -> Field:
    """Parses the name of a field, such as ``year``, ``meta.lang`` or ``"publication date"``.

    Raises:
        InvalidQueryError: it is none. The message shows the place.
    """
    return _Reader(text).field(_parsed(text, "alone").children[0])  # type: ignore[arg-type]


def _parsed(text: str, start: str) -> lark.Tree[lark.Token]:
    import lark

    try:
        return _parser().parse(text, start=start)
    except lark.UnexpectedInput as error:
        raise refusal(text, error_place(text, error), _reason(text, error)) from None


def _reason(text: str, error: lark.UnexpectedInput) -> str:
    import lark

    if not text.strip():
        return "the filter is empty: compare a field, such as source = 'web'"
    if not isinstance(error, lark.UnexpectedToken):
        if text[error_place(text, error)] in "'\"":
            return "a quote that is never closed: 'text' or \"field name\""
        return "no part of a filter: compare a field, such as source = 'web' AND year >= 2020"
    token = error.token
    found = "" if token.type == "$END" else f", found {str(token)!r}"
    accepts = set(error.accepts or error.expected)
    if "STRING" in accepts and token.type == "_NULL":
        return "nothing equals NULL: ask IS NULL or IS NOT NULL"
    if "STRING" in accepts and token.type in {"NAME", "QUOTED"}:
        return f"expected a value{found}: text stands in single quotes, '{str(token).strip(chr(34))}'"
    return next(reason for expected, reason in _EXPECTED if expected <= accepts) + found


# What may come next tells what is missing: of these the first that fits.
_EXPECTED: list[tuple[set[str], str]] = [
    ({"COMPARE"}, "expected a comparison (= != < <= > >= IN LIKE CONTAINS BETWEEN IS) after the field"),
    ({"STRING", "NUMBER"}, "expected a value: 'text', a number, true or false"),
    ({"STRING"}, "expected a value: 'text'"),
    ({"NAME"}, "expected the name of a field"),
    ({"_NULL"}, "expected NULL or NOT NULL after IS"),
    ({"_OR", "RPAR"}, "expected AND, OR or a closing parenthesis"),
    ({"_OR"}, "expected AND, OR or the end"),
    ({"_AND"}, "expected AND and the upper end after BETWEEN"),
    ({"RPAR"}, "expected a comma or a closing parenthesis"),
    ({"LPAR"}, "expected values in parentheses after IN"),
    ({"$END"}, "expected AND, OR or the end"),
    (set(), "expected something else here"),
]


class _Reader:
    """From the tree of a filter to its meaning."""

    def __init__(self, text: str) -> None:
        self._text = text

    def condition(self, tree: lark.Tree[lark.Token], depth: int) -> Condition:
        if depth > MAX_DEPTH:
            raise self._refuse(tree, f"conditions are nested more than {MAX_DEPTH} deep")
        match tree.data:
            case "either":
                return Either(self._parts(tree, depth))
            case "all":
                return All(self._parts(tree, depth))
            case "negation":
                return Not(self._parts(tree, depth)[0])
            case _:
                return self._test(tree)

    def _parts(self, tree: lark.Tree[lark.Token], depth: int) -> tuple[Condition, ...]:
        import lark

        return tuple(self.condition(part, depth + 1) for part in tree.children if isinstance(part, lark.Tree))

    def _test(self, tree: lark.Tree[lark.Token]) -> Condition:
        import lark

        field = self.field(tree.children[0])  # type: ignore[arg-type]
        tokens = [child for child in tree.children if isinstance(child, lark.Token)]
        constants = [self._constant(child) for child in tree.children[1:] if isinstance(child, lark.Tree)]
        test: Test
        match tree.data:
            case "comparison":
                operator = {"==": "=", "<>": "!="}.get(str(tokens[0]), str(tokens[0]))
                if operator not in {"=", "!="} and isinstance(constants[0], bool):
                    raise self._refuse(tree, "true and false have no order: compare with = or !=")
                return Comparison(field, operator, constants[0])  # type: ignore[arg-type]
            case "between":
                if len({kind_of(constant) for constant in constants} - {"boolean"}) != 1:
                    raise self._refuse(tree, "BETWEEN takes two numbers or two texts")
                test = Between(field, *constants)
            case "within":
                test = In(field, tuple(constants))
            case "like":
                test = Like(field, _text(tokens[-1]))
            case "contains":
                test = Contains(field, constants[0])
            case _:
                test = IsNull(field)
        return Not(test) if any(token.type == "NOT" for token in tokens) else test

    def _refuse(self, tree: lark.Tree[lark.Token], reason: str) -> InvalidQueryError:
        return refusal(self._text, tree.meta.start_pos, reason)

    def field(self, tree: lark.Tree[lark.Token]) -> Field:
        path = tuple(
            str(name)[1:-1].replace('""', '"') if name.type == "QUOTED" else str(name)  # type: ignore[union-attr]
            for name in tree.children
        )
        return Field(path, Place(tree.meta.start_pos, tree.meta.end_pos))

    def _constant(self, tree: lark.Tree[lark.Token]) -> Constant:
        token: lark.Token = tree.children[0]  # type: ignore[assignment]
        match token.type:
            case "STRING":
                return _text(token)
            case "TRUE" | "FALSE":
                return token.type == "TRUE"
        if re.fullmatch(r"[+-]?\d{1,4000}", token):
            return int(token)
        return float(token)


def _text(token: lark.Token) -> str:
    return str(token)[1:-1].replace("''", "'")
