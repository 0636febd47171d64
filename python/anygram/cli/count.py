"""`anygram count`."""

from __future__ import annotations

import math
from json import dumps
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anygram.cli.exits import UsageError
from anygram.cli.options import (
    File,
    IgnoreCase,
    IndexPath,
    Json,
    Match,
    MatchKind,
    Output,
    Texts,
    TokenIds,
    Where,
    delivery,
    open_index,
)
from anygram.cli.output import Delivery, note, show_table, table_of
from anygram.cli.queries import Query, asked, read_queries, split_text

if TYPE_CHECKING:
    from anygram.index import Index
    from anygram.results import GroupCounts
    from anygram.strings import Match as MatchName

_GROUP_COLUMNS = ["value", "count", "document_count", "num_documents", "num_tokens"]


def count(
    index: IndexPath,
    texts: Texts = None,
    *,
    file: File = None,
    token_ids: TokenIds = None,
    match: Match = MatchKind.TOKENS,
    ignore_case: IgnoreCase = False,
    where: Where = None,
    by: Annotated[
        str | None, typer.Option("--by", metavar="FIELD", help="Count for each value of a metadata field.")
    ] = None,
    top: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="With --by: the N most frequent values only.")
    ] = None,
    per_million: Annotated[
        bool, typer.Option("--per-million", help="Also for each million tokens of the documents counted in.")
    ] = False,
    output: Output = None,
    json: Json = False,
) -> None:
    """How often each text occurs, as the tokens that the index's tokenizer makes of it.

    For texts on the command line "in text" says how often the string stands in the documents whatever its tokens are:
    at their beginning, inside of words, and across the borders of tokens. --match text counts, finds and delivers that.
    """
    if top is not None and by is None:
        raise UsageError("--top goes with --by FIELD")
    with open_index(index) as opened:
        queries = read_queries(opened, texts, file, token_ids)
        ngrams = [asked(query, match) for query in queries]
        if by is not None:
            kind: MatchName = match.value
            results = [
                _grouped(opened.count_by(ngram, by, match=kind, ignore_case=ignore_case, where=where, top=top), query)
                for ngram, query in zip(ngrams, queries, strict=True)
            ]
            _deliver_groups(results, by, per_million, delivery(json, output))
            return
        counts = opened.count_batch(ngrams, match=match.value, ignore_case=ignore_case, where=where).tolist()
        results = [
            {"ngram": query.text, "tokens": query.tokens, "count": number}
            for query, number in zip(queries, counts, strict=True)
        ]
        shown: dict[str, list[Any]] = {"count": counts}
        if per_million:
            rates = _rates(opened, counts, where)
            results = [{**result, "per_million": rate} for result, rate in zip(results, rates, strict=True)]
            shown["per_million"] = rates
        if match == MatchKind.TOKENS and texts and file is None and not json and output is None:
            shown["in text"] = _counts_in_text(opened, queries, where)
        shown["ngram"] = [query.text for query in queries]
        shown["tokens"] = [split_text(opened, query.tokens) for query in queries]
    columns = table_of(results, list(results[0]) if results else ["ngram", "tokens", "count"])
    delivery(json, output).deliver("count", {"results": results}, columns, lambda: show_table(shown))


def _counts_in_text(index: Index, queries: list[Query], where: str | None) -> list[int | str]:
    """How often each stands in the documents' text; nothing of token ids, and where text cannot be found."""
    if getattr(index.tokenizer, "separator", None) is None:
        return [""] * len(queries)
    return [index.count(query.text, match="text", where=where) if query.text else "" for query in queries]


def _rates(index: Index, counts: list[int], where: str | None) -> list[float]:
    num_tokens = index.count((), where=where)
    return [number * 1e6 / num_tokens if num_tokens else math.nan for number in counts]


def _grouped(found: GroupCounts, query: Query) -> dict[str, Any]:
    columns = [found.counts, found.document_counts, found.num_documents, found.num_tokens, found.per_million]
    names = [*_GROUP_COLUMNS, "per_million"]
    rows = zip(found.values, *(column.tolist() for column in columns), strict=True)
    groups = [dict(zip(names, row, strict=True)) for row in rows]
    return {
        "ngram": query.text,
        "tokens": query.tokens,
        "count": found.total,
        "num_groups": found.num_groups,
        "groups": groups,
    }


def _deliver_groups(results: list[dict[str, Any]], field: str, per_million: bool, to: Delivery) -> None:
    names = [*_GROUP_COLUMNS, *["per_million"] * per_million]
    for result in results:
        result["groups"] = [{name: group[name] for name in names} for group in result["groups"]]
    rows = [{"ngram": result["ngram"], **group} for result in results for group in result["groups"]]

    def show() -> None:
        for result in results:
            asked = result["ngram"] if result["ngram"] is not None else " ".join(map(str, result["tokens"]))
            note(f"{asked}: {result['count']:,} in {result['num_groups']:,} groups by {field}")
            groups = [group | {"value": _shown(group["value"])} for group in result["groups"]]
            show_table(table_of(groups, [*names[1:], "value"]))

    to.deliver("count", {"by": field, "results": results}, table_of(_plain(rows), ["ngram", *names]), show)


def _shown(value: Any) -> str:
    if value is None:
        return "(none)"
    return value if isinstance(value, str) else dumps(value, ensure_ascii=False)


def _plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with values of one type, as a column of a file must be."""
    kinds = {type(row["value"]) for row in rows if row["value"] is not None}
    if len(kinds) <= 1 and kinds <= {str, int, float, bool}:
        return rows
    return [row if row["value"] is None else row | {"value": _shown(row["value"])} for row in rows]
