"""Contamination from end to end: benchmarks read, rules asked, documents looked up."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

from anygram.analysis.contamination import rules as published
from anygram.analysis.contamination.benchmarks import (
    Benchmark,
    BenchmarkSource,
    Fields,
    read_benchmarks,
    results_of,
)
from anygram.analysis.contamination.calibration import calibration_table, canaries
from anygram.analysis.contamination.checkpoint import Checkpoints
from anygram.analysis.contamination.contexts import look_up
from anygram.analysis.contamination.engine import judge
from anygram.analysis.contamination.items import Item, Verdict
from anygram.analysis.contamination.report import ContaminationReport, RuleFacts
from anygram.analysis.contamination.rules.base import Rule, Statistic, TokenRule
from anygram.analysis.corpus_facts import CorpusFacts
from anygram.errors import InputError, InvalidQueryError

if TYPE_CHECKING:
    from anygram.index import Index

#: Called with a stage, what is done of it, and how much there is.
Progress: TypeAlias = Callable[[str, int, int | None], None]

_Verdicts: TypeAlias = dict[str, dict[str, Sequence[Verdict]]]


def contamination(
    index: Index,
    benchmarks: BenchmarkSource,
    rules: str | Rule | Sequence[str | Rule] = "all",
    *,
    fields: Fields | None = None,
    id_field: str | None = None,
    results: object = None,
    calibrate: bool | int = False,
    seed: int = 0,
    resume: str | os.PathLike[str] | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> ContaminationReport:
    """Which items of benchmarks stand in a corpus, by published rules, with the evidence.

    Args:
        index: the corpus.
        benchmarks: one set, or {name: set}. A set is a path (JSON lines, Parquet, a folder of a dataset), an iterable
            of mappings, a Dataset, or anything with an Arrow C stream.
        rules: "all"; or a rule, or several: by name with parameters ("llama2:length=20"), or as an object.
        fields: which field of a record holds the question, the choices, the answer and the passage:
            {"question": "prompt"}; or that for each benchmark by its name. None to recognise them.
        id_field: the field that names an item; None to recognise it.
        results: how a model did on the items: a number for each in order, {id: number}, the name of a field of the
            records; or {benchmark: one of these}. With them the report compares clean and dirty items.
        calibrate: also plant canaries (50 of each kind, or as many as the number says) and tell how many each rule
            finds.
        seed: for what is drawn by chance.
        resume: a folder that keeps what was judged, so that a run that was stopped goes on where it was.
        threads: how many CPUs to use; None for all.
        progress: called with a stage, what is done of it, and how much there is.

    Cost: the rules that the index answers take time by the items' length; the others read every document once.

    Raises:
        InputError: a benchmark or the results cannot be read; the message tells file and line.
        InvalidQueryError: a rule is unknown, or the index has no tokenizer.
    """
    chosen = _chosen(rules)
    sets = read_benchmarks(benchmarks, fields=fields, id_field=id_field)
    names = [benchmark.name for benchmark in sets]
    if len(set(names)) < len(names):
        raise InputError(f"two benchmarks are called {max(names, key=names.count)!r}: name them, as {{name: set}}")
    known = {one.name: found for one in sets if (found := results_of(one, results)) is not None}
    if results is not None and not known:
        raise InputError(f"the results are of none of the benchmarks {', '.join(map(repr, names))}")
    planted = canaries(index, 50 if calibrate is True else calibrate, seed) if calibrate else []
    judging = _Judging(
        index, chosen, known, None if resume is None else Checkpoints(resume, index.id), threads, progress
    )
    verdicts = judging.judge(sets)
    notes = judging.all_notes()  # those on canaries say nothing of the benchmarks
    return ContaminationReport(
        corpus=CorpusFacts.of(index),
        benchmarks=sets,
        rules=[_rule_facts(rule, judging.ways[rule.key]) for rule in chosen],
        verdicts=verdicts,
        results=known,
        statistics=judging.statistics,
        calibration=calibration_table(judging.judge(planted), [rule.key for rule in chosen]) if planted else None,
        notes=notes,
        found=look_up(index, _pairs(sets, verdicts), progress),
    )


class _Judging:
    """Rules over benchmarks, with what was kept of an earlier run.

    A rule about tokens judges each benchmark on its own. Those that read the documents judge all benchmarks together,
    since reading is what takes long; and some weigh an n-gram by how many of all items have it.
    """

    def __init__(
        self,
        index: Index,
        rules: Sequence[Rule],
        results: Mapping[str, tuple[float, ...]],
        checkpoints: Checkpoints | None,
        threads: int | None,
        progress: Progress | None,
    ) -> None:
        self.ways: dict[str, str] = {}
        self.statistics: dict[str, tuple[Statistic, ...]] = {}
        self._notes: dict[str, None] = {}
        self._index = index
        self._rules = rules
        self._results = results
        self._checkpoints = checkpoints
        self._threads = threads
        self._progress = progress

    def judge(self, benchmarks: Sequence[Benchmark]) -> _Verdicts:
        """The verdicts by benchmark and rule."""
        of_tokens = [rule for rule in self._rules if isinstance(rule, TokenRule)]
        of_grams = [rule for rule in self._rules if not isinstance(rule, TokenRule)]
        verdicts: _Verdicts = {benchmark.name: {} for benchmark in benchmarks}
        for done, benchmark in enumerate(benchmarks):
            self._report("token rules", done, len(benchmarks))
            self._judge_together([benchmark], of_tokens, self._results.get(benchmark.name), verdicts)
        if of_tokens:
            self._report("token rules", len(benchmarks), len(benchmarks))
        self._judge_together(benchmarks, of_grams, None, verdicts)
        return verdicts

    def all_notes(self) -> list[str]:
        """What the reader should know."""
        notes = list(self._notes)
        if self._checkpoints is not None and self._checkpoints.num_read:
            notes.append(f"{self._checkpoints.num_read} judgements were kept from an earlier run")
        if self._checkpoints is not None and self._checkpoints.num_refused:
            notes.append(f"{self._checkpoints.num_refused} checkpoints were damaged, and were judged anew")
        return notes

    def _judge_together(
        self,
        benchmarks: Sequence[Benchmark],
        rules: Sequence[Rule],
        results: tuple[float, ...] | None,
        verdicts: _Verdicts,
    ) -> None:
        missing = [rule for rule in rules if not self._kept(benchmarks, rule, results, verdicts)]
        if not missing or not benchmarks:
            return
        items = [item for benchmark in benchmarks for item in benchmark.items]
        answer = judge(
            self._index, items, missing, threads=self._threads, progress=self._progress_of_scan(), results=results
        )
        for rule in missing:
            judged = iter(answer.verdicts[rule.key])
            self.ways[rule.key] = answer.ways[rule.key]
            self._notes |= dict.fromkeys(_notes(rule, answer.notes[rule.key]))
            if answer.statistics[rule.key]:
                self.statistics[rule.key] = self.statistics.get(rule.key, ()) + answer.statistics[rule.key]
            for benchmark in benchmarks:
                own = [replace(next(judged), item=item.number) for item in benchmark.items]
                verdicts[benchmark.name][rule.key] = own
                if self._checkpoints is not None and results is None:
                    facts = answer.ways[rule.key], list(answer.notes[rule.key])
                    self._checkpoints.write(_context(benchmarks, rule), benchmark, rule, own, *facts)

    def _kept(
        self, benchmarks: Sequence[Benchmark], rule: Rule, results: tuple[float, ...] | None, verdicts: _Verdicts
    ) -> bool:
        """Whether all benchmarks were judged by this rule before. What is fitted on results is not kept."""
        if self._checkpoints is None or results is not None:
            return False
        kept = {one.name: self._checkpoints.read(_context(benchmarks, rule), one, rule) for one in benchmarks}
        if not all(kept.values()):
            return False
        for name, found in kept.items():
            assert found is not None
            verdicts[name][rule.key], self.ways[rule.key] = found.verdicts, found.way
            self._notes |= dict.fromkeys(_notes(rule, found.notes))
        return True

    def _report(self, stage: str, done: int, total: int) -> None:
        if self._progress is not None:
            self._progress(stage, done, total)

    def _progress_of_scan(self) -> Callable[[int, int], None] | None:
        return None if self._progress is None else lambda done, total: self._report("scan", done, total)


def _context(benchmarks: Sequence[Benchmark], rule: Rule) -> tuple[tuple[str, str], ...]:
    """What a verdict depends on beside its own benchmark."""
    return () if isinstance(rule, TokenRule) else tuple((one.name, one.hash) for one in benchmarks)


def _notes(rule: Rule, notes: Sequence[str]) -> list[str]:
    # What a note says of the scan it says of all rules; those of one rule begin with its name.
    return [note if note.startswith("the scan") else f"{rule.key}: {note}" for note in notes]


def _chosen(rules: str | Rule | Sequence[str | Rule]) -> list[Rule]:
    given = [rules] if isinstance(rules, str | Rule) else list(rules)
    chosen: list[Rule] = []
    for rule in given:
        if rule == "all":
            chosen += [kind() for kind in published.ALL_RULES.values()]
        else:
            chosen.append(published.parse_rule(rule) if isinstance(rule, str) else rule)
    if not chosen:
        raise InvalidQueryError("no rule at all: give names, or 'all'")
    for rule in chosen:
        if not isinstance(rule, Rule):
            raise InvalidQueryError(f"a rule is its name or one of anygram.rules, found {rule!r:.60}")
    keys = [rule.key for rule in chosen]
    if len(set(keys)) < len(keys):
        raise InvalidQueryError(f"the rule {max(keys, key=keys.count)!r} was given twice")
    return chosen


def _pairs(benchmarks: Sequence[Benchmark], verdicts: _Verdicts) -> Iterator[tuple[Item, Verdict]]:
    for benchmark in benchmarks:
        for verdict in chain.from_iterable(verdicts[benchmark.name].values()):
            yield benchmark.items[verdict.item], verdict


def _rule_facts(rule: Rule, way: str) -> RuleFacts:
    return RuleFacts(rule.key, rule.unit, rule.normalisation, str(rule.threshold), rule.source, way)
