"""Language models that are counts of an index."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

from anygram.analysis.language_models.base import Evaluation, Generation, LanguageModel
from anygram.analysis.language_models.infinity import Infinity
from anygram.analysis.language_models.kneser_ney import Discounts, KneserNey
from anygram.analysis.language_models.stupid_backoff import StupidBackoff
from anygram.arguments import optional_integer
from anygram.errors import InvalidQueryError
from anygram.index import Index

Kind: TypeAlias = Literal["infinity", "kneser-ney", "stupid-backoff"]

#: The order of those that need one, if none is given.
USUAL_ORDER = 5

__all__ = [
    "Discounts",
    "Evaluation",
    "Generation",
    "Infinity",
    "Kind",
    "KneserNey",
    "LanguageModel",
    "StupidBackoff",
    "language_model",
]


def language_model(
    index: Index,
    kind: Kind = "infinity",
    order: int | None = None,
    *,
    save: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> LanguageModel:
    """A language model whose counts are those of an index.

    Args:
        index: the corpus.
        kind: "infinity", the ∞-gram: the longest suffix of the prompt that occurs says what comes next; "kneser-ney":
            interpolated modified Kneser-Ney, which gives every token a probability; "stupid-backoff": scores.
        order: the longest n-grams to use, in tokens; None for no limit (infinity) or 5 (the others).
        save: keep what Kneser-Ney counts beside the index, in its folder, so that the next model of this order, in any
            process, is there at once.
        progress: called now and then with what is scanned, and the whole; Kneser-Ney scans the index first, unless the
            counts are kept.

    Raises:
        InvalidQueryError: the kind is unknown, the order is less than 1, or there is nothing to save or no folder to
            save it in.
        IndexFormatError: counts that are kept are not as they were written; with `save` they are made anew.
        IndexIOError: the counts cannot be kept.
    """
    chosen = optional_integer(order, "order", 1)
    if save and kind != "kneser-ney":
        raise InvalidQueryError(f"there is nothing to save for the kind {kind!r}: it reads the index alone")
    match kind:
        case "infinity":
            return Infinity(index, chosen)
        case "kneser-ney":
            return KneserNey(index, chosen or USUAL_ORDER, save=save, progress=progress)
        case "stupid-backoff":
            return StupidBackoff(index, chosen or USUAL_ORDER)
        case _:
            raise InvalidQueryError(f'a kind is "infinity", "kneser-ney" or "stupid-backoff", found {kind!r}')
