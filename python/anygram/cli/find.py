"""`anygram find`: a concordance."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anygram.cli.exits import UsageError
from anygram.cli.options import (
    ContextUnit,
    File,
    IgnoreCase,
    IndexPath,
    Json,
    Match,
    MatchKind,
    Output,
    Texts,
    TokenIds,
    Unit,
    Where,
    delivery,
    open_index,
)
from anygram.cli.output import note, on_terminal, show_table, table_of
from anygram.cli.queries import asked, read_queries
from anygram.results.text import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anygram.index import Index
    from anygram.occurrences import Occurrences, StringOccurrences
    from anygram.results import Context, Occurrence, StringOccurrence
    from anygram.results.excerpt import Unit as ContextUnitName

_COLUMNS = ["ngram", "document", "source", "offset", "shard", "rank", "position", "before", "match", "after"]


def find(
    index: IndexPath,
    texts: Texts = None,
    *,
    file: File = None,
    token_ids: TokenIds = None,
    match: Match = MatchKind.TOKENS,
    ignore_case: IgnoreCase = False,
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="Show N occurrences of each.")] = 10,
    where: Where = None,
    cursor: Annotated[
        str | None, typer.Option(metavar="NEXT", help="Read on from where a page said that the next begins.")
    ] = None,
    width: Annotated[int, typer.Option(min=0, metavar="N", help="Show N tokens on either side, or of --unit.")] = 20,
    unit: Unit = ContextUnit.TOKENS,
    sample: Annotated[bool, typer.Option("--sample", help="Draw the N at random, the same for the same seed.")] = False,
    seed: Annotated[int, typer.Option(metavar="N", help="What --sample draws by.")] = 0,
    output: Output = None,
    json: Json = False,
) -> None:
    """Where each text occurs, in context, with the document that holds it.

    Without --sample the first N are shown, in the index's own order: alphabetical by token id, so alike; with --match
    text in the order of the documents. If there are more, "next" is what --cursor takes.
    """
    with open_index(index) as opened:
        queries = read_queries(opened, texts, file, token_ids)
        if cursor is not None and (sample or limit == 0 or len(queries) != 1):
            raise UsageError("--cursor reads on in the pages of one text: without --sample, and with --limit from 1 up")
        results: list[dict[str, Any]] = []
        for query in queries:
            found = opened.find(asked(query, match), match=match.value, ignore_case=ignore_case, where=where)
            page = None if sample or limit == 0 else found.page(cursor, limit)
            chosen = found.sample(limit, seed) if page is None else page.occurrences
            following = None if page is None else page.next
            occurrences = concordance(opened, found, chosen, width, unit.value)
            counted = {"ngram": query.text, "tokens": query.tokens, "count": len(found)}
            results.append({**counted, "occurrences": occurrences, "next": following})
    rows = [{"ngram": result["ngram"], **row} for result in results for row in result["occurrences"]]

    def show() -> None:
        for result in results:
            _show(result)

    delivery(json, output).deliver("find", {"results": results}, table_of(rows, _COLUMNS), show)


def concordance(
    index: Index,
    found: Occurrences | StringOccurrences,
    chosen: Sequence[Any],
    width: int,
    unit: ContextUnitName = "tokens",
) -> list[dict[str, Any]]:
    """Occurrences in context as plain data."""
    contexts = found.contexts(chosen, width=width, unit=unit)
    return [_row(index, one, context) for one, context in zip(chosen, contexts, strict=True)]


def _row(index: Index, occurrence: Occurrence | StringOccurrence, context: Context) -> dict[str, Any]:
    parts = context.texts or [" ".join(map(str, part)) for part in (context.before, context.match, context.after)]
    source = index.document(occurrence.document).source
    # A string that stands across tokens has no rank.
    places = {name: getattr(occurrence, name, None) for name in ("document", "offset", "shard", "rank", "position")}
    return {**places, "source": source, **dict(zip(("before", "match", "after"), parts, strict=True))}


def _show(result: dict[str, Any]) -> None:
    rows = result["occurrences"]
    asked = result["ngram"] if result["ngram"] is not None else " ".join(map(str, result["tokens"]))
    note(f"{asked}: {len(rows):,} of {result['count']:,} occurrences")
    if result["next"] is not None:
        note(f"next: --cursor={result['next']}")
    if on_terminal():
        show_concordance(rows)
    else:
        show_table(table_of(rows, ["document", "source", "offset", "before", "match", "after"]))


def show_concordance(rows: list[dict[str, Any]]) -> None:
    """Lines with the matches below one another, cut to the terminal's width."""
    from rich.cells import cell_len, set_cell_size

    rows = [_unspaced(row) for row in rows]
    places = [visible(f"{row['document']} {_tail(row['source'] or '', 24)}").rstrip() for row in rows]
    place_width = max(map(cell_len, places), default=0)
    match_width = max((cell_len(visible(row["match"])) for row in rows), default=0)
    side = max(8, (shutil.get_terminal_size().columns - place_width - match_width - 3) // 2)
    for place, row in zip(places, rows, strict=True):
        before = _tail(visible(row["before"]), side)
        match = visible(row["match"])
        after = visible(row["after"])
        after = set_cell_size(after, min(side, cell_len(after)))
        left = " " * (place_width - cell_len(place) + 2 + side - cell_len(before))
        typer.echo(f"{place}{left}{before}{typer.style(match, bold=True)}{after}")


def _unspaced(row: dict[str, Any]) -> dict[str, Any]:
    """The row with the match's leading space counted to what is before, so that the words stand below one another."""
    match = row["match"].lstrip()
    return row | {"before": row["before"] + row["match"][: len(row["match"]) - len(match)], "match": match}


def _tail(text: str, width: int) -> str:
    """The end of a text, at most `width` cells of a terminal wide."""
    from rich.cells import cell_len

    text = text[-width:] if width else ""
    while cell_len(text) > width:
        text = text[1:]
    return text
