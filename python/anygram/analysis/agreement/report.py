"""The report: how far the corpus agrees with each set of texts, and where."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anygram.analysis.agreement import tabulate
from anygram.analysis.agreement.excerpts import Excerpt
from anygram.analysis.agreement.measure import TokenFacts
from anygram.analysis.agreement.tables import (
    ByDomain,
    ByEffectiveN,
    ByFrequency,
    ByModelProb,
    ModelRelation,
    Overall,
    Tokens,
)
from anygram.analysis.corpus_facts import CorpusFacts
from anygram.errors import InvalidQueryError
from anygram.results.base import Float64Array, plain
from anygram.results.text import visible
from anygram.types import Ragged

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class MeasuredSet:
    """A set of texts, and what the corpus says of each token.

    Attributes:
        name: what it is called.
        tokens: the tokens of each text.
        domains: what each text belongs to; None if that was not asked for.
        model_probs: float64 (tokens,), a neural model's probability of each token, nan where it is not known; None if
            none were given.
        facts: by the report's orders, one row a token, all texts joined.
    """

    name: str
    tokens: Ragged
    domains: Sequence[str] | None
    model_probs: Float64Array | None
    facts: Sequence[TokenFacts]

    @property
    def num_texts(self) -> int:
        """How many texts."""
        return len(self.tokens)

    @property
    def num_tokens(self) -> int:
        """How many tokens they have together."""
        return len(self.tokens.values)


@dataclass(frozen=True, eq=False, repr=False)
class AgreementReport:
    """How far a corpus agrees with texts, token by token. Made by `anygram.agreement`.

    Attributes:
        corpus: the index that was asked.
        sets: the sets of texts, with what is known of each token.
        orders: 5 for the 5-gram, None for the ∞-gram.
        by: the field that tells a text's domain; None if that was not asked for.
        excerpts: the beginnings of a few texts, for the page.
    """

    corpus: CorpusFacts
    sets: Sequence[MeasuredSet]
    orders: Sequence[int | None]
    by: str | None
    excerpts: Sequence[Excerpt]

    @cached_property
    def overall(self) -> Overall:
        """Each set as a whole, by order: agreement, sparse and not, effective n, zeros."""
        return tabulate.overall(self)

    @cached_property
    def by_effective_n(self) -> ByEffectiveN:
        """The same by effective n: the paper's figures 3, 5 and 6."""
        return tabulate.by_effective_n(self)

    @cached_property
    def by_frequency(self) -> ByFrequency:
        """And within it by the frequency of the suffix: figure 7."""
        return tabulate.by_frequency(self)

    @cached_property
    def by_domain(self) -> ByDomain:
        """Each domain of each set; without rows if no field was named."""
        return tabulate.by_domain(self)

    @cached_property
    def by_model_prob(self) -> ByModelProb:
        """By a neural model's probability of the token: figures 4 and 8; without rows if none were given."""
        return tabulate.by_model_prob(self)

    @cached_property
    def model_relation(self) -> ModelRelation:
        """How the corpus and a neural model relate; without rows if no probabilities were given."""
        return tabulate.model_relation(self)

    @cached_property
    def tokens(self) -> Tokens:
        """Each token of each text, by order: one long table."""
        return tabulate.tokens(self)

    def set(self, name: str) -> MeasuredSet:
        """The set of that name.

        Raises:
            InvalidQueryError: there is none.
        """
        for measured in self.sets:
            if measured.name == name:
                return measured
        raise InvalidQueryError(
            f"no set {name!r} in this report; it has {', '.join(repr(measured.name) for measured in self.sets)}"
        )

    def facts(self, name: str, order: int | None = None) -> TokenFacts:
        """What the corpus says of each token of a set: arrays of one row a token.

        Args:
            name: the set's name.
            order: one of the report's orders; None for the ∞-gram.

        Raises:
            InvalidQueryError: there is no such set or order.
        """
        if order not in self.orders:
            raise InvalidQueryError(f"no order {order!r} in this report; it has {', '.join(map(repr, self.orders))}")
        return self.set(name).facts[list(self.orders).index(order)]

    def plot(self, which: str | None = None, ax: Axes | Sequence[Axes] | None = None) -> list[Axes]:
        """Draws the paper's figures: those that the report has what it takes for, or one of them.

        Args:
            which: "effective_n" (figure 3: agreement and tokens by effective n), "sets" (5 and 6: the sets side by
                side), "frequency" (7: by the suffix's frequency) or "model_prob" (4 and 8: by a neural model's
                probability); None for all.
            ax: what to draw on, as many axes as the figure has panels; None for a figure of its own.

        Returns:
            The axes, one a panel.

        Raises:
            InvalidQueryError: there is no such figure, it needs several sets or a model's probabilities, or there are
                more or fewer axes than panels.
            MissingExtraError: matplotlib is not installed.
        """
        from anygram.analysis.agreement.figures import figure, figures
        from anygram.analysis.agreement.plot import plot

        return plot(figures(self) if which is None else [figure(self, which)], ax)

    def save(self, path: str | os.PathLike[str], *, table: str = "overall") -> None:
        """Writes the report.

        Args:
            path: ends in .html (a page that needs nothing else), .json (everything but the single tokens), or in
                .parquet, .csv or .jsonl (one of the tables).
            table: which one: "overall", "by_effective_n", "by_frequency", "by_domain", "by_model_prob",
                "model_relation" or "tokens".

        Raises:
            InputError: the suffix is unknown.
            InvalidQueryError: there is no such table.
            MissingExtraError: what writes such a file is not installed.
        """
        from anygram.analysis.agreement.page import render
        from anygram.analysis.saving import save_report

        save_report(Path(path), page=lambda: render(self), data=self.to_dict, table=lambda: tabulate.table(self, table))

    def summary(self) -> dict[str, Any]:
        """The report in short, as plain data: `anygram agreement --json`."""
        return {
            "corpus": {name: plain(value) for name, value in vars(self.corpus).items()},
            "orders": list(self.orders),
            "by": self.by,
            "overall": plain(self.overall.rows()),
            "by_domain": plain(self.by_domain.rows()),
            "model_relation": plain(self.model_relation.rows()),
        }

    def to_dict(self) -> dict[str, Any]:
        """All of the report but the single tokens, as plain data that `json.dumps` takes."""
        return {"schema": "anygram.agreement/1", **self.summary(), **tabulate.rows(self)}

    def __iter__(self) -> Iterator[MeasuredSet]:
        return iter(self.sets)

    def __repr__(self) -> str:
        names = ", ".join(f"{visible(one.name)} ({one.num_tokens:,} tokens)" for one in self.sets)
        return f"AgreementReport({names}; of {self.corpus.num_tokens:,} tokens)\n{self.overall!r}"

    def _repr_html_(self) -> str:
        return self.overall._repr_html_()
