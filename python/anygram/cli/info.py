"""`anygram info`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anygram.cli.options import IndexPath, Json, delivery, open_index
from anygram.cli.output import show_facts
from anygram.cli.sizes import format_size


def info(index: IndexPath, json: Json = False) -> None:
    """What an index holds, and how large it is."""
    with open_index(index) as opened:
        facts = {
            "path": str(index),
            "id": opened.id,
            "num_tokens": opened.num_tokens,
            "num_documents": opened.num_documents,
            "num_shards": opened.num_shards,
            "vocab_size": opened.vocab_size,
            "token_width": opened.token_width,
            "profile": opened.profile,
            "num_bytes": opened.num_bytes,
            "tokenizer": None if opened.tokenizer is None else opened.tokenizer.spec,
        }
    delivery(json).deliver("info", facts, {name: [fact] for name, fact in facts.items()}, lambda: _show(facts))


def _show(facts: Mapping[str, Any]) -> None:
    num_tokens, num_bytes = facts["num_tokens"], facts["num_bytes"]
    per_token = f", {num_bytes / num_tokens:.2f} bytes a token" if num_tokens else ""
    show_facts(
        {
            "path": facts["path"],
            "id": facts["id"],
            "tokens": f"{num_tokens:,}",
            "documents": f"{facts['num_documents']:,}",
            "shards": f"{facts['num_shards']:,}",
            "vocabulary": f"{facts['vocab_size']:,} ids of {facts['token_width']} bytes",
            "tokenizer": facts["tokenizer"] or "none",
            "profile": facts["profile"],
            "size": f"{format_size(num_bytes)}{per_token}",
        }
    )
