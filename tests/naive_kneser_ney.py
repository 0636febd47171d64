"""Interpolated modified Kneser-Ney by its definition, over dictionaries: what the core's answers are compared with."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

BEGIN, END = -1, -2


class NaiveKneserNey:
    """Documents are sentences: <s> stands before each and </s> behind it, as lmplz has them."""

    def __init__(self, documents: Sequence[Sequence[int]], order: int) -> None:
        self.order = order
        sentences = [(BEGIN, *document, END) for document in documents]
        raw: list[Counter[tuple[int, ...]]] = [Counter() for _ in range(order + 1)]
        for sentence in sentences:
            for k in range(1, order + 1):
                raw[k].update(sentence[i : i + k] for i in range(len(sentence) - k + 1))
        del raw[1][(BEGIN,)]
        self.adjusted: list[dict[tuple[int, ...], int]] = [{} for _ in range(order + 1)]
        for k in range(1, order + 1):
            preceding = defaultdict(set)
            if k < order:
                for ngram in raw[k + 1]:
                    preceding[ngram[1:]].add(ngram[0])
            for ngram, count in raw[k].items():
                is_raw = k == order or ngram[0] == BEGIN
                self.adjusted[k][ngram] = count if is_raw else len(preceding[ngram])
        self.discounts = [(0.0, 0.0, 0.0, 0.0)] + [self._discounts(self.adjusted[k]) for k in range(1, order + 1)]
        self.after = [defaultdict(list) for _ in range(order + 1)]
        for k in range(1, order + 1):
            for ngram, count in self.adjusted[k].items():
                self.after[k][ngram[:-1]].append(count)

    @staticmethod
    def _discounts(adjusted: dict[tuple[int, ...], int]) -> tuple[float, ...]:
        n = [sum(count == size for count in adjusted.values()) for size in range(5)]
        if not (n[1] and n[2] and n[3]):
            return (0.0, 0.5, 1.0, 1.5)
        y = n[1] / (n[1] + 2 * n[2])
        amounts = [size - (size + 1) * y * n[size + 1] / n[size] for size in (1, 2, 3)]
        if any(not 0 <= amount <= size for size, amount in enumerate(amounts, 1)):
            return (0.0, 0.5, 1.0, 1.5)
        return (0.0, *amounts)

    def prob(self, history: Sequence[int], token: int) -> float:
        """Of one token (or END) after a history, which begins with BEGIN if it is a document's beginning."""
        kept = tuple(history)[max(0, len(history) - self.order + 1) :]
        return self._prob(kept, token)

    def _prob(self, context: tuple[int, ...], token: int) -> float:
        k = len(context) + 1
        shorter = self._prob(context[1:], token) if context else 1.0 / (len(self.adjusted[1]) + 1)
        counts = self.after[k].get(context)
        if not counts:
            return shorter
        discounts = self.discounts[k]
        count = self.adjusted[k].get((*context, token), 0)
        mass = sum(discounts[min(c, 3)] for c in counts)
        return (count - discounts[min(count, 3)] + mass * shorter) / sum(counts)
