"""What `index.search` is asked: terms joined by AND, OR and NOT, parsed and brought into one form.

That form is a list of clauses, each a list of terms: every clause must match, by any of its terms. What must not occur
is a list of terms apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, TypeAlias

from anygram.errors import InvalidQueryError
from anygram.parsing import error_place, refusal

if TYPE_CHECKING:
    import lark

#: More clauses or terms than this come from no person's query, but from one that was multiplied out.
MAX_TERMS = 10_000

_GRAMMAR = r"""
    start: either (_NOT part)*
    ?either: all ("OR" all)*
    ?all: part ("AND" part)*
    ?part: PHRASE -> phrase | IDS -> ids | WORD -> word | "(" either ")"
    _NOT.2: /(AND\s+)?NOT(?![^\s()"\[\]])/
    PHRASE: /"(\\.|[^"\\])*"/
    IDS: /\[[0-9, ]*\]/
    WORD: /(?!(AND|OR|NOT)(?![^\s()"\[\]]))[^\s()"\[\]]+/
    %ignore /\s+/
"""

Term: TypeAlias = str | tuple[int, ...]
"""Text, which the index's tokenizer encodes, or token ids."""


@dataclass(frozen=True)
class ParsedQuery:
    """A query as clauses, of which each must match by one of its terms, and as terms that must not occur.

    Attributes:
        clauses: at least one, none empty.
        excluded: what NOT stands before.
    """

    clauses: tuple[tuple[Term, ...], ...]
    excluded: tuple[Term, ...]


def parse_query(query: str) -> ParsedQuery:
    """Parses a query such as ``"natural language" AND (model OR system) NOT review``.

    Terms are words, phrases in double quotes (with a backslash before a quote or a backslash in them), and token ids in
    brackets: ``[5 6 7]``. AND binds more than OR. NOT stands behind all that is looked for, and means the whole of it.

    Raises:
        InvalidQueryError: it is no query. The message shows the place.
    """
    import lark

    try:
        tree = _parser().parse(query)
    except lark.UnexpectedInput as error:
        raise refusal(query, error_place(query, error), _reason(query, error)) from None
    return _Normalizer(query).parsed(tree)


@cache
def _parser() -> lark.Lark:
    import lark

    return lark.Lark(_GRAMMAR, parser="lalr", propagate_positions=True, maybe_placeholders=False)


def _reason(query: str, error: lark.UnexpectedInput) -> str:
    import lark

    if not query.strip():
        return "the query is empty: name a word, a phrase in quotes, or token ids in brackets"
    if isinstance(error, lark.UnexpectedCharacters):
        return 'a quote that is never closed, or a bracket with something else than ids in it: "..." or [5 6 7]'
    token = error.token if isinstance(error, lark.UnexpectedToken) else None
    if token is None or token.type == "$END":
        return "the query ends where a term or a closing parenthesis should stand"
    if token.type in {"PHRASE", "IDS", "WORD", "LPAR"}:
        return "two terms side by side: put AND or OR between them, or words that stand together into quotes"
    if token.type == "_NOT":
        return "NOT stands behind all that is looked for, at the end of the whole query: (a OR b) AND c NOT d"
    return f"expected the query to end or a term to begin here, found {str(token)!r}"


class _Normalizer:
    """From the tree of a query to clauses."""

    def __init__(self, query: str) -> None:
        self._query = query

    def parsed(self, tree: lark.Tree[lark.Token]) -> ParsedQuery:
        wanted, *unwanted = tree.children
        clauses = self._clauses(wanted)  # type: ignore[arg-type]  # all children are trees
        excluded = [term for part in unwanted for term in self._alternatives(part)]  # type: ignore[arg-type]
        return ParsedQuery(tuple(dict.fromkeys(clauses)), tuple(dict.fromkeys(excluded)))

    def _clauses(self, tree: lark.Tree[lark.Token]) -> list[tuple[Term, ...]]:
        """Multiplied out: (a AND b) OR c is (a OR c) AND (b OR c)."""
        if tree.data == "all":
            return [clause for part in tree.children for clause in self._clauses(part)]  # type: ignore[arg-type]
        if tree.data == "either":
            options = [self._clauses(part) for part in tree.children]  # type: ignore[arg-type]
            size = 1
            for option in options:
                size *= len(option)
            if size > MAX_TERMS:
                raise self._refuse(
                    tree, f"this OR of ANDs multiplies out to {size} clauses; ask for its parts one by one"
                )
            joined = ([term for clause in choice for term in clause] for choice in product(*options))
            return [tuple(dict.fromkeys(clause)) for clause in joined]
        return [(self._term(tree),)]

    def _alternatives(self, tree: lark.Tree[lark.Token]) -> list[Term]:
        if tree.data == "either":
            return [term for part in tree.children for term in self._alternatives(part)]  # type: ignore[arg-type]
        if tree.data == "all":
            raise self._refuse(tree, "NOT takes a term, or terms joined by OR in parentheses")
        return [self._term(tree)]

    def _term(self, tree: lark.Tree[lark.Token]) -> Term:
        written = str(tree.children[0])
        if tree.data == "ids":
            term: Term = tuple(int(number) for number in written[1:-1].replace(",", " ").split())
        else:
            term = _unquoted(written) if tree.data == "phrase" else written
        if not term:
            raise self._refuse(tree, "an empty term: name what to look for")
        return term

    def _refuse(self, tree: lark.Tree[lark.Token], reason: str) -> InvalidQueryError:
        return refusal(self._query, tree.meta.start_pos, reason)


def _unquoted(phrase: str) -> str:
    characters = iter(phrase[1:-1])
    return "".join(next(characters) if character == "\\" else character for character in characters)
