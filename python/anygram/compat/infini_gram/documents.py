"""Documents and windows of them, in infini-gram's terms."""

from __future__ import annotations

from bisect import bisect_right

from anygram.compat.infini_gram.models import DocResult
from anygram.compat.infini_gram.source import Source


def split(max_disp_len: int, needle_length: int = 0) -> tuple[int, int]:
    """How many tokens to show before a hit and from it on: half and half, but never less than the needle."""
    after = max((max_disp_len + 1) // 2, needle_length)
    return min(max_disp_len // 2, max(0, max_disp_len - after)), after


def window(source: Source, number: int, position: int, *, before: int, after: int, needle: int) -> DocResult:
    """What stands around a position of a shard's stream, within its document.

    Args:
        source: the index.
        number: of the shard.
        position: in its stream; a separator belongs to the document that it stands before.
        before: tokens to show before the position in the stream.
        after: tokens to show from it on.
        needle: how many tokens were looked for: needed to say where they begin when the stream runs backwards.
    """
    shard = source.shards[number]
    document = shard.document_at(position)
    begin, end = shard.document_span(document)
    first = max(begin, position - before)
    last = max(first, min(end, position + after))
    offset = position - first  # -1 if it is the separator
    if source.backwards:
        offset = last - first - offset - max(1, needle)
    return _result(source, number, document, end - begin, first, last, offset)


def beginning(source: Source, number: int, max_tokens: int) -> DocResult:
    """The first tokens of the document of that number, in the whole index."""
    where = bisect_right(source.first_documents, number) - 1
    document = number - source.first_documents[where]
    begin, end = source.shards[where].document_span(document)
    shown = min(max_tokens, end - begin)
    first = end - shown if source.backwards else begin
    return _result(source, where, document, end - begin, first, first + shown, 0)


def _result(source: Source, number: int, document: int, length: int, first: int, last: int, offset: int) -> DocResult:
    shard = source.shards[number]
    blocked = source.taken_down(number, document)
    return {
        "doc_ix": source.first_documents[number] + document,
        "doc_len": length,
        "disp_len": last - first,
        "needle_offset": offset,
        "metadata": shard.metadata_line(document),
        "token_ids": [] if blocked else source.forwards(shard.tokens(first, last)),
        "blocked": blocked,
    }
