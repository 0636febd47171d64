"""`anygram count`."""

from __future__ import annotations

from anygram.cli.options import File, IndexPath, Json, Output, Texts, TokenIds, delivery, open_index
from anygram.cli.output import show_table, table_of
from anygram.cli.queries import read_queries, split_text


def count(
    index: IndexPath,
    texts: Texts = None,
    *,
    file: File = None,
    token_ids: TokenIds = None,
    output: Output = None,
    json: Json = False,
) -> None:
    """How often each text occurs, as the tokens that the index's tokenizer makes of it."""
    with open_index(index) as opened:
        queries = read_queries(opened, texts, file, token_ids)
        counts = opened.count_batch([query.tokens for query in queries]).tolist()
        results = [
            {"ngram": query.text, "tokens": query.tokens, "count": number}
            for query, number in zip(queries, counts, strict=True)
        ]
        shown = {
            "count": counts,
            "ngram": [query.text for query in queries],
            "tokens": [split_text(opened, query.tokens) for query in queries],
        }
    columns = table_of(results, ["ngram", "tokens", "count"])
    delivery(json, output).deliver("count", {"results": results}, columns, lambda: show_table(shown))
