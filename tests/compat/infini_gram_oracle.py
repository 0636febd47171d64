"""What infini-gram's questions mean, by brute force over documents of token ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

Document = dict[str, object]


class Oracle:
    """Documents in shards as infini-gram lays them out, and every answer by looking at all places."""

    def __init__(
        self, documents: Sequence[Sequence[int]], *, width: int = 2, backwards: bool = False, num_shards: int = 1
    ) -> None:
        self.width, self.backwards = width, backwards
        self.separator = 256**width - 1
        self.shards = [[list(document) for document in documents[shard::num_shards]] for shard in range(num_shards)]
        self.streams = [self._stream(shard) for shard in self.shards]
        self.tables = [self._table(stream) for stream in self.streams]

    def _stream(self, documents: list[list[int]]) -> list[int]:
        stream: list[int] = []
        for document in documents:
            stream += [self.separator, *(document[::-1] if self.backwards else document)]
        return stream

    def _bytes(self, tokens: Sequence[int]) -> bytes:
        return np.array(tokens, f"<u{self.width}").tobytes()

    def _table(self, stream: list[int]) -> list[int]:
        return sorted(range(len(stream)), key=lambda place: self._bytes(stream[place:]))

    # --- n-grams

    def starts(self, ngram: Sequence[int], shard: int) -> list[int]:
        """Where an n-gram starts in a shard's stream, in the order of the table."""
        stored, stream = self.stored(ngram), self.streams[shard]
        return [place for place in self.tables[shard] if stream[place : place + len(stored)] == stored]

    def stored(self, ngram: Sequence[int]) -> list[int]:
        return list(ngram)[::-1] if self.backwards else list(ngram)

    def count(self, ngram: Sequence[int]) -> int:
        return sum(len(self.starts(ngram, shard)) for shard in range(len(self.streams)))

    def segments(self, ngram: Sequence[int]) -> list[tuple[int, int]]:
        wanted = self._bytes(self.stored(ngram))
        found = []
        for shard, stream in enumerate(self.streams):
            heads = [self._bytes(stream[place:])[: len(wanted)] for place in self.tables[shard]]
            begin = sum(head < wanted for head in heads)
            found.append((begin, begin + heads.count(wanted)))
        return found

    def following(self, prompt: Sequence[int]) -> Counter[int]:
        """What follows a prompt; the separator for a document's end."""
        counts: Counter[int] = Counter()
        if not prompt:  # every token follows nothing
            return sum(map(Counter, self.streams), counts)
        for shard, stream in enumerate(self.streams):
            for place in self.starts(prompt, shard):
                next_place = place - 1 if self.backwards else place + len(prompt)
                counts[stream[next_place] if 0 <= next_place < len(stream) else self.separator] += 1
        return counts

    def suffix(self, prompt: Sequence[int]) -> list[int]:
        return next(list(prompt[begin:]) for begin in range(len(prompt) + 1) if self.count(prompt[begin:]))

    def prob(self, prompt: Sequence[int], token: int, end: int) -> dict[str, object]:
        following = self.following(prompt)
        total = sum(following.values())
        count = following[token] + (following[self.separator] if token == end else 0)
        return {"prompt_cnt": total, "cont_cnt": count, "prob": count / total if total else -1.0}

    def ntd(self, prompt: Sequence[int], end: int) -> dict[str, object]:
        following = self.following(prompt)
        total = sum(following.values())
        if following[self.separator]:
            following[end] += following[self.separator]
        del following[self.separator]
        rows = {token: {"cont_cnt": following[token], "prob": following[token] / total} for token in sorted(following)}
        return {"prompt_cnt": total, "result_by_token_id": rows, "approx": False}

    # --- texts

    def match_ends(self, tokens: Sequence[int]) -> list[int]:
        return [
            max(end for end in range(begin, len(tokens) + 1) if end == begin or self.count(tokens[begin:end]))
            for begin in range(len(tokens))
        ]

    def spans(
        self, tokens: Sequence[int], delimiters: Sequence[int], least: int, most: int, words: set[int] | None
    ) -> list[dict[str, object]]:
        found: list[dict[str, object]] = []
        last = 0
        for begin, longest in enumerate(self.match_ends(tokens)):
            if words is not None and tokens[begin] not in words:
                continue
            stops = [place + 1 for place in range(begin, longest) if tokens[place] in delimiters]
            end = min([longest, *stops])
            if words is not None:
                wholes = [
                    place for place in range(begin, end + 1) if place in (begin, len(tokens)) or tokens[place] in words
                ]
                end = max(wholes)
            count = self.count(tokens[begin:end])
            if end - begin >= least and count <= most and end > last:
                last = end
                places = [
                    {"s": shard, "ptr": place * self.width}
                    for shard in range(len(self.streams))
                    for place in self.starts(tokens[begin:end], shard)
                ]
                found.append({"l": begin, "r": end, "length": end - begin, "count": count, "docs": places})
        return found

    # --- boolean queries

    def places(self, cnf: Sequence[Sequence[Sequence[int]]], distance: int) -> list[set[tuple[int, int]]]:
        """The matches of the rarest clause that count, as (start, end) in each shard."""
        order = sorted(cnf, key=lambda clause: sum(self.count(term) for term in clause))
        return [self._places(shard, order, distance) for shard in range(len(self.streams))]

    def _places(self, shard: int, order: list[Sequence[Sequence[int]]], distance: int) -> set[tuple[int, int]]:
        found = set()
        for term in order[0]:
            for start in self.starts(term, shard):
                low = high = start
                for clause in order[1:]:
                    near = [
                        place
                        for other in clause
                        for place in self.starts(other, shard)
                        if low - distance <= place <= high + distance
                        and self.document(shard, place) == self.document(shard, start)
                    ]
                    if not near:
                        break
                    low, high = min([low, *near]), max([high, *near])
                else:
                    found.add((start, start + len(term)))
        return {
            (start, end)
            for start, end in found
            if not any(other != (start, end) and start <= other[0] and other[1] <= end for other in found)
        }

    # --- documents

    def document(self, shard: int, place: int) -> int:
        """The document of a place in a shard's stream; a separator belongs to the one behind it."""
        return self.streams[shard][: place + 1].count(self.separator) - 1

    def offset(self, shard: int, place: int) -> int:
        """How many tokens of the document stand before a place, as the document is read."""
        document = self.document(shard, place)
        start = sum(len(tokens) + 1 for tokens in self.shards[shard][:document]) + 1
        within = place - start
        return len(self.shards[shard][document]) - 1 - within if self.backwards else within

    def window(self, shard: int, place: int, before: int, after: int, needle: int) -> dict[str, object]:
        number = self.document(shard, place)
        tokens, offset = self.shards[shard][number], self.offset(shard, place)
        begin, end = (offset - after + 1, offset + before + 1) if self.backwards else (offset - before, offset + after)
        begin, end = max(0, min(begin, len(tokens))), max(0, min(end, len(tokens)))
        needle_begin = offset - needle + 1 if self.backwards else offset
        return {
            "doc_ix": sum(map(len, self.shards[:shard])) + number,
            "doc_len": len(tokens),
            "disp_len": max(0, end - begin),
            "needle_offset": needle_begin - begin,
            "token_ids": tokens[begin:end],
        }
