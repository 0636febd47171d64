"""How much of a text stands in the corpus, and where."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from anygram.compat.infini_gram.models import AttributionDoc, AttributionSpan
from anygram.compat.infini_gram.source import Source


def match_ends(source: Source, tokens: Sequence[int]) -> list[int]:
    """For each token, where the longest n-gram from there on that occurs ends."""
    lengths, _ = source.longest_prefixes(tokens)
    return [begin + length for begin, length in enumerate(lengths)]


def find_spans(
    source: Source,
    tokens: Sequence[int],
    *,
    delimiters: Collection[int],
    word_beginnings: Collection[int] | None,
    min_length: int,
    max_count: int,
) -> list[tuple[int, int, int]]:
    """The spans of a text that occur, as (begin, end, count): none lies in another.

    Args:
        source: the index.
        tokens: the text.
        delimiters: a span ends with the first of these in it.
        word_beginnings: the ids that begin a word, if spans shall hold whole words.
        min_length: shorter ones are left out.
        max_count: those that occur more often are left out.
    """
    spans = []
    last = 0  # where the spans found so far end
    latest = _latest_ends(tokens, delimiters)
    for begin, (length, known) in enumerate(zip(*source.longest_prefixes(tokens), strict=True)):
        if word_beginnings is not None and tokens[begin] not in word_beginnings:
            continue
        end = min(begin + length, latest[begin])
        if word_beginnings is not None:
            while begin < end < len(tokens) and tokens[end] not in word_beginnings:
                end -= 1
        if end - begin < min_length or end <= last:
            continue
        count = known if end - begin == length > 0 else source.count(tokens[begin:end])
        if count <= max_count:
            spans.append((begin, end, count))
            last = end
    return spans


def _latest_ends(tokens: Sequence[int], delimiters: Collection[int]) -> list[int]:
    """For each token, where a span from it on must end: behind the first delimiter."""
    ends = [len(tokens)] * (len(tokens) + 1)
    for place in range(len(tokens) - 1, -1, -1):
        ends[place] = place + 1 if tokens[place] in delimiters else ends[place + 1]
    return ends[:-1]


def describe_span(
    source: Source, tokens: Sequence[int], span: tuple[int, int, int], log_probabilities: dict[int, float]
) -> AttributionSpan:
    """A span, with all its places. Cost: O(count)."""
    begin, end, count = span
    ngram = tokens[begin:end]
    return {
        "l": begin,
        "r": end,
        "length": end - begin,
        "count": count,
        "unigram_logprob_sum": sum((log_probabilities.get(token, UNKNOWN) for token in ngram), 0.0),
        "docs": _places(source, ngram),
    }


#: What a token adds to `unigram_logprob_sum` if its probability was not computed, or is 0.
UNKNOWN = -10000.0


def _places(source: Source, ngram: Sequence[int]) -> list[AttributionDoc]:
    found: list[AttributionDoc] = []
    for number, (shard, segment) in enumerate(zip(source.shards, source.segments(ngram), strict=True)):
        positions = source.kept(number, shard.positions(*segment), ngram)
        found += [{"s": number, "ptr": pointer} for pointer in (positions * source.width).tolist()]
    return found
