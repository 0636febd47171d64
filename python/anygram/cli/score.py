"""`anygram score`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from anygram.cli.options import File, IndexPath, Json, Output, Texts, TokenIds, delivery, open_index
from anygram.cli.output import note, show_table
from anygram.cli.queries import Query, read_queries, token_text

if TYPE_CHECKING:
    from anygram.results import Scores


def score(
    index: IndexPath,
    texts: Texts = None,
    *,
    file: File = None,
    token_ids: TokenIds = None,
    order: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Use n-grams of N tokens at most.", show_default="no limit")
    ] = None,
    top_k: Annotated[int, typer.Option("--top-k", min=0, metavar="K", help="Add the K most frequent tokens.")] = 0,
    end: Annotated[bool, typer.Option("--end", help="Score the document's end after the text, too.")] = False,
    output: Output = None,
    json: Json = False,
) -> None:
    """Each token of a text under the corpus's ∞-gram model: its probability after the longest suffix that occurs."""
    with open_index(index) as opened:
        queries = read_queries(opened, texts, file, token_ids)
        scores = [opened.score(query.tokens, order=order, top_k=top_k, end=end) for query in queries]
        words = [[token_text(opened, token) for token in found.tokens.tolist()] for found in scores]
    answers = list(zip(queries, scores, words, strict=True))
    results = [{"text": query.text, "token_texts": texts_, **found.to_dict()} for query, found, texts_ in answers]

    def show() -> None:
        for query, found, texts_ in answers:
            _show(query, found, texts_)

    delivery(json, output).deliver("score", {"results": results}, _columns(answers), show)


def _columns(answers: list[tuple[Query, Scores, list[str | None]]]) -> dict[str, list[Any]]:
    """One long table; `query` numbers the texts from 0."""
    columns: dict[str, list[Any]] = {"query": [], "text": []}
    for number, (_, found, texts) in enumerate(answers):
        columns["query"] += [number] * len(found)
        columns["text"] += texts
        for name, values in found.columns().items():
            columns.setdefault(name, []).extend(values.tolist())
    return columns


def _show(query: Query, found: Scores, texts: list[str | None]) -> None:
    agree = f"{found.agrees.mean():.1%}" if len(found) else "none"
    note(f"{query.text if query.text is not None else query.tokens}: {len(found):,} tokens, {agree} agree")
    columns = {
        "text": [text if text is not None else str(token) for text, token in zip(texts, found.tokens, strict=True)]
    }
    numbers: dict[str, list[Any]] = {
        "prob": found.probs.tolist(),
        "count": found.continuation_counts.tolist(),
        "of": found.prompt_counts.tolist(),
        "suffix_length": found.suffix_lengths.tolist(),
        "sparse": found.sparse.tolist(),
        "agrees": found.agrees.tolist(),
    }
    show_table(numbers | columns)
