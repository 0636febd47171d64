"""`anygram probability` and `anygram continuations`: what comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from anygram.cli.exits import UsageError
from anygram.cli.options import Backoff, File, IndexPath, Json, Output, Texts, TokenIds, delivery, open_index
from anygram.cli.output import note, show_table, table_of
from anygram.cli.queries import Query, encode, one_token, parse_token_ids, read_lines, read_queries, token_text
from anygram.errors import InputError
from anygram.types import DOCUMENT_END

if TYPE_CHECKING:
    from anygram.index import Index

_END = "(document end)"


def probability(
    index: IndexPath,
    prompt: Annotated[str | None, typer.Argument(help="Literal text before the token.", show_default=False)] = None,
    token: Annotated[str | None, typer.Argument(help="Literal text of one token.", show_default=False)] = None,
    *,
    file: Annotated[
        str | None, typer.Option("-f", "--file", metavar="FILE", help="Read lines of PROMPT, a tab, TOKEN; - is stdin.")
    ] = None,
    token_ids: Annotated[
        list[str] | None,
        typer.Option("--token-ids", metavar="IDS", help="Token ids, the prompt's and the token's. May be repeated."),
    ] = None,
    backoff: Backoff = False,
    output: Output = None,
    json: Json = False,
) -> None:
    """How likely a token comes after a prompt: its share of what follows the prompt in the corpus."""
    with open_index(index) as opened:
        results = []
        for query, target in _pairs(opened, prompt, token, file, token_ids):
            found = opened.probability(query.tokens, target, backoff=backoff)
            asked = {
                "prompt": query.text,
                "prompt_tokens": query.tokens,
                "token": target,
                "text": token_text(opened, target),
            }
            results.append(asked | found.to_dict())
    numbers = ["prob", "prompt_count", "continuation_count", "suffix_length"]
    columns = table_of(results, ["prompt", "prompt_tokens", "token", "text", *numbers])
    shown = table_of(results, [*numbers, "prompt", "text"]) | {"prob": [_prob(result) for result in results]}
    delivery(json, output).deliver("probability", {"results": results}, columns, lambda: show_table(shown))


def _prob(result: dict[str, Any]) -> float:
    return float("nan") if result["prob"] is None else result["prob"]


def _pairs(
    index: Index, prompt: str | None, token: str | None, file: str | None, token_ids: list[str] | None
) -> list[tuple[Query, int]]:
    """The prompts and tokens asked about, in the order of arguments, file, ids."""
    texts = [] if prompt is None else [(prompt, token)]
    texts += [_split_line(line, file, number) for number, line in enumerate(read_lines(file), 1)] if file else []
    pairs = []
    for before, after in texts:
        if after is None:
            raise UsageError("a PROMPT and a TOKEN are needed")
        pairs.append((Query(before, encode(index, before)), one_token(index, after)))
    for ids in map(parse_token_ids, token_ids or []):
        if not ids:
            raise UsageError("--token-ids needs the token's id, and before it the prompt's")
        pairs.append((Query(None, ids[:-1]), ids[-1]))
    if not pairs:
        raise UsageError("nothing to ask about: give a PROMPT and a TOKEN, -f FILE or --token-ids IDS")
    return pairs


def _split_line(line: str, file: str, number: int) -> tuple[str, str]:
    prompt, tab, token = line.rpartition("\t")
    if not tab:
        raise InputError("expected a prompt, a tab and a token; found no tab", file, number)
    return prompt, token


def continuations(
    index: IndexPath,
    texts: Texts = None,
    *,
    file: File = None,
    token_ids: TokenIds = None,
    top_k: Annotated[
        int | None, typer.Option("--top-k", min=0, metavar="K", help="Keep the K most frequent; 0 keeps all.")
    ] = 20,
    backoff: Backoff = False,
    output: Output = None,
    json: Json = False,
) -> None:
    """What follows each text, the most frequent first. An empty text asks for single tokens."""
    with open_index(index) as opened:
        queries = read_queries(opened, texts, file, token_ids)
        results = [continuations_of(opened, query, top_k or None, backoff) for query in queries]
    rows = [{"prompt": result["prompt"], **row} for result in results for row in result["continuations"]]
    columns = table_of(rows, ["prompt", "token", "text", "count", "prob"])

    def show() -> None:
        for result in results:
            _show_continuations(result)

    delivery(json, output).deliver("continuations", {"results": results}, columns, show)


def continuations_of(index: Index, query: Query, top_k: int | None, backoff: bool) -> dict[str, Any]:
    """What follows as plain data, the most frequent first."""
    found = index.continuations(query.tokens, backoff=backoff, top_k=top_k)
    rows = zip(found.tokens.tolist(), found.counts.tolist(), found.probs.tolist(), strict=True)
    return {
        "prompt": query.text,
        "prompt_tokens": query.tokens,
        "prompt_count": found.prompt_count,
        "suffix_length": found.suffix_length,
        "num_distinct": found.num_distinct,
        "top_k": found.top_k,
        "continuations": [
            {"token": token, "text": token_text(index, token), "count": count, "prob": prob}
            # Tokens ascend in the index's answer; people and cut-off tables want the frequent first.
            for token, count, prob in sorted(rows, key=lambda row: (-row[1], row[0]))
        ],
    }


def _show_continuations(result: dict[str, Any]) -> None:
    rows = result["continuations"]
    kept = "all" if len(rows) == result["num_distinct"] else f"{len(rows):,}"
    prompt = result["prompt"] if result["prompt"] is not None else " ".join(map(str, result["prompt_tokens"]))
    suffix_length = result["suffix_length"]
    backed_off = f" by its last {suffix_length} tokens" if suffix_length < len(result["prompt_tokens"]) else ""
    note(
        f"{prompt}: occurs {result['prompt_count']:,} times{backed_off}; "
        f"{kept} of {result['num_distinct']:,} distinct continuations"
    )
    shown = table_of(rows, ["count", "prob", "token", "text"])
    shown["text"] = [_END if row["token"] == DOCUMENT_END else row["text"] for row in rows]
    show_table(shown)
