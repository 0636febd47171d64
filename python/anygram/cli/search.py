"""`anygram search`: boolean and proximity search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from anygram.cli.find import show_concordance
from anygram.cli.options import ContextUnit, IndexPath, Json, Output, Unit, Where, delivery, open_index
from anygram.cli.output import note, on_terminal, show_table, table_of

if TYPE_CHECKING:
    from anygram.index import Index
    from anygram.results import Hits

# Tokenizers for which a word is the same tokens wherever it stands.
_WHOLE = {"bytes", "words", "words:fold"}

_COLUMNS = ["document", "source", "begin", "end", "before", "match", "after"]


def search(
    index: IndexPath,
    query: Annotated[
        str, typer.Argument(metavar="QUERY", help='Words, "phrases" and [token ids], joined by AND, OR and NOT.')
    ],
    *,
    within: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Any two of a window's matches at most N tokens apart.")
    ] = None,
    ordered: Annotated[bool, typer.Option("--ordered", help="The matches stand in the query's order.")] = False,
    where: Where = None,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Stop after N windows; counts are then estimates.")
    ] = None,
    show: Annotated[int, typer.Option(min=0, metavar="N", help="Show N windows.")] = 10,
    width: Annotated[int, typer.Option(min=0, metavar="N", help="Show N tokens on either side, or of --unit.")] = 10,
    unit: Unit = ContextUnit.TOKENS,
    output: Output = None,
    json: Json = False,
) -> None:
    """Windows of documents that hold all of several things, the smallest there are.

    Terms are encoded as they are written, each for itself: put phrases, and spaces that belong to a word, into quotes.
    NOT excludes documents; with --within, the windows that the term stands so near to.
    """
    with open_index(index) as opened:
        hits = opened.search(query, within=within, ordered=ordered, where=where, limit=limit)
        rows = [_row(opened, hits, row, width, unit) for row in range(min(show, len(hits)))]
        in_subwords = opened.tokenizer is not None and opened.tokenizer.kind not in _WHOLE
    if in_subwords and not len(hits):
        note(
            'nothing found. Terms are encoded as they are written: inside a text a word begins with its space, " model"'
        )
    answer = {
        "query": query,
        "num_windows": len(hits),
        "num_documents": hits.num_documents,
        "complete": hits.complete,
        "num_candidates": hits.num_candidates,
        "num_examined": hits.num_examined,
        "estimated_total": hits.estimated_total,
        "windows": rows,
    }
    delivery(json, output).deliver("search", answer, table_of(rows, _COLUMNS), lambda: _show(hits, rows))


def _row(index: Index, hits: Hits, row: int, width: int, unit: ContextUnit) -> dict[str, Any]:
    context = hits.context(row, width, unit.value)
    parts = context.texts or [" ".join(map(str, part)) for part in (context.before, context.match, context.after)]
    document = int(hits.documents[row])
    places = {"document": document, "begin": int(hits.begins[row]), "end": int(hits.ends[row])}
    texts = dict(zip(("before", "match", "after"), parts, strict=True))
    return {**places, "source": index.document(document).source, **texts}


def _show(hits: Hits, rows: list[dict[str, Any]]) -> None:
    found = f"{len(hits):,} windows in {hits.num_documents:,} documents"
    if not hits.complete:
        examined = f"{hits.num_examined:,} of {hits.num_candidates:,} candidate documents"
        found += f", after {examined}: about {hits.estimated_total:,.0f} in all"
    note(found)
    if on_terminal():
        show_concordance(rows)
    else:
        show_table(table_of(rows, _COLUMNS))
