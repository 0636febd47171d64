"""Agreement from end to end: texts read, the index asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from anygram.analysis.agreement.excerpts import excerpts
from anygram.analysis.agreement.measure import measure
from anygram.analysis.agreement.report import AgreementReport, MeasuredSet
from anygram.analysis.agreement.tabulate import model_name
from anygram.analysis.agreement.texts import ModelProbs, Progress, TextSet, TextSource, read_sets
from anygram.analysis.corpus_facts import CorpusFacts
from anygram.errors import InvalidQueryError

if TYPE_CHECKING:
    from anygram.index import Index


def agreement(
    index: Index,
    texts: TextSource | Mapping[str, TextSource],
    *,
    by: str | None = None,
    orders: Sequence[int | None] = (5, None),
    model_probs: ModelProbs | Mapping[str, ModelProbs] | None = None,
    argmax: bool = False,
    progress: Progress | None = None,
) -> AgreementReport:
    """How far a corpus agrees with texts: for each token given all before it in its text.

    (Liu et al. 2024, section 4.) The corpus agrees with a token if it gives it more than half of the probability. It is
    sparse there if the context was followed by one continuation only, and the effective n is one more than the
    length of the longest suffix of the context that occurs.

    Args:
        index: the corpus. It must not hold the texts themselves, or they are looked up and not predicted.
        texts: one set, or {name: set} to have several side by side. A set is a path or a `Corpus`, an iterable of str,
            of id sequences or of mappings with "text" or "tokens" and other fields, a Dataset, a table.
        by: a field of the texts that tells their domain; "source" is the file they came from, unless they have a field
            of that name.
        orders: 5 for the 5-gram (at most 4 tokens of context), None for the ∞-gram (all).
        model_probs: a neural model's probability of each token, to relate the two: for each text an array with as many
            numbers as it has tokens, nan where there is none; or the name of the field that holds it, in the sets that
            have it; for several sets {name: one of these}.
        argmax: also tell whether each token is the most frequent continuation, which takes two to five times as long.
        progress: called with a stage, what is done of it, and how much there is.

    Cost: 0.7 s for a million tokens and order on two cores, and 1.5 s to encode them if they are texts; more the first
    time, while pages of the index come from the disk. Memory: the texts, and 26 bytes a token and order.

    Raises:
        InputError: a text cannot be read, or there is none.
        InvalidQueryError: an order is not from 1 up, the index has no tokenizer for texts, no text has the field `by`,
            or the model's probabilities do not fit the tokens.
    """
    checked = _orders(orders)
    sets = read_sets(texts, index.tokenizer, by=by, model_probs=model_probs, progress=progress)
    return AgreementReport(
        corpus=CorpusFacts.of(index),
        sets=[_measured(index, one, checked, argmax, progress) for one in sets],
        orders=checked,
        by=by,
        excerpts=excerpts(sets, index.tokenizer),
    )


def _orders(orders: object) -> tuple[int | None, ...]:
    given = tuple(orders) if isinstance(orders, Sequence) and not isinstance(orders, str) else ()
    legal = [
        order is None or (isinstance(order, int | np.integer) and not isinstance(order, bool) and order >= 1)
        for order in given
    ]
    if not given or not all(legal) or len(set(given)) < len(given):
        raise InvalidQueryError(
            f"orders are different ints from 1 up, and None for the ∞-gram, such as (5, None); found {orders!r}"
        )
    return tuple(None if order is None else int(order) for order in given)


def _measured(
    index: Index, texts: TextSet, orders: Sequence[int | None], argmax: bool, progress: Progress | None
) -> MeasuredSet:
    facts = []
    for order in orders:
        stage = f"{texts.name}: {model_name(order)}"
        told = None if progress is None else partial(progress, stage)
        facts.append(measure(index, texts.tokens, order, argmax=argmax, progress=told))
    return MeasuredSet(texts.name, texts.tokens, texts.domains, texts.model_probs, tuple(facts))
