"""The answer to `index.probability`."""

from __future__ import annotations

from dataclasses import dataclass

from anygram.results.base import Result


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Probability(Result):
    """How likely one token comes after a prompt, in this corpus.

    Attributes:
        prob: continuation_count / prompt_count, from 0.0 to 1.0; nan if the prompt does not occur.
        prompt_count: how often the prompt occurs, document ends included as a place to stand before.
        continuation_count: how often the token comes right after it.
        suffix_length: how many tokens at the prompt's end were looked up: all, or with `backoff` as many as occur.
    """

    prob: float
    prompt_count: int
    continuation_count: int
    suffix_length: int
