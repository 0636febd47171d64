"""The tables of an agreement report: frozen, each with the Arrow C stream for pandas, polars, DuckDB and pyarrow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from anygram.analysis.report_table import ReportTable
from anygram.results.base import BoolArray, Column, Float64Array
from anygram.types import Int64Array

_TEXT = np.object_

_COUNTED: Mapping[str, npt.DTypeLike] = {
    "tokens": np.int64,
    "agreeing": np.int64,
    "agreement": np.float64,
    "low": np.float64,
    "high": np.float64,
    "sparse": np.int64,
    "sparse_share": np.float64,
    "sparse_agreeing": np.int64,
    "sparse_agreement": np.float64,
    "sparse_low": np.float64,
    "sparse_high": np.float64,
    "zero_share": np.float64,
    "argmax_agreement": np.float64,
}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Counted(ReportTable):
    """Tokens in groups, and how many of each the corpus agrees with; each table adds what tells the groups apart.

    Intervals are Wilson's at 95 %, for tokens as if they were independent: those of one text are not, so the truth is
    wider.

    Attributes:
        tokens: how many there are.
        agreeing: how many the corpus gives more than half of the probability.
        agreement: agreeing of tokens; nan if there are none, as all shares here.
        low: where it lies with 95 % confidence, from here
        high: to here.
        sparse: after how many's context one continuation only was ever seen.
        sparse_share: sparse of tokens.
        sparse_agreeing: how many of the sparse ones agree.
        sparse_agreement: sparse_agreeing of sparse.
        sparse_low: where it lies, from here
        sparse_high: to here.
        zero_share: the share of tokens with probability 0.
        argmax_agreement: the share that is the most frequent continuation; None if it was not asked for.
    """

    tokens: Int64Array
    agreeing: Int64Array
    agreement: Float64Array
    low: Float64Array
    high: Float64Array
    sparse: Int64Array
    sparse_share: Float64Array
    sparse_agreeing: Int64Array
    sparse_agreement: Float64Array
    sparse_low: Float64Array
    sparse_high: Float64Array
    zero_share: Float64Array
    argmax_agreement: Float64Array | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Overall(Counted):
    """Each set as a whole, by order; see `Counted` for the columns of counts.

    Attributes:
        set: the set of texts.
        order: "5-gram" or "∞-gram".
        texts: how many texts it has.
        mean_effective_n: the mean length of the n-grams that estimates are made of.
        median_effective_n: and the median.
        effective_n_5_share: the share of tokens whose effective n is at least 5.
    """

    set: Column
    order: Column
    texts: Int64Array
    mean_effective_n: Float64Array
    median_effective_n: Float64Array
    effective_n_5_share: Float64Array

    _dtypes: ClassVar[Mapping[str, npt.DTypeLike]] = {
        "set": _TEXT,
        "order": _TEXT,
        "texts": np.int64,
        **_COUNTED,
        "mean_effective_n": np.float64,
        "median_effective_n": np.float64,
        "effective_n_5_share": np.float64,
    }


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ByDomain(Overall):
    """The same for each domain of each set.

    Attributes:
        domain: the value of the field `by`; "(none)" for texts without it.
    """

    domain: Column

    _dtypes: ClassVar[Mapping[str, npt.DTypeLike]] = {
        "set": _TEXT,
        "domain": _TEXT,
        **{name: dtype for name, dtype in Overall._dtypes.items() if name != "set"},
    }


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ByEffectiveN(Counted):
    """By effective n: each to 32, then pooled to 64, 128 and so on; rows without tokens are left out.

    Attributes:
        set: the set of texts.
        order: "5-gram" or "∞-gram".
        effective_n: the smallest effective n of the row.
        effective_n_last: the largest.
        share: the share of the set's tokens that are here.
    """

    set: Column
    order: Column
    effective_n: Int64Array
    effective_n_last: Int64Array
    share: Float64Array

    _dtypes: ClassVar[Mapping[str, npt.DTypeLike]] = {
        "set": _TEXT,
        "order": _TEXT,
        "effective_n": np.int64,
        "effective_n_last": np.int64,
        "share": np.float64,
        **_COUNTED,
    }


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ByFrequency(Counted):
    """By effective n, and within it by how often the suffix that the estimate rests on occurs in the corpus.

    Rows without tokens are left out.

    Attributes:
        set: the set of texts.
        order: "5-gram" or "∞-gram".
        effective_n: the smallest effective n of the row.
        effective_n_last: the largest.
        frequency: the least number of occurrences of the suffix: 1, 2, 10, 100 and so on.
        frequency_last: the largest.
    """

    set: Column
    order: Column
    effective_n: Int64Array
    effective_n_last: Int64Array
    frequency: Int64Array
    frequency_last: Int64Array

    _dtypes: ClassVar[Mapping[str, npt.DTypeLike]] = {
        "set": _TEXT,
        "order": _TEXT,
        "effective_n": np.int64,
        "effective_n_last": np.int64,
        "frequency": np.int64,
        "frequency_last": np.int64,
        **_COUNTED,
    }


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ByModelProb(Counted):
    """By a neural model's probability of the token, in ten buckets; all of them, also without tokens.

    Attributes:
        set: the set of texts.
        order: "5-gram" or "∞-gram".
        from_prob: where the bucket begins.
        to_prob: where it ends, itself excluded but for 1.
        mean_model_prob: the mean of the model's probabilities in it.
    """

    set: Column
    order: Column
    from_prob: Float64Array
    to_prob: Float64Array
    mean_model_prob: Float64Array

    _dtypes: ClassVar[Mapping[str, npt.DTypeLike]] = {
        "set": _TEXT,
        "order": _TEXT,
        "from_prob": np.float64,
        "to_prob": np.float64,
        "mean_model_prob": np.float64,
        **_COUNTED,
    }


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ModelRelation(ReportTable):
    """How a neural model and the corpus relate, over the tokens whose probability by the model is known.

    Attributes:
        set: the set of texts.
        order: "5-gram" or "∞-gram".
        tokens: how many there are.
        mean_model_prob: the mean of the model's probabilities.
        model_agreement: the share that the model gives more than half of the probability.
        agreement: the share that the corpus does.
        both: how many tokens both do.
        only_corpus: how many the corpus alone.
        only_model: how many the model alone.
        neither: how many none.
        correlation: Pearson's, of the two probabilities; nan if either is the same everywhere.
        rank_correlation: Spearman's.
        sparse: how many tokens are sparse.
        sparse_correlation: Pearson's, of those.
        sparse_rank_correlation: Spearman's, of those.
    """

    set: Column
    order: Column
    tokens: Int64Array
    mean_model_prob: Float64Array
    model_agreement: Float64Array
    agreement: Float64Array
    both: Int64Array
    only_corpus: Int64Array
    only_model: Int64Array
    neither: Int64Array
    correlation: Float64Array
    rank_correlation: Float64Array
    sparse: Int64Array
    sparse_correlation: Float64Array
    sparse_rank_correlation: Float64Array

    _dtypes: ClassVar[Mapping[str, npt.DTypeLike]] = {
        "set": _TEXT,
        "order": _TEXT,
        "tokens": np.int64,
        "mean_model_prob": np.float64,
        "model_agreement": np.float64,
        "agreement": np.float64,
        "both": np.int64,
        "only_corpus": np.int64,
        "only_model": np.int64,
        "neither": np.int64,
        "correlation": np.float64,
        "rank_correlation": np.float64,
        "sparse": np.int64,
        "sparse_correlation": np.float64,
        "sparse_rank_correlation": np.float64,
    }


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Tokens(ReportTable):
    """Each token of each text, given all before it in its text.

    Attributes:
        set: the set of texts.
        order: "5-gram" or "∞-gram".
        text: the text's number in its set, from 0.
        position: the token's place in its text, from 0.
        token: its id.
        effective_n: one more than the length of the longest suffix of what is before that occurs.
        prompt_count: how often that suffix occurs.
        prob: the corpus's probability of the token.
        agrees: whether that is more than half.
        sparse: whether one continuation only was ever seen.
        argmax: whether the token is the most frequent continuation; None if it was not asked for.
        model_prob: the model's probability; nan where it is not known, None if none were given.
    """

    set: Column
    order: Column
    text: Int64Array
    position: Int64Array
    token: Int64Array
    effective_n: Int64Array
    prompt_count: Int64Array
    prob: Float64Array
    agrees: BoolArray
    sparse: BoolArray
    argmax: BoolArray | None
    model_prob: Float64Array | None

    _dtypes: ClassVar[Mapping[str, npt.DTypeLike]] = {
        "set": _TEXT,
        "order": _TEXT,
        "text": np.int64,
        "position": np.int64,
        "token": np.int64,
        "effective_n": np.int64,
        "prompt_count": np.int64,
        "prob": np.float64,
        "agrees": np.bool_,
        "sparse": np.bool_,
        "argmax": np.bool_,
        "model_prob": np.float64,
    }
