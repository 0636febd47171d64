"""The tables of a report: frozen, each with the Arrow C stream for pandas, polars, DuckDB and pyarrow."""

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


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Rates(ReportTable):
    """How much of each benchmark each rule finds contaminated.

    Attributes:
        benchmark: the benchmark.
        rule: the rule.
        items: how many items there are.
        applicable: of how many the rule has something to say; the others are too short for it.
        contaminated: how many it finds contaminated.
        rate: contaminated of applicable; nan if the rule applies to none, or gives scores and no verdicts.
        low: where the rate lies with 95 % confidence (Wilson), from here
        high: to here.
    """

    benchmark: Column
    rule: Column
    items: Int64Array
    applicable: Int64Array
    contaminated: Int64Array
    rate: Float64Array
    low: Float64Array
    high: Float64Array

    _dtypes: ClassVar[Mapping[str, npt.DTypeLike]] = {
        "benchmark": _TEXT,
        "rule": _TEXT,
        "items": np.int64,
        "applicable": np.int64,
        "contaminated": np.int64,
        "rate": np.float64,
        "low": np.float64,
        "high": np.float64,
    }


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ItemVerdicts(ReportTable):
    """What each rule says of each item: one row for both.

    Attributes:
        benchmark: the item's benchmark.
        number: its place there, from 0.
        id: its name there.
        rule: the rule.
        applicable: whether the rule has something to say of it.
        contaminated: whether it finds it contaminated; False too where the rule gives a score and no verdict.
        score: the rule's measure; nan where it has none.
        label: the rule's word for it.
    """

    benchmark: Column
    number: Int64Array
    id: Column
    rule: Column
    applicable: BoolArray
    contaminated: BoolArray
    score: Float64Array
    label: Column

    _dtypes: ClassVar[Mapping[str, npt.DTypeLike]] = {
        "benchmark": _TEXT,
        "number": np.int64,
        "id": _TEXT,
        "rule": _TEXT,
        "applicable": np.bool_,
        "contaminated": np.bool_,
        "score": np.float64,
        "label": _TEXT,
    }


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MatchedSpans(ReportTable):
    """What of an item stands in the corpus: one row for each span that a rule matched.

    Attributes:
        span: the span's number in this table, which `SpanDocuments` refers to.
        benchmark: the item's benchmark.
        number: the item's place there, from 0.
        id: its name there.
        rule: the rule.
        field: the item's field.
        begin: the first character of the field.
        end: the character after the last.
        text: what stands between them.
        count: how often it occurs, as the rule counts.
    """

    span: Int64Array
    benchmark: Column
    number: Int64Array
    id: Column
    rule: Column
    field: Column
    begin: Int64Array
    end: Int64Array
    text: Column
    count: Int64Array

    _dtypes: ClassVar[Mapping[str, npt.DTypeLike]] = {
        "span": np.int64,
        "benchmark": _TEXT,
        "number": np.int64,
        "id": _TEXT,
        "rule": _TEXT,
        "field": _TEXT,
        "begin": np.int64,
        "end": np.int64,
        "text": _TEXT,
        "count": np.int64,
    }


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SpanDocuments(ReportTable):
    """The documents that hold the matched spans: one row for a span and a document, at most ten for a span.

    Attributes:
        span: the span's number in `MatchedSpans`.
        document: the document's number in the index.
        document_id: its stable name.
        source: where it was read from; None if unknown.
        metadata: its other fields, as JSON.
    """

    span: Int64Array
    document: Int64Array
    document_id: Column
    source: Column
    metadata: Column

    _dtypes: ClassVar[Mapping[str, npt.DTypeLike]] = {
        "span": np.int64,
        "document": np.int64,
        "document_id": _TEXT,
        "source": _TEXT,
        "metadata": _TEXT,
    }


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RuleAgreement(ReportTable):
    """How far two rules agree, on the items to which both apply.

    Attributes:
        benchmark: the benchmark; "(all)" for all of them together.
        rule: one rule.
        other: the other.
        items: items to which both apply.
        both: of these, found contaminated by both,
        only_rule: by the one alone,
        only_other: by the other alone,
        neither: by none.
        agreement: the share of items on which they say the same.
        overlap: both, of those that any of the two finds (Jaccard); nan if there are none.
        kappa: agreement beyond chance (Cohen); nan where chance alone would agree on all.
    """

    benchmark: Column
    rule: Column
    other: Column
    items: Int64Array
    both: Int64Array
    only_rule: Int64Array
    only_other: Int64Array
    neither: Int64Array
    agreement: Float64Array
    overlap: Float64Array
    kappa: Float64Array

    _dtypes: ClassVar[Mapping[str, npt.DTypeLike]] = {
        "benchmark": _TEXT,
        "rule": _TEXT,
        "other": _TEXT,
        "items": np.int64,
        "both": np.int64,
        "only_rule": np.int64,
        "only_other": np.int64,
        "neither": np.int64,
        "agreement": np.float64,
        "overlap": np.float64,
        "kappa": np.float64,
    }


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Subsets(ReportTable):
    """How a model does on what a rule finds clean and on what it finds contaminated.

    Attributes:
        benchmark: the benchmark.
        rule: the rule.
        clean: clean items with a result,
        clean_score: their mean result,
        clean_low: which lies with 95 % confidence from here
        clean_high: to here.
        dirty: contaminated items with a result, and the same of them:
        dirty_score: their mean,
        dirty_low: from here
        dirty_high: to here.
        difference: the dirty mean minus the clean one,
        difference_low: from here
        difference_high: to here. (Newcombe if all results are 0 or 1, else Welch.)
        gain: the mean of all that the rule applies to minus the clean one: ConTAM's estimated performance gain.
    """

    benchmark: Column
    rule: Column
    clean: Int64Array
    clean_score: Float64Array
    clean_low: Float64Array
    clean_high: Float64Array
    dirty: Int64Array
    dirty_score: Float64Array
    dirty_low: Float64Array
    dirty_high: Float64Array
    difference: Float64Array
    difference_low: Float64Array
    difference_high: Float64Array
    gain: Float64Array

    _dtypes: ClassVar[Mapping[str, npt.DTypeLike]] = {
        "benchmark": _TEXT,
        "rule": _TEXT,
        "clean": np.int64,
        "clean_score": np.float64,
        "clean_low": np.float64,
        "clean_high": np.float64,
        "dirty": np.int64,
        "dirty_score": np.float64,
        "dirty_low": np.float64,
        "dirty_high": np.float64,
        "difference": np.float64,
        "difference_low": np.float64,
        "difference_high": np.float64,
        "gain": np.float64,
    }


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Calibration(ReportTable):
    """How often each rule finds what was planted: texts of the corpus itself, changed in known ways.

    Attributes:
        rule: the rule.
        canary: what was done to the text: "verbatim", "1 substitution" to "5 substitutions", "shuffled sentences";
            "shuffled text" is the control, that nobody should find.
        items: how many were planted.
        applicable: to how many the rule applies.
        found: how many it calls contaminated.
        rate: found of applicable: recall, and for the control the false-positive rate.
        low: where the rate lies with 95 % confidence (Wilson), from here
        high: to here.
    """

    rule: Column
    canary: Column
    items: Int64Array
    applicable: Int64Array
    found: Int64Array
    rate: Float64Array
    low: Float64Array
    high: Float64Array

    _dtypes: ClassVar[Mapping[str, npt.DTypeLike]] = {
        "rule": _TEXT,
        "canary": _TEXT,
        "items": np.int64,
        "applicable": np.int64,
        "found": np.int64,
        "rate": np.float64,
        "low": np.float64,
        "high": np.float64,
    }
