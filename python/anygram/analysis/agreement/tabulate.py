"""The tables of a report, made from what is known of each token."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from anygram.analysis.agreement.bins import effective_n_bins, frequency_bins, prob_bins
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
from anygram.analysis.report_table import ReportTable
from anygram.analysis.statistics import correlation, rank_correlation, wilson
from anygram.errors import InvalidQueryError
from anygram.results.base import BoolArray, Float64Array, plain
from anygram.types import Int64Array

if TYPE_CHECKING:
    from anygram.analysis.agreement.report import AgreementReport, MeasuredSet

TABLES = ("overall", "by_effective_n", "by_frequency", "by_domain", "by_model_prob", "model_relation", "tokens")

_Columns: TypeAlias = dict[str, npt.NDArray[Any] | None]
_TableType = TypeVar("_TableType", bound=ReportTable)


class Tally(NamedTuple):
    """What is counted of tokens in groups: int64 (groups,) each."""

    tokens: Int64Array
    agreeing: Int64Array
    sparse: Int64Array
    sparse_agreeing: Int64Array
    zero: Int64Array
    argmax: Int64Array | None

    @classmethod
    def of(cls, facts: TokenFacts, groups: Int64Array, num_groups: int, known: BoolArray | None = None) -> Tally:
        """Counts tokens by the number of their group; those that are known, if not all are."""

        def count(which: BoolArray | None = None) -> Int64Array:
            if known is not None:
                which = known if which is None else which & known
            return np.bincount(groups if which is None else groups[which], minlength=num_groups)

        agrees = facts.agrees
        return cls(
            tokens=count(),
            agreeing=count(agrees),
            sparse=count(facts.sparse),
            sparse_agreeing=count(facts.sparse & agrees),
            zero=count(facts.probs == 0),
            argmax=None if facts.argmax is None else count(facts.argmax),
        )

    def columns(self) -> _Columns:
        """The columns of `Counted`."""
        low, high = _intervals(self.agreeing, self.tokens)
        sparse_low, sparse_high = _intervals(self.sparse_agreeing, self.sparse)
        return {
            "tokens": self.tokens,
            "agreeing": self.agreeing,
            "agreement": _share(self.agreeing, self.tokens),
            "low": low,
            "high": high,
            "sparse": self.sparse,
            "sparse_share": _share(self.sparse, self.tokens),
            "sparse_agreeing": self.sparse_agreeing,
            "sparse_agreement": _share(self.sparse_agreeing, self.sparse),
            "sparse_low": sparse_low,
            "sparse_high": sparse_high,
            "zero_share": _share(self.zero, self.tokens),
            "argmax_agreement": None if self.argmax is None else _share(self.argmax, self.tokens),
        }


def overall(report: AgreementReport) -> Overall:
    """See `AgreementReport.overall`."""

    def columns(measured: MeasuredSet, facts: TokenFacts) -> _Columns:
        groups = np.zeros(len(facts), np.int64)
        texts = np.array([measured.num_texts])
        return {"texts": texts, **Tally.of(facts, groups, 1).columns(), **_lengths(facts, groups, 1)}

    return _table(Overall, report, columns)


def by_domain(report: AgreementReport) -> ByDomain:
    """See `AgreementReport.by_domain`."""

    def columns(measured: MeasuredSet, facts: TokenFacts) -> _Columns:
        names, of_text = np.unique(np.array(measured.domains, dtype=np.object_), return_inverse=True)
        groups = np.repeat(of_text, measured.tokens.lengths)
        return {
            "domain": names,
            "texts": np.bincount(of_text, minlength=len(names)),
            **Tally.of(facts, groups, len(names)).columns(),
            **_lengths(facts, groups, len(names)),
        }

    return _table(ByDomain, report, columns, lambda measured: measured.domains is not None)


def by_effective_n(report: AgreementReport) -> ByEffectiveN:
    """See `AgreementReport.by_effective_n`."""

    def columns(_: MeasuredSet, facts: TokenFacts) -> _Columns:
        bins = effective_n_bins(facts.effective_n)
        tally = Tally.of(facts, bins.of_value, len(bins))
        share = _share(tally.tokens, np.full(len(bins), len(facts)))
        ends = {"effective_n": bins.first, "effective_n_last": bins.last}
        return _without_empty({**ends, "share": share, **tally.columns()})

    return _table(ByEffectiveN, report, columns)


def by_frequency(report: AgreementReport) -> ByFrequency:
    """See `AgreementReport.by_frequency`."""

    def columns(_: MeasuredSet, facts: TokenFacts) -> _Columns:
        bins, frequencies = effective_n_bins(facts.effective_n), frequency_bins(facts.prompt_counts)
        groups = bins.of_value * len(frequencies) + frequencies.of_value
        ends: _Columns = {
            "effective_n": np.repeat(bins.first, len(frequencies)),
            "effective_n_last": np.repeat(bins.last, len(frequencies)),
            "frequency": np.tile(frequencies.first, len(bins)),
            "frequency_last": np.tile(frequencies.last, len(bins)),
        }
        return _without_empty(ends | Tally.of(facts, groups, len(bins) * len(frequencies)).columns())

    return _table(ByFrequency, report, columns)


def by_model_prob(report: AgreementReport) -> ByModelProb:
    """See `AgreementReport.by_model_prob`."""

    def columns(measured: MeasuredSet, facts: TokenFacts) -> _Columns:
        assert measured.model_probs is not None
        known = ~np.isnan(measured.model_probs)
        groups, edges = prob_bins(measured.model_probs)
        size = len(edges) - 1
        tally = Tally.of(facts, groups, size, known)
        sums = np.bincount(groups[known], measured.model_probs[known], minlength=size)
        return {
            "from_prob": edges[:-1],
            "to_prob": edges[1:],
            "mean_model_prob": _share(sums, tally.tokens),
            **tally.columns(),
        }

    return _table(ByModelProb, report, columns, lambda measured: measured.model_probs is not None)


def model_relation(report: AgreementReport) -> ModelRelation:
    """See `AgreementReport.model_relation`."""

    def columns(measured: MeasuredSet, facts: TokenFacts) -> _Columns:
        assert measured.model_probs is not None
        known = ~np.isnan(measured.model_probs)
        model, corpus, sparse = measured.model_probs[known], facts.probs[known], facts.sparse[known]
        mine, theirs = corpus > 0.5, model > 0.5
        facts_ = {
            "tokens": len(model),
            "mean_model_prob": _mean(model),
            "model_agreement": _mean(theirs),
            "agreement": _mean(mine),
            "both": np.count_nonzero(mine & theirs),
            "only_corpus": np.count_nonzero(mine & ~theirs),
            "only_model": np.count_nonzero(~mine & theirs),
            "neither": np.count_nonzero(~mine & ~theirs),
            "correlation": correlation(model, corpus),
            "rank_correlation": rank_correlation(model, corpus),
            "sparse": np.count_nonzero(sparse),
            "sparse_correlation": correlation(model[sparse], corpus[sparse]),
            "sparse_rank_correlation": rank_correlation(model[sparse], corpus[sparse]),
        }
        return {name: np.array([value]) for name, value in facts_.items()}

    return _table(ModelRelation, report, columns, lambda measured: measured.model_probs is not None)


def tokens(report: AgreementReport) -> Tokens:
    """See `AgreementReport.tokens`."""

    def columns(measured: MeasuredSet, facts: TokenFacts) -> _Columns:
        lengths = measured.tokens.lengths
        unknown = np.full(len(facts), np.nan)
        some_known = any(one.model_probs is not None for one in report.sets)
        return {
            "text": np.repeat(np.arange(len(lengths)), lengths),
            "position": np.arange(len(facts)) - np.repeat(measured.tokens.offsets[:-1], lengths),
            "token": measured.tokens.values,
            "effective_n": facts.effective_n,
            "prompt_count": facts.prompt_counts,
            "prob": facts.probs,
            "agrees": facts.agrees,
            "sparse": facts.sparse,
            "argmax": facts.argmax,
            "model_prob": (unknown if measured.model_probs is None else measured.model_probs) if some_known else None,
        }

    return _table(Tokens, report, columns)


def model_name(order: int | None) -> str:
    """What tables and people call an order: "5-gram", "∞-gram"."""
    return "∞-gram" if order is None else f"{order}-gram"


def _table(
    kind: type[_TableType],
    report: AgreementReport,
    columns: Callable[[MeasuredSet, TokenFacts], _Columns],
    has_part: Callable[[MeasuredSet], bool] = lambda _: True,
) -> _TableType:
    """A table whose parts, for each set and order, stand one after another."""
    parts = list(_parts(report, columns, has_part))
    joined: dict[str, object] = {}
    for name, dtype in kind._dtypes.items():
        pieces = [part[name] for part in parts]
        present = [piece for piece in pieces if piece is not None]
        # A column that was not asked for is None in all parts; without any part, it has no rows.
        joined[name] = None if pieces and not present else np.concatenate(present) if present else np.empty(0, dtype)
    return kind(**joined)


def _parts(
    report: AgreementReport,
    columns: Callable[[MeasuredSet, TokenFacts], _Columns],
    has_part: Callable[[MeasuredSet], bool],
) -> Iterator[_Columns]:
    for measured in report.sets:
        for order, facts in zip(report.orders, measured.facts, strict=True):
            if has_part(measured):
                part = columns(measured, facts)
                size = next(len(column) for column in part.values() if column is not None)
                keys = {"set": measured.name, "order": model_name(order)}
                yield {**{name: np.full(size, key, np.object_) for name, key in keys.items()}, **part}


def _without_empty(columns: _Columns) -> _Columns:
    kept = columns["tokens"] > 0  # type: ignore[operator]  # this column is never left out
    return {name: None if column is None else column[kept] for name, column in columns.items()}


def _lengths(facts: TokenFacts, groups: Int64Array, num_groups: int) -> _Columns:
    """What is known of effective n in each group."""
    lengths = facts.effective_n
    sizes = np.bincount(groups, minlength=num_groups)
    ordered = np.split(lengths[np.argsort(groups, kind="stable")], np.cumsum(sizes)[:-1])
    return {
        "mean_effective_n": np.array([_mean(part) for part in ordered]),
        "median_effective_n": np.array([float(np.median(part)) if len(part) else np.nan for part in ordered]),
        "effective_n_5_share": np.array([_mean(part >= 5) for part in ordered]),
    }


def _mean(values: npt.NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _share(part: npt.NDArray[Any], whole: Int64Array) -> Float64Array:
    """Part of whole, nan where there is nothing."""
    shares: Float64Array = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return shares


def _intervals(part: Int64Array, whole: Int64Array) -> tuple[Float64Array, Float64Array]:
    pairs: Sequence[tuple[float, float]] = [wilson(*pair) for pair in zip(part.tolist(), whole.tolist(), strict=True)]
    ends = np.array(pairs, dtype=np.float64).reshape(-1, 2)
    return ends[:, 0], ends[:, 1]


def table(report: AgreementReport, name: str) -> ReportTable:
    """One of the tables, by its name.

    Raises:
        InvalidQueryError: there is none of that name.
    """
    if name not in TABLES:
        raise InvalidQueryError(f"the tables of a report are {', '.join(TABLES)}; found {name!r}")
    found = getattr(report, name)
    assert isinstance(found, ReportTable)
    return found


def rows(report: AgreementReport) -> dict[str, Any]:
    """The rows of all tables but that of tokens, as plain data."""
    return {name: plain(table(report, name).rows()) for name in TABLES if name != "tokens"}
