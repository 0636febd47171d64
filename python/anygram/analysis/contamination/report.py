"""The report: what each rule says of each item, with the evidence, and what follows for the benchmarks."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from anygram.analysis.contamination import tabulate
from anygram.analysis.contamination.benchmarks import Benchmark
from anygram.analysis.contamination.contexts import Found
from anygram.analysis.contamination.items import Item, Verdict
from anygram.analysis.contamination.tables import (
    Calibration,
    ItemVerdicts,
    MatchedSpans,
    Rates,
    RuleAgreement,
    SpanDocuments,
    Subsets,
)
from anygram.analysis.corpus_facts import CorpusFacts
from anygram.errors import InvalidQueryError
from anygram.results.text import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from anygram.analysis.contamination.rules import Statistic

NotApplicable = Literal["drop", "keep"]


@dataclass(frozen=True)
class RuleFacts:
    """A rule, as a report tells of it.

    Attributes:
        name: what it is called.
        unit: what it counts.
        normalisation: what is done to texts before.
        threshold: from where on it calls an item contaminated.
        source: who defined it.
        way: "index" if the index answered, "scan" if the documents were read.
    """

    name: str
    unit: str
    normalisation: str
    threshold: str
    source: str
    way: str


@dataclass(frozen=True, eq=False, repr=False)
class ContaminationReport:
    """Which items of benchmarks stand in a corpus, by each rule. Made by `anygram.contamination`.

    Attributes:
        corpus: the index that was asked.
        benchmarks: what was looked for.
        rules: the rules, in their order.
        verdicts: by benchmark and rule, what it says of each item, in their order.
        results: by benchmark, how a model did on each item, where that was given.
        statistics: by rule, its own tests and fits over the results (Llama 2's Z test, ConTAM's cutoffs).
        calibration: how often each rule finds what was planted; None if that was not asked for.
        notes: what a reader should know.
        found: the documents of the evidence.
    """

    corpus: CorpusFacts
    benchmarks: Sequence[Benchmark]
    rules: Sequence[RuleFacts]
    verdicts: Mapping[str, Mapping[str, Sequence[Verdict]]]
    results: Mapping[str, tuple[float, ...]]
    statistics: Mapping[str, Sequence[Statistic]]
    calibration: Calibration | None
    notes: Sequence[str]
    found: Found = field(repr=False)

    @cached_property
    def rates(self) -> Rates:
        """How much of each benchmark each rule finds contaminated, with 95 % intervals."""
        return tabulate.rates(self)

    @cached_property
    def items(self) -> ItemVerdicts:
        """What each rule says of each item."""
        return tabulate.items(self)

    @cached_property
    def spans(self) -> MatchedSpans:
        """What of the items stands in the corpus, in characters of their fields."""
        return tabulate.spans(self)

    @cached_property
    def documents(self) -> SpanDocuments:
        """The documents that hold the spans, with id, source and metadata."""
        return tabulate.documents(self)

    @cached_property
    def rule_agreement(self) -> RuleAgreement:
        """How far each two rules agree, for each benchmark and for all."""
        return tabulate.rule_agreement(self)

    @cached_property
    def subsets(self) -> Subsets:
        """How the model does on clean and on dirty items; without rows if no results were given."""
        return tabulate.subsets(self)

    def benchmark(self, name: str) -> Benchmark:
        """The benchmark of that name.

        Raises:
            InvalidQueryError: there is none.
        """
        for benchmark in self.benchmarks:
            if benchmark.name == name:
                return benchmark
        known = ", ".join(repr(benchmark.name) for benchmark in self.benchmarks)
        raise InvalidQueryError(f"no benchmark {name!r} in this report; it has {known}")

    def verdicts_of(self, benchmark: str, rule: str) -> Sequence[Verdict]:
        """What a rule says of each item of a benchmark, in their order.

        Raises:
            InvalidQueryError: there is no such benchmark or rule.
        """
        by_rule = self.verdicts[self.benchmark(benchmark).name]
        if rule not in by_rule:
            raise InvalidQueryError(f"no rule {rule!r} in this report; it has {', '.join(map(repr, by_rule))}")
        return by_rule[rule]

    def clean(self, benchmark: str, rule: str, *, not_applicable: NotApplicable = "drop") -> list[Item]:
        """The items of a benchmark that a rule finds clean.

        Args:
            benchmark: its name.
            rule: the rule's name.
            not_applicable: items of which the rule has nothing to say, since they are too short, are left out; "keep"
                takes them for clean.

        Raises:
            InvalidQueryError: there is no such benchmark or rule, or the rule gives scores and no verdicts.
        """
        if not_applicable not in {"drop", "keep"}:
            raise InvalidQueryError(f"not_applicable is 'drop' or 'keep', found {not_applicable!r}")
        verdicts = self.verdicts_of(benchmark, rule)
        if not self.decides(benchmark, rule):
            raise InvalidQueryError(f"the rule {rule!r} gives scores and no verdicts: give it a threshold")
        items = self.benchmark(benchmark).items
        kept = not_applicable == "keep"
        return [items[v.item] for v in verdicts if (not v.contaminated if v.applicable else kept)]

    def decides(self, benchmark: str, rule: str) -> bool:
        """Whether the rule gives verdicts on the benchmark, and not scores alone."""
        return tabulate.tally(self.verdicts_of(benchmark, rule)).decides

    def save_clean(
        self, path: str | os.PathLike[str], benchmark: str, rule: str, *, not_applicable: NotApplicable = "drop"
    ) -> int:
        """Writes the records of the clean items, as they came, one JSON object a line; see `clean`.

        Returns:
            How many.
        """
        from anygram.analysis.contamination.save import write_records

        records = self.benchmark(benchmark).records
        numbers = [item.number for item in self.clean(benchmark, rule, not_applicable=not_applicable)]
        write_records((records[number] for number in numbers), Path(path))
        return len(numbers)

    def worst_rate(self) -> float:
        """The largest rate of any rule on any benchmark; 0 if there is none."""
        rates = self.rates.rate
        return float(max((rate for rate in rates.tolist() if rate == rate), default=0.0))  # noqa: PLR0124  # nan

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draws the rates with their intervals.

        Raises:
            MissingExtraError: matplotlib is not installed.
        """
        from anygram.analysis.contamination.plot import plot_rates

        return plot_rates(self.rates, ax)

    def save(self, path: str | os.PathLike[str], *, table: str = "items") -> None:
        """Writes the report.

        Args:
            path: ends in .html (a page that needs nothing else), .json (everything), or in .parquet, .csv or .jsonl
                (one of the tables).
            table: which one: "items", "spans", "documents", "rates", "rule_agreement", "subsets" or "calibration".

        Raises:
            InputError: the suffix is unknown.
            InvalidQueryError: there is no such table.
            MissingExtraError: what writes such a file is not installed.
        """
        from anygram.analysis.contamination.save import save

        save(self, Path(path), table)

    def summary(self) -> dict[str, Any]:
        """The report in short, as plain data: `anygram contamination --json`."""
        return {
            "benchmarks": [
                {
                    "name": benchmark.name,
                    "items": len(benchmark),
                    "fields": benchmark.layout,
                    "rules": tabulate.rule_summaries(self, benchmark.name),
                }
                for benchmark in self.benchmarks
            ],
            "notes": list(self.notes),
        }

    def to_dict(self) -> dict[str, Any]:
        """All of the report, as plain data that `json.dumps` takes."""
        return tabulate.to_dict(self)

    def __iter__(self) -> Iterator[Benchmark]:
        return iter(self.benchmarks)

    def __repr__(self) -> str:
        names = ", ".join(f"{visible(benchmark.name)} ({len(benchmark):,} items)" for benchmark in self.benchmarks)
        return (
            f"ContaminationReport({names}; {len(self.rules)} rules, {self.corpus.num_tokens:,} tokens)\n{self.rates!r}"
        )

    def _repr_html_(self) -> str:
        return self.rates._repr_html_()
